"""Storyboard of the film `ChunkedPrefill`: a long prompt whole, and in chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from astrai_sim.trace import Trace
from scenes import theme
from scenes.story.beats import (
    Advance,
    Beat,
    Chart,
    Curve,
    Hold,
    Lane,
    Lanes,
    Peak,
    Section,
    ShowSteps,
    ShowVersus,
    StepTokens,
    Storyboard,
    Versus,
)
from scenes.story.curves import points
from scenes.story.errors import DoesNotApply
from scenes.story.figures import ms_text
from scenes.story.prefills import Prefill, StepLog, long_decode, prefills

FILM = "ChunkedPrefill"
STAGE = ("chart", "lanes")
LANES_AREA = (0.0, 0.0, 1.0, 0.42)
CHART_AREA = (0.0, 0.445, 1.0, 1.0)
MOST_BESIDE = 4
COLUMNS = 64
MOST_CELLS = 1400
"""Most tokens of a step that are shown one by one."""
NAME_PX = 17.0
GAP = "longest gap"
MOST_NAMED = 3
"""Most steps that are named one by one."""
APART = 0.12
"""Least distance of two marked peaks, as a part of the time axis."""


def tell(trace: Trace) -> Storyboard:
    """The chapters, in the order in which the prompts came.

    Raises DoesNotApply where the trace lacks a prompt computed whole, or one computed in
    chunks, while others were decoding.
    """
    if trace.header.detail != "full" or not trace.kinds()["tokens"]:
        raise DoesNotApply(f"{FILM} needs an event for every token: record in full detail")
    log = StepLog(trace)
    whole, chunked = chosen(prefills(trace, log))
    return Storyboard(FILM, tuple(_Chapters(trace, log, whole, chunked).sections()))


def chosen(found: Sequence[Prefill]) -> tuple[Prefill, Prefill]:
    """The pair with the longest prompts, one computed whole and one in chunks.

    One must be done before the other begins. Raises DoesNotApply where there is no pair.
    """
    kinds = [p for p in found if p.whole], [p for p in found if not p.whole]
    for kind, how in zip(kinds, ("in one step", "in chunks"), strict=True):
        if not kind:
            raise DoesNotApply(f"{FILM} needs a prompt that was computed {how} while others were decoding")
    pairs = [
        (whole, chunked)
        for whole, chunked in product(*kinds)
        if whole.steps[-1] < chunked.steps[0] or chunked.steps[-1] < whole.steps[0]
    ]
    if not pairs:
        raise DoesNotApply(
            f"{FILM} needs its two prompts one after the other, and here one was computed while the other was"
        )
    return max(pairs, key=lambda pair: min(prefill.tokens for prefill in pair))


def listed(names: Sequence[str]) -> str:
    """Names as in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def times_text(ratio: float) -> str:
    """How many times as much, to two figures."""
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}"


class _Chapters:
    def __init__(self, trace: Trace, log: StepLog, whole: Prefill, chunked: Prefill) -> None:
        self.trace = trace
        self.log = log
        self.whole = whole
        self.chunked = chunked
        self.both = sorted((whole, chunked), key=lambda prefill: prefill.steps[0])
        self.last = len(trace) - 1
        together = [name for name in whole.beside if name in chunked.beside]
        self.shown = tuple((together or [*whole.beside, *chunked.beside])[:MOST_BESIDE])
        quiet = range(self.both[0].steps[0])
        waits = [log.gap_ms[i] for i in quiet if not log.computed[i].prompts]
        waits = [wait for wait in waits if not np.isnan(wait)]
        self.usual_ms = float(np.median(waits)) if waits else None
        self.at = -1
        self.props = (self.chart(), self.lanes())

    def sections(self):
        """All chapters; each starts where the one before ended."""
        yield self.decode()
        plain = self.plain_step(self.both[0].steps[0])
        shown = [] if plain is None else [self.step_tokens(plain)]
        for prefill in self.both:
            yield self.stall(prefill)
            shown.append(self.step_tokens(prefill.steps[0]))
            if max(sum(count for _, count, _ in step.runs) for step in shown) <= MOST_CELLS:
                yield self.steps(prefill, tuple(shown))
        yield self.compare()

    def verb(self, verb: str) -> str:
        """A verb after the names of the requests that are shown."""
        return verb if len(self.shown) > 1 else f"{verb}s"

    def seq(self, step: int) -> int:
        """The event that ends a step; -1 before the first."""
        return int(self.log.series.seq[step]) if step >= 0 else -1

    def chart(self) -> Chart:
        """Time between tokens over the run."""
        s = self.log.series
        known = ~np.isnan(self.log.gap_ms)
        seconds = s.end_ns / 1e9
        curve = Curve(
            GAP,
            "longest wait",
            theme.SERIES[1],
            points(s.seq[known], seconds[known], self.log.gap_ms[known], None),
            rate=1000.0,
        )
        peaks = []
        for prefill in self.both:
            steps = list(prefill.steps)
            top = steps[int(np.nanargmax(self.log.gap_ms[steps]))]
            peak = Peak(
                GAP,
                int(self.log.begin_seq[steps[0]]),
                self.seq(steps[-1]),
                float(seconds[top]),
                float(self.log.gap_ms[top]),
                "ms",
            )
            if all(abs(peak.x - other.x) > APART * seconds[-1] for other in peaks):
                peaks.append(peak)
        longest = max(len(name) for name in (*self.shown, self.whole.task, self.chunked.task))
        return Chart(
            "gaps",
            "Time since a request's last token, ms",
            "seconds",
            float(seconds[-1]),
            float(np.nanmax(self.log.gap_ms)) * 1.04,
            (curve,),
            CHART_AREA,
            tuple(peaks),
            margin=60 + NAME_PX * longest,
        )

    def lanes(self) -> Lanes:
        """Tokens and prompts of the requests that are shown."""
        order = [e.task for e in self.trace.find(event="task_submitted")]
        chosen = sorted({*self.shown, self.whole.task, self.chunked.task}, key=order.index)
        lanes = []
        for task in chosen:
            tokens = tuple((seq, ns / 1e9) for seq, ns in self.log.tokens.get(task, ()))
            spans = tuple(
                (self.prefill_end(step), *(self.log.prefill_ns[step] / 1e9).tolist(), count)
                for step, count in self.log.prompts.get(task, ())
            )
            lanes.append(Lane(task, tokens, spans))
        ends = self.log.series.end_ns / 1e9
        steps = tuple(zip(self.log.begin_seq.tolist(), ends.tolist(), strict=True))
        return Lanes("A mark is a token, a dim bar a prompt being computed", "gaps", tuple(lanes), LANES_AREA, steps)

    def prefill_end(self, step: int) -> int:
        """The event that ends the prefill phase of a step."""
        return next(
            e.seq
            for e in self.trace.find(event="phase_end", before=self.seq(step) + 1, after=int(self.log.begin_seq[step]))
            if e.phase == "prefill"
        )

    def section(self, key: str, title: str, start: int, beats: list[Beat]) -> Section:
        return Section(key, title, start, tuple(beats), STAGE, self.props, phases=False)

    def to(self, step: int, caption: str | None, seconds: float) -> list[Beat]:
        """Go on to the end of `step`, if that is still to come."""
        if step <= self.at:
            return [] if caption is None else [Hold(self.seq(self.at), caption)]
        self.at = step
        return [Advance(self.seq(step), caption, seconds)]

    def decode(self) -> Section:
        before = self.both[0].steps[0] - 1
        names = listed(self.shown)
        each = " each" * (len(self.shown) > 1)
        started = next(i for i, done in enumerate(self.log.computed) if done.prompts)
        first = {task for task, _ in self.log.computed[started].prompts}
        plain = self.log.computed[started + 1 : before + 1]
        together = first >= set(self.shown)
        text = f"Step {started} computes the prompt{'s' * (len(self.shown) > 1)} of {names}."
        beats: list[Beat] = [Hold(-1, text if together else None, 0.5)]
        if started < before:
            beats += self.to(started, None, 1.5)
        text = None
        if together and plain and all({*self.shown} <= {*done.decoded} for done in plain):
            text = f"After it, every step decodes one token{each}"
            if self.usual_ms is not None:
                text += f", {ms_text(self.usual_ms)} after the last (median)"
            text += "."
        elif self.usual_ms is not None:
            text = f"Once their prompts are computed, tokens are {ms_text(self.usual_ms)} apart (median)."
        beats += self.to(before, text, 3.5)
        n = len(self.shown)
        title = f"{n} requests decode" if n > 1 else f"{names} decodes"
        return self.section("decode", title, -1, beats)

    def budget(self, step: int) -> tuple[int | None, int | None]:
        """Token budget of a step, and the step from which it holds (None: from the start)."""
        budget = self.trace.header.scenario.scheduler.max_tokens_per_step
        since = None
        for event in self.trace.find(event="setting", before=int(self.log.begin_seq[step])):
            if event.name == "max_tokens_per_step":
                budget, since = event.value, event.step + 1
        return budget, since

    def stall(self, prefill: Prefill) -> Section:
        start = self.seq(self.at)
        beats: list[Beat] = []
        first, last = prefill.steps[0], prefill.steps[-1]
        budget, since = self.budget(first)
        if not prefill.whole and budget is not None:
            if since is not None and self.at < since <= first:
                beats += self.to(since - 1, None, 1.0)
                limit = f"From step {since} on, a step computes at most {budget} tokens."
            else:
                limit = f"A step computes at most {budget} tokens."
            beats += self.to(first - 1, limit, 1.2)
        else:
            beats += self.to(first - 1, None, 1.0)
        names = listed(self.shown)
        if prefill.whole:
            beats += self.to(
                first,
                f"{prefill.task} arrives with {prefill.tokens} prompt tokens. Step {first} computes them all.",
                3.0,
            )
            text = f"{names} {self.verb('wait')} {ms_text(prefill.longest_ms)} for the next token"
            if self.usual_ms is not None:
                text += f", {times_text(prefill.longest_ms / self.usual_ms)} times the usual"
            beats.append(Hold(self.seq(first), f"{text}."))
        else:
            n = len(prefill.steps)
            beats += self.to(
                first,
                f"{prefill.task} arrives with {prefill.tokens} prompt tokens. "
                f"The first step takes {prefill.counts[0]} of them.",
                1.2,
            )
            middle = prefill.steps[n // 2]
            beats += self.to(middle, f"{n} steps share the prompt. Each also gives {names} a token.", 2.0)
            beats += self.to(last, None, 2.0)
            beats.append(
                Hold(
                    self.seq(last),
                    f"{names} never {self.verb('wait')} longer than {ms_text(prefill.longest_ms)} for a token.",
                )
            )
            beats += self.why(prefill)
        end = self.end_of(prefill)
        beats += self.to(
            end, f"{prefill.task} has its own first token {ms_text(prefill.ttft_ms)} after it arrived.", 2.0
        )
        how = "in one step" if prefill.whole else "in chunks"
        return self.section(
            f"stall-{'whole' if prefill.whole else 'chunked'}", f"{prefill.tokens} prompt tokens {how}", start, beats
        )

    def why(self, prefill: Prefill) -> list[Beat]:
        """What made the longest wait beside chunks so long, where the trace shows it."""
        found = long_decode(self.trace, self.log, prefill)
        if found is None:
            return []
        here, task = self.seq(found.step), prefill.task
        beats: list[Beat] = [
            Hold(
                here,
                f"That was step {found.step}, with the smallest chunk: {found.tokens} "
                f"tokens. But {task} decodes in it too.",
                detail=1,
            ),
            Hold(
                here,
                f"K and V of every request are padded to {task}'s {found.positions} "
                f"positions: {ms_text(found.decode_ms)} of decoding, at most "
                f"{ms_text(found.others_ms)} in the chunks before.",
                detail=1,
            ),
        ]
        end = self.end_of(prefill)
        after = [(step, ms) for step, ms in found.after if step <= end][:MOST_NAMED]
        if after:
            steps = listed([str(step) for step, _ in after])
            times = listed([ms_text(ms) for _, ms in after])
            who = f"Steps {steps} decode" if len(after) > 1 else f"Step {steps} decodes"
            text = f"{who} for {times} without a prompt: {task} is in the batch."
            beats += [replace(beat, detail=1) for beat in self.to(after[-1][0], text, 2.0)]
        return beats

    def end_of(self, prefill: Prefill) -> int:
        """Where the chapter of a prompt ends: shortly before the next, or with the run."""
        later = [p for p in self.both if p.steps[0] > prefill.steps[-1]]
        last = len(self.log.series) - 1
        if not later:
            return max(last, prefill.steps[-1])
        since = self.budget(later[0].steps[0])[1]
        limit = later[0].steps[0] - 1
        if since is not None and prefill.steps[-1] < since - 1 < limit:
            limit = since - 1
        return max(limit, prefill.steps[-1])

    def plain_step(self, before: int) -> int | None:
        """The last step before `before` that only decoded."""
        return next(
            (i for i in range(before - 1, -1, -1) if self.log.computed[i].decoded and not self.log.computed[i].prompts),
            None,
        )

    def step_tokens(self, step: int) -> StepTokens:
        """What a step computed, and how long it took."""
        done = self.log.computed[step]
        prompt = sum(count for _, count in done.prompts)
        took = ms_text(self.log.series.duration_ns[step] / 1e6)
        parts = f"{len(done.decoded)} decoded"
        if prompt:
            parts += f" + {prompt} of a prompt"
        budget = self.budget(step)[0]
        facts = (f"Step {step}: {took}", parts)
        if budget is not None:
            facts += (f"budget: {budget} tokens",)
        runs = (*((task, 1, False) for task in done.decoded), *((task, count, True) for task, count in done.prompts))
        return StepTokens(runs, facts)

    def steps(self, prefill: Prefill, shown: tuple[StepTokens, ...]) -> Section:
        """What the prompt's step computed, below the steps shown before it."""
        here = self.seq(self.at)
        chunk = self.chunked.steps[0]
        columns = min(COLUMNS, max(8, self.log.computed[chunk].tokens))

        def show(n: int, caption: str | None) -> ShowSteps:
            return ShowSteps(
                here,
                caption,
                "What a step computes: bright cells are decoded tokens, dim ones a prompt's",
                shown,
                columns,
                n,
            )

        beats: list[Beat] = []
        done = self.log.computed[prefill.steps[0]]
        if prefill is self.both[1]:
            beats.append(show(len(shown) - 1, None))
        elif len(shown) > 1:
            n = len(shown[0].runs)
            plain = self.plain_step(prefill.steps[0])
            beats.append(show(1, f"Step {plain} only decodes: {n} token{'s' * (n > 1)}."))
        if prefill.whole:
            text = f"Step {prefill.steps[0]} computes {done.tokens} tokens, and everyone waits for all of them."
        else:
            budget = self.budget(prefill.steps[0])[0]
            text = (
                f"With a budget of {budget} tokens, decoding goes first and a chunk of "
                f"{prefill.task}'s prompt fills the rest."
                if budget
                else f"A chunk of {prefill.task}'s prompt takes less time than all of it."
            )
        beats.append(show(len(shown), text))
        beats.append(Hold(here, seconds=0.5))
        return Section(
            f"steps-{'whole' if prefill.whole else 'chunked'}",
            "Inside a step",
            here,
            tuple(beats),
            (),
            detail=1,
            phases=False,
        )

    def compare(self) -> Section:
        whole, chunked = self.whole, self.chunked
        waits = whole.longest_ms, chunked.longest_ms
        first = whole.ttft_ms, chunked.ttft_ms
        steps = len(whole.steps), len(chunked.steps)
        rows = (
            Versus("Longest wait of a decoding request for its next token", tuple(map(ms_text, waits)), waits),
            Versus("Time from arrival to the long prompt's own first token", tuple(map(ms_text, first)), first),
            Versus("Steps that computed the prompt", tuple(map(str, steps)), steps),
        )
        less = waits[0] / waits[1]
        text = (
            f"In chunks, the others' longest wait is {times_text(less)} times shorter."
            if less > 1
            else "In chunks, the others' longest wait was not shorter in this run."
        )
        change = first[1] / first[0] - 1
        own = (
            f"The price: {chunked.task}'s own first token takes {change:.0%} longer than {whole.task}'s."
            if change > 0
            else f"{chunked.task}'s own first token comes {-change:.0%} sooner than {whole.task}'s."
        )
        beats = (
            ShowVersus(
                self.last,
                text,
                "Measured in this run" if self.trace.header.clock == "real" else "By the run's cost model",
                (f"{whole.task}: {whole.tokens} whole", f"{chunked.task}: {chunked.tokens} in chunks"),
                rows,
                (whole.task, chunked.task),
            ),
            Hold(self.last, own, 0.5),
        )
        return Section("compare", "Whole, and in chunks", self.last, beats, (), phases=False, stays=True)
