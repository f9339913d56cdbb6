"""The command line: record, record-all, verify, doctor, private, inspect, plot, export, vllm-events, bench."""

from astrai_sim.command_line import Commands
from astrai_sim.tools.cli.bench import bench
from astrai_sim.tools.cli.doctor import doctor
from astrai_sim.tools.cli.export import export
from astrai_sim.tools.cli.inspect import inspect, plot
from astrai_sim.tools.cli.private import private
from astrai_sim.tools.cli.record import record
from astrai_sim.tools.cli.record_all import record_all
from astrai_sim.tools.cli.verify import verify
from astrai_sim.tools.cli.vllm_events import vllm_events

main = Commands(
    "astrai-sim",
    [record, record_all, verify, doctor, private, inspect, plot, export, vllm_events, bench],
    "Record runs of a paged KV cache, and look at the recordings.",
)

__all__ = ["main"]
