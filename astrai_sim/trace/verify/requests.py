"""The requests and the scheduler's queues as the rules have them; who is admitted and computed for."""

import sys
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from astrai_sim.trace.verify.checks import Checks
from astrai_sim.trace.verify.pool import Pool


@dataclass(slots=True)
class Tracked:
    """One request: lengths, and ids where they are recorded.

    `kv` counts tokens in the cache, `start` those before the last pass; `last` is the step of its last token. `chain`
    numbers its full pages by content; `left` are entries of its table let go in the release that is under way. `room`
    counts the slots of its table, `most` the tokens that it may come to have.
    """

    name: str
    prompt: int
    max_tokens: int
    ids: list[int] | None
    n_tokens: int
    kv: int = 0
    start: int = 0
    last: int = -1
    status: str = "waiting"
    room: int = 0
    left: set[int] = field(default_factory=set)
    chain: list[int] = field(default_factory=list)
    most: int = field(init=False)

    def __post_init__(self) -> None:
        self.most = self.prompt + self.max_tokens

    @property
    def generated(self) -> int:
        """Generated tokens."""
        return self.n_tokens - self.prompt


Plan = tuple[list[str], list[int]]
"""Tasks, and how many tokens to compute for each."""


class Queues(dict[str, Tracked]):
    """All requests by name; who waits, runs, and is finished but still holds pages. `settings` are the scheduler's."""

    def __init__(self, checks: Checks, settings: dict[str, Any]) -> None:
        super().__init__()
        self.format, self.paging, self.policy = checks.format, checks.paging, checks.policy
        self.settings = settings
        self.waiting: list[str] = []
        self.running: list[str] = []
        self.finished: list[str] = []

    def __missing__(self, name: str) -> Tracked:
        raise self.format.lie(f"task {name!r} was never submitted")

    @property
    def idle(self) -> bool:
        """Whether nothing waits, runs, or is to be cleaned up."""
        return not (self.waiting or self.running or self.finished)

    def submit(self, request: Tracked) -> None:
        """Queue a new request. Its name may be that of one that is finished."""
        known = self.get(request.name)
        self.format.true("task", known is None or known.status == "gone", f"task {request.name!r} was submitted before")
        self[request.name] = request
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
        self.waiting.insert(0, request.name)
        request.status = "preempted"
        request.kv = 0

    def gone(self, held: Collection[str]) -> list[str]:
        """Forget those that are finished and not `held`: they have no pages any more."""
        found = [name for name in self.finished if name not in held]
        self.finished = [name for name in self.finished if name in held]
        for name in found:
            self[name].status = "gone"
        return found

    def finish(self, request: Tracked) -> None:
        """Take a request out of its queue; its pages are let go in the next cleanup."""
        queue = self.running if request.status in ("running", "prefilling") else self.waiting
        self.format.true("task", request.name in queue, f"{request.name} is finished already")
        queue.remove(request.name)
        self.finished.append(request.name)
        request.status = "finished"

    def _decodable(self) -> list[Tracked]:
        """Running tasks that need no more prefill, first admitted first."""
        return [request for request in map(self.__getitem__, self.running) if request.status == "running"]

    def now_running(self) -> list[Tracked]:
        """Who runs, first admitted first."""
        return [*map(self.__getitem__, self.running)]

    def planned_prefill(self) -> Plan:
        """(task, tokens) of a prefill pass: in order of admission, within what decoding leaves of the budget."""
        budget, names, counts = self.settings["max_tokens_per_step"], [], []
        prefilling = [request for request in self.now_running() if request.status != "running"]
        left = (sys.maxsize if budget is None else budget) - len(self.running) + len(prefilling)
        for request in prefilling:
            if request.status == "prefilling" and left != 0:
                count = min(request.n_tokens - request.kv, left)
                left -= count
                names.append(request.name)
                counts.append(count)
        return names, counts

    def planned_decode(self, prefilled: int, step: int) -> Plan:
        """Tasks that the decode policy picks, a token each, within the rest of the budget.

        Of several positions the one that most tasks are at counts; of equally many the first admitted's; but before
        these the one that had no token for longest, where that was `aging_steps` ago or more.
        """
        picked, budget = self._decodable(), self.settings["max_tokens_per_step"]
        if self.settings["decode_policy"] == "same-position":
            groups: dict[int, list[Tracked]] = {}
            for request in picked:
                groups.setdefault(request.n_tokens, []).append(request)
            aging, longest = self.settings["aging_steps"], max((step - request.last for request in picked), default=0)
            if aging is not None and longest >= aging:
                picked = groups[next(request.n_tokens for request in picked if step - request.last == longest)]
            else:
                picked = max(groups.values(), key=len, default=[])
        names = [request.name for request in (picked if budget is None else picked[: budget - prefilled])]
        return names, [1] * len(names)

    def fits(self, request: Tracked, pool: Pool) -> bool:
        """Whether the first in the queue could be admitted."""
        if not self.settings["preemption"]:
            running = [request, *(self[name] for name in self.running)]
            if sum(pool.pages_for(other.prompt + other.max_tokens - 1) for other in running) > pool.n_pages:
                return False
        hits: list[int] = []
        if request.ids is not None and pool.keys:
            pool.prefixes.extend(request.chain, request.ids, request.n_tokens // pool.size)
            for chain in request.chain[: (request.n_tokens - 1) // pool.size]:
                if (page := pool.page_of.get(chain)) is None:
                    break
                hits.append(page)
        new = pool.pages_for(request.n_tokens) - len(hits)
        return new <= pool.free.count + len(pool.lru) - sum(page in pool.lru for page in hits)
