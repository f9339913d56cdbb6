"""The requests and the scheduler's queues as the rules have them; who is admitted and computed for."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from astrai_sim.trace.verify.checks import Checks
from astrai_sim.trace.verify.pool import Pool
from astrai_sim.trace.verify.prefixes import Prefixes


@dataclass
class Tracked:
    """One request: lengths, and ids where they are recorded.

    `kv` counts tokens in the cache, `start` those before the last pass; `last` is the step of its last token. `chain`
    numbers its full pages by content; `left` are entries of its table let go in the release that is under way.
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


Plan = list[tuple[str, int]]


def decodable(requests: Queues) -> list[Tracked]:
    """Running tasks that need no more prefill, first admitted first."""
    running = (requests[name] for name in requests.running)
    return [request for request in running if request.status == "running"]


def planned_prefill(requests: Queues, settings: dict[str, Any]) -> Plan:
    """(task, tokens) of a prefill pass: in order of admission, within what decoding leaves of the budget."""
    budget, plan = settings.get("max_tokens_per_step"), []
    left = None if budget is None else budget - len(decodable(requests))
    for name in requests.running:
        request = requests[name]
        if request.status == "prefilling" and left != 0:
            missing = request.n_tokens - request.kv
            count = missing if left is None else min(missing, left)
            left = None if left is None else left - count
            plan.append((name, count))
    return plan


def planned_decode(requests: Queues, settings: dict[str, Any], prefilled: int, step: int) -> list[str]:
    """Tasks that the decode policy picks, within the rest of the budget.

    Of several positions the one that most tasks are at counts; of equally many the first admitted's; but before these
    the one that had no token for longest, where that was `aging_steps` ago or more.
    """
    picked = decodable(requests)
    if settings.get("decode_policy") == "same-position":
        groups: dict[int, list[Tracked]] = {}
        for request in picked:
            groups.setdefault(request.n_tokens, []).append(request)
        aging, longest = settings.get("aging_steps"), max((step - request.last for request in picked), default=0)
        if aging is not None and longest >= aging:
            position = next(request.n_tokens for request in picked if step - request.last == longest)
            picked = groups[position]
        else:
            picked = max(groups.values(), key=len, default=[])
    budget = settings.get("max_tokens_per_step")
    return [request.name for request in (picked if budget is None else picked[: budget - prefilled])]


def fits(request: Tracked, requests: Queues, settings: dict[str, Any], pool: Pool, prefixes: Prefixes) -> bool:
    """Whether the first in the queue could be admitted."""

    def most(other: Tracked) -> int:
        return -(-(other.prompt + other.max_tokens - 1) // pool.size)

    if not settings.get("preemption", True):
        if sum(most(requests[name]) for name in requests.running) + most(request) > pool.n_pages:
            return False
    hits: list[int] = []
    if request.ids is not None and pool.keys:
        prefixes.extend(request.chain, request.ids, request.n_tokens // pool.size)
        for chain in request.chain[: (request.n_tokens - 1) // pool.size]:
            page = prefixes.page_of.get(chain)
            if page is None:
                break
            hits.append(page)
    new = -(-request.n_tokens // pool.size) - len(hits)
    return new <= pool.free.count + len(pool.lru) - sum(page in pool.lru for page in hits)
