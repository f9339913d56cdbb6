"""The shipped conversation: what it says, where it lies, and that the model says it again."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch

from astrai_sim.extras import MissingExtra
from astrai_sim.model.gguf_file import smollm2
from astrai_sim.recorder import record
from astrai_sim.scenario import find_scenario, load_scenario
from astrai_sim.trace import Trace, TraceError
from astrai_sim.trace.verify import verify
from tests.trace.recording import lines_of, resealed

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def chat() -> Trace:
    return Trace.open(ROOT / "assets" / "traces" / "chat.jsonl.gz")


def said(trace: Trace) -> dict[str, str]:
    tasks = trace.state_at(len(trace) - 1).tasks.values()
    return {task.name: "".join(task.texts) for task in tasks}


def test_it_verifies_and_names_what_it_was_made_with(chat: Trace):
    verify(chat)
    assert chat.header.weights.file == "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert not chat.header.engine.commit.endswith("+")


def test_questions_and_answers_can_be_read(chat: Trace):
    scenario = chat.header.scenario
    system = scenario.prefixes[0].text
    texts = said(chat)
    assert len(texts) == 3
    for request in scenario.requests:
        text = texts[request.name]
        assert text.startswith(f"<|im_start|>system\n{system}<|im_end|>\n")
        assert f"<|im_start|>user\n{request.prompt}<|im_end|>\n" in text
        assert text.count("<|im_end|>") == 3 and text.endswith(".<|im_end|>")
    assert {event.reason for event in chat.find("task_finished")} == {"eos"}


def test_the_pages_of_the_system_prompt_are_shared_by_all(chat: Trace):
    admitted = next(chat.find("task_admitted", task="Eve"))
    state = chat.state_at(admitted.seq)
    shared = [pages[:3] for pages in state.tables.values()]
    assert len(shared) == 3 and all(one == other for one, other in itertools.pairwise(shared))
    assert [int(state.refs[page]) for page in shared[0]] == [3, 3, 3]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda event: {**event, "text": " green"}, "text of a token"),
        (lambda event: {k: v for k, v in event.items() if k != "text"}, "the text is missing"),
    ],
)
def test_a_word_that_was_not_said_is_found(chat: Trace, change, message: str):
    lines = lines_of(chat)
    at = max(i for i, event in enumerate(lines) if event.get("text") == " other")
    lines[at] = change(lines[at])
    with pytest.raises(TraceError, match=rf":{at + 1}: .*{message}"):
        verify(resealed(lines))


@pytest.mark.slow
def test_the_model_says_it_again(chat: Trace, tmp_path: Path):
    try:
        smollm2()
    except MissingExtra as missing:
        pytest.skip(str(missing))
    again = tmp_path / "chat.jsonl"
    record(load_scenario(find_scenario("chat")), again, torch.device("cpu"))
    assert said(Trace.open(again)) == said(chat)
