"""A trace as films see it: verified, whole steps, and names of requests short enough for the screen."""

import json
import re
from functools import cache
from pathlib import Path

from astrai_sim.shipped import ASSETS
from astrai_sim.trace import Trace, TraceError
from scenes.draw.fonts import has
from scenes.film.vouched import vouched

LONGEST = 14
HEAD, TAIL = 5, 8
LONG_STRING = re.compile(rb'"(?:[^"\\]|\\.){%d,}"' % (LONGEST + 1))


def for_the_screen(trace: Trace) -> Trace:
    """The verified trace up to its last whole step, with short names; itself where that changes nothing.

    Raises TraceError for one that does not hold; see `vouched`.
    """
    return with_short_names(with_whole_steps(vouched(trace)))


def with_whole_steps(trace: Trace) -> Trace:
    """The same trace, without the step in which the recording was cut short.

    What a step began it has not always finished by then: pages on their way from one
    table to the next, a request between its phases. Events are counted, not asked for their numbers: of a trace that
    is not verified those may be any.
    """
    if trace.complete or not len(trace):
        return trace
    kind = "message_end" if trace.header.membership_only else "step_end"
    last = max((place for place, event in enumerate(trace) if event.event == kind), default=-1)
    return trace if last == len(trace) - 1 else trace.derived(bytes(trace.content[: trace.end_of(last)]))


_lent: dict[str, Trace] = {}


def other_trace(name: str) -> Trace:
    """The shipped trace called `name`, as films see it, opened once; or that which was lent."""
    return _lent[name] if name in _lent else vouched(_shipped(name))


def lend(name: str, trace: Trace) -> None:
    """Have `other_trace` give `trace` for `name`, in a process that renders what another has rehearsed."""
    _lent[name] = trace


def shipped_path(name: str) -> Path:
    """Where the shipped trace called `name` lies."""
    return ASSETS / "traces" / f"{name}.jsonl.gz"


@cache
def _shipped(name: str) -> Trace:
    return for_the_screen(Trace.open(shipped_path(name)))


def with_short_names(trace: Trace) -> Trace:
    """The same trace with the middle of long request names left out, wherever they stand.

    Names of at most `LONGEST` characters stay as they are; a trace without longer ones is given back itself. Raises
    TraceError for a letter, in a name or what the header says, that the fonts do not have, and for a name that cannot
    be read in a sentence.
    """
    names, header = [event.task for event in trace.find(event="task_submitted")], trace.header
    for name in names:
        if not name or name != " ".join(name.split()):
            need = "films need names without blanks at their ends or several together"
            raise TraceError(trace.path, None, f"a request is called {name!r:.60}: {need}")
    scenario, weights = header.scenario, header.weights.file if header.weights else ""
    said = (header.device.name, header.model, header.started[:10], weights, *header.phases)
    engine = (header.engine.name,) if header.membership_only else ()
    for text in (*names, *engine, *said, scenario.title, scenario.question, scenario.takeaway):
        if missing := next((letter for letter in text if not has(letter)), None):
            raise TraceError(trace.path, None, f"the fonts of the films have no {missing!r}, which is in {text!r:.60}")
    short = _shortened(names)
    if not short:
        return trace
    content = LONG_STRING.sub(lambda match: short.get(match[0], match[0]), bytes(trace.content))
    return trace.derived(content, trace.torn)


def _shortened(names: list[str]) -> dict[bytes, bytes]:
    """Long names and what stands for them, both as JSON; every name stays its own."""
    taken = {name for name in names if len(name) <= LONGEST}
    short: dict[bytes, bytes] = {}
    for name in (name for name in names if len(name) > LONGEST):
        shown, number = f"{name[:HEAD]}…{name[-TAIL:]}", 1
        while shown in taken:
            number += 1
            mark = f"…{number}"
            shown = f"{name[: LONGEST - len(mark)]}{mark}"
        taken.add(shown)
        for ascii_only in (True, False):
            was = json.dumps(name, ensure_ascii=ascii_only).encode()
            short[was] = json.dumps(shown, ensure_ascii=ascii_only).encode()
    return short
