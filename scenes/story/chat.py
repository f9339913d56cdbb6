"""Storyboard of the film `Chat`: questions and answers, and where each word's K and V live."""

from __future__ import annotations

from collections.abc import Iterator

from astrai_sim.trace import Event, State, Trace
from scenes.story.beats import (
    Advance,
    Beat,
    Cards,
    Fact,
    Hold,
    MakeRoom,
    PointAt,
    PointAway,
    ReadCard,
    Reveal,
    Section,
    ShowFacts,
    Speakers,
    Storyboard,
)
from scenes.story.conversation import Exchange, control_name
from scenes.story.errors import DoesNotApply
from scenes.story.figures import RunFigures, ms_text
from scenes.story.limits import MOST_TILES, READING_SPEED, reading_time
from scenes.story.pieces import shown_piece
from scenes.story.rows import TextRows
from scenes.story.talk import Arrival, Departure, Moment, groups, moments

MOST_SPEAKERS = 4
FULL = 3
STAGE = ("transcript", "tiles")
STEP_PACE = 0.22
LATER = 0.5
LONGEST_DECODE = 38.0
OWN_CHAPTER = 4
LATE_CHAPTER = 24
EARLY = 60
GLANCE = 36.0


def tell(trace: Trace) -> Storyboard:
    """The chapters that this trace has events for, in order.

    Raises DoesNotApply for a trace whose tokens have no text, that was recorded in bulk,
    or in which nothing was generated.
    """
    submitted = list(trace.find(event="task_submitted"))
    if not any(event.texts for event in submitted):
        raise DoesNotApply("Chat shows words and this trace records no texts of its tokens")
    if trace.header.detail != "full":
        raise DoesNotApply("Chat follows single slots and this trace is recorded in bulk")
    answered = {event.task for event in trace.find(event="tokens")}
    tasks = [e.task for e in submitted if e.texts and e.task in answered]
    if not tasks:
        raise DoesNotApply("Chat needs a request that was answered, and this trace has none")
    shown = tuple(tasks if len(tasks) <= MOST_SPEAKERS else tasks[:FULL])
    return Storyboard("Chat", tuple(_Chapters(trace, shown, len(submitted)).sections()))


class _Chapters:
    """Builds the sections; `last` is the event that was told last."""

    def __init__(self, trace: Trace, tasks: tuple[str, ...], requests: int) -> None:
        self.trace = trace
        self.tasks = tasks
        self.others = requests - len(tasks)
        self.size: int = trace.header.scenario.cache.page_size
        self.end = len(trace) - 1
        self.rows = TextRows.of(trace)
        self.model = model_name(trace)
        self.final = trace.state_at(self.end).tasks
        self.moments = moments(trace, tasks)
        self.last = -1
        self.room: Speakers | None = None
        self.said: set[str] = set()
        self.pointed = False
        steps = self._steps(0, self.end)
        self.pace = min(STEP_PACE, LONGEST_DECODE / max(1, steps))

    def sections(self) -> Iterator[Section]:
        """All chapters; each starts where the one before ended."""
        yield self.ask()
        for number, group in enumerate(groups(self.moments), 1):
            start, room = self.last, self.room
            beats = list(self.stretch(group[0].begin - 1))
            steps = self._steps(start + 1, group[0].begin - 1)
            if steps >= (LATE_CHAPTER if self.pointed else OWN_CHAPTER):
                yield self.section(f"words-{number}", self.words_title(start), start, beats, room)
                start, beats = self.last, []
            ends = bool(beats)
            beats += self.group(group)
            key = f"{'-'.join(sorted({type(m).__name__.lower() for m in group}))}-{number}"
            yield self.section(key, title_of(group, ends), start, beats, room)
        if self.running(self.last) and self._steps(self.last + 1, self.end):
            start = self.last
            beats = list(self.stretch(self.end))
            yield self.section("goes-on", self.words_title(start), start, beats, self.room)
        self.last = self.end
        yield self.read()
        yield self.summary()

    def section(self, key: str, title: str, start: int, beats: list[Beat], room: Speakers | None) -> Section:
        """A chapter that begins with the transcript laid out as `room` says; None: as it is
        laid out first. A short film needs the first of each kind, and the one that points."""
        kind = key.partition("-")[0]
        points = any(isinstance(beat, PointAt) for beat in beats)
        detail = 0 if self.once(kind, kind) or points else 1 if kind == "arrival" else 2
        if room is None:
            room = self.room
            beats = [beat for beat in beats if not isinstance(beat, MakeRoom)]
        return Section(key, title, start, tuple(beats), STAGE, (room,), detail)

    def room_for(self, coming: tuple[str, ...], begin: int) -> Speakers:
        """Room for those who speak and those who come, until others come."""
        there = self.room.tasks if self.room is not None else ()
        later = [m.begin for m in self.moments if isinstance(m, Arrival) and m.begin > begin and m.task not in coming]
        tasks = tuple(task for task in self.tasks if task in {*there, *coming})
        return Speakers(tasks, min(later) - 1 if later else self.end, self.others)

    def once(self, key: str, text: str) -> str | None:
        """`text` the first time that `key` comes up, else None."""
        if key in self.said:
            return None
        self.said.add(key)
        return text

    # chapters

    def ask(self) -> Section:
        count = len(self.tasks)
        people = "One person asks" if count == 1 else f"{number(count)} people ask"
        exchanges = [self.exchange(task) for task in self.tasks]
        system = any(exchange.system for exchange in exchanges)
        beats: list[Beat] = [Reveal(-1, f"{people} {self.model}.", ("cards",))]
        if system:
            text = "All under one system prompt." if count > 1 else "It begins with this prompt."
            beats.append(Hold(-1, text, 2.5))
        title = "One question" if count == 1 else f"{number(count)} questions"
        if system:
            title += ", one system prompt"
        return Section("ask", title, -1, tuple(beats), (), (Cards(self.tasks, False, self.others),))

    def group(self, group: list[Moment]) -> Iterator[Beat]:
        """Arrivals and departures that overlap, event by event."""
        coming = tuple(m.task for m in group if isinstance(m, Arrival))
        if coming:
            self.room = self.room_for(coming, group[0].begin)
            yield MakeRoom(self.last, tasks=self.room.tasks, room=self.room.room)
        stops: list[tuple[int, int, list[Beat]]] = []
        for order, moment in enumerate(group):
            tell = self.arrive if isinstance(moment, Arrival) else self.depart
            for seq, beats in tell(moment):
                stops.append((seq, order, beats))
        for seq, _, beats in sorted(stops, key=lambda stop: stop[:2]):
            if seq > self.last + 1 and self._steps(self.last + 1, seq) > 1:
                yield from self.stretch(seq - 1)
            yield from beats
            self.last = max(self.last, seq)

    def arrive(self, arrival: Arrival) -> Iterator[tuple[int, list[Beat]]]:
        task, submitted = arrival.task, arrival.submitted
        count = len(submitted.prompt)
        admitted = arrival.admitted
        cached = admitted.cached_tokens if admitted is not None else 0
        first = self.once("first", "first") is not None
        marks = first and any(control_name(piece) for piece in submitted.texts)
        if cached:
            text = None
        elif marks:
            text = f"{possessive(task)} prompt: {count} tokens, chat marks among them."
        else:
            text = f"{possessive(task)} prompt: {count} tokens."
        yield submitted.seq, [Advance(submitted.seq, text, 1.0)]
        if admitted is None:
            return
        yield admitted.seq, [Advance(admitted.seq, self.tables_caption(admitted), 1.0)]
        rest = count - cached
        if cached:
            text = self.once("rest", f"Only the other {rest} are computed.")
        else:
            text = f"One pass computes K and V of all {rest}: each word's go to its slot."
        yield arrival.end, [Advance(arrival.end, text, min(4.2, max(1.0, 0.07 * rest)))]

    def tables_caption(self, admitted: Event) -> str:
        """What the table of a request has when it is admitted."""
        task, cached = admitted.task, admitted.cached_tokens
        if not cached:
            return f"{self.size} to a page: its table gets {listed(admitted.pages, 'page')}."
        held = admitted.pages[: cached // self.size]
        refs = self.trace.state_at(admitted.seq).refs
        most = min(refs[page] for page in held)
        text = f"{listed(held, 'Page')} {'holds' if len(held) == 1 else 'hold'} its first {cached} tokens already."
        again = f"{listed(held, 'Page')} now stand{'s' if len(held) == 1 else ''} in {most} tables."
        return self.once("shared", text) or (again if most > 1 else f"{task} shares {listed(held, 'page')}.")

    def depart(self, departure: Departure) -> Iterator[tuple[int, list[Beat]]]:
        task, seq = departure.task, departure.finished.seq
        state = self.trace.state_at(seq)
        now = state.tasks[task]
        took = departure.finished.ns - next(e.ns for e in self.trace.find(event="task_submitted") if e.task == task)
        text = f"{task} got {now.generated} tokens in {ms_text(took / 1e6)}."
        word = None if self.pointed else self.pick(state, task)
        if word is None:
            yield seq, [Advance(seq, text, 0.6)]
        else:
            self.pointed = True
            yield seq, [Advance(seq, None, 0.6), *self.point(seq, task, word)]
        if departure.end > seq:
            text = self.once("released", released(departure))
            yield departure.end, [Advance(departure.end, text, 0.8)]

    def pick(self, state: State, task: str) -> int | None:
        """Position of a word of the answer to point at: the longest early on its last page."""
        now = state.tasks[task]
        own = [i for i in range(len(state.tables.get(task, ()))) if self.rows.homes.get((task, i)) == (task, i)]
        tiles = range(state.n_pages)
        if state.n_pages > MOST_TILES:
            tiles = self.rows.first_pages(MOST_TILES)
        if not own or state.tables[task][own[-1]] not in tiles:
            return None
        first = own[-1] * self.size
        words = []
        letters = 0
        for position in range(first, min(first + self.size, now.kv_len)):
            piece, after = now.texts[position], (*now.texts, "")[position + 1]
            letters += len(shown_piece(piece).text) + 1
            whole = piece[:1] == " " and piece[1:].isalpha() and not after[:1].isalpha()
            if whole and position >= now.prompt_len and letters <= EARLY:
                words.append((position > first, len(piece), -position))
        return -max(words)[2] if words else None

    def point(self, seq: int, task: str, position: int) -> list[Beat]:
        """From a word that is there after event `seq` to the slot of its K and V."""
        state = self.trace.state_at(seq)
        word = self.word(state, task, position)
        logical, slot = divmod(position, self.size)
        page = state.tables[task][logical]
        found = f"So its K and V are in page {page}, slot {slot}."
        return [
            PointAt(seq, f"“{word}” is token {position}, counted from 0.", task=task, position=position, reach="word"),
            PointAt(
                seq,
                f"{position} = {logical} × {self.size} + {slot}: table entry {logical} names page {page}.",
                task=task,
                position=position,
                reach="entry",
            ),
            PointAt(seq, found, task=task, position=position, reach="slot"),
            Hold(seq, seconds=reading_time(found)),
            PointAway(seq),
        ]

    @staticmethod
    def word(state: State, task: str, position: int) -> str:
        """A token as a caption quotes it; '' for one that is no word."""
        piece = state.tasks[task].texts[position]
        if control_name(piece) is not None or not piece.strip():
            return ""
        return shown_piece(piece).text

    # the time between

    def stretch(self, until: int) -> Iterator[Beat]:
        """Decode steps up to event `until`, a beat for each page that is added."""
        if until <= self.last:
            return
        begin = self.last
        opening = self.opening(begin)
        for event in self.turns(begin, until):
            stop = self._after_table(event.seq, until)
            before = self._before(event.seq)
            if self._steps(self.last + 1, before):
                yield self.advance(before, opening)
                opening = None
            yield Advance(stop, self.turn_caption(event) or opening, 0.6)
            opening = None
            self.last = stop
        if until > self.last:
            if self._steps(self.last + 1, until) or opening:
                yield self.advance(until, opening)
            self.last = until

    def advance(self, until: int, caption: str | None) -> Advance:
        pace = self.pace * (LATER if self.pointed else 1.0)
        seconds = max(0.5, pace * self._steps(self.last + 1, until))
        return Advance(until, caption, seconds)

    def turns(self, begin: int, until: int) -> Iterator[Event]:
        """Pages added and requests preempted between two events."""
        for seq in range(begin + 1, until + 1):
            event = self.trace[seq]
            if getattr(event, "task", None) not in self.tasks:
                continue
            grows = event.event == "pages_alloc" and event.phase == "decode"
            if grows or event.event in ("task_preempted", "task_admitted"):
                yield event

    def turn_caption(self, event: Event) -> str | None:
        task = event.task
        if event.event == "task_preempted":
            return self.once(f"preempted {task}", f"No page is left: {task} is preempted, to be computed again.")
        if event.event == "task_admitted":
            return self.once(f"again {task} {event.seq}", f"{task} is admitted again.")
        before = self.former_owner(event)
        if before is not None and before != task:
            return self.once("reuse", f"Page {event.page} was {possessive(before)}; now it is {possessive(task)}.")
        return self.once("growth", f"Token {event.logical * self.size + 1} needs a slot: page {event.page} is added.")

    def former_owner(self, event: Event) -> str | None:
        """The request that the page of an allocation was allocated to before."""
        before = [e.task for e in self.trace.find(event="pages_alloc") if e.page == event.page and e.seq < event.seq]
        return before[-1] if before else None

    def opening(self, begin: int) -> str | None:
        batch = [t for t in self.trace.state_at(begin).tasks.values() if t.status == "running"]
        if len(batch) == 1:
            return self.once("one", "Each step fills one slot and picks the next token.")
        if len(batch) > 1:
            each = "both answers" if len(batch) == 2 else f"all {number(len(batch)).lower()}"
            return self.once(f"batch {len(batch)}", f"One step now adds a token to {each}.")
        return None

    def running(self, seq: int) -> list[str]:
        """Those of the followed requests whose answers grow after event `seq`."""
        tasks = self.trace.state_at(seq).tasks
        return [t for t in self.tasks if t in tasks and tasks[t].status == "running"]

    def words_title(self, begin: int) -> str:
        running = self.running(begin)
        if not running:
            return "Others take their turn"
        if len(running) == 1:
            return f"{possessive(running[0])} answer grows"
        return f"{number(len(running))} answers grow together"

    # the end

    def read(self) -> Section:
        state = self.trace.state_at(self.end)
        count = len(self.tasks)
        lengths = {task: len(e.question) + len(e.answer) for task in self.tasks for e in [self.exchange(task, state)]}
        whole = sum(lengths.values())
        seconds = max(max(lengths.values()) / READING_SPEED, whole / GLANCE)
        what = "The question and its answer" if count == 1 else (f"{number(count)} questions and their answers")
        beats: list[Beat] = [Reveal(self.end, f"{what}, as recorded.", ("cards",))]
        beats += [ReadCard(self.end, task=task, seconds=seconds * length / whole) for task, length in lengths.items()]
        if state.n_cached:
            beats.insert(-1, Hold(self.end, f"{state.n_cached} pages stay cached for a prompt that begins the same."))
        return Section(
            "read",
            "What they asked, what they were told",
            self.end,
            tuple(beats),
            (),
            (Cards(self.tasks, True, self.others),),
        )

    def summary(self) -> Section:
        run = RunFigures.of(self.trace)
        prompts = sum(len(e.prompt) for e in self.trace.find(event="task_submitted"))
        reused = sum(e.cached_tokens for e in self.trace.find(event="task_admitted"))
        facts = [
            Fact(str(run.requests), f"requests, {run.finished} finished"),
            Fact(str(prompts), f"prompt tokens, {reused} of them found in the cache"),
            Fact(str(run.generated), f"tokens generated in {run.steps} steps"),
            Fact(str(run.allocs), f"pages of {self.size} slots allocated"),
            Fact(str(run.peak_pages), "pages in use at the peak"),
        ]
        if run.prefill_ms is not None:
            facts.append(Fact(ms_text(run.prefill_ms), "median prefill phase"))
        if run.decode_ms is not None:
            facts.append(Fact(ms_text(run.decode_ms), "median decode phase"))
        weights = self.trace.header.weights
        if weights is not None:
            facts.append(Fact(str(weights.quantization), f"weights of {self.model}"))
        beats = (
            ShowFacts(
                self.end, "Every figure was counted from the recorded trace.", "This run in figures", tuple(facts)
            ),
            Hold(self.end, seconds=2.0),
        )
        return Section("summary", "What the trace says", self.end, beats, ("tiles",), detail=1)

    # help

    def exchange(self, task: str, state: State | None = None) -> Exchange:
        now = (state.tasks if state is not None else self.final)[task]
        return Exchange.of(now.texts, now.prompt_len)

    def _steps(self, begin: int, until: int) -> int:
        """Decode phases that worked on a task between two events, both included."""
        return sum(
            self.trace[seq].event == "phase_end" and self.trace[seq].phase == "decode" and bool(self.trace[seq].tasks)
            for seq in range(max(begin, 0), until + 1)
        )

    def _before(self, seq: int) -> int:
        """The event before `seq`, and before the eviction that it follows: between the two a
        page belongs to nobody."""
        seq -= 1
        while seq >= 0 and self.trace[seq].event == "pages_evicted":
            seq -= 1
        return seq

    def _after_table(self, seq: int, until: int) -> int:
        """The last of the table events that follow event `seq` at once."""
        while seq + 1 <= until and self.trace[seq + 1].event in ("table", "pages_keyed"):
            seq += 1
        return seq


def title_of(group: list[Moment], ends: bool) -> str:
    """Title of a chapter of arrivals and departures; `ends`: it tells the last words too."""
    coming = [m.task for m in group if isinstance(m, Arrival)]
    leaving = [m.task for m in group if isinstance(m, Departure)]
    if len(coming) > 2:
        return f"{number(len(coming))} people ask"
    if coming:
        return f"{listed_names(coming)} ask{'s' if len(coming) == 1 else ''}"
    if len(leaving) == 1:
        return f"{possessive(leaving[0])} answer {'ends' if ends else 'is complete'}"
    return f"{number(len(leaving))} answers {'end' if ends else 'are complete'}"


def released(departure: Departure) -> str:
    """What became of a finished request's pages."""
    parts = []
    if departure.cached:
        one = len(departure.cached) == 1
        parts.append(f"{listed(departure.cached, 'page')} stay{'s' if one else ''} cached")
    if departure.freed:
        one = len(departure.freed) == 1
        parts.append(f"{listed(departure.freed, 'page')} {'is' if one else 'are'} free")
    if departure.shared and not parts:
        parts.append(f"{listed(departure.shared, 'page')} still in other tables")
    text = ", ".join(parts)
    return text[:1].upper() + text[1:] + "."


def model_name(trace: Trace) -> str:
    """The model's name from its file's; a model without one has none."""
    weights = trace.header.weights
    if weights is None:
        return "a language model"
    name = str(weights.file).removesuffix(".gguf")
    quantization = weights.quantization
    return name.removesuffix(f".{quantization}").removesuffix(f"-{quantization}")


def possessive(name: str) -> str:
    """`name` with its apostrophe."""
    return f"{name}'" if name.endswith("s") else f"{name}'s"


def number(count: int) -> str:
    """A small number as a word with a capital."""
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
    return words[count] if count < len(words) else str(count)


def listed(pages: list[int] | tuple[int, ...], word: str) -> str:
    """Page numbers in a sentence: a run as `pages 0–3`, few by name, many by their count."""
    many = f"{word}s"
    if len(pages) == 1:
        return f"{word} {pages[0]}"
    if len(pages) > 2 and list(pages) == list(range(pages[0], pages[0] + len(pages))):
        return f"{many} {pages[0]}–{pages[-1]}"
    if len(pages) > 5:
        return f"{len(pages)} {many.lower()}"
    return f"{many} {', '.join(str(page) for page in pages[:-1])} and {pages[-1]}"


def listed_names(names: list[str]) -> str:
    """Names in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
