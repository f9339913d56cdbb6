"""`record`: run a scenario and write its trace."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from astrai_sim.command_line import plain_cell
from astrai_sim.files import FileError

if TYPE_CHECKING:
    import torch

    from astrai_sim.scenario import Scenario
    from astrai_sim.workload import Workload

FOLDER = Path("traces")
device_option = click.option(
    "--device", type=click.Choice(["cuda", "cpu"]), help="Where to run. Default: cuda where there is one, else cpu."
)


def chosen_device(name: str | None) -> torch.device:
    """The device called `name`, else the best that there is; on the CPU torch gets one thread."""
    import torch

    if name == "cuda" and not torch.cuda.is_available():
        raise click.ClickException("no CUDA device here: use --device cpu")
    device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    if device.type == "cpu":
        torch.set_num_threads(1)
    return device


@click.command()
@click.argument("scenario")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Trace to write, compressed where it ends in .gz; default: traces/SCENARIO.jsonl.gz.",
)
@click.option(
    "--model", type=click.Choice(["none"]), help="none: cache and scheduler alone, against a cost model's clock."
)
@click.option(
    "--workload",
    type=click.Path(path_type=Path),
    help="Production trace, or folder of ServeGen's clients, to take the requests from; overrides the scenario's path.",
)
@device_option
@click.option(
    "--private",
    is_flag=True,
    help="Replace tokens, texts and names by hashes and letters, and tell no title or prompt.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but the trace that was written.")
def record(
    scenario: str,
    output: Path | None,
    device: str | None,
    model: str | None,
    workload: Path | None,
    private: bool,
    quiet: bool,
) -> None:
    """Run SCENARIO (a TOML file, or the name of one in assets/scenarios) and record it.

    On the CPU the engine gets one thread, so that times on a busy machine stay comparable.
    """
    from astrai_sim.recorder.header import device_facts
    from astrai_sim.scenario import find_scenario, load_requests, load_scenario

    console = Console(stderr=True, quiet=quiet)
    chosen = chosen_device(device)
    try:
        path = find_scenario(scenario)
        parsed = load_scenario(path)
        if model == "none":
            parsed = parsed.without_model()
        parsed, requests = load_requests(parsed, path, workload)
    except FileError as error:
        raise click.ClickException(str(error)) from None
    console.print(f"device: {chosen.type}, {device_facts(chosen)['name']}", highlight=False)
    write_trace(path, parsed, requests, output or FOLDER / f"{path.stem}.jsonl.gz", chosen, private, console)


def write_trace(
    path: Path,
    scenario: Scenario,
    requests: Workload | None,
    output: Path,
    device: torch.device,
    private: bool,
    console: Console,
) -> None:
    """Run the scenario that was read from `path` and print the trace that it gave; progress goes to `console`.

    Raises ClickException, in a line, where it cannot run or `output` cannot be written; an interrupt ends the program.
    """
    from astrai_sim.recorder import record as record_scenario
    from astrai_sim.scenario import CannotRun

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("tokens"))
    bar = Progress(*columns, TimeElapsedColumn(), console=console)
    started = time.time_ns()
    try:
        with bar:
            job = bar.add_task(plain_cell(scenario.name))
            told = lambda done, total: bar.update(job, completed=done, total=total)  # noqa: E731
            digest = record_scenario(scenario, output, device, told, requests, private)
    except CannotRun as error:
        raise click.ClickException(f"{path}: {error}") from None
    except OSError as error:
        raise click.ClickException(f"{output}: cannot be written: {error.strerror}") from None
    except KeyboardInterrupt:
        partial = output.with_name(f"{output.name}.partial")
        began = partial.exists() and partial.stat().st_mtime_ns >= started
        held = f"{partial} holds the events so far" if began else "nothing was recorded"
        click.echo(f"interrupted: {held}", err=True)
        sys.exit(130)
    click.echo(f"{output}  sha256 {digest}")
