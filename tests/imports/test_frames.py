"""Where MessagePack values end, whatever they are, and that nothing else than a line comes of bytes that are none."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astrai_sim.files import FileError
from astrai_sim.imports.frames import DEEPEST, BadFrame, end_of
from astrai_sim.imports.membership import Asked, Ledger, NothingToShow, taken, write_trace
from astrai_sim.imports.messages import read_messages
from astrai_sim.trace import Trace
from astrai_sim.trace.verify import verify
from tests.imports.wire import packed

drawing = settings(deadline=None, max_examples=30)
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=300)
    | st.binary(max_size=300)
    | st.builds(
        msgspec.msgpack.Ext, st.integers(2, 127), st.sampled_from([bytes(n) for n in (0, 1, 2, 3, 4, 8, 16, 300)])
    )
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=9), inner, max_size=20),
    max_leaves=40,
)
hashes = st.integers(0, 6) | st.sampled_from([b"\x01", b"\x02" * 32])
events = st.one_of(
    st.builds(
        lambda found, parent, size: ["BlockStored", found, parent, [], size],
        *(st.lists(hashes, max_size=4), st.none() | hashes, st.sampled_from([4, 16])),
    ),
    st.builds(lambda found: {"type": "BlockRemoved", "block_hashes": found}, st.lists(hashes, max_size=4)),
    st.just(["AllBlocksCleared"]),
    values,
)
batches = st.builds(lambda ts, found: [ts, found], st.floats(0, 1e9), st.lists(events, max_size=5))
records = st.builds(lambda number, batch: ["kv", number, batch], st.integers(0, 6), batches)


@drawing
@given(values)
def test_a_value_ends_where_its_encoder_ended_it(value):
    data = msgspec.msgpack.encode(value)
    try:
        assert end_of(data) == len(data) == end_of(b"\x00" + data + b"\x01", 1) - 1
    except BadFrame as error:
        assert "within one another" in str(error)


@drawing
@given(values, st.integers(1, 30))
def test_what_is_cut_off_is_no_value(value, less):
    data = msgspec.msgpack.encode(value)
    with pytest.raises(BadFrame) as error:
        end_of(data[: max(0, len(data) - less)])
    assert 0 <= error.value.offset <= len(data)


@pytest.mark.parametrize("size", [31, 32, 255, 256, 65535, 65536])
def test_every_length_has_its_form(size):
    for value in (
        "x" * size,
        bytes(size),
        [None] * size,
        dict.fromkeys(map(str, range(size))),
        msgspec.msgpack.Ext(5, bytes(size)),
    ):
        data = msgspec.msgpack.encode(value)
        assert end_of(data) == len(data)


def test_values_may_be_as_deep_as_the_limit_and_no_deeper():
    assert end_of(b"\x91" * DEEPEST + b"\x01") == DEEPEST + 1
    with pytest.raises(BadFrame, match="more than 16 values within one another"):
        end_of(b"\x91" * (DEEPEST + 1) + b"\x01")


def told(data: bytes, folder) -> Ledger | None:
    """What is made of a file of `data`: a trace that holds, or one line of why there is none."""
    path = folder / "events"
    path.write_bytes(data)
    try:
        ledger = taken(read_messages(path), Asked())
    except (FileError, NothingToShow) as error:
        assert "\n" not in str(error)
        return None
    write_trace(folder / "t.jsonl", ledger, "events")
    verify(Trace.open(folder / "t.jsonl"))
    return ledger


@drawing
@given(st.lists(batches | records, max_size=6))
def test_messages_make_a_trace_that_holds_or_a_line(tmp_path_factory, messages):
    told(packed(*messages), tmp_path_factory.mktemp("drawn"))


@drawing
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_bytes_that_are_no_messages_make_a_line(tmp_path_factory, data):
    told(data, tmp_path_factory.mktemp("drawn"))


@drawing
@given(st.lists(records, min_size=1, max_size=4), st.data())
def test_a_flipped_byte_makes_a_trace_that_holds_or_a_line(tmp_path_factory, messages, drawn):
    data = bytearray(packed(*messages))
    data[drawn.draw(st.integers(0, len(data) - 1))] = drawn.draw(st.integers(0, 255))
    told(bytes(data), tmp_path_factory.mktemp("drawn"))


def test_lines_with_text_that_is_no_unicode_make_a_line(tmp_path):
    line = b'{"ts": 1, "events": [["BlockStored", [1], null, [], 4, null, null, "\\ud800"]]}'
    assert told(line, tmp_path) is None and not (tmp_path / "t.jsonl").exists()
