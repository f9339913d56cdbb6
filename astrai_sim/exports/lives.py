"""What requests do from when to when: wait, have their prompts computed, decode, wait again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from astrai_sim.trace import events as ev

WAITING, PREFILL, CHUNK, DECODE, PREEMPTED = "waiting", "prefill", "chunk", "decode", "preempted"


@dataclass(frozen=True, slots=True)
class Mark:
    """At `ns` a request begins `what`, or ends what it began last (`what` None).

    `facts` are what the trace says of it: fields of the event, by their names.
    """

    task: str
    ns: int
    what: str | None
    facts: Mapping[str, int | str] = field(default_factory=dict)


class Lives:
    """Follows requests from event to event; `waiting` and `running` count them.

    A request is "waiting" from its submission on, in "prefill" from its admission until its prompt is computed, in
    "decode" until it is finished, and "preempted" until it is admitted again. In prefill each pass that computes some
    of its tokens is a "chunk": from the beginning of the phase, or the end of the chunk before where that is later, to
    the event that says what was computed.
    """

    def __init__(self) -> None:
        self.waiting = self.running = 0
        self._now: dict[str, str] = {}
        self._since: dict[str, int] = {}
        self._phase_ns = 0

    def follow(self, event: ev.Event) -> Iterator[Mark]:
        """What begins and ends with the next event."""
        ns = event.ns
        match event:
            case ev.PhaseBegin():
                self._phase_ns = ns
            case ev.TaskSubmitted(task=task):
                yield from self._turn(task, ns, WAITING, prompt_len=event.prompt_len, max_tokens=event.max_tokens)
            case ev.TaskAdmitted(task=task):
                facts = {"cached_tokens": event.cached_tokens, "tokens": event.tokens, "n_pages": event.n_pages}
                yield from self._turn(task, ns, PREFILL, **facts)
            case ev.TaskPrefilled(task=task):
                begin = max(self._phase_ns, self._since.get(task, 0))
                yield Mark(task, begin, CHUNK, {"start": event.start, "end": event.end})
                yield Mark(task, ns, None)
                self._since[task] = ns
                if not isinstance(event, ev.Chunk):
                    yield from self._turn(task, ns, DECODE)
            case ev.Tokens():
                for task in event.tasks:
                    if self._now.get(task) != DECODE:
                        yield from self._turn(task, ns, DECODE)
            case ev.TaskPreempted(task=task):
                yield from self._turn(task, ns, PREEMPTED, tokens=event.tokens, n_pages=event.n_pages)
            case ev.TaskFinished(task=task):
                yield from self._turn(task, ns, None, reason=event.reason, generated=event.generated)

    def _turn(self, task: str, ns: int, what: str | None, **facts: int | str) -> Iterator[Mark]:
        """From what a request did to `what`; None where it is finished, the facts being those of the end."""
        if (before := self._now.pop(task, None)) is not None:
            self._count(before, -1)
            yield Mark(task, ns, None, {} if what else facts)
        if what is not None:
            self._now[task], self._since[task] = what, ns
            self._count(what, 1)
            yield Mark(task, ns, what, facts)

    def _count(self, what: str, more: int) -> None:
        if what in (WAITING, PREEMPTED):
            self.waiting += more
        else:
            self.running += more
