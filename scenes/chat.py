"""The film `Chat`: questions and answers in words, and the slots that hold their K and V."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from astrai_sim.trace import Trace
from astrai_sim.trace.events import PagesAlloc, TaskAdmitted, TaskPreempted
from scenes.film.scene import FilmScene
from scenes.measures import Measure, Said, joined, say
from scenes.story.beats import (
    Advance,
    Beat,
    Cards,
    Hold,
    MakeRoom,
    PointAt,
    PointAway,
    ReadCard,
    Reveal,
    Section,
    ShowFacts,
    Speakers,
)
from scenes.story.chapters import Chapters, fact, requests_finished
from scenes.story.conversation import Exchange, control_name
from scenes.story.errors import DoesNotApply
from scenes.story.history import LetGo
from scenes.story.limits import MOST_TILES, READING_SPEED, reading_time
from scenes.story.pieces import shown_piece
from scenes.story.words import are, listed, many, number, pages_text, plural, possessive, sentence

MOST_SPEAKERS, FULL = 4, 3
MOST_PAGES = 5
STEP_PACE = 0.22
LATER = 0.5
LONGEST_DECODE = 38.0
OWN_CHAPTER, LATE_CHAPTER = 4, 24
EARLY = 60
GLANCE = 36.0
Stops = Iterator[tuple[int, list[Beat]]]
"""Events to stop at, each with the beats that lead to it."""
Turn = PagesAlloc | TaskPreempted | TaskAdmitted


@dataclass(frozen=True)
class Visit:
    """The `arrival` of a request, from its submission to the end of the phase that gives its first
    token, or its `departure`, from its last token until its pages are let go."""

    kind: str
    task: str
    begin: int
    end: int


class ChatChapters(Chapters):
    """Arrivals and departures of those who speak, and the decode steps between them.

    `room` is how the transcript is laid out, `laid` how it was when the section began.
    """

    stage = ("transcript", "tiles")

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        lives = self.requests.values()
        if not any(life.submitted.texts for life in lives):
            raise DoesNotApply(f"{film} shows words and this trace records no texts of its tokens")
        if trace.header.detail != "full":
            raise DoesNotApply(f"{film} follows single slots and this trace is recorded in bulk")
        tasks = [life.name for life in lives if life.submitted.texts and life.generated]
        if not tasks:
            raise DoesNotApply(f"{film} needs a request that was answered, and this trace has none")
        self.tasks = tuple(tasks if len(tasks) <= MOST_SPEAKERS else tasks[:FULL])
        others = self.ask.more_requests(len(self.tasks))
        self.others = others if others.value else None
        self.people = capital_number(self.ask.names(self.tasks))
        self.model = self.ask.weights() or "a language model"
        final = [self.ask.state(self.end).tasks[task] for task in self.tasks]
        self.exchanges = {task.name: Exchange.of(task.texts or (), task.prompt_len) for task in final}
        self.visits = sorted(self.comings_and_goings(), key=lambda visit: (visit.begin, visit.end))
        self.room: Speakers | None = None
        self.laid: Speakers | None = None
        self.pointed = False
        self.pace = min(STEP_PACE, LONGEST_DECODE / max(1, self.decodes(0, self.end)))

    def sections(self) -> Iterator[Section]:
        yield self.questions()
        for index, group in enumerate(overlapping(self.visits), 1):
            self.begin()
            self.stretch(group[0].begin - 1)
            steps = self.decodes(self.start + 1, group[0].begin - 1)
            if steps >= (LATE_CHAPTER if self.pointed else OWN_CHAPTER):
                yield self.told(f"words-{index}", self.words_title())
                self.begin()
            ends = bool(self.teller.beats)
            self.group(group)
            kinds = "-".join(sorted({visit.kind for visit in group}))
            yield self.told(f"{kinds}-{index}", self.group_title(group, ends))
        if self.decodes(self.at + 1, self.end) and self.running(self.at):
            self.begin()
            self.stretch(self.end)
            yield self.told("goes-on", self.words_title())
        yield self.read()
        yield self.summary()

    def told(self, key: str, title: str) -> Section:
        """The section of the beats since `begin`. A short film needs the first of each kind, and the
        one that points."""
        kind = key.partition("-")[0]
        points = any(isinstance(beat, PointAt) for beat in self.teller.beats)
        detail = 0 if self.once(kind, kind) or points else 1 if kind == "arrival" else 2
        laid, self.laid = self.laid or self.room, self.room
        return self.section(key, title, detail, props=tuple(filter(None, (laid,))))

    # who comes and goes

    def comings_and_goings(self) -> Iterator[Visit]:
        """Those of each request that is followed."""
        for task in self.tasks:
            life = self.requests[task]
            yield Visit("arrival", task, life.submitted.seq, self.steps.phase_end(int(life.tokens.seq[0])))
            if life.finished is not None:
                seq = life.finished.seq
                yield Visit("departure", task, seq, life.empty_after(seq) or seq)

    def room_for(self, coming: tuple[str, ...], begin: int) -> Speakers:
        """Room for those who speak and those who come, until others come."""
        there = self.room.tasks if self.room is not None else ()
        arrivals = (visit for visit in self.visits if visit.kind == "arrival" and visit.begin > begin)
        later = (visit.begin - 1 for visit in arrivals if visit.task not in coming)
        tasks = tuple(task for task in self.tasks if task in {*there, *coming})
        return Speakers(tasks, min(later, default=self.end), self.others)

    def questions(self) -> Section:
        people = say("{} {}", self.people, plural(self.tasks, "person asks", "people ask"))
        title = say("{} {}", self.people, plural(self.tasks, "question"))
        self.begin(-1)
        self.teller.add(Reveal(-1, say("{} {}.", people, self.model), ("cards",)))
        if any(exchange.system for exchange in self.exchanges.values()):
            title = say("{}, one system prompt", title)
            self.say(plural(self.tasks, "It begins with this prompt.", "All under one system prompt."), 2.5)
        return self.section("ask", title, stage=(), props=(Cards(self.tasks, False, self.others),))

    def group(self, group: list[Visit]) -> None:
        """Arrivals and departures that overlap, event by event."""
        coming = tuple(visit.task for visit in group if visit.kind == "arrival")
        if coming:
            self.room = self.room_for(coming, group[0].begin)
            if self.laid is not None:  # else the section begins with it
                self.teller.add(MakeRoom(self.at, tasks=self.room.tasks, room=self.room.room))
        tell = {"arrival": self.arrival, "departure": self.departure}
        stops = [stop for visit in group for stop in tell[visit.kind](visit)]
        for seq, beats in sorted(stops, key=lambda stop: stop[0]):
            if seq > self.at + 1 and self.decodes(self.at + 1, seq) > 1:
                self.stretch(seq - 1)
            for beat in beats:
                self.teller.add(beat)

    def group_title(self, group: list[Visit], ends: bool) -> Said:
        """Title of a chapter of arrivals and departures; `ends`: it tells the last words too."""
        coming, leaving = (
            self.ask.names([visit.task for visit in group if visit.kind == kind]) for kind in ("arrival", "departure")
        )
        if len(coming) > 2:
            return say("{} people ask", capital_number(coming))
        if coming:
            return say("{} {}", listed(coming), plural(coming, "asks", "ask"))
        whose = plural(leaving, possessive(leaving[0]), capital_number(leaving))
        verb = plural(leaving, "ends", "end") if ends else say("{} complete", are(leaving))
        return say("{} {} {}", whose, plural(leaving, "answer"), verb)

    def arrival(self, visit: Visit) -> Stops:
        ask, task = self.ask, visit.task
        submitted, admitted = self.requests[task].submitted, self.requests[task].admitted[0]
        cached, prompt = ask.found(task, admitted.seq), ask.prompt(task)
        first = self.once("first", "first") is not None
        marks = first and any(control_name(piece) for piece in submitted.texts or ())
        whose, more = possessive(ask.name(task)), ", chat marks among them" if marks else ""
        text = None if cached.value else say("{} prompt: {} tokens{}.", whose, prompt, more)
        yield submitted.seq, [Advance(submitted.seq, text, 1.0)]
        yield admitted.seq, [Advance(admitted.seq, self.tables_caption(admitted), 1.0)]
        rest, text = ask.less(prompt, cached), "One pass computes K and V of all {}: each word's go to its slot."
        text = self.once("rest", say("Only the other {} are computed.", rest)) if cached.value else say(text, prompt)
        yield visit.end, [Advance(visit.end, text, min(4.2, max(1.0, 0.07 * rest.value)))]

    def tables_caption(self, admitted: TaskAdmitted) -> str:
        """What the table of a request has when it is admitted."""
        ask, task, pages = self.ask, admitted.task, admitted.pages or ()
        held = pages[: admitted.cached_tokens // ask.size]
        if not held:
            return say("{} to a page: its table gets {}.", ask.page_size(), self.named(pages))
        refs = ask.state(admitted.seq).refs
        least = ask.ref(min(held, key=lambda page: refs[page]), admitted.seq)
        these, found = sentence(self.named(held)), ask.found(task, admitted.seq)
        text = say("{} {} its first {} tokens already.", these, plural(held, "holds", "hold"), found)
        again = say("{} now {} in {} tables.", these, plural(held, "stands", "stand"), least)
        shares = say("{} shares {}.", ask.name(task), self.named(held))
        return self.once("shared", text) or (again if least.value > 1 else shares)

    def departure(self, visit: Visit) -> Stops:
        ask, task, seq = self.ask, visit.task, visit.begin
        text = say("{} got {} tokens in {}.", ask.name(task), ask.answered(task, seq), ask.took(task))
        word = None if self.pointed else self.pick(seq, task)
        pointing = [] if word is None else self.point(seq, task, word)
        self.pointed |= word is not None
        yield seq, [Advance(seq, None if pointing else text, 0.6), *pointing]
        gone = self.pages.let_go(task, seq)
        if gone is not None and gone.end > seq:
            yield gone.end, [Advance(gone.end, self.once("released", self.released(gone)), 0.8)]

    def released(self, gone: LetGo) -> Said:
        """What became of a finished request's pages."""
        parts = []
        if gone.cached:
            parts.append(say("{} {} cached", self.named(gone.cached), plural(gone.cached, "stays", "stay")))
        if gone.freed:
            parts.append(say("{} {} free", self.named(gone.freed), are(gone.freed)))
        if gone.shared and not parts:
            parts.append(say("{} still in other tables", self.named(gone.shared)))
        return say("{}.", sentence(joined(", ", parts)))

    def named(self, pages: Sequence[int]) -> Said:
        """Pages in a sentence: a run as `pages 0–3`, few by name, many by their count."""
        return pages_text(self.ask.pages(pages), MOST_PAGES, runs=True)

    # from a word to its slot

    def pick(self, seq: int, task: str) -> int | None:
        """Position of a word of the answer to point at: the longest early on its last page."""
        state, homes, size = self.ask.state(seq), self.pages.homes, self.ask.size
        now, table, texts = state.tasks[task], state.tables.get(task, ()), state.tasks[task].texts or ()
        own = [i for i in range(len(table)) if homes.get((task, i)) == (task, i)]
        tiles = range(state.n_pages) if state.n_pages <= MOST_TILES else self.pages.first_pages(MOST_TILES)
        if not own or table[own[-1]] not in tiles:
            return None
        first, letters, words = own[-1] * size, 0, []
        for position in range(first, min(first + size, now.kv_len)):
            piece, after = texts[position], (*texts, "")[position + 1]
            letters += len(shown_piece(piece).text) + 1
            whole = piece[:1] == " " and piece[1:].isalpha() and not after[:1].isalpha()
            if whole and position >= now.prompt_len and letters <= EARLY:
                words.append((position > first, len(piece), -position))
        return -max(words)[2] if words else None

    def point(self, seq: int, task: str, position: int) -> list[Beat]:
        """From a word that is there after event `seq` to the slot of its K and V."""
        ask, at = self.ask, self.ask.position(position)
        entry, slot = ask.entry_of(position), ask.slot_of(position)
        page = ask.entry(task, entry.value, seq)
        token = say("“{}” is token {}, counted from {}.", ask.word(task, position, seq), at, ask.position(0))
        names = say("{} = {} × {} + {}: table entry {} names page {}.", at, entry, ask.page_size(), slot, entry, page)
        found = say("So its K and V are in page {}, slot {}.", page, slot)
        word = PointAt(seq, token, task=task, position=position)
        there = (replace(word, caption=names, reach="entry"), replace(word, caption=found, reach="slot"))
        return [word, *there, Hold(seq, seconds=reading_time(found)), PointAway(seq)]

    # the time between

    def stretch(self, until: int) -> None:
        """Decode steps up to event `until`, a beat for each page that is added."""
        if until <= self.at:
            return
        opening = self.opening()
        for event in self.turns(until):
            before = self.before(event.seq)
            if self.decodes(self.at + 1, before):
                self.go_on(before, opening)
                opening = None
            self.advance(self.after_table(event.seq, until), self.turn_caption(event) or opening, 0.6)
            opening = None
        if until > self.at:
            if self.decodes(self.at + 1, until) or opening:
                self.go_on(until, opening)
            self.teller.last = until

    def go_on(self, until: int, caption: str | None) -> None:
        """Decode steps up to event `until`, in a time that goes with how many they are."""
        pace = self.pace * (LATER if self.pointed else 1.0)
        self.advance(until, caption, max(0.5, pace * self.decodes(self.at + 1, until)))

    def turns(self, until: int) -> list[Turn]:
        """Pages added, and requests preempted or admitted, from here to event `until`."""
        events, ends = self.history.events, (self.at, until + 1)
        grown = events(PagesAlloc, *ends, phase="decode")
        found = (*grown, *events(TaskPreempted, *ends), *events(TaskAdmitted, *ends))
        return sorted((event for event in found if event.task in self.tasks), key=lambda event: event.seq)

    def turn_caption(self, event: Turn) -> str | None:
        ask, task = self.ask, str(event.task)
        name = ask.name(task)
        if isinstance(event, TaskPreempted):
            preempted = "No page is left: {} is preempted, to be computed again."
            return self.once(f"preempted {task}", say(preempted, name))
        if isinstance(event, TaskAdmitted):
            return say("{} is admitted again.", name)
        page, former = ask.page(event.pages[0]), self.pages.former(event.pages[0], event.seq)
        if former is not None and former != task:
            was, now = possessive(ask.name(former)), possessive(name)
            return self.once("reuse", say("Page {} was {}; now it is {}.", page, was, now))
        assert event.logical is not None, "a decode phase takes pages for tables"
        token = ask.first_token_of(event.logical)
        return self.once("growth", say("Token {} needs a slot: page {} is added.", token, page))

    def opening(self) -> str | None:
        """What a decode step does now, the first time with so many requests."""
        tasks = self.state().tasks.values()
        batch = self.ask.names([task.name for task in tasks if task.status == "running"])
        if len(batch) == 1:
            return self.once("one", "Each step fills one slot and picks the next token.")
        if not batch:
            return None
        each = "both answers" if len(batch) == 2 else say("all {}", number(many(batch)))
        return self.once(f"batch {len(batch)}", say("One step now adds a token to {}.", each))

    def running(self, seq: int) -> list[Measure]:
        """Those of the followed requests whose answers grow after event `seq`."""
        tasks = self.ask.state(seq).tasks
        return self.ask.names([t for t in self.tasks if t in tasks and tasks[t].status == "running"])

    def words_title(self) -> str:
        running = self.running(self.start)
        if len(running) == 1:
            return say("{} answer grows", possessive(running[0]))
        return say("{} answers grow together", capital_number(running)) if running else "Others take their turn"

    def decodes(self, begin: int, until: int) -> int:
        """Decode phases that worked on a request between two events, both included."""
        return len(self.steps.ends("decode", begin - 1, until + 1))

    def before(self, seq: int) -> int:
        """The event before `seq`, and before the eviction that it follows: between the two a page belongs to nobody."""
        return next(at for at in range(seq - 1, -2, -1) if at < 0 or self.trace[at].event != "pages_evicted")

    def after_table(self, seq: int, until: int) -> int:
        """The last of the table events that follow event `seq` at once."""
        followers = ("table", "pages_keyed")
        return next(at for at in range(seq, until + 1) if at == until or self.trace[at + 1].event not in followers)

    # the end

    def read(self) -> Section:
        lengths = {task: len(said.question) + len(said.answer) for task, said in self.exchanges.items()}
        whole, cached = sum(lengths.values()), self.ask.pool_cached(self.end)
        seconds = max(max(lengths.values()) / READING_SPEED, whole / GLANCE)
        several = say("{} questions and their answers", self.people)
        what = plural(self.tasks, "The question and its answer", several)
        self.begin(self.end)
        self.teller.add(Reveal(self.end, say("{}, as recorded.", what), ("cards",)))
        for task, length in lengths.items():
            if cached.value and task == self.tasks[-1]:
                self.say(say("{} pages stay cached for a prompt that begins the same.", cached))
            self.teller.add(ReadCard(self.end, task=task, seconds=seconds * length / whole))
        cards = Cards(self.tasks, True, self.others)
        return self.section("read", "What they asked, what they were told", stage=(), props=(cards,))

    def summary(self) -> Section:
        ask, weights = self.ask, self.trace.header.weights
        facts = [
            requests_finished(ask),
            fact(say("prompt tokens, {} of them found in the cache", ask.all_found()), ask.prompts()),
            fact(say("tokens generated in {} steps", ask.steps()), ask.all_generated()),
            fact(say("pages of {} slots allocated", ask.page_size()), ask.allocs()),
            fact("pages in use at the peak", ask.most_in_use()),
        ]
        medians = ((f"median {phase} phase", ask.median_phase(phase)) for phase in ("prefill", "decode"))
        facts += [fact(label, median) for label, median in medians if median]
        if weights is not None:
            facts.append(fact(say("weights of {}", self.model), ask.header(weights.quantization)))
        self.begin(self.end)
        told = "Every figure was counted from the recorded trace."
        self.teller.add(ShowFacts(self.end, told, "This run in figures", tuple(facts)))
        self.say(None, 2.0)
        return self.section("summary", "What the trace says", 1, ("tiles",))


def overlapping(visits: list[Visit]) -> list[list[Visit]]:
    """`visits` in order of their beginning; those that overlap are in one group."""
    groups: list[list[Visit]] = []
    for visit in visits:
        if not groups or visit.begin > max(before.end for before in groups[-1]):
            groups.append([])
        groups[-1].append(visit)
    return groups


def capital_number(items: Sequence[Measure]) -> Said:
    """How many there are, a small number as a word with a capital."""
    return sentence(number(many(items)))


class Chat(FilmScene):
    """People ask a language model under one system prompt; each word is seen in its slot."""

    default_trace = "chat.jsonl.gz"
    summary = "Questions, answers, and where the K and V of every word live."
    chapters = ChatChapters
