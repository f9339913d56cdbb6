"""What a scenario may ask for: numbers, texts and letters that cannot be are refused before anything runs."""

from dataclasses import replace

import pytest
import torch
import uharfbuzz as hb

from astrai_sim.engine.clock import CostModel
from astrai_sim.scenario import CannotRun, Run, Scenario, ScenarioError, build, load_scenario
from astrai_sim.scenario.limits import BETWEEN, MOST_STEPS, asked, least_steps, letters, too_large, too_much
from astrai_sim.scenario.schema import CachePart, RecordPart, RequestPart, SchedulerPart, StopPart
from astrai_sim.shipped import ASSETS
from astrai_sim.trace.reader import MOST_BYTES
from tests.trace.recording import crowd, recorded

GOOD = """
title = "T"
seed = 0
[model]
n_layers = 2
n_heads = 2
n_kv_heads = 1
head_dim = 8
ffn_dim = 16
vocab_size = 100
[cache]
n_pages = 64
page_size = 4
[[request]]
name = "A"
prompt_tokens = 5
max_tokens = 20
arrival_step = 0
"""
HUGE = "9" * 30


def refused(tmp_path, text: str) -> str:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(ScenarioError) as raised:
        load_scenario(path)
    said = str(raised.value)
    assert "\n" not in said and len(said) < 600 and said.startswith(f"{path}:")
    return said


@pytest.mark.parametrize("value", [HUGE, "1000000000000"])
@pytest.mark.parametrize("key", [line.split(" =")[0] for line in GOOD.splitlines() if line[-1:].isdigit()])
def test_numbers_beyond_all_sense(tmp_path, key, value):
    (line,) = (line for line in GOOD.splitlines() if line.startswith(f"{key} ="))
    if key == "seed" and value != HUGE:
        return
    assert f"{key} must be " in refused(tmp_path, GOOD.replace(line, f"{key} = {value}"))


@pytest.mark.parametrize("digits", [400, 5000])
def test_numbers_of_more_digits_than_a_float_or_a_text_has(tmp_path, digits):
    said = refused(tmp_path, GOOD.replace("n_pages = 64", f"n_pages = {'9' * digits}"))
    assert "n_pages must be at most 16,777,216, not 99999" in said or "more digits than any that is meant" in said


def test_values_of_200_kb_are_told_in_short(tmp_path):
    for text in (
        f'kind = "{"x" * 200_000}"\n[cache]',
        f"{'x' * 200_000} = 1\n[cache]",
        f'n_pages = "{"x" * 200_000}"\n[cache]',
    ):
        refused(tmp_path, GOOD.replace("[cache]", text))


def test_a_file_without_an_end(tmp_path):
    assert "larger than 4 MiB" in refused(tmp_path, GOOD + "# " + "x" * (1 << 22))


def test_an_arrival_in_1e300_seconds(tmp_path):
    text = GOOD.replace("arrival_step = 0", "arrival_s = 1e300")
    assert f"arrival_s must be at most {BETWEEN['arrival_s'][1]:,}, not 1e+300" in refused(tmp_path, text)


@pytest.mark.parametrize("name", ["张伟", "🙂", "\\u0000", "\\u001b[31m", "A\\nB"])
def test_letters_that_no_film_can_draw(tmp_path, name):
    assert "the fonts of the films have no '" in refused(tmp_path, GOOD.replace('"A"', f'"{name}"'))
    assert "title: the fonts" in refused(tmp_path, GOOD.replace('"T"', f'"{name}"'))


def test_texts_without_an_end(tmp_path):
    assert "name must have at most 200 characters, not 200,000" in refused(
        tmp_path, GOOD.replace('"A"', f'"{"A" * 200000}"')
    )


def test_tables_one_in_another_without_an_end(tmp_path):
    assert "nested too deeply" in refused(tmp_path, GOOD + "deep = " + "[" * 5000 + "]" * 5000)


def test_one_bracket_where_two_belong(tmp_path):
    text = GOOD.replace("[[request]]", "[request]")
    assert "write [[request]], with two brackets" in refused(tmp_path, text)
    assert "write [[request]], with two brackets" in refused(tmp_path, text + text[text.index("[request]") :])


def test_a_model_that_does_not_fit_the_memory():
    scenario = crowd("random")
    cpu = torch.device("cpu")
    assert too_large(scenario, cpu) is None
    large = replace(scenario, model=replace(scenario.model, n_layers=10_000, n_heads=64, head_dim=128, ffn_dim=10_000))
    assert "weights take " in too_large(large, cpu) and "lower n_layers" in too_large(large, cpu)
    assert too_large(large.without_model(), cpu) is None


@pytest.mark.parametrize("kind", ["none", "random"])
@pytest.mark.parametrize("caching", [True, False])
@pytest.mark.parametrize("stop", [StopPart(), StopPart(max_steps=5), StopPart(task="r3", tokens=23)])
@pytest.mark.parametrize(
    "scheduler", [SchedulerPart(max_batch=2, max_tokens_per_step=7), SchedulerPart("same-position")]
)
def test_no_run_takes_fewer_steps_than_the_estimate(kind, caching, stop, scheduler):
    scenario = replace(crowd(kind), stop=stop, scheduler=scheduler, cache=CachePart(14, 4, caching))
    scenario = replace(
        scenario, requests=(*scenario.requests, RequestPart("late", 3, prompt_tokens=2, arrival_step=30))
    )
    built = build(scenario, torch.device("cpu"))
    run = Run(built.scheduler, built.tasks, scenario.stop, scenario.changes, built.clock)
    steps, least = len(list(run.steps())), least_steps(scenario, list(asked(scenario)))
    assert 0 < least <= steps and (stop != StopPart() or steps < 2 * least), "a real bound, and not far off"


def test_a_run_without_an_end_is_refused_with_its_figure():
    cpu = torch.device("cpu")
    endless = RequestPart("A", 9_000_000, prompt_tokens=5)
    pool = CachePart(1 << 16, 1 << 10)
    scenario = Scenario("endless", crowd("none").model, pool, (endless,))
    assert too_much(scenario, cpu) == (
        "the run takes at least 8,999,999 steps, a trace has room for 1,000,000: "
        "lower max_tokens or arrival_step, raise max_batch, or set max_steps in [stop]"
    )
    assert too_much(replace(scenario, stop=StopPart(max_steps=1000)), cpu) is None
    assert too_much(replace(scenario, stop=StopPart(task="A", tokens=1000)), cpu) is None
    many = tuple(replace(endless, name=f"{i}", max_tokens=900_000) for i in range(9))
    assert "at least 1,012,499 steps" in too_much(replace(scenario, requests=many), cpu)
    assert too_much(replace(scenario, requests=many, record=RecordPart("bulk")), cpu) is None
    long = tuple(replace(endless, name=f"{i}", max_tokens=2, prompt_tokens=9_000_000) for i in range(9))
    assert too_much(replace(scenario, requests=long), cpu).startswith("the prompts have 81,000,000 tokens, at most 50,")
    slow = replace(scenario, requests=long[:1], scheduler=SchedulerPart(max_tokens_per_step=8))
    assert "at least 1,125,000 steps" in too_much(slow, cpu)
    assert too_much(replace(slow, cache=replace(pool, prefix_caching=True)), cpu) is None, "a prompt may be cached"
    late = replace(crowd("random"), requests=(RequestPart("A", 2, prompt_tokens=3, arrival_s=900_000.0),))
    assert too_much(late, cpu).startswith("the last request comes after 10.4 days by the clock on the wall, at most 1")
    assert too_much(late.without_model(), cpu) is None
    wide = replace(crowd("none"), cache=CachePart(1 << 20, 4))
    assert too_much(wide, cpu).endswith('of 65,536 at most: lower n_pages, or set detail = "bulk" in [record]')
    assert too_much(replace(wide, record=RecordPart("bulk")), cpu) is None


def test_a_clock_that_runs_out(tmp_path):
    scenario = replace(crowd("none"), cost=CostModel(prefill_step_s=1e10))
    with pytest.raises(CannotRun, match="step 0 ends after 292 years, .*: lower .cost."):
        recorded(scenario, tmp_path / "slow.jsonl")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("detail", ["full", "bulk"])
def test_a_trace_has_room_for_that_many_steps(tmp_path, detail):
    late = RequestPart("A", 2, prompt_tokens=3, arrival_step=2000)
    scenario = Scenario("idle", crowd("none").model, CachePart(4, 4), (late,), record=RecordPart(detail))
    a_step = len(recorded(scenario, tmp_path / "idle.jsonl").content) / 2001
    assert 0.75 * MOST_BYTES < MOST_STEPS[detail] * a_step < 1.05 * MOST_BYTES


def test_the_list_of_letters_is_that_of_the_fonts():
    fonts = [*(ASSETS / "fonts").glob("*.otf"), *(ASSETS / "fonts").glob("*.ttf")]
    assert len(fonts) == 5
    assert letters() == set.intersection(*(set(hb.Face(hb.Blob.from_file_path(str(path))).unicodes) for path in fonts))
