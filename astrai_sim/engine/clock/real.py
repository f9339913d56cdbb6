"""Wall time, less what an observer takes."""

from __future__ import annotations

import time


class RealClock:
    """Monotonic nanoseconds of the engine's own time since `restart`.

    Time spent inside `with clock.aside:` does not pass: a recorder reads back and
    writes there. Such blocks may be nested.
    """

    kind = "real"

    def __init__(self) -> None:
        self.aside = Aside()
        self.restart()

    def restart(self) -> None:
        """Start again at 0."""
        self.aside.spent = 0
        self._zero = time.perf_counter_ns()

    def now_ns(self) -> int:
        """Engine time since the start."""
        until = self.aside.began if self.aside.depth else time.perf_counter_ns()
        return until - self._zero - self.aside.spent

    def wait_until(self, ns: int) -> None:
        """Let time pass until `ns`; at once where that is over."""
        while (left := ns - self.now_ns()) > 0:
            time.sleep(left / 1e9)


class Aside:
    """A context that adds up the nanoseconds spent in it."""

    def __init__(self) -> None:
        self.spent = 0
        self.depth = 0
        self.began = 0

    def __enter__(self) -> None:
        if self.depth == 0:
            self.began = time.perf_counter_ns()
        self.depth += 1

    def __exit__(self, *exception: object) -> None:
        self.depth -= 1
        if self.depth == 0:
            self.spent += time.perf_counter_ns() - self.began
