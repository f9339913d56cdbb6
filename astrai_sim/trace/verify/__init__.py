"""Checks a trace against a model of paging of its own.

The model knows the rules (lowest free page first, refcounts, LRU order, who is preempted, which slot a position has,
which page holds which prefix) and replays the events by them; it shares no code with the engine or with
`astrai_sim.trace.state`. Each comparison is made at one of three levels (`checks`): format, paging, or a rule of the
policy that the trace claims (`policy`). After each phase the invariants are checked for every page that was touched, at
each snapshot for all of them, so that the work grows with the events and not with the pool.

What no rule ties to anything else it cannot judge, and only the digest guards: `trust` lists it for each trace.
"""

from astrai_sim.trace.verify.checks import LEVELS, VerifyReport
from astrai_sim.trace.verify.policy import RULES
from astrai_sim.trace.verify.verify import verify

__all__ = ["LEVELS", "RULES", "VerifyReport", "verify"]
