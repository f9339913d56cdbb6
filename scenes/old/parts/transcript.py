"""What is said, page by page, and where the K and V of each word are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from manim import Animation, Group, Scene

from astrai_sim.trace import State, TaskState, Trace
from scenes import theme
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.measures import Said, say, written
from scenes.old.animations import FLIGHT, Flight, Fly, Relay, Vanish
from scenes.old.mobjects.pieces import readable
from scenes.old.mobjects.pointer import Pointer
from scenes.old.mobjects.shapes import Panel
from scenes.old.mobjects.token_layout import PageText, TokenLayout
from scenes.old.mobjects.transcript import Person, PersonLook, RowLook, Transcript
from scenes.old.parts.part import Part
from scenes.old.parts.setting import Setting
from scenes.old.parts.tiles import GUTTER, TILES_W, page_tiles
from scenes.story.beats import Speakers
from scenes.story.history import history_of
from scenes.story.pieces import ShownPiece, shown_piece
from scenes.story.words import plural

OTHERS_H = 40.0
MOST_FLIGHTS = 90
ARRIVAL = 0.7


def last_tasks(trace: Trace) -> dict[str, TaskState]:
    """The requests as they are at the end of the trace."""
    return dict(trace.state_at(len(trace) - 1).tasks)


class TranscriptPart(Part):
    """Rows of text of the section's speakers; words leave for the tiles as slots fill."""

    name = "transcript"

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.rows = history_of(setting.trace).pages
        self.final = last_tasks(setting.trace)
        self.tiles: Any = page_tiles(setting) if "tiles" in setting.cast else None
        speakers = next(p for p in setting.section.props if isinstance(p, Speakers))
        room = setting.plan.tall_panel
        note = OTHERS_H if speakers.others else 0.0
        self.box = Box(room.x, room.y, room.w - TILES_W - GUTTER, room.h - note)
        more = speakers.others
        others = say("and {} more {}, not shown", more, plural(more, "request")) if more else Said()
        self.others = Label(others, theme.SMALL, "sans", theme.MUTED, (room.x, room.bottom - 14))
        self.transcript = self._make(speakers.tasks, speakers.room)
        self.shown: Any = None  # a State, from the first `show` on
        self.pointer: Any = None  # a Pointer, while there is one
        self.pointers = Group()

    def _make(self, tasks: tuple[str, ...], room: int) -> Transcript:
        then = self.setting.trace.state_at(room).tasks
        counts = {task: then[task].n_tokens if task in then else 0 for task in tasks}
        pieces: dict[str, Sequence[ShownPiece]] = {
            task: [_said_piece(task, at, text) for at, text in enumerate((self.final[task].texts or ())[:count])]
            for task, count in counts.items()
        }
        texts: dict[str, Sequence[PageText]] = {task: self._pages(task, tasks, pieces[task]) for task in tasks}
        layout = TokenLayout.fit(texts, self.box)
        return Transcript(layout, pieces, {task: self.final[task].prompt_len for task in tasks})

    def _pages(self, task: str, tasks: tuple[str, ...], pieces: Sequence[ShownPiece]) -> list[PageText]:
        """The rows that `task` shows itself: those that no other one of `tasks` shows.

        The last token of an answer needs no slot; where it would be alone on a row, it
        stands at the end of the row before.
        """
        size = self.rows.page_size
        own = [
            logical
            for logical in range(-(-len(pieces) // size))
            if self._teller((task, logical), tasks) == (task, logical)
        ]
        texts = [PageText(i, i * size, tuple(pieces[i * size : (i + 1) * size])) for i in own]
        if len(texts) > 1 and (task, own[-1]) not in self.rows.homes and len(pieces) % size == 1:
            last = texts.pop()
            before = texts.pop()
            texts.append(PageText(before.logical, before.first, before.pieces + last.pieces))
        return texts

    def _teller(self, key: tuple[str, int], tasks: tuple[str, ...]) -> tuple[str, int]:
        home = self.rows.homes.get(key, key)
        return home if home[0] in tasks else key

    def mobjects(self) -> list[Any]:
        return [self.transcript, self.others, self.pointers]

    def look(self, state: State, task: str, seq: int) -> PersonLook:
        """How the request should look after event `seq`."""
        now = state.tasks[task]
        rows = {
            logical: self._row_look(state, task, logical, row.place.first, row.field.n, seq)
            for logical, row in self.transcript.persons[task].rows.items()
        }
        return PersonLook(
            task, self.setting.looks.colors[task], tuple(state.tables.get(task, ())), now.n_tokens, now.status, rows
        )

    def _row_look(self, state: State, task: str, logical: int, first: int, n: int, seq: int) -> RowLook:
        page = self.rows.page_at((task, logical), seq)
        if page is None:
            return RowLook(None, (), (False,) * n)
        look = self.setting.looks.page(state, page)
        held = ~np.isnan(state.norms(page))
        stored = tuple(bool(i < len(held) and held[i]) for i in range(n))
        return RowLook(page, look.owner_colors or (theme.CACHED,), stored)

    def show(self, state: State) -> None:
        self.shown = state
        for task, person in self.transcript.persons.items():
            if task in state.tasks:
                person.show(self.look(state, task, state.seq))

    def change(self, state: State, seconds: float) -> list[Animation]:
        before, self.shown = self.shown, state
        animations: list[Animation] = []
        flights: list[Flight] = []
        for task, person in self.transcript.persons.items():
            if task not in state.tasks:
                continue
            look = self.look(state, task, state.seq)
            stored = self._stored(person, look, seconds)
            said = self._said(before, look, stored, seconds)
            flights += self._flights(person, look, stored)
            animations += person.change(look, said, stored)
        if flights:
            every = -(-len(flights) // MOST_FLIGHTS)
            animations.append(Fly(flights[::every]))
        return animations

    def _said(self, before: State, look: PersonLook, stored: dict[int, float], seconds: float) -> dict[int, float]:
        """When each new token appears: prompts in a sweep, answers evenly over `seconds`.

        An answer waits until the last word of its prompt has arrived where it is `stored`.
        """
        if look.task not in before.tasks:
            return {i: ARRIVAL * i / max(1, look.tokens) for i in range(look.tokens)}
        first = before.tasks[look.task].n_tokens
        count = look.tokens - first
        prompt = self.final[look.task].prompt_len
        leaving = [time for position, time in stored.items() if position < prompt]
        start = max(leaving) + FLIGHT if leaving else 0.0
        span = max(0.0, seconds - start)
        return {first + i: start + span * (i + 0.5) / count for i in range(count)}

    def _stored(self, person: Person, look: PersonLook, seconds: float) -> dict[int, float]:
        """When each token leaves for its slot, evenly over `seconds`."""
        fresh = []
        for logical, row in person.rows.items():
            now = look.rows[logical].stored
            was = row.stored() + [False] * len(now)
            fresh += [row.place.first + i for i, has in enumerate(now) if has and not was[i]]
        return {position: seconds * i / len(fresh) for i, position in enumerate(fresh)}

    def _flights(self, person: Person, look: PersonLook, stored: dict[int, float]) -> list[Flight]:
        if self.tiles is None or not person.arrived:
            return []
        size = self.rows.page_size
        flights = []
        for logical, row in person.rows.items():
            tile = self.tiles.by_index.get(look.rows[logical].page)
            for i, label in enumerate(row.labels):
                start = stored.get(row.place.first + i)
                if tile is not None and start is not None and i < size:
                    word = _traveller(label, row.field.cell_box(i), look.rows[logical].colors[0])
                    flights.append(Flight(word, tile.slot_center(i), start))
        return flights

    def make_room(self, scene: Scene, tasks: tuple[str, ...], room: int) -> list[Animation]:
        """Lay out anew on `scene` for what `tasks` say up to event `room`; what is shown moves to its place."""
        earlier = self.transcript
        self.transcript = self._make(tasks, room)
        self.show(self.shown)
        scene.remove(earlier)
        scene.add(self.transcript)
        pairs = []
        leaving: list[Animation] = []
        for task, old in earlier.persons.items():
            new = self.transcript.persons[task]
            if old.arrived:
                pairs.append((old.head, new.head))
            for logical, row in old.rows.items():
                if logical in new.rows:
                    pairs += row.pairs(new.rows[logical])
                elif row.shown:
                    leaving.append(Vanish(row, seconds=0.3))
        return [*leaving, Relay(self.transcript, pairs)]

    def point_at(self, task: str, position: int, reach: str) -> list[Animation]:
        """Point at a token, its table's entry, or its slot; each goes on from the one before.

        Raises LookupError for a token that is not shown, or whose page is not.
        """
        found = self.transcript.token(task, position)
        if found is None:
            raise LookupError(f"token {position} of {task} is not shown")
        row: Any = found[0]
        size = self.rows.page_size
        word = row.field.cell_box(found[1])
        if reach == "word":
            self.pointer = Pointer(word)
            self.pointers.add(self.pointer)
            return self.pointer.start()
        if reach == "entry":
            head: Any = self.transcript.persons[task].head
            entries = [head.entry_box(position // size), row.place.chip]
            return self.pointer.to_entries([box for box in entries if box is not None])
        tile = self.tiles.by_index[row.chip.page]
        slot = tile.slots.cell_box(position % size)
        corners = self._thread(word, slot, tile.box)
        return self.pointer.to_slot(slot, corners)

    def page_of(self, task: str, position: int) -> int:
        """The page beside the row that shows a token."""
        found: Any = self.transcript.token(task, position)
        return found[0].chip.page

    def _thread(self, word: Box, slot: Box, tile: Box) -> list[tuple[float, float]]:
        below = word.bottom + 2.5
        gutter = self.box.right + GUTTER / 2
        above = tile.y - 3.5
        return [(word.cx, below), (gutter, below), (gutter, above), (slot.cx, above), (slot.cx, slot.y)]

    def point_away(self) -> list[Animation]:
        """Take the pointer away."""
        gone, self.pointer = self.pointer, None
        if gone is None:
            return []
        self.pointers.remove(gone)
        return [Vanish(gone)]

    def nudge(self) -> list[Animation]:
        return [a for person in self.transcript.persons.values() for a in person.flash()]

    def read(self) -> dict:
        persons = {t: p for t, p in self.transcript.persons.items() if p.arrived}
        shown: dict = {"speakers": {}, "said": {}, "kept": {}, "row_pages": {}, "row_colors": {}}
        for task, person in persons.items():
            head: Any = person.head
            shown["speakers"][task] = (head.read(), head.hidden)
            for logical, row in person.rows.items():
                texts, stored = row.texts(), row.stored()
                for i, (text, held) in enumerate(zip(texts, stored, strict=True)):
                    shown["said"][task, row.place.first + i] = text
                    shown["kept"][task, row.place.first + i] = held
                shown["row_pages"][task, logical] = row.chip and int(row.chip.label.text)
                shown["row_colors"][task, logical] = row.chip.colors if row.chip else ()
        shown["unsaid"] = self._unsaid(persons)
        shown["folded"] = {
            task: tuple(page.logical for page in person.place.folded) for task, person in persons.items()
        }
        shown["cut"] = {
            (task, logical): row.left_out
            for task, person in persons.items()
            for logical, row in person.rows.items()
            if row.left_out
        }
        if self.pointer is not None:
            shown["pointer"] = self._read_pointer()
        return shown

    def _unsaid(self, persons: dict[str, Person]) -> dict[tuple[str, int], tuple[str, int]]:
        """Tokens that are told by the row of another request, by (task, logical page)."""
        tasks = tuple(self.transcript.persons)
        return {
            key: self._teller(key, tasks)
            for key in self.rows.homes
            if key[0] in persons and self._teller(key, tasks) != key
        }

    def _read_pointer(self) -> dict:
        """What the pointer's marks stand on, found by where they are."""
        found: dict = {}
        middle = self.pointer.word.box
        for task, person in self.transcript.persons.items():
            for row in person.rows.values():
                index = int(row.field.cells_at(np.array([[middle.cx, middle.cy]]))[0])
                if index >= 0:
                    found["word"] = (task, row.place.first + index)
        if self.pointer.slot is not None:
            at = self.pointer.slot.box
            for tile in self.tiles.pages:
                slot = int(tile.slots.cells_at(np.array([[at.cx, at.cy]]))[0])
                if slot >= 0:
                    found["slot"] = (int(tile.number.text), slot)
        return found


def _said_piece(task: str, position: int, text: str) -> ShownPiece:
    piece = shown_piece(text)
    said = written("token.shown", piece.text, "name", task=task, position=position)
    return replace(piece, text=readable(said))


def _traveller(label: Label, box: Box, color: str) -> Panel:
    """A copy of a token, on a ground of its own, to leave for its slot."""
    word = Label(label.text, label.px, label.face, theme.BACKGROUND, background=color)
    word.shift(label.anchor - word.anchor)
    ground = Panel(box, fill=color, radius=5)
    ground.add(word)
    return ground
