"""Source text on screen is what ran: no character is lost, and no line leaves its block."""

from __future__ import annotations

import pytest

from astrai_sim.trace import Trace
from scenes.film.scene import ASSETS
from scenes.story.source import shown_source

TRACES = ("paging", "eviction", "preemption")


@pytest.mark.parametrize("columns", [24, 30, 40, 60])
def test_every_row_of_a_line_stands_in_its_block(columns):
    for name in TRACES:
        trace = Trace.open(ASSETS / "traces" / f"{name}.jsonl.gz")
        for function, source in trace.header.sources.items():
            lines = source.text.splitlines()
            shown = shown_source(trace, function, columns)
            for number, at in shown.place.items():
                line, rows = lines[number - 1].rstrip(), [str(row) for row in shown.lines[at]]
                indents = [len(row) - len(row.lstrip()) for row in rows]
                indent = len(line) - len(line.lstrip())
                assert indents == [indent] + [indent + 8] * (len(rows) - 1), (function, rows)
                code = "".join("".join(rows).split())
                assert "".join(line.split()).startswith(code) and code, (function, rows)
