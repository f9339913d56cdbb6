"""The requests and the scheduler's queues as the rules have them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from astrai_sim.trace.verify.checks import Checks


@dataclass
class Tracked:
    """One request: lengths, and ids where they are recorded.

    `kv` counts tokens in the cache, `start` those before the last pass. `chain` numbers
    its full pages by content; `left` are entries of its table that were let go in the release
    that is under way.
    """

    name: str
    prompt: int
    max_tokens: int
    ids: list[int] | None
    n_tokens: int
    kv: int = 0
    start: int = 0
    status: str = "waiting"
    left: set[int] = field(default_factory=set)
    chain: list[int] = field(default_factory=list)

    @property
    def generated(self) -> int:
        """Generated tokens."""
        return self.n_tokens - self.prompt


class Queues:
    """All requests by name; who waits, runs, and is finished but still holds pages."""

    def __init__(self, checks: Checks) -> None:
        self.format = checks.format
        self.paging = checks.paging
        self.policy = checks.policy
        self.all: dict[str, Tracked] = {}
        self.waiting: deque[str] = deque()
        self.running: list[str] = []
        self.finished: list[str] = []

    def __getitem__(self, name: str) -> Tracked:
        try:
            return self.all[name]
        except KeyError:
            raise self.format.lie(f"task {name!r} was never submitted") from None

    def submit(self, request: Tracked) -> None:
        """Queue a new request. Its name may be that of one that is finished."""
        known = self.all.get(request.name)
        self.format.true("task", known is None or known.status == "gone", f"task {request.name!r} was submitted before")
        self.all[request.name] = request
        self.waiting.append(request.name)

    def next_to_admit(self, name: str) -> None:
        """Whoever is being admitted waits, as the first in the queue."""
        first = self.waiting[0] if self.waiting else None
        self.policy["first-come-first-served"].same("first in the queue", name, first)
        self.paging.true("waiting before", name in self.waiting, f"{name} does not wait")

    def admit(self, request: Tracked) -> None:
        """Let the first that waits run."""
        self.next_to_admit(request.name)
        self.waiting.remove(request.name)
        self.running.append(request.name)
        request.status = "prefilling"

    def preempt(self, request: Tracked) -> None:
        """Send the latest admitted back to the front of the queue."""
        latest = self.running[-1] if self.running else None
        self.policy["latest-preempted"].same("latest admitted", request.name, latest)
        self.paging.true("running before", request.name in self.running, f"{request.name} does not run")
        self.running.remove(request.name)
        self.waiting.appendleft(request.name)
        request.status = "preempted"
        request.kv = 0

    def finish(self, request: Tracked) -> None:
        """Take a request out of its queue; its pages are let go in the next cleanup."""
        queue = self.running if request.status in ("running", "prefilling") else self.waiting
        self.format.true("task", request.name in queue, f"{request.name} is finished already")
        queue.remove(request.name)
        self.finished.append(request.name)
        request.status = "finished"
