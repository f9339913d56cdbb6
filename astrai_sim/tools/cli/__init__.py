"""The command line: record, verify, inspect, plot, bench."""

import click

from astrai_sim import __version__
from astrai_sim.tools.cli.bench import bench
from astrai_sim.tools.cli.inspect import inspect, plot
from astrai_sim.tools.cli.record import record
from astrai_sim.tools.cli.verify import verify


@click.group()
@click.version_option(__version__, prog_name="astrai_sim")
def main() -> None:
    """Record runs of a paged KV cache, and look at the recordings."""


for command in (record, verify, inspect, plot, bench):
    main.add_command(command)
