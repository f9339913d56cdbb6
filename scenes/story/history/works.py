"""Which kind of work an event belongs to, of an engine that has other phases than this one, or none."""

from collections.abc import Sequence

from astrai_sim.trace import Event
from astrai_sim.trace import events as ev

CLEANUP, REFILL, PREFILL, DECODE = KINDS = ("cleanup", "refill", "prefill", "decode")
Kinds = tuple[str, ...]


class Works:
    """What each event is about, told from the events before it: pages of who has finished go in cleanup, who waits is
    admitted in refill, prompts are computed in prefill and single tokens in decode, and a pass may do both.
    """

    def __init__(self) -> None:
        self._running: set[str] = set()
        self._prompts: set[str] = set()
        self._finished: set[str] = set()
        self._pass: Kinds = ()

    def of(self, event: Event) -> Kinds:
        """The kinds of work that `event`, the next one, belongs to: mostly one."""
        match event:
            case ev.TaskAdmitted():
                self._running.add(event.task)
                self._prompts.add(event.task)
                return (REFILL,)
            case ev.PrefixHit() | ev.PrefixMiss():
                return (REFILL,)
            case ev.PagesAlloc() | ev.PagesRef() | ev.PagesRevived():
                return (self._of_table(event.task),)
            case ev.Table():
                return (self._of_table(event.task) if event.pages else self._left(event.task),)
            case ev.PagesFree() | ev.PagesCached():
                return (self._left(event.task),)
            case ev.KvWrite():
                return self._computed([span.task for span in event.spans])
            case ev.KvLengths():
                return self._computed(event.tasks)
            case ev.Gather() | ev.PagesKeyed():
                return self._pass
            case ev.TaskPrefilled():
                if not isinstance(event, ev.Chunk):
                    self._prompts.discard(event.task)
                return (PREFILL,)
            case ev.Tokens():
                return (event.source,) if event.source in KINDS else ()
            case ev.TaskPreempted():
                self._running.discard(event.task)
                self._prompts.discard(event.task)
                return (DECODE,)
            case ev.TaskFinished():
                self._running.discard(event.task)
                self._finished.add(event.task)
                return self._pass
            case ev.TaskSubmitted():
                self._finished.discard(event.task)
        return ()

    def _of_table(self, task: str | None) -> str:
        return DECODE if task in self._running else REFILL

    def _left(self, task: str | None) -> str:
        return CLEANUP if task in self._finished else DECODE

    def _computed(self, tasks: Sequence[str]) -> Kinds:
        prompts = [task in self._prompts for task in tasks]
        self._pass = (PREFILL,) * any(prompts) + (DECODE,) * (not all(prompts))
        return self._pass
