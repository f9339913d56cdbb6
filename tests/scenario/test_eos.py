"""A request ends early where the scenario names an end-of-sequence token."""

from dataclasses import replace

import pytest
import torch

from astrai_sim.scenario import Run, ScenarioError, build, load_scenario
from tests.conftest import SCENARIOS

TWO = SCENARIOS / "two_requests.toml"


def outputs(scenario):
    built = build(scenario, torch.device("cpu"))
    list(Run(built.scheduler, built.tasks, scenario.stop).steps())
    return {task.id: (task.output, task.finish_reason) for task in built.tasks}


def test_eos_ends_a_request_with_that_token():
    scenario = load_scenario(TWO)
    whole, reason = outputs(scenario)["A"]
    assert reason == "length"
    eos = whole[3]
    scheduler = replace(scenario.scheduler, eos=eos)
    output, reason = outputs(replace(scenario, scheduler=scheduler))["A"]
    assert output == whole[: whole.index(eos) + 1]
    assert reason == "eos"


@pytest.mark.parametrize(("eos", "message"), [(-1, "at least 0"), (128, "not below vocab_size")])
def test_wrong_eos_is_refused_with_its_line(tmp_path, eos, message):
    path = tmp_path / "wrong.toml"
    path.write_text(TWO.read_text() + f"\n[scheduler]\neos = {eos}\n")
    with pytest.raises(ScenarioError, match=message) as refused:
        load_scenario(path)
    assert f":{len(path.read_text().splitlines())}:" in str(refused.value)
