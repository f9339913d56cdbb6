"""`record-all`: run every scenario that is shipped, on one device, and write their traces."""

from pathlib import Path

import click
from rich.console import Console

from astrai_sim.files import FileError
from astrai_sim.tools.cli.record import FOLDER, chosen_device, device_option, write_trace


@click.command("record-all")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=FOLDER,
    show_default=True,
    help="Folder for the traces; one that is there under a scenario's name is replaced.",
)
@click.option(
    "--workload",
    type=click.Path(path_type=Path),
    help="Production trace for the scenarios whose requests are those of one; left out without.",
)
@device_option
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but the traces that were written.")
def record_all(output: Path, workload: Path | None, device: str | None, quiet: bool) -> None:
    """Run all scenarios in assets/scenarios, one after the other, and record them.

    The header of each trace says which device it ran on. Ends at the first that cannot be recorded; what was written
    before stays.
    """
    from astrai_sim.recorder.header import device_facts
    from astrai_sim.scenario import load_requests, load_scenario, shipped_scenarios

    console = Console(stderr=True, quiet=quiet)
    chosen = chosen_device(device)
    console.print(f"device: {chosen.type}, {device_facts(chosen)['name']}", highlight=False)
    for path in shipped_scenarios():
        try:
            scenario = load_scenario(path)
            if scenario.workload is not None and scenario.workload.path is None and workload is None:
                told = "left out: its requests are those of a production load, give it with --workload FILE"
                click.echo(f"{path.stem}: {told}", err=True)
                continue
            scenario, requests = load_requests(scenario, path, workload if scenario.workload else None)
        except FileError as error:
            raise click.ClickException(str(error)) from None
        write_trace(path, scenario, requests, output / f"{path.stem}.jsonl.gz", chosen, False, console)
