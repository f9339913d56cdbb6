"""Films of traces that know only which blocks are cached: one applies, and shows no more than that."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner

from astrai_sim.imports.kv_events import batch_of
from astrai_sim.imports.membership import Asked, taken, write_trace
from astrai_sim.imports.messages import Message
from astrai_sim.trace import Trace, TraceError
from scenes.cli import main
from scenes.draw.layout import FRAMES
from scenes.film import catalog
from scenes.film.opening import for_the_screen
from scenes.film.quality import PREVIEW
from scenes.film.rehearsal import rehearse
from scenes.parts.header import Badge
from scenes.parts.part import View
from scenes.player.told import Told, described
from scenes.theme import THEMES
from tests.film.clean import assert_clean

LOOKS = [PREVIEW.shaped(frame, theme) for frame in FRAMES.values() for theme in THEMES.values()]


def served(path: Path, messages: int, most: int, lost: tuple[int, ...] = (), **asked: str) -> Path:
    """A trace of so many messages that each store a block or two, of which at most about `most` are kept."""
    source = random.Random(1)
    cached: list[int] = []
    heard: list[Message] = []
    for number in range(messages):
        gone, cached = cached[: max(0, len(cached) - most)], cached[max(0, len(cached) - most) :]
        new = [source.getrandbits(64) for _ in range(source.randint(1, 2))]
        parent = cached[-1] if cached else None
        events = [["BlockRemoved", gone]] if gone else []
        events.append(["BlockStored", new, parent, [], 16])
        cached += new
        heard.append(Message(batch_of([1e9 + number * source.random(), events]), "", number))
    ledger = taken((one for one in heard if one.number not in lost), Asked(**asked))
    write_trace(path, ledger, "events")
    return path


@pytest.fixture(scope="module")
def trace(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("served") / "served.jsonl"
    return served(path, 90, 60, (3, 4), engine="vllm", title="A server's cache")


def test_one_film_applies_and_the_others_say_why_not(trace):
    opened = for_the_screen(Trace.open(trace))
    reasons = {name: film.why_not(opened) for name, film in catalog.films().items()}
    assert [name for name, reason in reasons.items() if reason is None] == ["PoolAtScale"]
    for name, reason in reasons.items():
        assert name == "PoolAtScale" or reason == (
            f"{name} shows who holds which page, and this trace knows only which blocks are cached: "
            "its cache events tell no refcounts, requests or tables"
        )
    listed = CliRunner().invoke(main, ["list", "--trace", str(trace), "--json"])
    assert listed.exit_code == 0 and listed.output.count('"applies": "yes"') == 1


def test_it_is_clean_and_true(trace):
    report = assert_clean(catalog.film("PoolAtScale"), trace)
    assert report.contradictions == ()


@pytest.mark.slow
@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
@pytest.mark.parametrize("messages, most", [(60, 8), (1500, 900)])
def test_it_is_clean_and_true_in_every_look(tmp_path, look, messages, most):
    path = served(tmp_path / "served.jsonl", messages, most)
    assert assert_clean(catalog.film("PoolAtScale"), path, look).contradictions == ()


def test_the_badge_says_what_is_not_recorded(trace):
    opened = for_the_screen(Trace.open(trace))
    view = View(opened, opened.state_at(-1))
    for frame in FRAMES.values():
        box = frame.words
        texts = [str(atom.text) for _, atom in Badge().draw(View(opened, view.state, frame), box)]
        assert "refcounts not recorded" in " ".join(texts) and "engine vllm" in " ".join(texts)


def test_the_sentences_say_what_no_event_says(trace):
    told = catalog.film("PoolAtScale").tell(for_the_screen(Trace.open(trace)))
    captions = {str(beat.caption) for section in told.sections for beat in section.beats}
    assert "Who uses a block, and how often, no event says." in captions
    assert "2 messages are missing: what they said is not known." in captions


def test_a_page_names_no_refcounts(trace):
    told = Told()
    rehearse(catalog.film("PoolAtScale"), trace, observers=(told,))
    opened = told.traces[0]
    found = described(opened.state_at(len(opened) - 1), opened.header.membership_only)
    assert found["refs, tables, requests"] == "not recorded" and "in use" not in str(found)


def test_a_trace_that_is_cut_short_is_told_up_to_its_last_message(trace, tmp_path):
    lines = trace.read_bytes().splitlines(keepends=True)
    inside = next(i for i, line in enumerate(lines) if i > 180 and b'"block_stored"' in line)
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(b"".join(lines[: inside + 1]))
    opened = for_the_screen(Trace.open(cut))
    last = opened[len(opened) - 1]
    assert last.event == "message_end" and json.loads(lines[inside])["step"] == last.step + 1


def test_too_few_messages_are_refused_in_one_line(tmp_path):
    opened = for_the_screen(Trace.open(served(tmp_path / "few.jsonl", 20, 8)))
    said = catalog.film("PoolAtScale").why_not(opened)
    assert said == (
        "PoolAtScale shows cached blocks in time-lapse, from 60 messages on that change them: the trace has 20"
    )


def test_an_engine_that_the_fonts_cannot_write_is_refused(tmp_path):
    path = served(tmp_path / "odd.jsonl", 60, 8, engine="\u4e2d")
    with pytest.raises(TraceError, match="the fonts of the films have no"):
        for_the_screen(Trace.open(path))
