"""Messages of a publisher: from the bytes of a payload, and from files in which somebody has kept them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from astrai_sim.files import FileError
from astrai_sim.imports.frames import DEEPEST, BadFrame, end_of
from astrai_sim.imports.kv_events import BadMessage, Batch, batch_of

MOST_MESSAGE = 8 << 20
"""Bytes of a message."""
MOST_INPUT = 256 << 20
"""Bytes of all of them."""
NUMBER_BYTES = 8


@dataclass(frozen=True)
class Message:
    """A batch with its `topic` and the publisher's `number` for it, where these are known."""

    batch: Batch
    topic: str = ""
    number: int | None = None


def decoded(payload: bytes) -> Any:
    """The value of a MessagePack payload. Raises BadMessage with the byte at which it is wrong."""
    if len(payload) > MOST_MESSAGE:
        raise BadMessage(f"{len(payload):,} bytes in one message: at most {MOST_MESSAGE:,} are read")
    try:
        end = end_of(payload)
    except BadFrame as error:
        raise BadMessage(f"byte {error.offset} of the payload: {error}") from None
    if end != len(payload):
        raise BadMessage(f"byte {end} of the payload: something follows the batch")
    return _value(payload)


def _value(payload: bytes) -> Any:
    try:
        return msgspec.msgpack.decode(payload)
    except (msgspec.DecodeError, ValueError, TypeError, OverflowError) as error:
        raise BadMessage(f"not MessagePack: {error}") from None


def message_of(topic: Any, number: Any, payload: Any) -> Message:
    """A message of its frames, as ZMQ has them: topic, number of 8 bytes, the most significant first, and payload.

    The number may be one, and the payload a batch that is decoded already. Raises BadMessage.
    """
    if isinstance(topic, bytes):
        topic = topic.decode("utf-8", "replace")
    if isinstance(number, bytes):
        if len(number) != NUMBER_BYTES:
            raise BadMessage(f"the number has {len(number)} bytes, not {NUMBER_BYTES}")
        number = int.from_bytes(number, "big")
    if not isinstance(topic, str) or len(topic) > 1000:
        raise BadMessage("the topic is no text of at most 1000 characters")
    if type(number) is not int or not 0 <= number < 1 << 63:
        raise BadMessage(f"the number is {number!r:.40}: it must be 0 or more")
    return Message(batch_of(decoded(payload) if isinstance(payload, bytes) else payload), topic, number)


def read_messages(path: Path) -> Iterator[Message]:
    """The messages in a file, one after another: JSON, one a line, or MessagePack, one after another.

    Each is a batch, or `[topic, number, payload]` with the payload as bytes or as a batch; as JSON also
    `{"topic": …, "seq": …, "batch": …}`. Raises FileError with the line, or with the message's number (from 0) and the
    byte of the file.
    """
    try:
        if not path.is_file():
            raise FileError(path, None, "cannot be read: no such file")
        if path.stat().st_size > MOST_INPUT:
            raise FileError(path, None, f"larger than {MOST_INPUT >> 20} MiB: import a part of it")
        data = path.read_bytes()
    except OSError as error:
        raise FileError(path, None, f"cannot be read: {error.strerror}") from None
    if data.lstrip()[:1] in (b"{", b"["):
        yield from _lines(path, data)
    else:
        yield from _frames(path, data)


def _frames(path: Path, data: bytes) -> Iterator[Message]:
    whole, at, place = memoryview(data), 0, 0
    while at < len(data):
        try:
            end = end_of(whole, at)
        except BadFrame as error:
            raise FileError(path, None, f"message {place}, byte {error.offset}: {error}") from None
        try:
            if end - at > MOST_MESSAGE:
                raise BadMessage(f"{end - at:,} bytes in one message: at most {MOST_MESSAGE:,} are read")
            yield _kept(_value(data[at:end]))
        except BadMessage as error:
            raise FileError(path, None, f"message {place}, from byte {at}: {error}") from None
        at, place = end, place + 1


def _lines(path: Path, data: bytes) -> Iterator[Message]:
    for number, line in enumerate(data.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            if len(line) > MOST_MESSAGE:
                raise BadMessage(f"{len(line):,} bytes in one message: at most {MOST_MESSAGE:,} are read")
            yield _kept(msgspec.json.decode(line))
        except msgspec.DecodeError as error:
            raise FileError(path, number, f"not JSON: {error}") from None
        except RecursionError:
            raise FileError(path, number, f"more than {DEEPEST} values within one another") from None
        except BadMessage as error:
            raise FileError(path, number, str(error)) from None


def _kept(value: Any) -> Message:
    """A message as files have it."""
    if isinstance(value, dict) and "events" not in value:
        batch = value.get("batch", value.get("payload"))
        if batch is None or "seq" not in value:
            raise BadMessage("neither a batch (ts, events), nor a message (topic, seq, batch)")
        return message_of(value.get("topic", ""), value["seq"], batch)
    if isinstance(value, list) and value and isinstance(value[0], str | bytes):
        if len(value) != 3:
            raise BadMessage(f"{len(value)} parts of a message: topic, number and payload are three")
        return message_of(*value)
    return Message(batch_of(value))
