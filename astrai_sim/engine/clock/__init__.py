"""The engine's time: measured, or computed by a cost model."""

from astrai_sim.engine.clock.cost import CostClock, CostModel
from astrai_sim.engine.clock.real import RealClock

Clock = RealClock | CostClock

__all__ = ["Clock", "CostClock", "CostModel", "RealClock"]
