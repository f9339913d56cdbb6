"""A publisher of cache events, on loopback or in a folder: a PUB socket and a replay endpoint, as engines have them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import zmq

END = (-1).to_bytes(8, "big", signed=True)


class Publisher:
    """Waits for a subscriber, has `script` publish, and answers replays until the context ends.

    With `topics` a replay has the topic before the number. It publishes through an XPUB socket, a PUB socket that can
    be asked who listens, so that nothing is sent too early. In a `folder` there are sockets of its own.
    """

    def __init__(
        self,
        script: Callable[[Publisher], None],
        replays: bool = True,
        topics: bool = False,
        folder: Path | None = None,
    ) -> None:
        self.script, self.topic = script, b"kv-events"
        self._before = (b"", self.topic) if topics else (b"",)
        self.number = 0
        self.kept: list[tuple[int, bytes]] = []
        self.asked: list[int] = []
        self.failed: BaseException | None = None
        self._context = zmq.Context()
        self._pub, self._router = self._context.socket(zmq.XPUB), self._context.socket(zmq.ROUTER)
        for socket, name in ((self._pub, "events"), (self._router, "replay")):
            socket.bind(f"ipc://{folder / name}" if folder else "tcp://127.0.0.1:*")
        self.endpoint, self.replay = (
            socket.getsockopt(zmq.LAST_ENDPOINT).decode() for socket in (self._pub, self._router)
        )
        self._replays = replays
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Publisher:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._done.set()
        self._thread.join(10)
        self._context.destroy(linger=0)
        assert self.failed is None, self.failed

    def publish(self, batch: Any, lost: bool = False) -> None:
        """The next message: kept for a replay, and sent, or `lost` on the way."""
        payload = batch if isinstance(batch, bytes) else msgspec.msgpack.encode(batch)
        self.kept.append((self.number, payload))
        if not lost:
            self._pub.send_multipart((self.topic, self.number.to_bytes(8, "big"), payload))
        self.number += 1

    def send(self, *frames: bytes) -> None:
        """Frames as they are."""
        self._pub.send_multipart(frames)

    def restart(self) -> None:
        """Begin anew, as another process would."""
        self.number = 0
        self.kept.clear()

    def _run(self) -> None:
        try:
            while not self._pub.poll(50):
                if self._done.is_set():
                    return
            self._pub.recv()
            self.script(self)
            while not self._done.is_set():
                if self._router.poll(20) and self._replays:
                    self._answer()
        except BaseException as error:
            self.failed = error

    def _answer(self) -> None:
        client, empty, start = self._router.recv_multipart()
        assert empty == b""
        self.asked.append(int.from_bytes(start, "big"))
        for number, payload in self.kept:
            if number >= self.asked[-1]:
                self._router.send_multipart((client, *self._before, number.to_bytes(8, "big"), payload))
        self._router.send_multipart((client, *self._before, END, b""))
