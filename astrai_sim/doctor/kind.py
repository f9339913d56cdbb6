"""A finding, and a kind of findings: what the doctor looks for, one module of `kinds` each."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from astrai_sim.doctor.run import Run
from astrai_sim.trace import Trace
from astrai_sim.trace.header import Header

MOST = 20
"""Findings of a kind that are told; more are counted."""


@dataclass(frozen=True)
class Finding:
    """Something wrong, in a sentence; `events` led there, by their number from 0 in order, the last shows it."""

    kind: str
    says: str
    events: tuple[int, ...]
    pages: tuple[int, ...] = ()
    requests: tuple[str, ...] = ()


class Kind:
    """A kind of findings. Subclasses are found by being in a module of `astrai_sim.doctor.kinds`.

    Of each event of a kind X (by the names of `astrai_sim.trace.events`) a method `before_X` is told while `run` is
    what it was before, and `on_X` when it is what the event makes of it; `end` is called after the last of `trace`.
    """

    name: ClassVar[str]
    """As it is printed."""
    looks_for: ClassVar[str]
    """What it looks for, in words."""
    asks: ClassVar[str]
    """What a film of such a finding asks."""
    shows: ClassVar[str]
    """What it comes to, with `{pages}` for the pages; both without a digit."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.found: list[Finding] = []
        self.more = 0
        self.note = ""

    @classmethod
    def blind(cls, header: Header) -> str | None:
        """What a trace lacks, so that this cannot be looked for; None where it can."""
        return None

    def end(self, trace: Trace) -> None:
        """Look at what is left at the end."""

    def tell(self, says: str, events: Iterable[int], pages: Iterable[int] = (), requests: Iterable[str] = ()) -> None:
        """Note a finding; `events` may come in any order, and -1 for one that is not known."""
        if len(self.found) == MOST:
            self.more += 1
            return
        led = tuple(sorted({seq for seq in events if seq >= 0}))
        self.found.append(Finding(self.name, says, led, tuple(dict.fromkeys(pages)), tuple(dict.fromkeys(requests))))
