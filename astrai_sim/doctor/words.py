"""Events in plain words: where in the file and in the run they are, and what happens."""

from collections.abc import Callable, Collection, Iterable
from typing import Any

from astrai_sim.trace import Trace

MANY = 8


def listed(names: Iterable[object]) -> str:
    """ "A", "A and B", "A, B and C"; of many the first and how many there are."""
    items = [str(name) for name in names]
    if len(items) > MANY:
        items = [*items[: MANY - 1], f"{len(items) - MANY + 1} more"]
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1]))) if items else "nobody"


def of_pages(pages: Collection[int]) -> str:
    """ "page 3", "pages 1, 2 and 5", "no page"."""
    return f"page{'s' * (len(pages) > 1)} {listed(pages)}" if pages else "no page"


def times(count: int) -> str:
    """ "once", "twice", "3 times"."""
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def of_tokens(count: int) -> str:
    """ "1 token", "5 tokens"."""
    return f"{count:,} token{'s' * (count != 1)}"


def told(trace: Trace, seq: int, requests: Collection[str] = ()) -> str:
    """An event: its line, step, phase and time, and what happens in it, to `requests` where it is about several."""
    event = trace[seq]
    phase = f", {event.phase}" if event.phase else ""
    tell = TELL.get(event.event, lambda event, _: event.event.replace("_", " "))
    return f"line {event.line}, step {event.step}{phase}, {event.ns / 1e6:.2f} ms: {tell(event, requests)}"


def _comes(event: Any, _: Collection[str]) -> str:
    how = {"pages_alloc": "taken", "pages_ref": "shared", "pages_revived": "taken from the cache again"}[event.event]
    entry = "" if event.logical is None else f", as page {event.logical} of its table"
    return f"{of_pages(event.pages)} {_verb(event.pages)} {how} for {event.task or 'no request'}{entry}{_refs(event)}"


def _goes(event: Any, _: Collection[str]) -> str:
    stays = "" if event.event == "pages_free" else ", and stays cached"
    return f"{of_pages(event.pages)} {_verb(event.pages)} let go by {event.task or 'no request'}{stays}{_refs(event)}"


def _verb(pages: Collection[int]) -> str:
    return "are" if len(pages) > 1 else "is"


def _refs(event: Any) -> str:
    return f" (refcount {event.refs[0]})" if len(set(event.refs)) == 1 else ""


def _written(event: Any, requests: Collection[str]) -> str:
    spans = [span for span in event.spans if span.task in requests] or event.spans
    return "; ".join(
        f"K and V of {of_tokens(span.count)} from position {span.start} on are computed for {span.task}, into "
        f"{of_pages([page for page, _, _ in span.slots])}"
        for span in spans[:MANY]
    )


def _computed(event: Any, requests: Collection[str]) -> str:
    counted = [*zip(event.tasks, event.counts, strict=True)]
    some = [(task, count) for task, count in counted if task in requests] or counted
    return "; ".join(f"K and V of {of_tokens(count)} are computed for {task}" for task, count in some[:MANY])


TELL: dict[str, Callable[[Any, Collection[str]], str]] = {
    "task_submitted": lambda e, _: f"{e.task} comes with {of_tokens(e.prompt_len)}",
    "task_admitted": lambda e, _: f"{e.task} is admitted, {e.cached_tokens} of its {of_tokens(e.tokens)} in the cache",
    "task_preempted": lambda e, _: f"{e.task} is preempted",
    "task_finished": lambda e, _: f"{e.task} is finished ({e.reason}), {of_tokens(e.generated)} generated",
    "tokens": lambda e, _: f"{listed(e.tasks)} get{'s' * (len(e.tasks) == 1)} a token",
    **dict.fromkeys(("pages_alloc", "pages_ref", "pages_revived"), _comes),
    **dict.fromkeys(("pages_free", "pages_cached"), _goes),
    "pages_evicted": lambda e, _: f"{of_pages(e.pages)} {_verb(e.pages)} evicted",
    "pages_keyed": lambda e, _: f"{of_pages(e.pages)} of {e.task} can be found from now on, as its page {e.logical}",
    "prefix_hit": lambda e, _: f"a lookup for {e.task} finds {of_pages(e.pages)}",
    "prefix_miss": lambda e, _: f"a lookup for {e.task} does not find its page {e.logical}",
    "prefix_reset": lambda e, _: "the prefix cache is emptied",
    "table": lambda e, _: f"the table of {e.task} is {e.pages}",
    "kv_write": _written,
    "kv_lengths": _computed,
    "snapshot": lambda e, _: "refcounts, mask, tables and LRU are read from the live objects",
    "phase_begin": lambda e, _: f"the phase {e.phase} begins",
    "phase_end": lambda e, _: f"the phase {e.phase} ends",
    "step_begin": lambda e, _: f"step {e.step} begins",
    "step_end": lambda e, _: f"step {e.step} ends: {e.waiting} wait, {e.running} run",
}
