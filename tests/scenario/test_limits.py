"""What a scenario may ask for: numbers, texts and letters that cannot be are refused before anything runs."""

from dataclasses import replace

import pytest
import torch
import uharfbuzz as hb

from astrai_sim.scenario import ScenarioError, load_scenario
from astrai_sim.scenario.limits import BETWEEN, letters, too_large
from astrai_sim.shipped import ASSETS
from tests.trace.recording import crowd

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
    assert "\n" not in said and len(said) < 300 and said.startswith(f"{path}:")
    return said


@pytest.mark.parametrize("value", [HUGE, "1000000000000"])
@pytest.mark.parametrize("key", [line.split(" =")[0] for line in GOOD.splitlines() if line[-1:].isdigit()])
def test_numbers_beyond_all_sense(tmp_path, key, value):
    (line,) = (line for line in GOOD.splitlines() if line.startswith(f"{key} ="))
    if key == "seed" and value != HUGE:
        return
    assert f"{key} must be " in refused(tmp_path, GOOD.replace(line, f"{key} = {value}"))


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


def test_the_list_of_letters_is_that_of_the_fonts():
    fonts = [*(ASSETS / "fonts").glob("*.otf"), *(ASSETS / "fonts").glob("*.ttf")]
    assert len(fonts) == 5
    assert letters() == set.intersection(*(set(hb.Face(hb.Blob.from_file_path(str(path))).unicodes) for path in fonts))
