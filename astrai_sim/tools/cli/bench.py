"""`bench`: what paging, prefix reuse and recording cost on this machine."""

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from astrai_sim.command_line import plain_cell
from astrai_sim.tools.cli.record import chosen_device, device_option


@click.command()
@device_option
@click.option(
    "--rounds",
    type=click.IntRange(min=2),
    default=11,
    show_default=True,
    help="Rounds through the runs that are compared.",
)
@click.option(
    "--events",
    type=click.IntRange(min=0),
    default=100_000,
    show_default=True,
    help="Events, about, of large traces to record, verify and open, one of each detail; 0 for none.",
)
def bench(device: str | None, rounds: int, events: int) -> None:
    """Print how long things take compared with each other, measured side by side, and what a large trace costs.

    The runs of a comparison take turns; a ratio is the median over the rounds. On the
    CPU torch gets one thread and processor time is measured.
    """
    from astrai_sim.recorder.header import device_facts
    from astrai_sim.tools.bench import SUBJECTS
    from astrai_sim.tools.plot.panels import short_unit

    chosen = chosen_device(device)
    facts = device_facts(chosen)
    title = f"{chosen.type}: {facts['name']}, torch {facts['torch']}, {rounds} rounds"
    table = Table(title=title, caption="ratio: median over the rounds")
    for heading in ("", "compared", "ratio", "quartiles", "times"):
        table.add_column(heading, justify="left" if heading in ("", "compared") else "right")
    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        job = bar.add_task("", total=len(SUBJECTS))
        for name, subject in SUBJECTS.items():
            bar.update(job, description=name)
            table.add_section()
            table.add_row(f"[bold]{name}")
            for found in subject(chosen, rounds):
                if isinstance(found, str):
                    table.add_row(f"  {plain_cell(found)}")
                    continue
                low, high = found.spread
                ratios = f"{found.ratio:.3f}", f"{low:.3f}–{high:.3f}"
                taken, base = (short_unit(ns).text(ns) for ns in (1e9 * found.seconds, 1e9 * found.base_seconds))
                table.add_row(f"  {found.case}", f"{found.what} / {found.base}", *ratios, f"{taken} / {base}")
            bar.advance(job)
    console.print(table)
    if events:
        console.print(_large(events))


def _large(events: int) -> Table:
    """What traces of about so many events cost."""
    from astrai_sim.tools.bench.scale import LOADS, scale

    table = Table(title=f"traces of about {events:,} events, each stage in a process of its own")
    for heading in ("", "CPU", "wall", "memory at most", ""):
        table.add_column(heading, justify="right" if heading else "left")
    for load in LOADS:
        table.add_section()
        table.add_row(f"[bold]{load.detail} detail")
        for stage in scale(load, events):
            table.add_row(
                stage.name, f"{stage.cpu:.1f} s", f"{stage.wall:.1f} s", f"{stage.peak / 1e6:,.0f} MB", stage.told
            )
    return table
