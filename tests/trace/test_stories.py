"""The shipped stories: what their films tell came out of the runs."""

from __future__ import annotations

from itertools import pairwise

import pytest

from astrai_sim.trace import Trace
from tests.conftest import ROOT
from tests.trace.recording import mask_bits


def shipped(name: str) -> Trace:
    return Trace.open(ROOT / "assets" / "traces" / f"{name}.jsonl.gz")


def masks(trace: Trace) -> list[str]:
    """The free mask from the start on, each time that it changes."""
    states = (mask_bits(trace.state_at(seq)) for seq in [-1, *(e.seq for e in trace if hasattr(e, "mask"))])
    found = [next(states)]
    return found + [after for before, after in pairwise([*found, *states]) if before != after]


def answers(trace: Trace) -> dict[str, str]:
    """What each task said, until it was done."""
    said = {event.task: "" for event in trace.find(event="task_submitted")}
    for event in trace.find(event="tokens"):
        said[event.task] += event.text
    return said


def prompt(trace: Trace, task: str) -> list[str]:
    return next(trace.find(event="task_submitted", task=task)).texts


@pytest.fixture(scope="module")
def trace() -> Trace:
    return shipped("paging")


class TestPaging:
    def test_masks(self, trace):
        taken = ["11111111", "11111110", "11111100", "11111000", "11110000", "11100000"]
        assert masks(trace) == [*taken, "11110000", "11110010", "11110011", "11110010"]

    def test_the_table_of_b_ends_out_of_order(self, trace):
        tables = [event.pages for event in trace.find(event="table", task="B")]
        assert tables == [[2], [2, 3], [2, 3, 0]]
        last = trace.state_at(len(trace) - 1)
        assert (last.tables, last.tasks["B"].n_tokens) == ({"B": [2, 3, 0]}, 132)

    def test_attention_sees_two_tables_as_one_rectangle(self, trace):
        grown = next(e for e in trace.find(event="table") if e.phase == "decode")
        view = next(e for e in trace.find(event="lines", after=grown.seq) if e.function == "CacheView.__init__")
        values = {name: value for step in view.steps for name, value in step.values.items()}
        assert view.args["tables"] == [[0, 1, 4], [2, 3]]
        assert values["self.page_table"] == {"shape": [2, 3], "data": [0, 1, 4, 2, 3, -1]}
        assert values["self.lengths"] == {"shape": [2], "data": [129, 98]}

    def test_the_lines_that_made_the_pool_come_first(self, trace):
        made = trace[0]
        values = {name: value for step in made.steps for name, value in step.values.items()}
        assert made.function == "PagedCache.__init__"
        assert values["self.k_cache"] == values["self.v_cache"] == {"shape": [24, 8, 64, 4, 64]}
        assert values["self._free_mask"] == 0b11111111


class TestWords:
    @pytest.mark.parametrize("name", ["prefix_sharing", "eviction", "preemption"])
    def test_every_answer_is_a_whole_sentence(self, name):
        trace = shipped(name)
        said = answers(trace)
        assert all(text.removesuffix("<|im_end|>")[-1] in ".!" for text in said.values())
        assert {event.reason for event in trace.find(event="task_finished")} == {"eos"}
        assert all(event.generated < 40 for event in trace.find(event="task_finished"))

    def test_three_requests_hold_the_pages_of_one_system_prompt(self):
        trace = shipped("prefix_sharing")
        third = next(trace.find(event="task_admitted", task="C"))
        state = trace.state_at(third.seq)
        assert [state.tables[task][:3] for task in "ABC"] == [[0, 1, 2]] * 3
        assert state.refs[:3].tolist() == [3, 3, 3]
        text = trace.header.scenario.prefixes[0].text
        shared = "".join(prompt(trace, "A")[:48])
        assert text in shared and shared == "".join(prompt(trace, "C")[:48])
        assert next(trace.find(event="prefix_hit", task="D")).pages == [0, 1, 2]
        assert not list(trace.find(event="prefix_hit", task="E"))
        assert not list(trace.find(event="pages_evicted"))

    def test_what_is_evicted_is_asked_for_too_late(self):
        trace = shipped("eviction")
        assert next(trace.find(event="prefix_hit", task="D")).pages == [3, 4, 5]
        gone = [event.page for event in trace.find(event="pages_evicted") if event.step < 48]
        assert gone == [2, 1, 0] == next(trace.find(event="task_admitted", task="A")).pages[2::-1]
        assert prompt(trace, "F") == prompt(trace, "A") and prompt(trace, "D") == prompt(trace, "B")
        assert not list(trace.find(event="prefix_hit", task="F"))
        said = answers(trace)
        assert said["F"] == said["A"] and said["D"] == said["B"]

    def test_a_sentence_stops_in_the_middle_and_is_finished_later(self):
        trace = shipped("preemption")
        (preempted,) = trace.find(event="task_preempted")
        said = answers(trace)["C"]
        spoken = "".join(event.text for event in trace.find(event="tokens", task="C") if event.seq < preempted.seq)
        (step,) = (event for event in trace.find(event="step_begin") if event.step == preempted.step)
        assert preempted.task == "C" == step.running[-1]
        assert said.startswith(spoken) and spoken.endswith(" that live") and said.endswith("forest.<|im_end|>")
        first, again = trace.find(event="task_admitted", task="C")
        assert (len(first.pages), again.tokens) == (2, preempted.tokens)
