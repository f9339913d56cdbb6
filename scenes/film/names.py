"""Names of requests short enough for the screen."""

from __future__ import annotations

import json
import re

from astrai_sim.trace import Trace, TraceError
from scenes.draw.fonts import has

LONGEST = 14
HEAD, TAIL = 5, 8
LONG_STRING = re.compile(rb'"(?:[^"\\]|\\.){%d,}"' % (LONGEST + 1))


def with_short_names(trace: Trace) -> Trace:
    """The same trace with the middle of long request names left out, wherever they stand.

    Names of at most `LONGEST` characters stay as they are; a trace without longer ones
    is given back itself. Raises TraceError for a letter, in a name or what the scenario says, that
    the fonts do not have.
    """
    names = [event.task for event in trace.find(event="task_submitted")]
    scenario = trace.header.scenario
    for text in (*names, scenario.title, scenario.question, scenario.takeaway):
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
    for name in names:
        if len(name) <= LONGEST:
            continue
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
