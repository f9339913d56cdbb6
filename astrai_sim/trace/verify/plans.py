"""Who is admitted and computed for, as the settings have it."""

from __future__ import annotations

from typing import Any

from astrai_sim.trace.verify.pool import Pool
from astrai_sim.trace.verify.prefixes import Prefixes
from astrai_sim.trace.verify.requests import Queues, Tracked

Plan = list[tuple[str, int]]


def decodable(requests: Queues) -> list[Tracked]:
    """Running tasks that need no more prefill, first admitted first."""
    running = (requests[name] for name in requests.running)
    return [request for request in running if request.status == "running"]


def prefill(requests: Queues, settings: dict[str, Any]) -> Plan:
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


def decode(requests: Queues, settings: dict[str, Any], prefilled: int) -> list[str]:
    """Tasks that the decode policy picks, within the rest of the budget.

    Of several positions the one that most tasks are at counts; of equally many the first admitted's.
    """
    picked = decodable(requests)
    if settings.get("decode_policy") == "same-position":
        groups: dict[int, list[Tracked]] = {}
        for request in picked:
            groups.setdefault(request.n_tokens, []).append(request)
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
