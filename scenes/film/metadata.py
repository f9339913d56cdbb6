"""What an MP4 file says about the recording that it shows.

Players show `title`, `description` and `date`; the rest stands in `comment`,
one `name=value` a line, because MP4 has no tags of its own for it.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import av

from astrai_sim.trace import Trace


def describe(film: str, summary: str, trace: Trace) -> dict[str, str]:
    """MP4 tags for a film of `trace`, with the SHA-256 that was computed of it."""
    header, device = trace.header, trace.header.device
    facts = {
        "trace_sha256": trace.computed_sha256,
        "trace_verified": "no" if trace.unverified else "yes",
        "trace_schema": f"{header.schema} {header.version}",
        "scenario": header.scenario_name,
        "device": f"{device.name} ({device.type})",
        "dtype": header.dtype,
        "model": header.model,
        "clock": header.clock,
        "engine": f"{header.engine.name} {header.engine.version}",
        "engine_commit": header.engine.commit or "unknown",
        "recorded": header.started,
        "rendered_with": f"Manim Community {version('manim')}",
    }
    return {
        "title": f"{film}: {header.scenario.title or header.scenario_name}",
        "description": summary,
        "date": header.started[:10],
        "comment": "\n".join(f"{name}={value}" for name, value in facts.items()),
    }


def read(film: Path) -> dict[str, str]:
    """The facts that `describe` put into the file at `film`, and its title."""
    with av.open(str(film)) as container:
        tags = dict(container.metadata)
    facts = {"title": tags.get("title", "")}
    for line in tags.get("comment", "").splitlines():
        name, equals, value = line.partition("=")
        if equals:
            facts[name] = value
    return facts
