"""Continuous batching over the paged cache."""

from astrai_sim.scheduler.policy import POLICIES
from astrai_sim.scheduler.scheduler import InferenceScheduler
from astrai_sim.scheduler.task import Status, Task

__all__ = ["POLICIES", "InferenceScheduler", "Status", "Task"]
