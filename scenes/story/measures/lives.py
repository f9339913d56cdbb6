"""Lives of requests, steps and phases, and what holds after an event."""

import numpy as np

from astrai_sim.trace.events import PhaseEnd, PrefixHit, SettingChanged, TaskAdmitted, TaskPrefilled, Tokens
from scenes.measures import Measure, measure
from scenes.story.history import Missed, first_tokens
from scenes.story.history.sure import sure
from scenes.story.measures.asked import AskedMeasures


class RequestLives(AskedMeasures):
    """Lives of requests; `at` is the event that a measure is about."""

    def prompt(self, task: str) -> Measure:
        return measure("request.prompt", self.request(task).prompt, task=task)

    def max_tokens(self, task: str) -> Measure:
        return measure("request.max_tokens", self.request(task).submitted.max_tokens, task=task)

    def longest(self, task: str) -> Measure:
        return self.total(self.prompt(task), self.max_tokens(task))

    def prompt_pages(self, task: str) -> Measure:
        return measure("request.prompt_pages", -(-self.request(task).prompt // self.size), task=task)

    def generated(self, task: str) -> Measure:
        return measure("request.generated", self.request(task).generated, task=task)

    def ttft(self, task: str) -> Measure:
        return measure("request.ttft", self.request(task).ttft_ns, "time", task=task)

    def first_token(self, task: str) -> Measure:
        """As `ttft`, but from durations that leave the recorder's work out."""
        times = {time.task: time.ns for time in first_tokens(self.history)}
        return measure("request.first_token", times[task], "time", task=task)

    def wait(self, task: str, since: int) -> Measure:
        """From its last token before event `since`, or its arrival, to its next one, or to the end."""
        life, last = self.request(task), self.history.last
        until = life.token_after(since) or last
        ns = life.wait(since, until, self.trace[until].ns)
        return measure("wait.since", ns, "time", task=task, since=since, at=until)

    def computing(self, task: str, since: int) -> Measure:
        """Of such a wait, the time from the last admission before the token to the token, which has to be there."""
        life = self.request(task)
        token = self.history.event(Tokens, sure(life.token_after(since)))
        ns = token.ns - [event for event in life.admitted if event.seq < token.seq][-1].ns
        return measure("wait.computing", ns, "time", task=task, since=since)

    def once_cached(self, missed: Missed) -> Measure:
        return measure("prefix.once", missed.cached, task=missed.task, at=missed.seq)

    def still_cached(self, missed: Missed) -> Measure:
        return measure("prefix.found", missed.found, task=missed.task, at=missed.seq)

    def took(self, task: str) -> Measure:
        life = self.request(task)
        return measure("request.took", sure(life.finished).ns - life.submitted.ns, "time", task=task)

    def found(self, task: str, at: int) -> Measure:
        return measure("admission.cached", sure(self.request(task).admission(at)).cached_tokens, task=task, at=at)

    def computed(self, task: str, at: int) -> Measure:
        done, admitted = self._prefill(task, at)
        return measure("prefill.tokens", sure(done).end - admitted.cached_tokens, task=task, at=at)

    def _prompt(self, task: str) -> list[TaskPrefilled]:
        life = self.request(task)
        return [event for event in life.computed if event.step <= int(life.tokens.step[0])]

    def prompt_tokens(self, task: str) -> Measure:
        """Tokens of its prompt that were computed before its first token."""
        return measure("prompt.computed", sum(e.end - e.start for e in self._prompt(task)), "plain", task=task)

    def prompt_steps(self, task: str) -> Measure:
        """Steps that computed its prompt."""
        return self.count(self._prompt(task), "prompt.steps", task=task)

    def prefilled_of(self, task: str, step: int) -> Measure:
        """Tokens of its prompt that a step computed."""
        here = [event.end - event.start for event in self.request(task).computed if event.step == step]
        return measure("prompt.chunk", sum(here), "plain", task=task, step=step)

    def again(self, task: str, at: int) -> Measure:
        _, admitted = self._prefill(task, at)
        life = self.request(task)
        before = [stored for event, stored in zip(life.preempted, life.stored, strict=True) if event.seq < admitted.seq]
        twice = max(0, max(before, default=0) - admitted.cached_tokens)
        return measure("prefill.again", twice, task=task, at=at)

    def _prefill(self, task: str, at: int) -> tuple[TaskPrefilled | None, TaskAdmitted]:
        life = self.request(task)
        return life.prefilled(at), [event for event in life.admitted if event.seq < at][-1]


class Phases(AskedMeasures):
    """Steps and phases."""

    def duration(self, phase_end: int) -> Measure:
        return measure("phase.duration", self.history.event(PhaseEnd, phase_end).duration_ns, "time", at=phase_end)

    def phase_time(self, phase: str, step: int) -> Measure:
        steps = self.history.steps
        row = steps.row(phase, step)
        ns = 0 if row is None else int(steps.phases.ended[row] - steps.phases.began[row])
        return measure("phase.time", ns, "time", phase=phase, step=step)

    def step_took(self, step: int) -> Measure:
        return measure("step.duration", int(self.history.steps.ns[step]), "time", step=step)

    def budget(self, step: int) -> Measure:
        value = self.scenario.scheduler.max_tokens_per_step
        begin = int(self.history.steps.begin[step])
        for event in self.history.events(SettingChanged, before=begin, name="max_tokens_per_step"):
            value = event.value
        return measure("scheduler.budget", value, step=step)

    def decoded(self, step: int) -> Measure:
        return self.count(self.history.decoded(step), "step.decoded", step=step)

    def prefilled(self, step: int) -> Measure:
        return measure("step.prefilled", sum(count for _, count in self.history.prefilled(step)), step=step)

    def usual_wait(self, before: int) -> Measure | None:
        """None where no step before `before` only decoded and ended a wait."""
        gaps = self.history.gaps
        waits = [int(gaps[i]) for i in range(before) if gaps[i] >= 0 and not self.history.prefilled(i)]
        return measure("wait.usual", float(np.median(waits)), "time", before=before) if waits else None


class MomentMeasures(AskedMeasures):
    """What holds after event `at`."""

    def pool_free(self, at: int) -> Measure:
        return measure("pool.free", self.state(at).n_free, at=at)

    def pool_in_use(self, at: int) -> Measure:
        return measure("pool.in_use", self.state(at).n_in_use, at=at)

    def pool_cached(self, at: int) -> Measure:
        return measure("pool.cached", self.state(at).n_cached, at=at)

    def ref(self, page: int, at: int) -> Measure:
        return measure("page.ref", int(self.state(at).refs[page]), "plain", page=page, at=at)

    def filled(self, at: int) -> Measure:
        return measure("slots.filled.total", self.state(at).kv_slots, at=at)

    def reserved(self, at: int) -> Measure:
        return measure("slots.reserved.total", self.state(at).n_in_use * self.size, at=at)

    def waiting(self, at: int) -> Measure:
        return self.count(self.state(at).waiting, "queue.waiting", at=at)

    def in_memory(self, at: int) -> Measure:
        return self.count(self.state(at).tables, "requests.in_memory", at=at)

    def ended(self, at: int) -> Measure:
        done = [task for task in self.state(at).tasks.values() if task.status == "finished"]
        return self.count(done, "requests.finished", at=at)

    def entries(self, at: int) -> Measure:
        return measure("table.entries", sum(map(len, self.state(at).tables.values())), at=at)

    def tokens(self, task: str, at: int) -> Measure:
        return measure("task.tokens", self.state(at).tasks[task].n_tokens, task=task, at=at)

    def stored(self, task: str, at: int) -> Measure:
        return measure("task.cached", self.state(at).tasks[task].kv_len, task=task, at=at)

    def needed(self, task: str, at: int) -> Measure:
        return measure("task.needs", -(-self.state(at).tasks[task].n_tokens // self.size), task=task, at=at)

    def table(self, task: str, at: int) -> Measure:
        return measure("table", tuple(self.state(at).tables.get(task, ())), "table", task=task, at=at)

    def table_pages(self, task: str, at: int) -> Measure:
        return self.count(self.state(at).tables.get(task, ()), "table.pages", task=task, at=at)

    def entry(self, task: str, logical: int, at: int) -> Measure:
        page = self.state(at).tables[task][logical]
        return measure("table.entry", page, "plain", task=task, logical=logical, at=at)

    def held(self, page: int, at: int) -> tuple[Measure, Measure]:
        """First and last position of the text in `page` before event `at`."""
        contents = self.history.pages.contents
        row = np.flatnonzero((contents.page == page) & (contents.begin < at) & (contents.end >= at))[-1]
        _, first, last = self.history.pages.text_of(int(row))
        args = {"page": page, "at": at}
        return measure("page.text.first", first, "plain", **args), measure("page.text.last", last, "plain", **args)

    def hit_tokens(self, at: int) -> Measure:
        """Tokens that the lookup found whose `prefix_hit` is event `at`."""
        return measure("prefix.hit", self.history.event(PrefixHit, at).tokens, at=at)
