"""`inspect`: a trace at a glance."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

QUIET = {"phase_begin", "phase_end", "step_begin", "step_end", "kv_write", "gather", "lines",
         "snapshot", "token", "table", "page_keyed", "prefix_miss"}


@click.command()
@click.argument("trace", type=click.Path(path_type=Path))
@click.option("--all", "everything", is_flag=True, help="Show every event in the timeline.")
def inspect(trace: Path, everything: bool) -> None:
    """Print a summary of TRACE and its timeline."""
    from astrai_sim.trace import Trace, TraceError

    console = Console()
    try:
        opened = Trace.open(trace)
        console.print(_summary(opened))
        console.print(_timeline(opened, everything))
    except TraceError as error:
        raise click.ClickException(str(error)) from None


def _summary(trace) -> Table:
    header = trace.header
    cache, model = header.scenario["cache"], header.scenario["model"]
    table = Table("what", "value", title=str(trace.path))
    kinds = Counter(event.event for event in trace)
    rows = {
        "scenario": f"{header.scenario_name} (seed {header.seed})",
        "engine": f"{header.engine['name']} {header.engine['version']} {header.engine['commit']}",
        "device": f"{header.device['type']}: {header.device['name']}",
        "torch, python": f"{header.device['torch']}, {header.device['python']}",
        "recorded": header.started,
        "pool": f"{cache['n_pages']} pages of {cache['page_size']} slots",
        "model": f"{header.model}, {model['n_layers']} layers, {header.dtype}",
        **_origins(header),
        "state": "complete" if trace.complete else f"incomplete at event {len(trace)}",
        "sha256": trace.sha256 or "",
        "events": str(len(trace)),
        **{f"  {kind}": str(count) for kind, count in sorted(kinds.items())},
    }
    for what, value in rows.items():
        table.add_row(what, value)
    return table


def _origins(header) -> dict[str, str]:
    """Files that the model and the requests came from, where they did."""
    rows = {}
    if header.weights:
        rows["weights"] = f"{header.weights['file']} {header.weights['sha256'][:16]}…"
    if header.workload:
        load = header.workload
        rows["load"] = (f"{load['requests']:,} of {load['rows']:,} requests of {load['file']} "
                        f"{load['sha256'][:16]}…")
    return rows


def _timeline(trace, everything: bool) -> Table:
    table = Table("seq", "step", "phase", "ms", "event", "details", title="timeline")
    for event in trace:
        if not everything and event.event in QUIET:
            continue
        details = ", ".join(
            f"{name}={_short(value)}"
            for name, value in event.data.items()
            if name not in ("seq", "step", "phase", "ns", "event")
        )
        table.add_row(
            str(event.seq), str(event.step), event.phase or "", f"{event.ns / 1e6:.2f}",
            event.event, details,
        )
    return table


def _short(value) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
