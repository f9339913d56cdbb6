"""Continuous batching over the paged cache."""

from astrai_sim.engine.scheduler.model_free import ModelFreeScheduler
from astrai_sim.engine.scheduler.policy import POLICIES
from astrai_sim.engine.scheduler.scheduler import SETTINGS, InferenceScheduler
from astrai_sim.engine.scheduler.task import Status, Task

__all__ = ["POLICIES", "SETTINGS", "InferenceScheduler", "ModelFreeScheduler", "Status", "Task"]
