"""Listening to a publisher on loopback: gaps, replays, restarts, and how it ends."""

from __future__ import annotations

import os
import signal
import time

import pytest
from click.testing import CliRunner, Result

from astrai_sim import extras
from astrai_sim.imports.messages import MOST_MESSAGE
from astrai_sim.tools.cli import main
from astrai_sim.trace import Trace
from astrai_sim.trace.verify import verify
from tests.imports.publisher import Publisher
from tests.imports.wire import packed, structs, tokens

FORM = structs(False)


def run(*words: object) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(main, [str(word) for word in words])


def batch(block: int, *more, ts: float | None = None):
    """A message that stores one block after the one before."""
    stored = FORM.Stored([block], block - 1 if block else None, tokens(1, 4 * block), 4, medium="GPU")
    return FORM.Batch(1000.0 + block if ts is None else ts, [stored, *more])


@pytest.fixture
def heard(tmp_path):
    """Listen to a publisher that plays `script`; gives the trace, and what the command said."""

    def make(script, *options: object, replay: bool = False, **of: object) -> tuple[Trace, str, Publisher]:
        with Publisher(script, **of) as publisher:
            asks = ("--replay", publisher.replay) if replay else ()
            words = ("vllm-events", publisher.endpoint, "-o", tmp_path / "t.jsonl.gz", "--seconds", 20, *asks, *options)
            done = run(*words)
        assert done.exit_code == 0, done.output
        trace = Trace.open(tmp_path / "t.jsonl.gz")
        verify(trace)
        return trace, done.output, publisher

    return make


def numbers(trace: Trace) -> list[int]:
    return [event.number for event in trace.find(event="message_end")]


def losing(*lost: int, of: int = 8):
    def script(publisher: Publisher) -> None:
        for block in range(of):
            publisher.publish(batch(block), lost=block in lost)

    return script


def test_messages_become_a_trace(heard):
    trace, said, publisher = heard(losing(), "--events", 8)
    assert numbers(trace) == list(range(8)) and trace.header.imported.source == publisher.endpoint
    assert trace.state_at(len(trace) - 1).n_cached == 8
    assert "stopped: 8 events have come" in said and "8 messages: 8 blocks stored" in said


def test_sockets_in_a_folder_are_listened_to_and_asked(heard, tmp_path):
    (tmp_path / "sockets").mkdir()
    trace, said, publisher = heard(losing(0, 4), "--events", 8, replay=True, folder=tmp_path / "sockets")
    assert numbers(trace) == list(range(8)) and publisher.asked == [0, 4]
    assert publisher.endpoint == f"ipc://{tmp_path}/sockets/events" == trace.header.imported.source
    assert "2 messages came from the replay endpoint" in said


def test_gaps_are_reported(heard):
    trace, said, _ = heard(losing(0, 1, 4), "--events", 5)
    assert [(e.number, e.count) for e in trace.find(event="messages_missed")] == [(0, 2), (4, 1)]
    assert "3 messages are missing: 0 to 1, 4" in said
    assert trace[1].orphan


@pytest.mark.parametrize("topics", [False, True])
def test_the_replay_endpoint_is_asked_for_what_did_not_come(heard, topics):
    trace, said, publisher = heard(losing(0, 1, 4, 5), "--events", 8, replay=True, topics=topics)
    assert numbers(trace) == list(range(8)) and publisher.asked == [0, 4]
    assert "4 messages came from the replay endpoint" in said and "missing" not in said
    assert not any(event.orphan for event in trace.find(event="block_stored"))


def test_what_the_replay_endpoint_has_no_more_stays_missing(heard):
    def script(publisher: Publisher) -> None:
        for block in range(6):
            publisher.publish(batch(block), lost=block in (2, 3, 4))
            publisher.kept = [one for one in publisher.kept if one[0] not in (2, 3)]

    trace, said, _ = heard(script, "--events", 4, replay=True)
    assert numbers(trace) == [0, 1, 4, 5]
    assert "1 messages came from the replay endpoint" in said and "2 messages are missing: 2 to 3" in said


@pytest.mark.slow
def test_a_replay_endpoint_that_does_not_answer_is_told(heard):
    trace, said, publisher = heard(losing(1, of=3), "--events", 2, replay=True, replays=False)
    assert numbers(trace) == [0, 2] and f"{publisher.replay}: no answer for messages 1 to 1" in said


def test_a_publisher_that_begins_anew_is_followed(heard):
    def script(publisher: Publisher) -> None:
        losing(of=3)(publisher)
        publisher.restart()
        publisher.publish(batch(0, ts=2000.0), lost=True)
        publisher.publish(batch(1, ts=2001.0))

    trace, _, publisher = heard(script, "--events", 5, replay=True)
    assert numbers(trace) == [0, 1, 2, 0, 1] and publisher.asked == [0]
    assert trace.state_at(len(trace) - 1).n_cached == 2


def test_a_repeated_block_is_not_a_second_copy(heard):
    def script(publisher: Publisher) -> None:
        publisher.publish(batch(0))
        publisher.publish(batch(0, FORM.Removed([0], medium="GPU")))

    trace, said, _ = heard(script, "--events", 3)
    assert trace.state_at(1).n_cached == 1 and trace.state_at(len(trace) - 1).n_cached == 0
    assert "none is a second copy" in said


def test_what_cannot_be_read_is_told_and_missing(heard):
    def script(publisher: Publisher) -> None:
        publisher.publish(batch(0))
        publisher.publish(b"\x93\x01")
        publisher.send(b"kv-events", b"\x01")
        publisher.publish(b"\x91" * 100)
        publisher.publish(batch(3))

    trace, said, publisher = heard(script, "--events", 2)
    assert numbers(trace) == [0, 3] and trace.header.imported.missing == 2
    at = publisher.endpoint
    assert f"{at}: message 1: byte 0 of the payload: 3 values are said to follow, in 1 bytes: taken as missing" in said
    assert f"{at}: message ?: 2 parts: topic, number and payload are three" in said
    assert f"{at}: message 3" not in said and "more than 16 values within one another" in said


@pytest.mark.slow
def test_messages_that_are_too_large_are_told(heard):
    def script(publisher: Publisher) -> None:
        publisher.publish(batch(0))
        publisher.publish(bytes(MOST_MESSAGE + 1))
        publisher.publish(bytes(2 * MOST_MESSAGE + 1))

    trace, said, publisher = heard(script, "--seconds", 2)
    assert numbers(trace) == [0]
    assert f"{publisher.endpoint}: message 1: 8,388,609 bytes in one message: at most 8,388,608 are read" in said
    assert f"{publisher.endpoint}: the publisher is gone, or sent more than 16 MiB at once" in said


def test_only_the_topic_is_heard(heard):
    def script(publisher: Publisher) -> None:
        publisher.send(b"other", (0).to_bytes(8, "big"), packed(batch(7)))
        publisher.publish(batch(0))

    trace, _, _ = heard(script, "--events", 1, "--topic", "kv")
    assert trace[0].keys == ["0" * 16]


def test_ctrl_c_ends_listening_and_the_trace_is_whole(heard):
    def script(publisher: Publisher) -> None:
        losing(of=3)(publisher)
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    trace, said, _ = heard(script)
    assert trace.complete and numbers(trace) == [0, 1, 2] and "stopped: Ctrl-C" in said
    assert signal.getsignal(signal.SIGINT) is before


def test_listening_ends_after_the_seconds_asked_for(heard):
    began = time.monotonic()
    trace, said, _ = heard(losing(of=2), "--seconds", 1)
    assert numbers(trace) == [0, 1] and "stopped: 1 seconds are over" in said
    assert time.monotonic() - began < 10


def test_nobody_there_is_told_and_nothing_written(tmp_path):
    done = run("vllm-events", "tcp://127.0.0.1:9", "-o", tmp_path / "t.jsonl", "--seconds", 0.3)
    assert done.exit_code == 1 and not list(tmp_path.iterdir())
    assert "no block is stored in medium GPU, rank 0, group 0 by 0 messages: no publisher was there" in done.output


@pytest.mark.parametrize(
    "address, code, what",
    [
        ("tcp://127.0.0.1:x", 1, "no socket can be connected there"),
        (f"ipc:///{'x' * 200}", 1, "no socket can be connected there"),
        ("ipc://*", 1, "a * is for tcp:// only: give the path of the publisher's socket"),
        ("inproc://x", 2, "'inproc://x' is no address: give tcp://HOST:PORT|ipc://PATH"),
    ],
)
def test_an_address_of_nothing_is_told(tmp_path, address, code, what):
    done = run("vllm-events", address, "-o", tmp_path / "t.jsonl", "--seconds", 0.3)
    assert done.exit_code == code and what in done.output and not list(tmp_path.iterdir())


def test_without_the_package_one_line_says_what_to_install(tmp_path, monkeypatch):
    def without(name: str):
        raise ModuleNotFoundError(name="zmq")

    monkeypatch.setattr(extras.importlib, "import_module", without)
    done = run("vllm-events", "tcp://127.0.0.1:9", "-o", tmp_path / "t.jsonl", "--seconds", 0.3)
    assert done.exit_code == 1 and "zmq is not installed: pip install -e '.[events]'" in done.output
