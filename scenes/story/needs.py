"""What a film needs of a trace at least: said once, asked before anything is told, and written into the documents."""

from collections.abc import Mapping
from typing import NamedTuple

from astrai_sim.trace import Trace
from astrai_sim.trace.verify.policy import claimed
from scenes.story.errors import DoesNotApply
from scenes.story.limits import LARGEST


class Needs(NamedTuple):
    """`events` are kinds of events, or `kind.field`, by the names of `astrai_sim.trace.events`, each with what the film
    finds there. `single` is what it does with single pages, tokens or slots, which bulk recordings lack ("": nothing).
    The pool has from `least` to `most` pages. `rules` are those that the film tells of, which the engine must claim.
    With `membership` the film tells a trace that knows only which blocks are cached; all others refuse that.
    """

    events: Mapping[str, str] = {}
    single: str = ""
    least: int = 1
    most: int | None = None
    rules: tuple[str, ...] = ()
    membership: bool = False

    def met(self, film: str, trace: Trace) -> None:
        """Raise DoesNotApply, with one line, where `trace` has not what `film` needs."""
        if trace.header.membership_only and not self.membership:
            raise DoesNotApply(
                f"{film} shows who holds which page, and this trace knows only which blocks are cached: "
                "its cache events tell no refcounts, requests or tables"
            )
        n_pages, kinds = trace.header.scenario.cache.n_pages, trace.kinds()
        if self.single and trace.header.detail != "full":
            told = f'{film} {self.single} and the trace has runs of them: record with detail = "full" in [record]'
            raise DoesNotApply(told)
        if n_pages < self.least:
            raise DoesNotApply(f"{film} shows a pool as a map, from {self.least} pages on; the trace has {n_pages}")
        if self.most is not None and n_pages > self.most:
            raise DoesNotApply(f"{film} shows each page and the trace has {n_pages}: at most {self.most} fit")
        for rule in self.rules:
            if rule not in claimed(trace.header)[0]:
                told = f"{film} tells of an engine that keeps the rule {rule!r}"
                raise DoesNotApply(f"{told}: {trace.header.engine.name} does not claim it")
        for place, what in self.events.items():
            kind, _, field = place.partition(".")
            if not kinds[kind] or (field and all(getattr(e, field) is None for e in trace.find(event=kind))):
                raise DoesNotApply(f"{film} needs {what}")


PAGES, MAP = {"single": "tells single pages", "most": LARGEST}, LARGEST + 1
"""Of films that show each page of a pool, and the least pages of one that is shown as a map."""
