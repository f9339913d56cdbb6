"""Side-by-side measurement, and that each subject measures what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from click.testing import CliRunner

from astrai_sim.engine.cache import CacheView, PagedCache, QueuedView, paged_cache, pages_for
from astrai_sim.model import ModelConfig
from astrai_sim.scenario.schema import ModelPart
from astrai_sim.tools import bench
from astrai_sim.tools.bench import moving, paging, recording, scale, stepping
from astrai_sim.tools.bench.measure import Comparison, compare, compare_both, timed
from astrai_sim.tools.cli import main
from astrai_sim.trace import Trace

CPU = torch.device("cpu")
pytestmark = pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")


def test_runs_take_turns_and_a_ratio_is_taken_within_a_round():
    order = []
    clock = iter([9, 9, 1.0, 2.0, 8.0, 2.0, 4.0, 4.0])

    def run(name):
        def measured():
            order.append(name)
            return next(clock)

        return measured

    (found,) = compare("case", {"a": run("a"), "b": run("b")}, 3)
    assert "".join(order) == "ab" + "ab" + "ba" + "ab"
    assert found.ratios == (2.0, 4.0, 1.0)
    assert (found.ratio, found.base, found.what) == (2.0, "a", "b")
    assert (found.seconds, found.base_seconds) == (4.0, 2.0)
    assert found.spread == (1.5, 3.0)


@pytest.mark.parametrize(("runs", "rounds"), [({"a": None}, 3), ({"a": None, "b": None}, 1)])
def test_too_little_to_compare_is_refused(runs, rounds):
    with pytest.raises(ValueError, match="two rounds and two runs"):
        compare("case", runs, rounds)


def test_only_the_function_is_timed():
    calls = []
    run = timed(lambda: calls.append(1), CPU)
    assert run() >= 0
    assert calls == [1]


def test_paged_and_dense_attention_give_the_same():
    generator = torch.Generator().manual_seed(0)
    keys, values = torch.randn(2, 2, 9, paging.N_KV_HEADS, 8, generator=generator)
    query = torch.randn(2, 1, paging.N_HEADS, 8, generator=generator)
    cache = PagedCache(1, 8, 4, paging.N_KV_HEADS, 8, CPU, torch.float32)
    view = CacheView(cache, [[5, 0, 3], [7, 2, 6]], [0, 0], [9, 9])
    view.write(0, keys, values)
    dense = paging.attend_all(query, zip(keys, values, strict=True))
    assert torch.equal(paging.attend_all(query, view.gather(0)), dense)


@pytest.fixture
def little(monkeypatch):
    """Every subject at a size for tests."""
    sizes = {"n_layers": 1, "n_heads": 2, "n_kv_heads": 1, "head_dim": 4, "ffn_dim": 8}
    monkeypatch.setattr(paging, "CASES", ((2, 5),))
    monkeypatch.setattr(moving, "MOVED", ((2, 5),))
    monkeypatch.setattr(moving, "READ", ((2, 5),))
    monkeypatch.setattr(moving, "compiled", lambda function: function)
    monkeypatch.setattr(paging, "SIZES", (8, 1024, 65_536, 70_000))
    monkeypatch.setattr(paging, "TIMES", 3)
    monkeypatch.setattr(paging, "SHARED", ((32, 16),))
    monkeypatch.setattr(paging, "MODEL", ModelConfig(**sizes, vocab_size=64))
    for subject in (recording, stepping):
        monkeypatch.setattr(subject, "MODEL", ModelPart(**sizes, vocab_size=512))
    monkeypatch.setattr(stepping, "NARROW", replace(stepping.MODEL, head_dim=2))
    monkeypatch.setattr(stepping, "PROMPT", 20)
    monkeypatch.setattr(stepping, "STEPS", 2)


def test_a_hit_computes_only_the_end(little, monkeypatch):
    computed = []
    forward = paging.InferenceScheduler._forward

    def watched(self, batch):
        computed.append([(start, count) for _, start, count in batch])
        return forward(self, batch)

    monkeypatch.setattr(paging.InferenceScheduler, "_forward", watched)
    (found,) = paging.prefix(CPU, 2)
    assert (found.what, found.base) == ("miss", "hit")
    assert computed[:3] == [[(0, 33)], [(32, 16)], [(0, 48)]]


def test_every_subject_is_compared_and_printed_with_the_device(little):
    done = CliRunner().invoke(
        main, ["bench", "--device", "cpu", "--rounds", "2", "--events", "0"], env={"COLUMNS": "140"}
    )
    assert done.exit_code == 0, done.output
    assert done.output.strip().startswith("cpu: ")
    for name in bench.SUBJECTS:
        assert name in done.output
    for compared in (
        "paged / dense",
        "65,536 pages / 8 pages",
        "70,000 pages / 8 pages",
        "65,536 pages in one integer / 8 pages",
        "70,000 pages, one left / 8 pages",
        "write / copy",
        "gather / copy",
        "put / copy",
        "take / copy",
        "page by page / copy",
        "FlexAttention / gather",
        "miss / hit",
        "recorder taken off / no recorder",
        "recording / no recorder",
        "attached / not attached",
        "bytes an event",
    ):
        assert compared in done.output
    assert "a trace of about" not in done.output


def test_a_recorder_leaves_nothing_behind(little, tmp_path):
    """Where nothing is recorded nothing is in the way: the same methods, no attributes more."""
    scenario = recording.scenario_of("full", None)
    built = recording.build(scenario, CPU)
    before = set(vars(built.scheduler)), set(vars(built.cache))
    writer = recording.TraceWriter(tmp_path / "t.jsonl", {})
    watching = recording.make_recorder(scenario, writer, built)
    watching.attach()
    assert (set(vars(built.scheduler)), set(vars(built.cache))) != before
    watching.detach()
    assert (set(vars(built.scheduler)), set(vars(built.cache))) == before


def test_no_run_leaves_a_recorder_to_the_next(little):
    for recorder in ("on", "off", None):
        recording._run(recording.scenario_of("full", None), CPU, recorder)()
        assert paged_cache.pages_for is pages_for


def test_both_clocks_are_read_of_the_same_runs():
    calls = []
    runs = {name: lambda name=name: calls.append(name) for name in "ab"}
    cpu, wall = compare_both("case", runs, 2, CPU)
    assert (cpu.case, wall.case) == ("case, CPU", "case, wall") and calls == [*"ababba"]
    assert len(cpu.ratios) == len(wall.ratios) == 2 and wall.seconds > 0


def test_steps_that_are_measured_are_decode_steps_and_what_they_write_is_told(little, monkeypatch):
    """Four tokens, a gather and a write, and the ends of step and phases: nothing else but a page now and then."""
    passes = []
    forward = stepping.InferenceScheduler._forward

    def watched(self, batch):
        passes.append([count for _, _, count in batch])
        return forward(self, batch)

    monkeypatch.setattr(stepping.InferenceScheduler, "_forward", watched)
    *found, bulk, full = stepping.decode_step(CPU, 2)
    assert [(one.what, one.base) for one in found[:3]] == [
        ("recorder taken off", "no recorder"),
        ("bulk recording", "no recorder"),
        ("recording", "no recorder"),
    ]
    # Of each engine: one prefill pass and one decode pass ahead, then `STEPS` in three rounds.
    assert sum(counts == [20] * 4 for counts in passes) == 4
    assert sum(counts == [1] * 4 for counts in passes) == 4 * (1 + 2 * 3)
    in_bulk, in_full = (float(told.split(": ")[1].split()[0]) for told in (bulk, full))
    assert 6 <= in_bulk < 9 and 16 <= in_full < 24
    assert paged_cache.pages_for is pages_for


def test_what_recording_adds_is_told_in_milliseconds(little):
    """Of each comparison, on both clocks: ours off, in bulk and in full, and the other engine's."""
    found = [*stepping.added(CPU, 2)]
    pairs = [*zip(found[::2], found[1::2], strict=True)]
    assert len(pairs) == 2 * 4
    for compared, text in pairs:
        ms = 1e3 * (compared.ratio - 1) * compared.base_seconds / 2
        assert text == f"{compared.what}: {ms:+.2f} ms a step"


def test_the_engine_of_another_make_answers_as_this_one_does(little):
    """Its blocks are the same pages by another way; watched or not."""
    asked = stepping.scenario(2)
    built = recording.build(asked, CPU)
    for task in built.tasks:
        built.scheduler.submit(task)
    other = stepping.BlockEngine(built.model, asked.cache.n_pages, asked.cache.page_size)
    for request in asked.requests:
        other.add(list(request.prompt_ids), request.max_tokens)
    requests = [*other.scheduler.waiting]
    while other.scheduler.waiting or other.scheduler.running:
        other.step()
    while not built.scheduler.idle:
        built.scheduler.step()
    assert [request.token_ids for request in requests] == [task.tokens for task in built.tasks]
    assert len(other.scheduler.block_manager.free_block_ids) == asked.cache.n_pages


@pytest.mark.parametrize("load", scale.LOADS)
def test_a_large_trace_is_recorded_verified_and_opened(tmp_path, load):
    path = str(tmp_path / "large.jsonl.gz")
    assert "4 requests" in scale._record(path, load, 4)
    assert Trace.open(path).header.detail == load.detail
    assert "comparisons" in scale._verify(path, load, 4)
    assert "the state at any event" in scale._open(path, load, 4)


@pytest.mark.slow
def test_each_stage_of_a_large_trace_has_a_process_of_its_own():
    stages = [*scale.scale(scale.LOADS[0], 500)]
    assert [stage.name for stage in stages] == ["recorded", "verified", "opened, gone through once"]
    assert all(stage.cpu > 0 and stage.wall > 0 and stage.peak > 1e7 for stage in stages)


def test_a_comparison_needs_no_even_rounds():
    found = Comparison("c", "a", "b", 1.0, 1.0, (3.0, 1.0))
    assert (found.ratio, found.spread) == (2.0, (1.5, 2.5))


def test_every_way_to_move_k_and_v_moves_the_same():
    held = moving.filled(3, 70, CPU)
    blank = torch.zeros_like(held.keys), torch.zeros_like(held.values)
    moving._gather_by_page(held, blank)
    assert torch.equal(blank[0], held.keys) and torch.equal(blank[1], held.values)
    for kind in (CacheView, QueuedView):
        view = held.view(kind)
        assert all(torch.equal(k, keys) for (k, _), keys in zip(view.gather(0), held.keys, strict=True))
    whole = held.cache.k_cache.clone(), held.cache.v_cache.clone()
    for write in (
        moving._write_by_page,
        *(lambda h, t, kind=kind: h.view(kind).write(0, h.keys, h.values) for kind in (CacheView, QueuedView)),
    ):
        held.cache.k_cache.zero_()
        held.cache.v_cache.zero_()
        write(held, blank)
        assert torch.equal(held.cache.k_cache, whole[0]) and torch.equal(held.cache.v_cache, whole[1])


@pytest.mark.parametrize("length", [1, 64, 70, 130])
def test_attention_in_the_pages_is_attention_over_what_is_gathered(length):
    held = moving.filled(3, length, CPU)
    query = torch.randn(3, 1, moving.N_HEADS, moving.HEAD_DIM, generator=torch.Generator().manual_seed(1)).bfloat16()
    gathered = paging.attend_all(query, held.view(CacheView).gather(0))
    held.cache.k_cache[0, held.tables[0][-1], (length - 1) % 64 + 1 :] = 1e4
    held.cache.v_cache[0, held.tables[0][-1], (length - 1) % 64 + 1 :] = 1e4
    found = moving.through_the_table(moving.flex_attention, query, held, moving.block_mask(held))
    torch.testing.assert_close(found, gathered, rtol=2e-2, atol=2e-2)


def test_where_flex_attention_does_not_compile_a_line_says_so(little, monkeypatch):
    def refused(*args, **options):
        raise RuntimeError("no compiler here\nand more")

    monkeypatch.setattr(moving, "compiled", lambda function: refused)
    assert list(moving.in_place(CPU, 2)) == [
        "FlexAttention does not compile on cpu here: RuntimeError: no compiler here"
    ]
    monkeypatch.setattr(bench, "SUBJECTS", {"attention in the pages": moving.in_place})
    done = CliRunner().invoke(main, ["bench", "--device", "cpu", "--rounds", "2"], env={"COLUMNS": "140"})
    assert done.exit_code == 0 and "FlexAttention does not compile" in done.output
