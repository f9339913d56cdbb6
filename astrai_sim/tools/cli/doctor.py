"""`doctor`: what is wrong with an engine's memory management, with the events that led there."""

import json
import subprocess
import sys
from pathlib import Path

import click

from astrai_sim.command_line import printable
from astrai_sim.doctor import Finding, Report, examine
from astrai_sim.doctor.words import listed, of_pages, told
from astrai_sim.trace import Trace, TraceError
from astrai_sim.trace.verify import verify

NOTHING = "nothing found"
NO_FILM = 3


class NoTrace(click.ClickException):
    """What was given cannot be examined."""

    exit_code = 2


@click.command()
@click.argument("trace", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one line of JSON.")
@click.option("--film", is_flag=True, help="Render a film of them too, the first of each kind, event by event.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="With --film: the MP4 file to write."
)
@click.option("--preview", is_flag=True, help="With --film: 480p15 instead of 1080p60.")
def doctor(trace: Path, as_json: bool, film: bool, output: Path | None, preview: bool) -> None:
    """Find in TRACE what is wrong with the engine's memory management.

    Leaks, double frees, pages shared by accident, live pages in the LRU, stale hits, cached pages that cannot be
    found, prefills that are repeated, exceptions; each with the events that led there. TRACE need not verify, nor be
    complete. Exit status: 0 where nothing was found, 1 where something was, 2 for what is no trace, 3 where there are
    findings of which no film can be made.
    """
    if (output or preview) and not film:
        raise click.UsageError("--output and --preview are for --film", click.get_current_context())
    try:
        opened = Trace.open(trace)
        report = examine(opened)
    except TraceError as error:
        raise NoTrace(str(error)) from None
    if as_json:
        click.echo(json.dumps(_facts(opened, report)))
    else:
        for line in _lines(opened, report):
            click.echo(printable(line))
    if report.findings:
        raise SystemExit(NO_FILM if film and not _filmed(opened, output, preview) else 1)


def _filmed(trace: Trace, output: Path | None, preview: bool) -> bool:
    """Whether a film of the findings was made. Films are another program, which says itself what stands in its way."""
    options = ["--quality", "preview"] if preview else []
    options += ["-o", str(output)] if output else []
    try:
        verify(trace, cut=True)
    except TraceError:
        options.append("--unverified")
    command = [sys.executable, "-m", "scenes", "findings", "--trace", str(trace.path), *options]
    return subprocess.run(command, check=False).returncode == 0


def _facts(trace: Trace, report: Report) -> dict[str, object]:
    """The report as plain data; events with their lines in the file."""
    found = [
        {
            **{"kind": one.kind, "says": one.says, "pages": one.pages, "requests": one.requests},
            "events": [{"line": trace[seq].line, "step": trace[seq].step, "ns": trace[seq].ns} for seq in one.events],
        }
        for one in report.findings
    ]
    looked = {"looked_for": report.looked_for, "not_looked_for": report.not_looked_for}
    return {"trace": str(trace.path), "events": len(trace), "findings": found, "more": report.more, **looked}


def _lines(trace: Trace, report: Report) -> list[str]:
    engine, footer = trace.header.engine, trace.footer
    ended = f"ended: {footer.stopped}" if footer else "cut short: how it ended is not known"
    lines = [f"{trace.path}: {len(trace):,} events of {engine.name} {engine.version}, {ended}"]
    for number, finding in enumerate(report.findings, start=1):
        lines += [f"{number}. {finding.kind}: {finding.says}", *_about(trace, finding)]
    lines += [f"{count:,} more of the kind {kind!r}" for kind, count in report.more.items()]
    lines += report.notes
    if report.findings:
        lines.append(f"looked for: {', '.join(report.looked_for)}")
    else:
        lines += [f"{NOTHING}, looking for:", *(f"  - {kind}: {says}" for kind, says in report.looked_for.items())]
    if report.not_looked_for:
        lines += ["not looked for:", *(f"  - {kind}: {why}" for kind, why in report.not_looked_for.items())]
    return lines


def _about(trace: Trace, finding: Finding) -> list[str]:
    """Whom a finding is about, and the events that led there."""
    about = [of_pages(finding.pages)] if finding.pages else []
    about += [f"request{'s' * (len(finding.requests) > 1)} {listed(finding.requests)}"] if finding.requests else []
    return [f"   {'; '.join(about)}"] * bool(about) + [
        f"   {told(trace, seq, finding.requests)}" for seq in finding.events
    ]
