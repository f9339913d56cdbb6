"""The rules that this engine keeps beyond correct paging, by the names that headers claim them by."""

from astrai_sim.trace.header import OWN_ENGINE, Header

RULES = {
    "lowest-page-first": "of the free pages, the lowest is handed out",
    "cached-pages-last": "a cached page is evicted only when no page is free",
    "least-recently-used": "the cached page that was let go first is evicted; `lru` lists them in that order",
    "pages-on-demand": "a task is given the pages that its tokens need, and no more",
    "last-page-freed-first": "a task lets go of its pages from the last to the first",
    "keyed-pages-stay": "a page that has a key stays cached when nobody holds it any more",
    "chained-keys": "a key is BLAKE2b of the parent's key, a colon and the page's token ids",
    "full-pages-keyed": "a page is keyed when a pass fills it, unless another holds the same content",
    "longest-prefix": "a lookup finds as many full pages as hold the task's first tokens, all but the last token",
    "first-come-first-served": "requests are admitted in order of submission, preempted ones before all others",
    "latest-preempted": "when no page is left, the task that was admitted last is preempted",
    "admitted-when-fitting": "the first in the queue is admitted as soon as batch and pages allow",
    "passes-planned": "a pass computes for as many tasks and tokens as budget and decode policy allow, in order",
    "four-phases": "a step is cleanup, refill, prefill and decode; each kind of work is done in its phase",
    "one-pass-a-phase": "prefill and decode compute in at most one pass each",
    "next-cleanup-frees": "a finished task's pages go in the next cleanup, a preempted one's at once",
    "settings-kept": "batch, token budget, decode policy and preemption are as the settings have them",
    "scenario-kept": "requests, their prompts and changes of settings are those of the header's scenario and seed",
    "arrivals-in-time": "a request is submitted before the step, or after the second, of its arrival",
    "stop-when-due": "the run stops for the first of the scenario's reasons, and for no other",
    "snapshot-cadence": "snapshots come after every so many steps, and at the end",
    "calls-traced": "the making of the pool and the first calls of each shown function are recorded line by line, "
    "as many as asked for",
}

BY_PHASE = ("passes-planned", "four-phases", "one-pass-a-phase", "next-cleanup-frees", "admitted-when-fitting")
"""Rules that go by the phases of this engine."""


def claimed(header: Header) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Rules that are to be checked, and names that are no rule known here.

    A header that names none claims all of them where the engine is this one, else none.
    """
    if header.policy is None:
        return (tuple(RULES) if header.engine.name == OWN_ENGINE else ()), ()
    known = tuple(name for name in RULES if name in header.policy)
    return known, tuple(name for name in header.policy if name not in RULES)
