"""What `verify` finds in traces that know membership only, and that readers and films get nothing else from them."""

from __future__ import annotations

import copy

import pytest

from astrai_sim.imports.kv_events import batch_of
from astrai_sim.imports.membership import Asked, taken, write_trace
from astrai_sim.imports.messages import Message
from astrai_sim.trace import Trace, TraceError
from astrai_sim.trace.verify import verify
from tests.imports.wire import tokens
from tests.trace.recording import lines_of, resealed

A, B, C, D = (f"{block:016x}" for block in range(10, 14))


@pytest.fixture(scope="module")
def lines(tmp_path_factory) -> list[dict]:
    """A header, nine events in four messages with a gap, and a footer."""

    def stored(*blocks: int, parent: int | None) -> dict:
        hashes = {"block_hashes": list(blocks), "parent_block_hash": parent}
        return {"type": "BlockStored", **hashes, "token_ids": tokens(len(blocks)), "block_size": 4}

    batches = [
        [stored(10, 11, parent=None)],
        [stored(11, parent=10), stored(12, parent=11)],
        [{"type": "BlockRemoved", "block_hashes": [10, 99]}],
        [stored(13, parent=98), {"type": "AllBlocksCleared"}],
    ]
    messages = [
        Message(batch_of([float(number), events]), "", number)
        for number, events in zip((0, 1, 3, 4), batches, strict=True)
    ]
    path = tmp_path_factory.mktemp("lies") / "t.jsonl"
    write_trace(path, taken(messages, Asked()), "events")
    return lines_of(Trace.open(path))


def test_the_trace_holds_and_says_what_is_not_known(lines):
    report = verify(resealed(lines))
    assert report.knows == ["membership"] and report.rules == ()
    said = "\n".join(report.trusted)
    assert "refcounts, requests, page tables and pages in use: not known" in said
    assert "places are handed out on import" in said and "1 missing messages" in said
    assert "1 blocks that were stored again" in said and "1 removed blocks that no event stored" in said
    assert [line.get("event") for line in lines[1:-1]] == [
        *("block_stored", "message_end", "block_stored", "block_stored", "message_end", "messages_missed"),
        *("block_removed", "message_end", "block_stored", "all_blocks_cleared", "message_end"),
    ]


def put(line: int, **fields):
    return lambda lines: lines[line].update(fields)


def imported(**fields):
    return lambda lines: lines[0]["imported"].update(fields)


def pages(n_pages: int):
    return lambda lines: lines[0]["scenario"]["cache"].update(n_pages=n_pages)


LIES = {
    "a place with two blocks": (put(4, pages=[1]), "paging", "page 1 holds another block"),
    "a place that is not the lowest": (put(1, pages=[1, 0]), "format", "lowest free place is recorded as 1"),
    "a place that is not there": (put(1, pages=[0, 7]), "format", "page is recorded as 7"),
    "a block without a place": (put(1, pages=[0]), "format", "places of blocks is recorded as 1"),
    "a place twice": (put(1, pages=[0, 0]), "paging", "page 0 holds another block"),
    "a cached block in another place": (put(3, pages=[0]), "paging", "place of a cached block is recorded as 0"),
    "a repeated block as a new one": (put(3, again=[]), "paging", "blocks stored again is recorded as []"),
    "a new block as a repeated one": (put(4, again=[C]), "paging", "blocks stored again is recorded as"),
    "a removed block that was not stored": (put(7, keys=[D]), "paging", f"block {D} is not cached"),
    "a removed block in another place": (put(7, pages=[1]), "paging", "place of a removed block is recorded as 1"),
    "a cached block called unknown": (put(7, unknown=[B]), "paging", f"block {B} is cached"),
    "a parent that nobody stored": (put(4, parent="x"), "paging", "orphan is recorded as False"),
    "an orphan that has a parent": (put(4, orphan=True), "paging", "orphan is recorded as True"),
    "no missing message": (lambda lines: lines.pop(6), "format", "number of the message is recorded as 3"),
    "more missing messages": (put(6, count=2), "format", "number of the message is recorded as 3"),
    "another first missing message": (put(6, number=1), "format", "first missing message is recorded as 1"),
    "a message more in the header": (imported(messages=5), "format", "messages is recorded as 5"),
    "more missing in the header": (imported(missing=2), "format", "missing messages is recorded as 2"),
    "more pages than blocks at most": (pages(4), "paging", "pages, which are the blocks cached at most"),
    "time that runs back": (put(8, ns=1), "format", "time runs back"),
    "a step ahead": (put(3, step=2), "format", "step is recorded as 2"),
    "a phase": (put(3, phase="decode"), "format", "phase is recorded as 'decode'"),
    "an end within a message": (lambda lines: lines.pop(-2), "format", "the trace ends inside a message"),
    "another reason to stop": (put(-1, stopped="idle"), "format", "reason to stop is recorded as 'idle'"),
    "a size that all blocks have": (put(4, size=4), "format", "a size of 4, which all blocks have"),
}


@pytest.mark.parametrize("change, level, message", LIES.values(), ids=LIES)
def test_a_lie_is_found(lines, change, level, message):
    lies = copy.deepcopy(lines)
    change(lies)
    with pytest.raises(TraceError) as error:
        verify(resealed(lies))
    assert message in str(error.value) and error.value.level == level


def test_events_of_who_holds_what_do_not_belong_there(lines):
    lies = copy.deepcopy(lines)
    lies.insert(2, {"seq": 1, "step": 0, "phase": None, "ns": 0, "event": "prefix_reset", "mask": "0x0"})
    with pytest.raises(TraceError, match="unknown event 'prefix_reset' in a recording of membership detail"):
        verify(resealed(lies))


@pytest.mark.parametrize(
    "field, value, message",
    [
        ("knows", [], "knows is []"),
        ("knows", None, "the field 'scenario.model' is missing"),
        ("imported", None, "does not say what it was imported from"),
        ("dtype", "fp1", "dtype 'fp1' is none of"),
    ],
)
def test_a_header_that_cannot_be(lines, field, value, message):
    lies = copy.deepcopy(lines)
    lies[0][field] = value
    with pytest.raises(TraceError) as error:
        verify(resealed(lies))
    assert message in str(error.value)
