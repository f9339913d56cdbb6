"""Files of cache events, as subscribers keep them, become traces that say what is known."""

from __future__ import annotations

import json

import msgspec
import pytest
from click.testing import CliRunner, Result
from matplotlib.text import Text

from astrai_sim.imports.messages import MOST_MESSAGE
from astrai_sim.tools.cli import main
from astrai_sim.tools.plot.glance import draw
from astrai_sim.trace import Series, Trace
from astrai_sim.trace.state import CACHED, FREE
from astrai_sim.trace.verify import verify
from tests.imports.wire import packed, recorded, structs, tokens

ARRAYS, MAPS = structs(True), structs(False)
FORMS = {"arrays": ARRAYS, "maps": MAPS, "all maps": structs(False, False), "batch map": structs(True, False)}


def run(*words: object) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(main, [str(word) for word in words])


@pytest.fixture
def imported(tmp_path):
    """Write bytes, import them, verify the trace; gives it and what the command said."""

    def make(data: bytes, *options: object) -> tuple[Trace, str]:
        (tmp_path / "events").write_bytes(data)
        done = run("vllm-events", tmp_path / "events", "-o", tmp_path / "t.jsonl", *options)
        assert done.exit_code == 0, done.output
        trace = Trace.open(tmp_path / "t.jsonl")
        verify(trace)
        return trace, done.output

    return make


@pytest.fixture
def refused(tmp_path):
    """Import bytes that cannot be: the one line that is said; nothing is written."""

    def make(data: bytes, *options: object) -> str:
        (tmp_path / "events").write_bytes(data)
        done = run("vllm-events", tmp_path / "events", "-o", tmp_path / "no" / "t.jsonl", *options)
        assert done.exit_code == 1, done.output
        assert not (tmp_path / "no").exists()
        assert len(done.output.splitlines()) == 1, done.output
        return done.output

    return make


def story(form):
    """Three blocks come, one goes and its place is taken; the second is stored once more."""
    chain = [0xA, 0xB, 0xC]
    return [
        form.Batch(100.0, [form.Stored(chain[:2], None, tokens(2), 4)]),
        form.Batch(100.5, [form.Stored(chain[2:], 0xB, tokens(1, 8), 4), form.Stored([0xB], 0xA, tokens(1, 4), 4)]),
        form.Batch(101.0, [form.Removed([0xA]), form.Stored([b"\x0d" * 32], 0xC, tokens(1, 20), 4)]),
    ]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_same_story_is_read_from_arrays_and_from_maps(imported, form):
    trace, said = imported(packed(*story(form)))
    assert [event.event for event in trace] == [
        *("block_stored", "message_end", "block_stored", "block_stored", "message_end"),
        *("block_removed", "block_stored", "message_end"),
    ]
    assert trace[0].keys == ["000000000000000a", "000000000000000b"] and trace[0].pages == [0, 1]
    assert trace[0].parent == "" and trace[2].parent == trace[0].keys[1] and trace[2].pages == [2]
    assert trace[6].keys == ["0d" * 32] and trace[6].pages == [0]
    assert trace[6].token_ids == [20, 21, 22, 23]
    assert [trace[i].ns for i in (0, 2, 5)] == [0, 500_000_000, 1_000_000_000]
    assert "3 messages: 4 blocks stored, 1 removed, at most 3 cached at once, of 4 tokens" in said
    assert "not in these events: refcounts, requests, page tables" in said


def test_a_block_that_is_stored_again_is_not_a_second_copy(imported):
    trace, said = imported(packed(*story(MAPS)))
    again = trace[3]
    assert again.again == again.keys == ["000000000000000b"] and again.pages == [1]
    assert trace.state_at(4).n_cached == trace.state_at(2).n_cached == 3
    assert "1 blocks were reported stored while they were cached: none is a second copy" in said


def test_pages_are_cached_or_free_and_never_in_use(imported):
    trace, _ = imported(packed(*story(MAPS)), "--pages", 8)
    state = trace.state_at(len(trace) - 1)
    assert state.page_states().tolist() == [CACHED] * 3 + [FREE] * 5
    assert (state.n_in_use, state.n_cached, state.n_free, state.tables) == (0, 3, 5, {})
    assert state.mask == 0b11111000 and trace.state_at(5).mask == 0b11111001
    assert trace.header.imported.places == "asked"
    series = Series.of(trace)
    assert series.cached.tolist() == [2, 3, 3] and series.evictions.tolist() == [0, 0, 1]
    assert series.waiting.tolist() == series.in_use.tolist() == series.kv_slots.tolist() == [-1] * 3


def test_without_pages_there_are_as_many_as_blocks_at_most_at_once(imported):
    trace, _ = imported(packed(*story(MAPS)))
    assert trace.header.scenario.cache.n_pages == 3 and trace.header.imported.places == "most"


def test_the_header_says_what_is_known_and_names_nothing_that_is_not(imported, tmp_path):
    trace, _ = imported(packed(*story(MAPS)), "--engine", "vllm", "--title", "A cache")
    written = json.loads((tmp_path / "t.jsonl").read_text().splitlines()[0])
    assert written["knows"] == ["membership"] and set(written["scenario"]) == {"name", "title", "cache"}
    assert (written["dtype"], written["model"], written["device"]["name"]) == ("unknown",) * 3
    assert trace.header.engine.name == "vllm" and trace.header.started == "1970-01-01T00:01:40+00:00"


def test_every_field_that_is_said_is_kept_and_unknown_ones_too(imported):
    extra = [["lora", b"\x00\xff"], None]
    said = {"lora_id": 7, "lora_name": "adapter", "extra_keys": extra, "kv_cache_spec_kind": "full_attention"}
    said |= {"kv_cache_spec_sliding_window": 128, "locality": "LOCAL", "ownership": "tier", "session_id": "s1"}
    stored = MAPS.Stored([1, 2], None, tokens(2), 4, medium="GPU", group_idx=0, origin="NEW", **said)
    trace, _ = imported(packed(MAPS.Batch(1.0, [stored])))
    kept = {**said, "extra_keys": [["lora", "0x00ff"], None], "medium": "GPU", "group_idx": 0, "origin": "NEW"}
    assert trace[0].said == kept


def test_places_beyond_the_known_ones_are_kept_by_their_number(imported):
    stored = ["BlockStored", [1], None, tokens(1), 4, *[None] * 9, "new", 5]
    trace, _ = imported(packed([1.0, [stored, ["AllBlocksCleared", True]], None, "more"]))
    assert trace[0].said == {"field_14": 5, "session_id": "new"} or trace[0].said == {
        "session_id": "new",
        "field_14": 5,
    }
    assert trace[1].said == {"field_0": True} and trace[2].said == {"field_3": "more"}


def test_metadata_of_sglang_in_the_place_of_a_name_is_kept_by_its_names(imported):
    stored = ARRAYS.Stored([-1], None, tokens(1), 4, None, "GPU", {"cache_salt": "x", "session_id": "s"})
    trace, _ = imported(packed([1.0, [stored], None]))
    assert trace[0].said == {"medium": "GPU", "cache_salt": "x", "session_id": "s"} and trace[0].keys == ["f" * 16]


def test_pairs_of_tokens_are_kept(imported):
    trace, _ = imported(packed(ARRAYS.Batch(1.0, [ARRAYS.Stored([1], None, [[1, 2], [2, 3], [3, 4], [4, 5]], 4)])))
    assert trace[0].token_ids == [[1, 2], [2, 3], [3, 4], [4, 5]]


def test_messages_as_records_of_topic_number_and_payload(imported):
    batches = story(MAPS)
    records = [recorded(i, batch) for i, batch in enumerate(batches)]
    plain, _ = imported(packed(*batches))
    events = [event.event for event in plain]
    as_frames = [[topic.encode(), number.to_bytes(8, "big"), payload] for topic, number, payload in records]
    for data in (
        packed(*records),
        packed(*as_frames),
        packed(*([t, n, b] for (t, n, _), b in zip(records, batches, strict=True))),
    ):
        trace, _ = imported(data)
        assert [event.event for event in trace] == events
        assert [event.number for event in trace.find(event="message_end")] == [0, 1, 2]


def test_json_lines_of_batches_and_of_records(imported):
    form = structs(False)
    batch = form.Batch(100.0, [form.Stored([5, 6], None, tokens(2), 4), form.Removed([5])])
    text = msgspec.json.encode(batch).decode()
    lines = [text, "", f'["kv", 7, {text}]', f'{{"topic": "kv", "seq": 8, "batch": {text}}}']
    trace, said = imported("\n".join(lines[:1]).encode())
    assert trace[0].keys == ["0000000000000005", "0000000000000006"]
    trace, said = imported("\n".join(lines[2:]).encode())
    assert [event.number for event in trace.find(event="message_end")] == [7, 8]
    trace, _ = imported(b'{"ts": 3, "events": [["BlockStored", ["sha:ab"], null, [], 16]]}')
    assert trace[0].keys == ["sha:ab"] and trace.header.scenario.cache.page_size == 16


def test_gaps_are_events_and_are_reported(imported):
    form = MAPS
    batches = [form.Batch(float(i), [form.Stored([i], None, tokens(1), 4)]) for i in range(9)]
    trace, said = imported(packed(*(recorded(i, batches[i]) for i in (2, 3, 6, 8))))
    assert [(e.number, e.count) for e in trace.find(event="messages_missed")] == [(0, 2), (4, 2), (7, 1)]
    assert "5 messages are missing: 0 to 1, 4 to 5, 7" in said and trace.header.imported.missing == 5
    assert any("5 missing messages" in item for item in verify(trace).trusted)


def test_what_was_not_seen_stored_is_named_not_made_up(imported):
    form = MAPS
    batches = [form.Stored([2], 1, tokens(1), 4), form.Removed([1, 2]), form.Removed([2])]
    trace, said = imported(packed(*(form.Batch(float(i), [one]) for i, one in enumerate(batches))))
    assert trace[0].orphan and trace[2].unknown == ["0000000000000001"] and trace[2].pages == [0]
    assert trace[4].unknown == ["0000000000000002"] and trace[4].pages == []
    assert "2 removed blocks were not known to be cached" in said
    trusted = verify(trace).trusted
    assert any("whether messages are missing: 3 of 3 have no number" in item for item in trusted)
    assert any("no event stored the block that they name" in item for item in trusted)


def test_a_cleared_cache_is_empty_and_hands_places_out_anew(imported):
    form = MAPS
    trace, _ = imported(
        packed(
            form.Batch(1.0, [form.Stored([1, 2], None, tokens(2), 4)]),
            form.Batch(2.0, [form.Cleared(), form.Stored([3], 2, tokens(1), 4)]),
        )
    )
    assert trace.state_at(2).n_cached == 0 and trace[3].pages == [0] and trace[3].orphan


def test_a_publisher_that_began_anew_has_an_empty_cache(imported):
    form = MAPS
    one, two, new = (form.Batch(float(i), [form.Stored([i], None, tokens(1), 4)]) for i in (1, 2, 3))
    trace, said = imported(packed(recorded(0, one), recorded(1, two), recorded(1, two), recorded(0, new)))
    assert [event.restart for event in trace.find(event="all_blocks_cleared")] == [True]
    assert trace.state_at(len(trace) - 1).n_cached == 1 and "left out: 1 messages that came again" in said


def test_a_message_that_comes_late_is_left_out(imported):
    form = MAPS
    batches = [form.Batch(float(i), [form.Stored([i], None, tokens(1), 4)]) for i in range(3)]
    _, said = imported(packed(*(recorded(i, batches[i]) for i in (0, 2, 1))))
    assert "1 messages are missing: 1" in said and "left out: 1 messages that came late" in said


def test_one_cache_is_taken_and_others_are_counted(imported, refused):
    form = MAPS
    events = [
        form.Stored([1], None, tokens(1), 4, medium="GPU"),
        form.Stored([2], None, [], 0, medium="CPU"),
        form.Stored([3], None, tokens(1), 4, medium="STORAGE"),
        form.Stored([4], None, tokens(1), 4, group_idx=1),
        form.Stored([], None, tokens(2), 4),
        form.Inactive([1]),
    ]
    data = packed(form.Batch(1.0, events, 1), form.Batch(1.0, events[:1], 2))
    trace, said = imported(data)
    assert [key for event in trace.find(event="block_stored") for key in event.keys] == ["0000000000000001"]
    assert trace.header.imported.rank == 1
    for what in ("1 events of the medium CPU", "1 events of the medium STORAGE", "1 events of the group 1"):
        assert f"left out: {what}" in said
    for what in ("1 stored events without a block", "1 events of the kind BlockInactive", "1 events of rank 2"):
        assert f"left out: {what}" in said
    assert imported(data, "--medium", "STORAGE")[0][0].keys == ["0000000000000003"]
    assert imported(data, "--group", 1)[0][0].keys == ["0000000000000004"]
    assert imported(data, "--rank", 2)[0].header.imported.rank == 2
    assert "no stored block of medium CPU says how many tokens it has" in refused(data, "--medium", "CPU")
    assert "no block is stored in medium TAPE, rank 1, group 0 by 1 messages; left out:" in refused(
        data, "--medium", "TAPE"
    )


def test_blocks_of_another_size_say_so(imported):
    form = MAPS
    trace, _ = imported(packed(form.Batch(1.0, [form.Stored([1], None, tokens(1), 4), form.Stored([2], 1, [9], 1)])))
    assert [event.size for event in trace.find(event="block_stored")] == [None, 1]


def test_time_never_runs_back(imported):
    form = MAPS
    stamps = (5.0, 4.0, 6.0)
    trace, _ = imported(packed(*(form.Batch(ts, [form.Stored([i], None, [], 4)]) for i, ts in enumerate(stamps))))
    assert [event.ns for event in trace.find(event="message_end")] == [0, 0, 10**9]
    assert [event.ts for event in trace.find(event="message_end")] == list(stamps)


def test_fewer_pages_than_blocks_are_refused(refused):
    said = refused(packed(*story(MAPS)), "--pages", 2)
    assert "3 blocks are cached at once: --pages must be that many" in said


GOOD = packed(MAPS.Batch(1.0, [MAPS.Stored([1], None, tokens(1), 4)]))
CUT = GOOD.index(b"block_size") - 1
BAD = {
    "a truncated frame": (GOOD + GOOD[:-3], f"message 1, byte {len(GOOD) + CUT}: the data ends within a value"),
    "a byte that begins nothing": (GOOD + b"\xc1", f"message 1, byte {len(GOOD)}: no value begins with the byte 0xc1"),
    "a list longer than the file": (b"\xdd\xff\xff\xff\xff\x01", "4,294,967,295 values are said to follow, in 1 bytes"),
    "deep arrays": (b"\x91" * 5000 + b"\x01", "message 0, byte 16: more than 16 values within one another"),
    "deep JSON": (b"[" * 50_000, "events:1: more than 16 values within one another"),
    "no JSON": (b'{"ts": 1', "events:1: not JSON"),
    "a number": (packed(5), "message 0, from byte 0: the batch is neither an array nor a map"),
    "text for a time": (packed(["x", 1]), "2 parts of a message: topic, number and payload are three"),
    "a time of no clock": (packed([float("nan"), []]), "ts is nan: it must be seconds since 1970"),
    "a time far off": (packed([1e300, []]), "ts is 1e+300"),
    "no events": (packed([1.0]), "the batch has no events"),
    "too many events": (packed([1.0, [["AllBlocksCleared"]] * 100_001]), "100,001 events in one batch"),
    "too many bytes": (
        packed([1.0, [], None, b"x" * MOST_MESSAGE]),
        "bytes in one message: at most 8,388,608 are read",
    ),
    "an event without a kind": (packed([1.0, [5]]), "event 0 is no map with a type"),
    "a hash of text": (
        packed([1.0, [["BlockStored", [1.5], None, [], 4]]]),
        "event 0 (BlockStored): a block's hash is 1.5",
    ),
    "hashes of text": (packed([1.0, [["BlockRemoved", "x"]]]), "event 0 (BlockRemoved): block_hashes: expected array"),
    "no size": (packed([1.0, [["BlockStored", [1], None, []]]]), "the field 'block_size' is missing"),
    "a huge size": (packed([1.0, [["BlockStored", [1], None, [], 1 << 40]]]), "block_size: expected `int` <= 1048576"),
    "a rank of text": (packed([1.0, [], "x"]), "the rank is 'x'"),
    "a short number": (packed(["t", b"\x01", b"\x00"]), "the number has 1 bytes, not 8"),
    "a payload that is cut": (
        packed(["t", 1, b"\x92\x01\xa5ab"]),
        "message 0, from byte 0: byte 2 of the payload: the data ends within a value",
    ),
    "more after a payload": (
        packed(["t", 1, GOOD + b"\x01"]),
        f"byte {len(GOOD)} of the payload: something follows the batch",
    ),
    "an empty file": (b"", "no block is stored in medium GPU, rank 0, group 0 by 0 messages"),
}


@pytest.mark.parametrize("data, message", BAD.values(), ids=BAD)
def test_what_is_wrong_is_said_in_one_line(refused, data, message):
    assert message.replace("`", "") in refused(data).replace("`", "")


def test_a_file_that_is_not_there(tmp_path):
    done = run("vllm-events", tmp_path / "no", "-o", tmp_path / "t.jsonl")
    assert done.exit_code == 1 and "cannot be read: no such file" in done.output


def test_options_of_listening_are_refused_for_a_file(tmp_path):
    done = run("vllm-events", tmp_path / "no", "-o", tmp_path / "t.jsonl", "--seconds", 3)
    assert done.exit_code == 2 and "are for tcp://" in done.output
    done = run("vllm-events", "tcp://x:1", "-o", tmp_path / "t.jsonl", "--replay", "http://x")
    assert done.exit_code == 2 and "'http://x' is no address" in done.output


def test_names_of_the_publisher_stay_text(imported, tmp_path):
    form = MAPS
    medium, title = "[/red]\x1b[2J", "[bold]\x1b]0;x\x07"
    data = packed(form.Batch(1.0, [form.Stored([1], None, tokens(1), 4, session_id=title), form.Removed([9], medium)]))
    trace, said = imported(data, "--title", "t")
    assert "\x1b" not in said and "[/red]" in said
    for command in ("inspect", "verify"):
        done = run(command, tmp_path / "t.jsonl")
        assert done.exit_code == 0 and "\x1b[2J" not in done.output and "[/red]" in done.output


def test_inspect_says_what_is_not_recorded_and_there_is_nothing_to_run_again(imported, tmp_path):
    imported(packed(*story(MAPS)), "--engine", "vllm")
    shown = run("inspect", tmp_path / "t.jsonl").output
    assert "refcounts, requests and page tables are not recorded" in shown and "places that the import" in shown
    done = run("verify", tmp_path / "t.jsonl", "--reproduce")
    assert done.exit_code == 1 and "there is no scenario to run again" in done.output


@pytest.mark.slow
def test_plot_draws_what_is_known(imported, tmp_path):
    trace, _ = imported(packed(*story(MAPS)), "--title", "A cache")
    texts = [text.get_text() for text in draw(trace).findobj(Text)]
    assert "cached, refcount not recorded" in texts and "Queue and batch" not in texts
    assert any("refcounts, requests and page tables not recorded" in text for text in texts)
    assert any("4 blocks stored  ·  1 removed  ·  at most 3 cached" in text for text in texts)
    done = run("plot", tmp_path / "t.jsonl", "-o", tmp_path / "t.png")
    assert done.exit_code == 0 and (tmp_path / "t.png").stat().st_size > 10_000
    imported(packed(story(MAPS)[0]))
    done = run("plot", tmp_path / "t.jsonl", "-o", tmp_path / "u.png")
    assert done.exit_code == 1 and "all messages came at one time" in done.output
