"""The film `Chat`: people ask a language model, and every word that is said has a slot."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from astrai_sim.trace import Trace
from astrai_sim.trace.events import PagesAlloc, TaskAdmitted
from scenes.film.scene import FilmScene
from scenes.measures import Measure, Said, joined, say
from scenes.parts.part import Part
from scenes.parts.pool import Pool
from scenes.parts.talk import Talk
from scenes.parts.wires import MOST, Wires
from scenes.stage.racing import RaceTelling
from scenes.stage.shot import Section
from scenes.stage.telling import MORE
from scenes.story.conversation import Exchange
from scenes.story.errors import DoesNotApply
from scenes.story.history.pages import LetGo
from scenes.story.history.sure import sure
from scenes.story.needs import Needs
from scenes.story.words import counted, listed, many, pages_text, plural, possessive, sentence

SPEAKERS, FULL = 4, 3
"""Requests up to which all are followed, and how many of more are."""
SHOWN, HELD = 6, 16
"""Most pages that are shown large, and most of all."""
PACE, LEAST, LONGEST, REST = 0.22, 2.8, 6.0, 1.6
"""Seconds of a decode step in a time-lapse, of a time-lapse, and of the rest at the end."""
SAID = 12
"""Tokens in slots at the fullest moment, below which there is nothing to look at."""
TOLD, FIRST = 9, 3
"""Steps from which on a sentence speaks of them, and of the first of an answer."""
SEEN = 4
"""Steps that are seen of who takes over a page."""
HOOKED = 16
"""Steps before the fullest moment with which the film begins."""


class ChatTelling(RaceTelling):
    """Those who ask come one after another, their answers grow in the steps between."""

    needs = Needs(
        {
            "tokens": "a request that was answered",
            "task_submitted.texts": "the texts of its tokens: record a model that knows text",
            "tokens.texts": "the texts of its tokens: record a model that knows text",
        },
        single="follows single slots",
    )

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        lives = self.requests.values()
        tasks = [life.name for life in lives if life.submitted.texts and life.generated]
        if not tasks:
            raise DoesNotApply(f"{film} needs a request that was answered, and this trace has none")
        self.cast = tuple(tasks if len(tasks) <= SPEAKERS else tasks[:FULL])
        self.talk = Talk(self.cast)
        second = self.requests[self.cast[min(1, len(self.cast) - 1)]]
        known = self.computed(second.submitted.task, second.submitted.seq) if len(self.cast) > 1 else self.end
        self.all = self.used(self.end, HELD)
        self.pool = Pool(bits=False, pages=self.all)
        self.large = self.used(known, SHOWN)
        ends = [event.seq for event in self.history.events("step_end")] or [self.end]
        kept = [sum(self.ask.state(seq).tasks[task].kv_len for task in self.running(seq)) for seq in ends]
        best = kept.index(max(kept))
        if kept[best] < SAID:
            raise DoesNotApply(f"{film} needs {SAID} tokens in the cache at once, and this trace has {kept[best]}")
        near = next(i for i in range(max(0, best - HOOKED), best + 1) if 4 * kept[i] >= 3 * kept[best])
        self.near, self.full = ends[near], ends[best]

    # what stands

    def used(self, until: int, most: int) -> tuple[int, ...]:
        """Pages that the cast is given up to event `until`, the first `most` of them."""
        found: dict[int, None] = {}
        for event in self.history.events("table", before=until + 1):
            if event.task in self.cast:
                found |= dict.fromkeys(event.pages)
        return tuple(sorted([*found][:most])) or tuple(range(min(most, self.ask.n_pages)))

    def parts(self, pages: tuple[int, ...], task: str = "", acting: Sequence[int] = ()) -> tuple[Part, ...]:
        """The talk, wires of `task`, to the `acting` pages where there are any, and `pages`."""
        table = self.state().tables.get(task, [])
        places = [logical for logical, page in enumerate(table) if page in acting] if acting else range(MOST)
        shown = tuple(page for page in acting if page in pages)
        return self.talk, Wires(task, tuple(places)[:MOST]), Pool(shown, bits=False, pages=pages)

    def running(self, seq: int) -> list[str]:
        """Those of the cast that hold pages after event `seq`."""
        return [task for task in self.cast if task in self.ask.state(seq).tables]

    def kept(self) -> tuple[Measure, Measure | None]:
        """Tokens of the cast at the fullest moment, and the slots that they need where some share theirs."""
        ask, tables = self.ask, self.ask.state(self.full).tables
        slots = ask.filled(self.full)
        stored = [ask.stored(task, self.full) for task in self.running(self.full)]
        tokens = ask.total(*stored) if stored else slots
        return tokens, slots if len(stored) == len(tables) and slots.value < tokens.value else None

    # the story

    def sections(self) -> Iterator[Section]:
        yield self.hook()
        self.begin(self.requests[self.cast[0]].submitted.seq - 1)
        for place, task in enumerate(self.cast):
            came = self.requests[task].submitted.seq
            if place and came - 1 > self.at and self.answers(self.at, came - 1):
                self.grow(came - 1)
                title = plural(self.speaking(), "An answer grows", "Answers grow together")
                yield self.section(f"words-{place}", title, MORE)
            if self.computed(task, self.requests[task].admitted[0].seq) > self.at:
                yield self.arrival(place, task)
            pair = self.compared(self.cast[0], task, only=True)
            if pair is not None and self.once("race"):
                yield self.raced(*pair, self.talk)
        if self.end > self.at:
            self.rest()
            yield self.section("rest", "To the last word")
        yield self.comes_to()

    def answers(self, after: int, until: int) -> int:
        """Decode phases between two events."""
        return len(self.steps.ends("decode", after, until + 1))

    def hook(self) -> Section:
        """The moment at which most of the cast's tokens are in slots, under the question."""
        self.begin(self.near)
        tokens, slots = self.kept()
        asked = say("Why do {} tokens take only {} slots?", tokens, slots or tokens)
        if slots is None:
            asked = say("Where are the {} tokens of {} kept?", tokens, self.conversations())
        shown = (self.question(asked), self.talk, self.pool)
        self.shot(None, self.act(*shown), *self.decode(shown, self.full, 3.0), subject=("pool",), rest=1.0)
        return self.section("hook", self.trace.header.scenario.title, cut=True)

    def conversations(self) -> Said:
        """How many are in memory at the fullest moment."""
        return counted(many(self.ask.names(self.running(self.full) or self.cast)), "conversation")

    def measures(self) -> dict[str, Measure]:
        ask = self.ask
        found = {"asked": ask.asked(), "found": ask.all_found(), "first": ask.name(self.cast[0])}
        return {"tokens": self.kept()[0], "slots": ask.filled(self.full), **found}

    def arrival(self, place: int, task: str) -> Section:
        """A request comes, gets its pages, and its prompt is computed."""
        ask, life = self.ask, self.requests[task]
        admitted, submitted = life.admitted[0], life.submitted.seq
        name, prompt, found = ask.name(task), ask.prompt(task), ask.found(task, admitted.seq)
        done = self.computed(task, admitted.seq)
        pages = self.large if place < FULL - 1 else self.all
        system = Exchange.of(life.submitted.texts or (), life.prompt).system
        asks = "{} asks: {} with the system prompt." if system and not place else "{} asks: {}."
        if submitted > self.at:
            comes = self.act(*self.parts(pages), until=submitted, seconds=1.8)
            acts = replace(comes, until=self.start, seconds=None), comes
            self.shot(say(asks, name, counted(prompt, "token")), *acts, subject=("talk", task))
        if found.value and admitted.seq > self.at:
            self.shares(task, admitted, pages)
        elif admitted.seq > self.at:
            unseen = any(not text.strip() for text in life.submitted.texts or ())
            need = counted(ask.prompt_pages(task), "page"), ask.page_size()
            told = say("They fit into {} of {} slots.", *need)
            told = say("Each word, and each mark, takes a slot: {} of {}.", *need) if unseen else told
            fly = self.act(*self.parts(pages, "", admitted.pages or ()), until=admitted.seq, seconds=1.8)
            self.shot(told, fly, subject=("pool",))
        rest = ask.less(prompt, found)
        told = say("Only the other {} are computed.", rest) if found.value else self.one_pass(task, done)
        if done > self.at:
            self.shot(told, self.act(*self.parts(pages), until=done, seconds=1.8), subject=("pool",))
        return self.section(f"asks-{place}", say("{} asks", name), MORE if place > 1 else 0, cut=not place)

    def one_pass(self, task: str, done: int) -> Said:
        """How a prompt of which nothing was found is computed."""
        prompt, passes = self.ask.prompt(task), self.ask.prompt_passes(task)
        often = say("In {} {}", passes, plural(passes, "pass", "passes"))
        return say("{}, K and V of all {} are computed.", often, prompt)

    def shares(self, task: str, admitted: TaskAdmitted, pages: tuple[int, ...]) -> None:
        """The table of a request comes to name pages that hold its first tokens."""
        ask = self.ask
        held = [*(admitted.pages or ())][: admitted.cached_tokens // ask.size]
        found, which = ask.found(task, admitted.seq), pages_text(ask.pages(held), 4, runs=True)
        keyed = self.history.keyed(held[0], admitted.seq) if held else None
        told = [
            say("The first {} equal {}: they are there, in {}.", found, possessive(name), which)
            for name in ask.names([sure(keyed.task)] if keyed else None)
        ]
        acts = [
            self.act(*self.parts(pages, "", held), seconds=1.0),
            self.act(*self.parts(pages, task, held), until=self.named(task, admitted)),
            self.act(*self.parts(pages, task), until=admitted.seq),
        ]
        self.shot(self.short(*told, say("Their first {} are there: {}.", found, which)), *acts, subject=("pool",))

    def grow(self, until: int) -> None:
        """Answers grow up to event `until`: a shot for the first page that is added, and at the fullest moment."""
        if self.at < self.full <= until and self.once("full"):
            self.grow(self.full)
            self.counts()
        pages = self.large if len(self.speaking()) < 2 and not self.said & {"batch 2"} else self.all
        parts = self.parts(pages)
        grown = self.history.first(PagesAlloc, self.at, until, work="decode")
        told = self.stepping(until, pages)
        if grown is not None and {*grown.pages} <= {*pages} and grown.task in self.cast and self.once("growth"):
            before, after = grown.seq - 1, min(until, self.steps.phase_end(grown.seq))
            if before > self.at:
                first = told if self.answers(self.at, before) >= FIRST else None
                self.shot(first, self.act(*parts), *self.decode(parts, before), subject=("talk",))
                told = say("Token by token, page {} fills.", self.ask.page(grown.pages[0])) if first else told
            token, page = self.ask.first_token_of(grown.logical or 0), self.ask.page(grown.pages[0])
            parts = self.parts(pages, "", grown.pages)
            shown = (self.act(*parts, seconds=0.9), self.act(*parts, until=after, seconds=1.2))
            self.shot(say("Token {} needs a slot: page {} is added.", token, page), *shown, subject=("pool",))
            parts = self.parts(pages)
        if until > self.at:
            steps = self.answers(self.at, until)
            seconds = min(LONGEST, max(LEAST, PACE * steps))
            told = told if steps >= FIRST else None
            self.shot(told, self.act(*parts), *self.decode(parts, until, seconds), subject=("talk",))

    def stepping(self, until: int, pages: tuple[int, ...]) -> str | None:
        """What a step does, the first time with so many who are answered, each in every step and on one of `pages`."""
        now, names = self.state(), self.speaking()
        n, ends = len(names), self.steps.ends("decode", self.at, until + 1)[:TOLD]
        if not n or len(ends) < TOLD or not {now.tables[task][-1] for task in names} <= {*pages}:
            return None
        then = self.state(ends[-1]).tasks
        each = all(then[task].generated >= now.tasks[task].generated + TOLD for task in names)
        if not each or not self.once(f"batch {n}"):
            return None
        told = say("One step now adds a token to {}.", "both answers" if n == 2 else "every answer")
        return "Each step fills one slot and picks the next token." if n == 1 else told

    def speaking(self) -> list[str]:
        """Those of the cast whose answers grow now."""
        return [task for task, one in self.state().tasks.items() if task in self.cast and one.status == "running"]

    def counts(self) -> None:
        """Those who share pages name them one after another; their slots count once."""
        tokens, slots = self.kept()
        shared = [page for page in self.all if self.state().refs[page] > 1]
        if slots is None or not shared:
            return
        ask, tasks, tables = self.ask, self.running(self.full), self.state().tables
        each = listed([say("{} {}", ask.name(task), ask.stored(task, self.full)) for task in tasks])
        told = self.short(say("Tokens in pages: {}, so {}.", each, tokens), say("Their pages have {} tokens.", tokens))
        self.shot(
            told, *(self.act(*self.parts(self.all, one, tables[one]), seconds=1.2) for one in tasks), subject=("pool",)
        )
        hits = [task for task in tasks if ask.found(task, 0).value] or tasks
        told, found = say("Shared pages count once: {} slots.", slots), [ask.found(task, 0) for task in hits]
        if tokens.value - sum(measure.value for measure in found) == slots.value:
            told = self.short(say("Shared pages once: {} = {} slots.", joined(" − ", (tokens, *found)), slots), told)
        acts = [self.act(*self.parts(self.all, one, shared), seconds=1.2) for one in reversed(hits)]
        self.shot(told, *acts, subject=("pool",))

    def rest(self) -> None:
        """To the end of the recording: the first who is done, who takes over a page, then all answers, large."""
        finished = [event for event in self.history.events("task_finished", self.at) if event.task in self.cast]
        first = next(iter(finished), None)
        gone = None if first is None else self.pages.let_go(first.task, first.seq)
        if first is not None and gone is not None:
            self.grow(self.steps.phase_begin(gone.end) - 1)
            if {*(let := [*gone.cached, *gone.freed] or gone.shared)} & {*self.all}:
                told, parts = self.released(first.task, gone), self.parts(self.all, "", let)
                acts = [self.act(*parts, until=gone.end, seconds=0.5), self.act(*self.parts(self.all), seconds=2.0)]
                self.shot(told, *acts, subject=("talk", first.task))
            self.taken_over({*gone.freed, *gone.cached} & {*self.all})
        if self.end > self.at:
            said, steps = (replace(self.talk, whole=True), self.pool), self.answers(self.at, self.end)
            seconds = min(2 * LONGEST, max(LEAST, PACE * steps))
            left = [(self.ask.name(e.task), self.ask.step(e.step)) for e in finished if e.seq > self.at]
            ends = joined(" and ", (say("{} to step {}", *pair) for pair in left))
            told = self.short(say("They answer on: {}.", ends), say("The answers run on to their last word."))
            told = told if steps >= TOLD and left else ""
            self.shot(told, self.act(*said), *self.decode(said, self.end, seconds), subject=("talk",))

    def taken_over(self, left: set[int]) -> None:
        """One of the pages that somebody has `left` comes to another, who writes over what is there."""
        taken = (e for e in self.history.events(PagesAlloc, self.at) if left & {*e.pages})
        if (event := next(taken, None)) is None or event.task not in self.cast:
            return
        pages = [page for page in event.pages if page in left]
        page, parts, taken = self.ask.page(pages[0]), self.parts(self.all, "", pages), self.steps.phase_end(event.seq)
        if event.seq - 1 > self.at:
            few = self.answers(self.at, event.seq) < FIRST
            told = None if few else say("Page {} is free, not erased: what it held stays, hollow.", page)
            self.shot(told, self.act(*parts), *self.decode(parts, event.seq - 1, LEAST), subject=("pool", pages[0]))
        later = [int(end) for end in self.steps.end[self.steps.end > taken][:SEEN]]
        acts = [self.act(*parts, until=taken, seconds=1.2), *self.acts(parts, *later)]
        self.shot(say("Page {} is taken: new tokens go over the old.", page), *acts, subject=("pool", pages[0]))

    def released(self, task: str, gone: LetGo) -> Said:
        """What becomes of the pages of a request that is done."""
        kinds = ((gone.cached, "full {} kept"), (gone.freed, "{} free"), (gone.shared, "{} still shared"))
        parts = [say(what, pages_text(self.ask.pages(pages), 2, runs=True)) for pages, what in kinds if pages]
        return self.short(*(say("{} is done: {}.", self.ask.name(task), joined(", ", parts[:n])) for n in (2, 1)))

    def comes_to(self) -> Section:
        """How many slots all tokens needed, and the answers."""
        tokens, slots = self.kept()
        step = self.ask.step(self.state(self.full).step)
        told = say("What begins the same is kept once, for all.")
        unit = say("slots held the {} tokens of {} at step {}", tokens, self.conversations(), step)
        if slots is None:
            told = say("Every token keeps its slot until its answer ends.")
            unit = say("tokens of {} were kept at once, at step {}", self.conversations(), step)
        rest, title = min(REST, PACE * len(self.steps) / 4), sentence(self.trace.header.scenario.title)
        answers = replace(self.talk, whole=True)
        return self.ending(title, told, say("{}", slots or tokens), unit, answers, rest=rest, key="comes-to")


class Chat(FilmScene):
    """Questions, answers, and where the K and V of every word live."""

    default_trace = "chat.jsonl.gz"
    chapters = ChatTelling
