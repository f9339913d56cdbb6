"""Ctrl-C between steps, so that it cannot tear what is being written."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType


class Interrupt:
    """A context in which Ctrl-C is only noted; `check` raises it. A second one is not put
    off, nor is one that comes while `at_once()` is true.

    Outside the main thread, and where something else handles the signal, all stays as
    it is.
    """

    def __init__(self, at_once: Callable[[], bool] = lambda: False) -> None:
        self.at_once = at_once
        self.wanted = False
        self._ours = False

    def __enter__(self) -> Interrupt:
        main = threading.current_thread() is threading.main_thread()
        if main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._note)
            self._ours = True
        return self

    def __exit__(self, *exception: object) -> None:
        if self._ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.wanted or self.at_once():
            raise KeyboardInterrupt
        self.wanted = True

    def check(self) -> None:
        """Raise KeyboardInterrupt if Ctrl-C was pressed."""
        if self.wanted:
            raise KeyboardInterrupt
