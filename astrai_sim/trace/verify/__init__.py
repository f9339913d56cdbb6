"""Checks a trace against a model of paging of its own.

The model knows the rules (lowest free page first, refcounts, LRU order, who is
preempted, which slot a position has, which page holds which prefix) and replays the
events by them; it shares no code with the engine or with `astrai_sim.trace.state`.
After each phase the invariants are checked for every page that was touched, at each
snapshot for all of them, so that the work grows with the events and not with the pool.
"""

from astrai_sim.trace.verify.checks import Report
from astrai_sim.trace.verify.verify import verify

__all__ = ["Report", "verify"]
