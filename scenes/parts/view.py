"""What a part is given to look at: a moment of a run, and the look of the film."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from astrai_sim.trace import State, Trace
from scenes.draw.atoms import rgba
from scenes.draw.layout import WIDE, Frame
from scenes.story.history import History, history_of
from scenes.story.measures import Ask
from scenes.theme import DARK, Theme, mix

FAINTEST = 0.25
"""How far the first page of a request is from its full hue towards the panel."""
FLAT = 5
"""Pages from which on all have the full hue."""


@dataclass(frozen=True)
class View:
    """A moment of `trace` as it is shown: the replayed `state`, in a `frame` and a `theme`.

    `known` is what lines of a function that runs have changed ahead of the events that tell of it:
    `mask`, `refs` and `lru`. `beyond` counts steps after the recording's last event: what is computed of
    them is shown, each as if it were an event of its own. `lapse` says, within a time-lapse, from
    after which event to which it runs, and in how many seconds.
    """

    trace: Trace
    state: State
    frame: Frame = WIDE
    theme: Theme = DARK
    known: Mapping[str, Any] = field(default_factory=dict)
    beyond: int = 0
    lapse: tuple[int, int, float] | None = None

    def at(self, seq: int, known: Mapping[str, Any] | None = None) -> View:
        """The moment after event `seq` of the same film, or so many steps beyond the last one."""
        last = len(self.trace) - 1
        state = self.trace.state_at(min(seq, last))
        return replace(self, state=state, known=known or {}, beyond=max(0, seq - last), lapse=None)

    @property
    def seq(self) -> int:
        """The event that is shown last, as `at` counts them."""
        return self.state.seq + self.beyond

    @cached_property
    def ask(self) -> Ask:
        """Measures of the run."""
        return ask_of(self.trace)

    @cached_property
    def history(self) -> History:
        """What happened in the run."""
        return history_of(self.trace)

    @property
    def n_pages(self) -> int:
        """Pages of the pool."""
        return self.state.n_pages

    @property
    def page_size(self) -> int:
        """Slots of a page."""
        return self.state.page_size

    @property
    def mask(self) -> int:
        """The free mask."""
        return int(self.known.get("mask", self.state.mask))

    @property
    def refs(self) -> list[int]:
        """The refcount of every page."""
        return list(map(int, self.known.get("refs", self.state.refs)))

    @property
    def lru(self) -> list[int]:
        """Cached pages, the least recently used first."""
        return list(self.known.get("lru", self.state.lru))

    def hue(self, task: str) -> str:
        """The colour of a request."""
        return self.theme.hue(self.history.requests[task].index)

    def shade(self, task: int, logical: np.ndarray | int) -> np.ndarray:
        """The colour, as rgba, of slots that the `task`-th request computed for pages `logical`:
        the first page fainter, the last of its run in full hue."""
        hue, panel = rgba(self.theme.hue(task)), rgba(self.theme.panel)
        pages = self.final_pages[task]
        place = np.minimum(np.asarray(logical, dtype=float), pages - 1)
        faint = FAINTEST * (1 - place / max(1, pages - 1)) if 1 < pages <= FLAT else np.zeros_like(place)
        return hue + (panel - hue) * np.asarray(faint)[..., None]

    @cached_property
    def final_pages(self) -> list[int]:
        """Pages that each request needs for all tokens that it ever has, by index."""
        size = self.page_size
        return [-(-(life.prompt + life.generated) // size) for life in self.history.requests.values()]

    def ink(self) -> tuple[np.ndarray, np.ndarray]:
        """Who computed each slot and for which page of its table; see `Ink.at`."""
        return self.history.ink.at(self.state.seq)

    def holders(self, page: int) -> list[str]:
        """Requests whose tables name `page`, in order of submission."""
        index = self.state.tasks.index
        return sorted((task for task, pages in self.state.tables.items() if page in pages), key=index)

    def mixed(self, color: str, share: float) -> str:
        """`color` drawn so far towards the ground."""
        return mix(color, self.theme.ground, share)


@lru_cache(maxsize=4)
def ask_of(trace: Trace) -> Ask:
    """The measures of a trace, made once; those of a film told from several are kept."""
    return Ask(trace)
