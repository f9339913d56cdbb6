"""The film `PrefixCache`: a paged KV cache at work, from the first page on."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from astrai_sim.trace import Trace
from astrai_sim.trace.events import Gather, KvWrite, PagesAlloc, PagesFree, Table, TaskAdmitted
from scenes.draw.atoms import Key
from scenes.film.opening import other_trace
from scenes.film.scene import FilmScene
from scenes.measures import joined, say
from scenes.parts.code import Code
from scenes.parts.held import Held
from scenes.parts.part import Part
from scenes.parts.plate import Plate
from scenes.parts.pool import Pool
from scenes.parts.question import Question, Takeaway
from scenes.parts.slabs import Slabs
from scenes.parts.strip import LONGEST, Strip
from scenes.parts.tape import Tape
from scenes.parts.wires import Wires
from scenes.stage.shot import Act, Section
from scenes.stage.telling import ASIDE, CODE, FRAME, MORE, Telling
from scenes.story.history.sure import sure
from scenes.story.needs import Needs
from scenes.story.paging import MOST, Paging, shared_release
from scenes.story.words import counted, plural

SHARED = "prefix_sharing"
"""The shipped trace that shows a page with two holders where the film's own has none."""
SOME, BEFORE, FEW_STEPS, SOON = 8, 12, 7, 48
"""Pages of a pool that is large beside code, steps that the hook begins before its event, and steps from which
on a time-lapse has a sentence of its own, and letters of one that is soon read."""


class PrefixCacheTelling(Telling):
    """The pool, a request that gets pages, a second one, growth, what attention sees, release, reuse, gather.

    Raises DoesNotApply for a trace in which no request was ever admitted and prefilled, and for one
    without single pages.
    """

    needs = Needs(
        {
            "pages_alloc": "a page that a request was given",
            "table": "page tables",
            "task_admitted": "a request that was admitted and prefilled",
            "kv_write": "a request that was prefilled",
        },
        single="tells single pages",
    )

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        admitted = self.need(TaskAdmitted, "a request that was admitted and prefilled")
        filled = self.need(KvWrite, "a request that was prefilled", admitted.seq)
        self.run_of = Paging(self.ask, admitted, filled)
        self.first, self.admitted, self.filled = admitted.task, admitted.seq, filled.seq
        self.second, self.scattered = self.run_of.second, self.run_of.scattered
        names = (self.first, self.second and self.second.task, self.scattered.task)
        self.cast = tuple(dict.fromkeys(name for name in names if name))
        self.pages = self.run_of.pages()
        self.beside: tuple[Part, ...] = ()
        """The code that stands beside the picture, with its last line."""

    def sections(self) -> Iterator[Section]:
        yield self.hook()
        yield self.reserve()
        yield self.admit()
        if self.second is not None:
            yield self.join(self.second)
        for seq, tell in sorted(self.later(), key=lambda told: told[0]):
            if seq > self.at:
                yield tell()
        yield from self.counted()
        yield self.cost()
        yield self.takeaway()

    def later(self) -> Iterator[tuple[int, Callable[[], Section]]]:
        """What is told of the run's rest, each with the event that it is about."""
        run = self.run_of
        found = [(run.grown, self.growth), (run.passed, self.view), (run.freed, self.release)]
        found += [(run.reused and run.reused[0], self.reuse), (run.read(LONGEST), self.gather)]
        return ((event.seq, partial(tell, event)) for event, tell in found if event is not None)

    def pool(self, *acting: int, bits: bool = True) -> Pool:
        """The pool with its `acting` pages."""
        return Pool(acting=acting, bits=bits, pages=self.pages)

    def tape(self, *tasks: str, acting: tuple[str, int] | None = None, cuts: bool = False) -> Tape:
        """Tapes of those of `tasks` that have arrived."""
        return Tape(tuple(dict.fromkeys(tasks)), (acting,) if acting else (), cuts=cuts)

    def about(self, page: int) -> Key:
        """The subject of what happens to a page: code beside it, else that page; in a pool of one or of many all."""
        return ("code",) if self.beside else ("pool", page) if 1 < self.ask.n_pages <= SOME else ("pool",)

    def coded(self, role: str, after: int, until: int, parts: Sequence[Part], **options: Any) -> list[Act]:
        """A call's lines beside `parts`, up to event `until`; `parts` alone where no lines were recorded."""
        event = self.call_of(role, after, until)
        if event is None:
            self.beside = ()
            return [self.act(*parts, until=until)]

        def beside(code: Code) -> Sequence[Part]:
            self.beside = (code,)
            return *parts, code

        return self.run(event, until, beside, **options)

    # sections

    def hook(self) -> Section:
        task, seq, pages = self.scattered.task, self.scattered.seq, self.scattered.pages
        alloc = sure(self.history.latest(PagesAlloc, seq))
        ends = [int(end) for end in self.history.steps.end if end < alloc.seq]
        filled = self.history.first(KvWrite, self.requests[task].admitted[0].seq)
        start = max(ends[-BEFORE] if len(ends) >= BEFORE else -1, self.requests[task].submitted.seq)
        self.begin(start)
        known = {"task": self.ask.name(task), "table": self.ask.table(task, seq)}
        asked = say("Why does the memory of {task} lie in pages {table}?", **known)
        question, wires, last = Question(self.told("question", asked, **known)), Wires(task), (task, len(pages) - 1)
        parts = (question, self.tape(task), wires, self.pool(bits=False))
        many, stored = sum(end > start for end in ends) >= FEW_STEPS, filled and filled.seq < alloc.seq
        acts = [self.lapse(*parts, until=alloc.seq - 1, seconds=1.2 if many else 0.6)] if stored else []
        acting = (question, self.tape(task, acting=last), wires, self.pool(pages[-1], bits=False))
        told = say("{} is a request: its memory lies in pages.", known["task"]) if stored and many else ""
        self.shot(told, *acts, self.act(*acting, until=seq), subject=self.about(pages[-1]), rest=0.4)
        return self.section("hook", "", phases=False)

    def reserve(self) -> Section:
        self.begin(-1)
        ask = self.ask
        made = self.call_of("make", -1, self.requests[self.first].submitted.seq)
        pages = {"pages": self.pages, "name": "pool"}
        once = say("K and V, {} a number: {}.", counted(ask.number_bytes(), "byte"), ask.bytes_of("pool"))
        cut = say("Each of {} holds K and V; a {} says free.", counted(ask.pool_pages(), "page"), ask.free_bit())
        if made is not None:
            tensors = ("k_cache", "v_cache")

            def slabs(code: Code) -> Sequence[Part]:
                names = {str(name) for name, _ in code.values}
                return Slabs(sum(name in names for name in tensors), **pages), code

            acts = self.run(made, made.seq, slabs, only=tensors, pace=1.5)
        else:
            acts = [self.act(Slabs(n, **pages), seconds=1.6 * (n > 0) or None) for n in (0, 1, 2)]
        self.shot(once, *acts, subject=("pool",), detail=CODE)
        self.shot(cut, self.act(Slabs(cut=True, **pages), seconds=1.2), self.act(self.pool()), subject=("pool",))
        return self.section("reserve", "The pool, reserved once", FRAME, cut=True)

    def admit(self) -> Section:
        ask, task = self.ask, self.first
        name, prompt, start = ask.name(task), ask.prompt(task), self.requests[task].submitted.seq
        tape = self.tape(task, cuts=True)
        allocs = [e for e in self.history.events(PagesAlloc, start, self.admitted) if e.task == task]
        tables = [e for e in self.history.events(Table, start, self.admitted) if e.task == task and e.pages]
        needed = self.call_of("pages", start, allocs[0].seq if allocs else self.admitted)
        needs = counted(prompt, "token"), ask.page_size(), counted(ask.prompt_pages(task), "page")
        told = say("{} / {} a page, rounded up: {}.", *needs)
        told = self.short(say("Request {}: {}", name, told), told)
        acts = [self.act(tape, self.pool(), until=start)]
        if needed is not None:
            acts += self.run(needed, needed.seq, lambda code: (tape, self.pool(), code), only=("full", "n_pages"))
        self.shot(told, *acts, subject=("tape", task))
        lowest = self.keeps("lowest-page-first")
        told = "The lowest page whose bit is set is taken." if lowest else "A page whose bit is set is taken."
        if allocs:
            page, tape = allocs[0].pages[0], self.tape(task, acting=(task, 0))
            parts = (tape, self.pool(page))
            acts = self.coded("alloc", self.at, tables[0].seq, parts, pace=0.9)
            if allocs[1:]:
                last = allocs[-1].pages[0]
                if self.beside and self.call_of("alloc", self.at, self.admitted) is None:
                    self.shot(told, *acts, subject=self.about(page), detail=CODE)
                    told, acts, page = "Its other pages are taken the same way.", [], last
                parts = (self.tape(task, acting=(task, len(allocs) - 1)), self.pool(last))
                acts += self.coded("alloc", self.at, self.admitted, parts, only=("_free_mask",), pace=0.3)
            self.shot(told, *acts, subject=self.about(page), detail=CODE)
        told = say("Prefill computes {} in one pass.", counted(ask.stored(task, self.filled), "token"))
        parts = (self.tape(task), self.pool())
        acts = self.coded("write", self.at, self.filled, parts, only=("page",))
        self.shot(told, *acts, subject=self.about(self.state(self.admitted).tables[task][0]))
        return self.section("admit", say("{} gets its pages", name))

    def join(self, admitted: TaskAdmitted) -> Section:
        ask, task = self.ask, admitted.task
        name, tasks = ask.name(task), (self.first, task)
        submitted = self.requests[task].submitted.seq
        parts = (self.tape(*tasks), Wires(task), self.pool())
        known = name, ask.longest(task), ask.table(task, admitted.seq)
        told = say("Request {}, up to {} tokens, gets the table {}.", *known)
        told = self.short(told, say("{} gets pages, too.", name))
        wrote = self.history.first(KvWrite, admitted.seq)
        acts = [*self.acts(parts, submitted), self.act(*parts, until=admitted.seq, seconds=1.4)]
        acts += self.acts(parts, wrote.seq if wrote else self.end)
        self.shot(told, *acts, subject=("tape", task))
        return self.section("join", say("{} joins", name), ASIDE)

    def growth(self, grown: PagesAlloc) -> Section:
        ask, task, logical, page = self.ask, str(grown.task), int(grown.logical or 0), grown.pages[0]
        self.beside = ()
        tasks = (*self.standing(), task)
        wire = Wires(task, (logical,))
        parts = (self.tape(*tasks), wire, self.pool())
        before = self.call_of("grow", self.at, grown.seq) or grown
        lapse = self.lapse(*parts, until=before.seq - 1, seconds=1.7)
        comes = []
        if ask.between("step_end", self.start, before.seq).value >= FEW_STEPS:
            self.shot("The newest token is not stored yet.", lapse, subject=("pool",))
        else:
            comes = [self.act(*parts, seconds=0.8)]
        acting = (self.tape(*tasks, acting=(task, logical)), wire)
        table = self.history.first(Table, grown.seq)
        end = table.seq if table else grown.seq
        told = say("Token {} of {} has no slot.", ask.first_token_of(logical), ask.name(task))
        subject = ("tape", task) if logical > 1 else ("pool",)  # a tape of two tiles may be a short one
        self.shot(told, *comes, self.act(*acting, self.pool(), seconds=1.2), subject=subject)
        tables = ask.table(task, grown.seq - 1), ask.table(task, end)
        told = self.short(say("One page comes: {} becomes {}.", *tables), say("One page comes, not a new block."))
        self.shot(told, self.act(*acting, self.pool(page), until=end, seconds=1.15), subject=self.about(page))
        return self.section("growth", say("{} grows by one page", ask.name(task)))

    def standing(self) -> tuple[str, ...]:
        """Those of the cast that have arrived and not left."""
        return tuple(filter(self.state().tables.__contains__, self.cast))

    def view(self, wrote: KvWrite) -> Section:
        tape = Tape(tuple(dict.fromkeys(span.task for span in wrote.spans[:3])), low=True)
        before = self.history.latest(KvWrite, wrote.seq)
        event = self.call_of("view", max(self.at, before.seq if before else -1), wrote.seq)
        one, more = "a rectangle: one table, one length", "one rectangle of tables, and lengths"
        told = say(f"Attention gets {plural(wrote.spans, one, more)}.")
        self.beside = ()
        if event is not None:
            names = ("page_table", "lengths")

            def plate(code: Code) -> Sequence[Part]:
                known = {str(name) for name, _ in code.values}
                self.beside = (code,)
                return tape, Plate(wrote.seq, *(name in known for name in names)), code

            acts = self.run(event, event.seq, plate, only=names)
        else:
            acts = [self.act(tape, Plate(wrote.seq, False, False)), self.act(tape, Plate(wrote.seq), seconds=1.15)]
        self.shot(told, *acts, subject=("plate",), detail=CODE)
        filler = Plate(wrote.seq).filler(self.trace)
        told = say("One call finds every page by it.")
        if filler is not None:
            told = say("{} is no page: it fills up a shorter row.", filler)
        attended = (tape, Plate(wrote.seq, attended=True), *self.beside)
        self.shot(told, self.act(*attended, until=wrote.seq, seconds=1.8), subject=("plate",))
        return self.section("view", "What attention sees")

    def release(self, freed: PagesFree) -> Section:
        ask, task = self.ask, str(freed.task)
        name, ended = ask.name(task), self.requests[task].finished
        self.beside = ()
        tape = self.tape(*self.standing(), task)
        lapse = self.lapse(tape, self.pool(), until=self.steps.phase_begin(freed.seq), seconds=1.0)
        if ask.between("step_end", self.start, self.at).value >= FEW_STEPS:
            told = say("{} writes its last tokens.", name)
            if ended is not None and ended.reason == "length":
                told = say("{} writes on, up to its limit of {} tokens.", name, ask.longest(task))
            self.shot(told, lapse, subject=("pool",))
        end = self.requests[task].empty_after(freed.seq) or freed.seq
        frees = [freed, *(e for e in self.history.events(PagesFree, freed.seq, end) if e.task == task)][:MOST]
        page = freed.pages[0]
        released = name, ask.page(page), ask.free_bit()
        told = say("{} is done: page {} loses its ref, and its bit becomes {}.", *released)
        told = self.short(told, say("{} is done: page {} gets bit {}.", *released))
        acts = self.coded("free", self.at, freed.seq, (tape, self.pool(page)))
        self.shot(told, *acts, subject=self.about(page), detail=CODE)
        self.beside = ()
        acts = [self.act(tape, self.pool(*e.pages), until=e.seq) for e in frees[1:]]
        acts.append(self.act(tape, self.pool(), until=end))
        told = "A freed page is not erased: what it held stays, hollow."
        self.shot(told, *acts, subject=self.about(frees[-1].pages[0]))
        return self.section("release", say("{} leaves", ask.name(task)))

    def reuse(self, alloc: PagesAlloc) -> Section:
        ask, task, page, had = self.ask, str(alloc.task), alloc.pages[0], sure(self.run_of.reused)[1]
        logical = int(alloc.logical or 0)
        self.beside = ()
        parts = (self.tape(*self.standing(), task), Wires(task), self.pool())
        before = self.call_of("grow", self.at, alloc.seq) or self.call_of("alloc", self.at, alloc.seq)
        steps = ask.between("step_end", self.at, alloc.seq)
        if steps.value >= FEW_STEPS:
            told = say("{} steps fill the pages of {}.", steps, ask.name(task))
            self.shot(told, self.lapse(*parts, until=(before or alloc).seq - 1, seconds=1.2), subject=("pool",))
        table = self.history.first(Table, alloc.seq)
        acting = (self.tape(*self.standing(), task, acting=(task, logical)), Wires(task), self.pool(page))
        names = ask.page(page), ask.name(task), ask.name(had)
        lowest = self.keeps("lowest-page-first")
        told = say("The lowest free page is {}: {} gets it." if lowest else "Page {} is free: {} gets it.", *names[:2])
        acts = [self.act(*acting), self.act(*acting, until=table.seq if table else alloc.seq, seconds=1.15)]
        self.shot(told, *acts, subject=self.about(page))
        spans = ((event, span) for event in self.history.events(KvWrite, self.at) for span in event.spans)
        wrote = [event for event, span in spans if span.task == task and page in [run[0] for run in span.slots]][:2]
        if wrote:
            told = say("In page {}, {} now overwrites what {} left.", *names)
            told = self.short(told, say("Page {} is overwritten.", *names[:1]))
            acts = [self.act(*acting, until=event.seq, seconds=1.4 / len(wrote)) for event in wrote]
            self.shot(told, *acts, subject=self.about(page), detail=MORE)
        return self.section("reuse", say("{} gets a used page", ask.name(task)))

    def gather(self, read: Gather) -> Section:
        ask, task = self.ask, self.scattered.task
        tape, pool = self.tape(task), self.pool(bits=False)
        lifted = self.act(tape, Strip(task, read.seq, landed=False), pool, until=read.seq)
        landed = self.act(tape, Strip(task, read.seq), pool)
        self.shot("The table restores order: pages become one strip.", lifted, landed, subject=("strip",))
        told = say("One strip, in the order of the table: {}.", ask.table(task, read.seq))
        told = self.short(told, say("One strip of pages, in the order of the table."))
        shown, acts = [*enumerate(self.scattered.pages)][-MOST:], []
        for place, page in shown:
            tape, strip = self.tape(task, acting=(task, place)), Strip(task, read.seq, acting=place)
            acts.append(self.act(tape, strip, self.pool(page, bits=False), seconds=max(0.8, 2.2 / len(shown))))
        self.shot(told, *acts, subject=("strip",))
        return self.section("gather", "Attention reads in logical order")

    def cost(self) -> Section:
        ask = self.ask
        held, longest = ask.most_held(), ask.most_longest()
        tables = self.state(int(self.history.steps.end[ask.holdings[:, 0].argmax()])).tables
        each = [say("{} {}", ask.name(task), ask.longest(task)) for task, pages in tables.items() if pages]
        told = say("Reserved without pages: {} slots.", longest)
        if len(each) > 1:
            told = self.short(say("Reserved without pages: {} = {} slots.", joined(" + ", each), longest), told)
        self.shot(told, self.act(Held(0)), self.act(Held(1), seconds=1.6), subject=("held",), pace=1.1)
        told = say("No reservation per request: {} at most, {} fewer.", held, ask.less(longest, held))
        if held.value >= longest.value:
            told = say("Whole pages: {} slots held at most, for {}.", held, longest)
        self.shot(told, self.act(Held(2), seconds=1.0), self.act(Held(), seconds=1.0), subject=("held",), rest=0.1)
        return self.section("cost", "What it saves", MORE, phases=False, cut=True)

    def counted(self) -> Iterator[Section]:
        """A page that more than one request holds survives one of them: here, else in a shipped trace."""
        source = None if shared_release(self.history) else SHARED
        teller = Telling(self.film, other_trace(source)) if source else self
        freed = shared_release(teller.history)
        if freed is None:
            return
        ask, task, page = teller.ask, str(freed.task), freed.pages[0]
        start = teller.steps.phase_begin(freed.seq)
        tables = teller.state(start).tables
        tasks = tuple(name for name, pages in tables.items() if page in pages)[:4]
        held = [entry for entry in tables[task] if teller.state(start).refs[entry] > 1]
        shared, tape = Pool(pages=tuple(sorted({page, *held[:SOME]}))), Tape(tasks)
        bits = Pool(acting=(page,), pages=shared.pages)
        joined = max(event.seq for name in tasks for event in teller.requests[name].admitted if event.seq < start)
        teller.begin(teller.steps.before(joined))
        count = ask.ref(page, start)
        told = say("Another run: {} prompts begin the same." if source else "{} prompts begin the same.", count)
        teller.shot(told, teller.act(tape, shared, until=joined, seconds=1.2), subject=("pool", page))
        told = say("So {} hold page {}.", count, ask.page(page))
        teller.shot(told, teller.lapse(tape, bits, until=start, seconds=1.2), subject=("pool", page))
        end = teller.requests[task].empty_after(freed.seq) or freed.seq
        hold = plural(tasks[1:], "one holds", "others hold")
        told = say("{} leaves, page {} stays: {} it.", ask.name(task), ask.page(page), hold)
        acts = teller.act(tape, bits, until=end, seconds=0.7), teller.act(tape, shared, seconds=1.0)
        teller.shot(told, *acts, subject=("pool", page))
        yield teller.section("counted", "One page, several holders", ASIDE, cut=True, source=source)

    def takeaway(self) -> Section:
        ask = self.ask
        self.begin(self.steps.before(self.admitted))
        held, longest = ask.most_held(), ask.most_longest()
        comes_to = self.told("takeaway", say("Memory in pieces, order in a table."), held=held, longest=longest)
        unit = say("slots held at most, where the longest lengths reserve {}", longest)
        told = Takeaway(comes_to, say("{}", held), unit)
        many = ask.between("step_end", self.at, self.end).value >= FEW_STEPS
        answer, (alloc, had) = None, self.run_of.reused or (None, "")
        task, seq, pages = self.scattered.task, self.scattered.seq, self.scattered.pages
        if many and alloc and alloc.task == task and alloc.pages[0] in pages:
            name, page, had = ask.name(task), ask.page(alloc.pages[0]), ask.name(had)
            answer = say("{} lies in {}: {} had left page {} free.", name, ask.table(task, seq), had, page)
            answer = answer if len(answer) <= SOON else say("{} had left page {} free.", had, page)
        lapse = self.lapse(told, self.pool(bits=False), until=self.end, seconds=1.7 if many else 0.4)
        self.shot(answer, lapse, subject=("pool",), rest=1.2)
        return self.section("takeaway", "", FRAME, phases=False, cut=True)


class PrefixCache(FilmScene):
    """Pages, free mask, refcounts and page tables of a paged KV cache at work."""

    default_trace = "paging.jsonl.gz"
    chapters = PrefixCacheTelling
