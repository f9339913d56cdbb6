"""Listening to a publisher of cache events over ZMQ, and asking it again for messages that did not come.

The protocol is that of vLLM's `ZmqEventPublisher`, and of SGLang's: a PUB socket sends topic, number and payload; a
ROUTER socket, the replay endpoint, takes the first number that is wanted, as 8 bytes, the most significant first, and
answers with number and payload (in SGLang 0.5.23 after the topic) of each message that it still has from there on, then
with the number -1 and nothing.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType, ModuleType
from typing import Any, Self

from astrai_sim.extras import require
from astrai_sim.imports.kv_events import BadMessage
from astrai_sim.imports.messages import MOST_INPUT, MOST_MESSAGE, NUMBER_BYTES, Message, message_of
from astrai_sim.imports.sequence import Sequence

POLL_MS = 100
ANSWER_S, REPLAY_S = 2.0, 30.0
"""Seconds to wait for the next message of a replay, and for all of them."""
MOST_FRAME = 2 * MOST_MESSAGE
"""Bytes of a message from which on ZMQ ends the connection: up to there one is told of by its number."""
MOST_SAID = 5
"""Messages that cannot be read of which each is told."""
END = (1 << 8 * NUMBER_BYTES) - 1


class CannotListen(ValueError):
    """An endpoint to which no socket can be connected; the message says why."""


@dataclass(frozen=True)
class Limits:
    """When to stop listening: after so many `seconds`, or once so many `events` have come; else on Ctrl-C."""

    seconds: float | None = None
    events: int | None = None


@dataclass
class Heard:
    """What came of listening: `connected` once there was a publisher, `bytes` that it sent, messages that were
    `replayed` and that were `unreadable`; `stopped` says why listening ended."""

    connected: bool = False
    bytes: int = 0
    replayed: int = 0
    unreadable: int = 0
    stopped: str = ""


class Stop:
    """A context in which the first Ctrl-C only sets `wanted`."""

    def __init__(self) -> None:
        self.wanted = False
        self._before: Any = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.wanted:
            raise KeyboardInterrupt
        self.wanted = True


@dataclass
class Subscriber:
    """Gives the messages of the publisher at `endpoint` in order, those of a gap from `replay` where there is one.

    With `*` in an endpoint of tcp:// it waits there for publishers to connect, as vLLM's do where theirs has none; of
    ipc:// the publisher makes the socket. `tell` is given a line for what goes wrong on the way.
    """

    endpoint: str
    replay: str | None = None
    topic: str = ""
    limits: Limits = Limits()
    tell: Callable[[str], None] = print
    heard: Heard = field(default_factory=Heard)
    _sequence: Sequence = field(default_factory=Sequence)

    def messages(self) -> Iterator[Message]:
        """Messages as they come, until the limits or Ctrl-C. Raises MissingExtra without pyzmq, and CannotListen."""
        zmq = require("zmq", "events")
        context = zmq.Context()
        try:
            with Stop() as stop:
                yield from self._listen(zmq, context, stop)
        finally:
            context.destroy(linger=0)

    def _listen(self, zmq: ModuleType, context: Any, stop: Stop) -> Iterator[Message]:
        parse_monitor_message = require("zmq.utils.monitor", "events").parse_monitor_message
        socket = _socket(
            zmq, context, zmq.SUB, self.endpoint, {"SUBSCRIBE": self.topic.encode("utf-8", "surrogateescape")}
        )
        monitor = socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED)
        began, events = time.monotonic(), 0
        while True:
            if stop.wanted:
                self.heard.stopped = "Ctrl-C"
            elif self.limits.seconds is not None and time.monotonic() - began >= self.limits.seconds:
                self.heard.stopped = f"{self.limits.seconds:g} seconds are over"
            elif self.limits.events is not None and events >= self.limits.events:
                self.heard.stopped = f"{events:,} events have come"
            elif self.heard.bytes > MOST_INPUT:
                self.heard.stopped = f"more than {MOST_INPUT >> 20} MiB have come"
            if self.heard.stopped:
                return
            while monitor.poll(0):
                self.heard.connected = True
                if parse_monitor_message(monitor.recv_multipart())["event"] == zmq.EVENT_DISCONNECTED:
                    self.tell(
                        f"{self.endpoint}: the publisher is gone, or sent more than {MOST_FRAME >> 20} MiB at once"
                    )
            if not socket.poll(POLL_MS):
                continue
            self.heard.connected = True
            message = self._read(socket.recv_multipart())
            if message is None:
                continue
            for one in (*self._missing(zmq, context, message), message):
                self._sequence.take(one)
                events += len(one.batch.events)
                yield one

    def _read(self, frames: list[bytes], topic: bytes | None = None) -> Message | None:
        """A message of its frames; None, and a line about it, where it is none."""
        self.heard.bytes += sum(map(len, frames))
        frames = frames if topic is None else [topic, *frames]
        try:
            if len(frames) != 3:
                raise BadMessage(f"{len(frames)} parts: topic, number and payload are three")
            return message_of(*frames)
        except BadMessage as error:
            self.heard.unreadable += 1
            number = int.from_bytes(frames[1], "big") if len(frames) > 1 and len(frames[1]) == NUMBER_BYTES else "?"
            if self.heard.unreadable <= MOST_SAID:
                more = "; more like it are only counted" if self.heard.unreadable == MOST_SAID else ""
                self.tell(f"{self.endpoint}: message {number}: {error}: taken as missing{more}")
            return None

    def _missing(self, zmq: ModuleType, context: Any, message: Message) -> list[Message]:
        """The messages right before `message` that did not come, as far as the replay endpoint has them."""
        place = self._sequence.place(message)
        if self.replay is None or not place.missing or message.number is None:
            return []
        socket = _socket(zmq, context, zmq.DEALER, self.replay, {})
        wanted = range(place.first, place.first + place.missing)
        found: dict[int, Message] = {}
        ends = time.monotonic() + REPLAY_S
        try:
            socket.send_multipart([b"", wanted.start.to_bytes(NUMBER_BYTES, "big")])
            while time.monotonic() < ends and self.heard.bytes <= MOST_INPUT:
                if not socket.poll(1000 * ANSWER_S):
                    self.tell(f"{self.replay}: no answer for messages {wanted.start} to {wanted[-1]}")
                    break
                frames = socket.recv_multipart()[-2:]  # Newer ones of SGLang have the topic before these two.
                number = int.from_bytes(frames[0], "big")
                if number == END or number >= wanted.stop:
                    break
                if number in wanted and (one := self._read(frames, message.topic.encode())) is not None:
                    found[number] = one
        finally:
            socket.close(linger=0)
        self.heard.replayed += len(found)
        return [found[number] for number in sorted(found)]


def _socket(zmq: ModuleType, context: Any, kind: int, endpoint: str, options: dict[str, Any]) -> Any:
    """A socket of that kind, connected, or bound where an endpoint of TCP has a `*`. Raises CannotListen."""
    if "*" in endpoint and not endpoint.startswith("tcp://"):
        raise CannotListen(f"{endpoint}: a * is for tcp:// only: give the path of the publisher's socket")
    socket = context.socket(kind)
    try:
        socket.setsockopt(zmq.MAXMSGSIZE, MOST_FRAME)
        socket.setsockopt(zmq.IPV6, 1)
        for name, value in options.items():
            socket.setsockopt(getattr(zmq, name), value)
        socket.bind(endpoint) if "*" in endpoint else socket.connect(endpoint)
    except (zmq.ZMQError, OSError, ValueError) as error:
        socket.close(linger=0)
        raise CannotListen(f"{endpoint}: no socket can be connected there: {error}") from None
    return socket
