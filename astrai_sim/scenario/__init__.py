"""Scenarios: what to run, read from TOML."""

from astrai_sim.scenario.build import build
from astrai_sim.scenario.load import ScenarioError, find_scenario, load_requests, load_scenario, shipped_scenarios
from astrai_sim.scenario.run import CannotRun, Run
from astrai_sim.scenario.schema import Scenario

__all__ = [
    "CannotRun",
    "Run",
    "Scenario",
    "ScenarioError",
    "build",
    "find_scenario",
    "load_requests",
    "load_scenario",
    "shipped_scenarios",
]
