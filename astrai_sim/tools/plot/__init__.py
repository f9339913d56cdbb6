"""A run at a glance: one picture of a whole trace."""

from astrai_sim.tools.plot.glance import plot

__all__ = ["plot"]
