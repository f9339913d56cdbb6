"""The engine's time: wall time less what an observer takes, or computed by a stated cost model."""

import time
from contextlib import nullcontext
from dataclasses import asdict, dataclass


class RealClock:
    """Monotonic nanoseconds of the engine's own time since `restart`.

    Time spent inside `with clock.aside:` does not pass: a recorder reads back and
    writes there. Such blocks may be nested.
    """

    kind = "real"

    def __init__(self) -> None:
        self.aside = Aside()
        self.restart()

    def restart(self) -> None:
        """Start again at 0."""
        self.aside.spent = 0
        self._zero = time.perf_counter_ns()

    def now_ns(self) -> int:
        """Engine time since the start."""
        until = self.aside.began if self.aside.depth else time.perf_counter_ns()
        return until - self._zero - self.aside.spent

    def wait_until(self, ns: int) -> None:
        """Let time pass until `ns`; at once where that is over."""
        while (left := ns - self.now_ns()) > 0:
            time.sleep(left / 1e9)


class Aside:
    """A context that adds up the nanoseconds spent in it."""

    def __init__(self) -> None:
        self.spent = 0
        self.depth = 0
        self.began = 0

    def __enter__(self) -> None:
        if self.depth == 0:
            self.began = time.perf_counter_ns()
        self.depth += 1

    def __exit__(self, *exception: object) -> None:
        self.depth -= 1
        if self.depth == 0:
            self.spent += time.perf_counter_ns() - self.began


FORMULA = (
    "prefill pass of n tokens: prefill_step_s + n * prefill_token_s; "
    "decode pass of b tokens, c tokens in their caches: "
    "decode_step_s + b * decode_token_s + c * decode_kv_s; all else: 0"
)


@dataclass(frozen=True)
class CostModel:
    """What a forward pass costs, in seconds, linear in what it computes and reads.

    A prefill pass over n tokens takes ``prefill_step_s + n * prefill_token_s``; a decode pass over b sequences with c
    tokens in their caches, the new ones included, takes ``decode_step_s + b * decode_token_s + c * decode_kv_s``.
    Scheduling itself takes no time, and attention's quadratic part in prefill is left out.

    The defaults are estimates from published peak figures, not measurements: a model of 8e9 parameters in 16 bits with
    32 layers of 8 KV heads of 128 on one GPU with 312 TFLOP/s and 2.0 TB/s. Step: weights read once, 16 GB / 2.0 TB/s.
    Token: 2 FLOP per parameter at half the peak. Cached token: its 131,072 bytes of K and V read once.
    """

    prefill_step_s: float = 0.008
    prefill_token_s: float = 0.0001
    decode_step_s: float = 0.008
    decode_token_s: float = 0.0001
    decode_kv_s: float = 6.5e-8

    def prefill_s(self, tokens: int) -> float:
        """Seconds of a prefill pass over `tokens` tokens."""
        return self.prefill_step_s + tokens * self.prefill_token_s

    def decode_s(self, sequences: int, kv_tokens: int) -> float:
        """Seconds of a decode pass over `sequences` sequences with `kv_tokens` in cache."""
        return self.decode_step_s + sequences * self.decode_token_s + kv_tokens * self.decode_kv_s

    def as_dict(self) -> dict[str, str | float]:
        """Formula and constants, for a trace's header."""
        return {"formula": FORMULA, **asdict(self)}


class CostClock:
    """A clock that moves only when it is told what was computed, or to wait."""

    kind = "cost-model"

    def __init__(self, cost: CostModel) -> None:
        self.cost = cost
        self.aside = nullcontext()
        self.restart()

    def restart(self) -> None:
        """Start again at 0."""
        self._ns = 0

    def now_ns(self) -> int:
        """The cost model's time since the start."""
        return self._ns

    def wait_until(self, ns: int) -> None:
        """Jump to `ns`; never back."""
        self._ns = max(self._ns, ns)

    def spend(self, seconds: float) -> None:
        """Let the time of a pass go by."""
        self._ns += round(seconds * 1e9)


Clock = RealClock | CostClock
