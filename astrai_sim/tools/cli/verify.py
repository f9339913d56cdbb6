"""`verify`: does a trace tell the truth?"""

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from astrai_sim.command_line import plain_cell
from astrai_sim.files import FileError
from astrai_sim.trace import Trace, TraceError
from astrai_sim.trace.verify import VerifyReport
from astrai_sim.trace.verify import verify as check

HOLDS = {
    "format": "readable, complete, true to its digest where it states one; header and events valid and agreeing",
    "paging": "what every correct engine keeps: refcounts, mask, tables, lengths, contents",
    "policy": "what this engine promises beyond that",
}
MEMBERSHIP = "what cache events can show: only cached blocks are removed, each has one place, no place holds two"


@click.command()
@click.argument("traces", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--reproduce", "again", is_flag=True, help="Run the scenario again and compare everything but time.")
@click.option(
    "--workload",
    type=click.Path(exists=True, path_type=Path),
    help="With --reproduce: the production trace, or folder of clients, that the requests came from.",
)
@click.option("-v", "--verbose", is_flag=True, help="List every comparison with how often it was made.")
@click.option("--json", "as_json", is_flag=True, help="Print what held of each trace as one line of JSON.")
def verify(traces: tuple[Path, ...], again: bool, workload: Path | None, verbose: bool, as_json: bool) -> None:
    """Replay TRACES through an independent model of paging, and say what holds at three levels.

    Format, paging, and the policy that the header claims; and what of the trace is taken on
    trust, because nothing in it is tied to anything else.
    """
    for path in traces:
        try:
            trace = Trace.open(path)
            report = check(trace)
        except TraceError as error:
            raise click.ClickException(_failed(path, error)) from None
        if as_json:
            counts = {level: dict(sorted(found.items())) for level, found in report.levels.items()}
            facts = {"trace": str(path), "events": report.events, "sha256": report.sha256, "compared": counts}
            click.echo(json.dumps(facts | {"rules": list(report.rules), "trusted": list(report.trusted)}))
        else:
            _print(path, report, verbose)
        if again:
            _again(trace, workload)


def _failed(path: Path, error: TraceError) -> str:
    """The first lie; with the levels that hold all the same where it is one of policy."""
    if error.level == "policy":
        try:
            check(Trace.open(path), policy=False)
        except TraceError as worse:
            return f"{error}\n{worse}\n{worse.level}: does not hold; policy: does not hold"
        return f"{error}\nformat: holds; paging: holds; policy: does not hold"
    return f"{error}\n{error.level}: does not hold"


def _print(path: Path, report: VerifyReport, verbose: bool) -> None:
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"[bold]{plain_cell(path)}[/]: {report.events:,} events, sha256 {report.sha256}")
    for level, counts in report.levels.items():
        rules = f" ({len(report.rules)} rules)" if level == "policy" else ""
        if level == "policy" and not report.rules:
            console.print(f"  {level}: the engine claims none")
        else:
            holds = MEMBERSHIP if report.knows and level == "paging" else HOLDS[level]
            console.print(f"  {level}: holds in {counts.total():,} comparisons{rules}: {holds}")
    if report.unclaimed and report.rules:
        console.print(f"  not claimed: {plain_cell(', '.join(report.unclaimed))}")
    console.print("  taken on trust:")
    for item in report.trusted:
        console.print(f"  - {plain_cell(item)}")
    if verbose:
        table = Table("level", "compared", "times")
        for level, counts in report.levels.items():
            for what, times in sorted(counts.items()):
                table.add_row(level, plain_cell(what), f"{times:,}")
        console.print(table)


def _again(trace: Trace, workload: Path | None) -> None:
    """Run the scenario again; exits with 1 where it gives something else."""
    import torch

    from astrai_sim.tools.reproduce import CannotReproduce, reproduce

    torch.set_num_threads(1)
    try:
        found = reproduce(trace, workload)
    except (CannotReproduce, FileError) as error:
        raise click.ClickException(f"{trace.path}: not reproduced: {error}") from None
    for item in found.left_out:
        click.echo(f"  not compared: {item}")
    for line, text in found.differences:
        click.echo(f"{trace.path}:{line}: {text}")
    more = f", the first {len(found.differences)} above" if found.count > len(found.differences) else ""
    what = f"{found.count or 'no'} differences in {found.events:,} events and the header{more}"
    click.echo(f"  run again on {found.device}: {what}")
    if found.count:
        raise SystemExit(1)
