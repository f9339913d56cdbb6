"""Where a scenario's requests come from: itself, or a production trace."""

from dataclasses import replace
from pathlib import Path

from astrai_sim.engine.cache import pages_for
from astrai_sim.scenario.limits import number_fits
from astrai_sim.scenario.load import ScenarioError
from astrai_sim.scenario.schema import Scenario
from astrai_sim.workload import Workload, read_workload


def load_requests(scenario: Scenario, path: Path, file: Path | None = None) -> tuple[Scenario, Workload | None]:
    """The workload of the scenario read from `path`; `file` overrides where it lies.

    Returns the scenario with the workload's kind and file name as they turned out, which is what a trace's header
    should say, and the workload; None where the scenario lists its requests itself. Raises ScenarioError where a file
    is missing or not wanted and where a request is longer than the pool, and WorkloadError for what is wrong with it.
    """
    part = scenario.workload
    if part is None:
        if file is not None:
            raise ScenarioError(path, None, "the scenario has no [workload] table to read into")
        return scenario, None
    file = file or (path.parent / part.path if part.path else None)
    if file is None:
        raise ScenarioError(path, None, "[workload] names no path: give --workload FILE")
    workload = read_workload(file, part.kind, part)
    _fits(scenario, path, workload)
    found = replace(part, kind=workload.kind, path=workload.path.name)
    return replace(scenario, workload=found), workload


def _fits(scenario: Scenario, path: Path, workload: Workload) -> None:
    """Raise ScenarioError for a request that could never run."""
    pool = scenario.cache
    longest = max(workload.requests, key=lambda request: request.prompt_len + request.output_len)
    needed = pages_for(longest.prompt_len + longest.output_len - 1, pool.page_size)
    if needed > pool.n_pages:
        told = (
            f"a request of {longest.prompt_len} + {longest.output_len} tokens in {workload.path.name} can never fit: "
        )
        told += f"it needs {needed} pages, the pool has {pool.n_pages}: raise n_pages or set length_limit = "
        raise ScenarioError(path, None, f"{told}{pool.n_pages * pool.page_size} in [workload]")
    if wrong := number_fits("arrival_s", workload.requests[-1].arrival_s):
        raise ScenarioError(path, None, f"the last request of {workload.path.name}: {wrong}: set window or time_scale")
