"""`inspect` and `plot`: a trace at a glance, in words and in one picture."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import click
from msgspec.structs import asdict
from rich.console import Console
from rich.table import Table

from astrai_sim.command_line import plain_cell
from astrai_sim.tools.cli.blame import made_of
from astrai_sim.trace import Event, Trace, TraceError
from astrai_sim.trace.blocks import BLOCK_EVENTS
from astrai_sim.trace.header import Header
from astrai_sim.trace.verify.checks import short

QUIET = {
    *("phase_begin", "phase_end", "step_begin", "step_end", "kv_write", "gather", "lines", "snapshot"),
    *("table", "prefix_miss", "kv_lengths", "tokens", "pages_keyed", "message_end"),
}
COMMON = {"seq", "step", "phase", "ns", "line"}
FIRST, LAST = 40, 20


@click.command()
@click.argument("trace", type=click.Path(path_type=Path))
@click.option(
    "--all", "everything", is_flag=True, help="Show every kind of event, not only what happens to requests and pages."
)
@click.option(
    "--first",
    type=click.IntRange(min=0),
    help=f"Events to show from the beginning.  [default: {FIRST}, or 0 with --last]",
)
@click.option(
    "--last", type=click.IntRange(min=0), help=f"Events to show from the end.  [default: {LAST}, or 0 with --first]"
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON, without the timeline.")
def inspect(trace: Path, everything: bool, first: int | None, last: int | None, as_json: bool) -> None:
    """Print a summary of TRACE and the beginning and end of its timeline."""
    if first is None and last is None:
        first, last = FIRST, LAST
    console = Console()
    try:
        opened = Trace.open(trace)
        if as_json:
            click.echo(json.dumps(_facts(opened), indent=1))
            return
        table = Table("what", "value", title=plain_cell(opened.path))
        for what, value in _facts(opened).items():
            table.add_row(plain_cell(what), plain_cell(value))
        timeline = _timeline(opened, everything, first or 0, last or 0)
        console.print(table)
        console.print(timeline)
    except TraceError as error:
        raise click.ClickException(str(error)) from None


def _facts(trace: Trace) -> dict[str, str]:
    header, cache = trace.header, trace.header.scenario.cache
    return {
        **dict(_run(header)),
        "recorded": header.started,
        "pool": f"{cache.n_pages} pages of {cache.page_size} slots",
        **dict(_known(header) if header.membership_only else _origins(header)),
        "state": "complete" if trace.complete else f"incomplete at event {len(trace)}",
        "sha256": trace.sha256 or ("none stated" if trace.complete else ""),
        "events": str(len(trace)),
        **{f"  {kind}": str(count) for kind, count in sorted(trace.kinds().items())},
    }


def _run(header: Header) -> Iterator[tuple[str, str]]:
    """What ran, and where."""
    engine, device = header.engine, header.device
    if header.membership_only:
        yield "engine", engine.name
        return
    yield "scenario", f"{header.scenario_name} (seed {header.seed})"
    yield "engine", f"{engine.name} {engine.version} {engine.commit}"
    yield "device", f"{device.type}: {device.name}"
    yield "torch, python", f"{device.torch}, {device.python}"


def _known(header: Header) -> Iterator[tuple[str, str]]:
    """What a trace of cache events knows, what it does not, and what it was made from."""
    yield "knows", "which blocks are cached; refcounts, requests and page tables are not recorded"
    yield "pages", "places that the import handed out, the lowest first; the engine's are not recorded"
    if of := header.imported:
        missing = f", {of.missing:,} missing" if of.missing else ""
        yield "from", f"{of.source}: {of.messages:,} messages{missing}"
        yield "cache", f"medium {of.medium}, rank {of.rank}, group {of.group}"
        for what, count in of.left_out.items():
            yield what, f"{count:,} left out"
    yield "clock", "the publisher's time"


def _origins(header: Header) -> Iterator[tuple[str, str]]:
    """The model, files that it and the requests came from, where they did, the clock and the detail."""
    free, sizes = header.model == "none", header.scenario.model
    told = "none: cache and scheduler alone" if free else f"{header.model}, {sizes.n_layers} layers, {header.dtype}"
    yield "model", told
    if header.weights:
        yield "weights", f"{header.weights.file} {header.weights.sha256[:16]}…"
    if load := header.workload:
        yield "load", f"{load.requests:,} of {load.rows:,} requests of {load.file} {load.sha256[:16]}…"
    yield "clock", "the engine's time" if header.clock == "real" else "computed by a cost model"
    yield "detail", header.detail


def _timeline(trace: Trace, everything: bool, first: int, last: int) -> Table:
    kinds = trace.kinds()
    hidden = 0 if everything else sum(kinds[kind] for kind in QUIET)
    total = len(trace) - hidden
    title = "timeline" if not hidden else f"timeline ({hidden} quieter events: --all)"
    table = Table("seq", "step", "phase", "ms", "event", "details", title=title)
    head = min(first, total)
    tail = min(last, total - head)
    for event in islice(_shown(trace, range(len(trace)), everything), head):
        table.add_row(*_row(event))
    if total > head + tail:
        table.add_row("…", "", "", "", "", f"{total - head - tail} more: --first {total} shows all")
    ending = list(islice(_shown(trace, range(len(trace) - 1, -1, -1), everything), tail))
    for event in reversed(ending):
        table.add_row(*_row(event))
    return table


def _shown(trace: Trace, order: range, everything: bool) -> Iterator[Event]:
    for index in order:
        event = trace[index]
        if everything or event.event not in QUIET:
            yield event


def _row(event: Event) -> tuple[str, ...]:
    quiet = ([], {}, False) if isinstance(event, BLOCK_EVENTS) else ()
    fields = ((name, value) for name, value in asdict(event).items() if name not in COMMON and value is not None)
    told = ((name, value) for name, value in fields if value not in quiet)
    details = ", ".join(f"{name}={short(str(value), 60)}" for name, value in told)
    cells = (event.seq, event.step, event.phase or "", f"{event.ns / 1e6:.2f}", event.event, details)
    return tuple(map(plain_cell, cells))


@click.command()
@click.argument("trace", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="PNG to write.")
def plot(trace: Path, output: Path) -> None:
    """Draw the run that TRACE recorded: pages, queue, work and latencies over time."""
    from astrai_sim.tools.plot import plot as draw

    with made_of(trace, output) as opened:
        draw(opened, output)
    click.echo(str(output))
