"""Where a live engine carries a tokenizer, its trace has the text of each token; else nothing changes."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from astrai_sim.adapters import attach
from astrai_sim.adapters.texts import Speech, SpokenStream
from astrai_sim.text.tokenizer import byte_alphabet
from astrai_sim.trace import Trace
from astrai_sim.trace.private import private
from astrai_sim.trace.verify import verify
from tests.adapters.parts import VOCABULARY, until_idle
from tests.adapters.standins import TreeScheduler
from tests.adapters.standins_before import FacadeScheduler, PagesScheduler
from tests.adapters.standins_blocks import BlockEngine
from tests.adapters.standins_slots import SlotScheduler

tokenizers = pytest.importorskip("tokenizers")
SHAPES = (TreeScheduler, FacadeScheduler, PagesScheduler, BlockEngine, SlotScheduler)
WORDS = [f"word{'abcdefghij'[i // 10]}{'abcdefghij'[i % 10]}" for i in range(VOCABULARY)]


def of_words() -> Any:
    """A tokenizer whose tokens are words after a blank, as SentencePiece has them."""
    model = tokenizers.models.WordLevel({f"▁{word}": i for i, word in enumerate(WORDS)}, unk_token="▁wordaa")
    made = tokenizers.Tokenizer(model)
    made.decoder = tokenizers.decoders.Metaspace()
    return made


def of_bytes() -> Any:
    """A tokenizer whose tokens are single bytes, and one special token, 256."""
    names = {byte: char for char, byte in byte_alphabet().items()}
    made = tokenizers.Tokenizer(tokenizers.models.BPE(vocab={names[byte]: byte for byte in range(256)}, merges=[]))
    made.decoder = tokenizers.decoders.ByteLevel()
    made.add_special_tokens(["<end>"])
    return made


def with_tokenizer(shape: Any) -> Any:
    """An engine that carries one where engines of its shape do."""
    engine, held = shape(), SimpleNamespace(_tokenizer=of_words(), stop_ids=[0])
    owner = getattr(engine, "_task_mgr", engine)
    owner.tokenizer = held if hasattr(owner, "tokenizer") else of_words()
    return engine


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_texts_are_those_of_the_engines_tokenizer_and_hidden_where_asked(shape: Any, tmp_path: Path) -> None:
    engine = with_tokenizer(shape)
    with attach(engine, tmp_path / "run.jsonl"):
        engine.add("a", [1, 2, 3, 4, 5, 6], 5)
        engine.add("b", [1, 9, 3, 4, 5, 7], 4)
        until_idle(engine)
    trace = Trace.open(tmp_path / "run.jsonl")
    verify(trace)
    assert trace.header.tokenizer is not None and trace.header.tokenizer.tokens == VOCABULARY
    assert trace.header.tokenizer.kind == "WordLevel"
    for name, task in trace.state_at(len(trace) - 1).tasks.items():
        assert task.texts == tuple(f" {WORDS[token]}" for token in task.tokens or ()), name
        assert task.generated
    private(trace, tmp_path / "hidden.jsonl")
    hidden = Trace.open(tmp_path / "hidden.jsonl")
    verify(hidden)
    assert not any(word in (tmp_path / "hidden.jsonl").read_text() for word in WORDS)
    assert len(hidden.state_at(len(hidden) - 1).tasks["A"].texts or ()) > 6


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_a_private_recording_never_has_them(shape: Any, tmp_path: Path) -> None:
    engine = with_tokenizer(shape)
    with attach(engine, tmp_path / "run.jsonl", private=True):
        engine.add("a", [1, 2, 3, 4, 5, 6], 5)
        until_idle(engine)
    trace = Trace.open(tmp_path / "run.jsonl")
    verify(trace)
    written = (tmp_path / "run.jsonl").read_text()
    assert trace.header.private and not any(word in written for word in WORDS) and "def " not in written
    task = trace.state_at(len(trace) - 1).tasks["A"]
    assert len(task.texts or ()) == task.n_tokens > 6


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_without_a_tokenizer_nothing_is_told(shape: Any, tmp_path: Path) -> None:
    engine = shape()
    with attach(engine, tmp_path / "run.jsonl"):
        engine.add("a", [1, 2, 3, 4, 5, 6], 5)
        until_idle(engine)
    lines = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    assert "tokenizer" not in lines[0]
    assert not [line for line in lines if "text" in line or "texts" in line]


def test_a_character_of_several_tokens_belongs_to_the_last() -> None:
    speech = Speech.of(of_bytes())
    assert speech is not None
    tokens = [*"a€ b".encode(), 256, *"é".encode()]
    stream = SpokenStream(speech)
    pieces = [stream.feed(token) for token in tokens]
    assert pieces == ["a", "", "", "€", " ", "b", "<end>", "", "é"]
    stream = SpokenStream(speech)
    assert [stream.feed(token) for token in "€a".encode()] == ["", "", "€", "a"]
    assert speech.facts == {"name": "Tokenizer", "kind": "BPE", "tokens": 257}


def test_a_token_has_the_same_text_wherever_it_stands() -> None:
    speech = Speech.of(of_words())
    assert speech is not None and speech.decode([3, 4]) == f"{WORDS[3]} {WORDS[4]}"
    stream = SpokenStream(speech)
    assert [stream.feed(token) for token in (3, 3, 4, 3)] == [f" {WORDS[i]}" for i in (3, 3, 4, 3)]


class Slow:
    """A tokenizer of `transformers` that is written in Python."""

    name_or_path = "/models/private/tiny-model"

    def __len__(self) -> int:
        return 3

    def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
        """Names of tokens."""
        return [self.decode([one], False, False) for one in ids]

    def decode(self, ids: list[int], skip_special_tokens: bool, clean_up_tokenization_spaces: bool) -> str:
        """A letter each, and a special token."""
        assert not skip_special_tokens and not clean_up_tokenization_spaces
        return "".join(("x", "y", "<s>")[one] for one in ids)


def test_tokenizers_of_other_kinds_speak_or_are_passed_over() -> None:
    speech = Speech.of(Slow())
    assert speech is not None and speech.facts == {"name": "tiny-model", "kind": "Slow", "tokens": 3}
    stream = SpokenStream(speech)
    assert [stream.feed(token) for token in (2, 0, 1)] == ["<s>", "x", "y"]
    for other in (None, object(), SimpleNamespace(stop_ids=[0]), SimpleNamespace(_tokenizer=None)):
        assert Speech.of(other) is None
