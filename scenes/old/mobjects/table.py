"""Page tables: for each task, which physical page holds each logical one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from manim import Animation, Group

from scenes import theme
from scenes.draw import fonts
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.measures import Said, measure, say, written
from scenes.old.animations import AppearIn, Flash, Glide, SwapText, Vanish, replay_text
from scenes.old.mobjects.shapes import Panel

ENTRY_W = 58
ENTRY_H = 44
ENTRY_GAP = 8
ROW = 112
TIGHT_ROW = 64
WIDEST_NAME = 150
MORE_W = 84


@dataclass(frozen=True)
class TableLook:
    """How a task's table should look; `filled` are the slots of each page that hold KV."""

    task: str
    color: str
    pages: tuple[int, ...]
    tokens: int
    kv: int
    status: str
    filled: tuple[int, ...] = ()


class Entry(Group):
    """One table entry: the physical page that `task` has at the `logical` index of its place."""

    def __init__(self, task: str, logical: int, page: int, box: Box, color: str) -> None:
        self.page = page
        self.box = box
        self.frame = Panel(box, fill=theme.PANEL, stroke=color, radius=5)
        text = written("table.entry", page, task=task, logical=logical)
        self.label = Label(
            text, theme.SMALL, "mono-bold", theme.TEXT, (box.cx, box.cy), "center", background=theme.PANEL
        )
        super().__init__(self.frame, self.label)


class TableRow(Group):
    """A task's name, its token count, and its entries in logical order.

    `tight` puts everything on one line, for many tasks; `digits` is how long the
    largest page number is.
    """

    def __init__(self, look: TableLook, box: Box, tight: bool, digits: int = 2) -> None:
        self.task = look.task
        self.hue = look.color
        self.box = box
        self.tight = tight
        shown = fonts.fit(name_text(look.task), "sans-bold", theme.BODY, WIDEST_NAME)
        name_w = max(48.0, fonts.width(shown, "sans-bold", theme.BODY) + 24)
        self.chip = Panel(Box(box.x, box.y + 2, name_w, 40), fill=look.color, radius=8)
        self.name_label = Label(
            shown,
            theme.BODY,
            "sans-bold",
            theme.BACKGROUND,
            (box.x + name_w / 2, box.y + 22),
            "center",
            background=look.color,
        )
        self.counts = Label(
            "",
            theme.SMALL,
            "sans",
            theme.MUTED,
            (box.right, box.y + 22) if tight else (box.x + name_w + 16, box.y + 22),
            "right" if tight else "left",
        )
        self.entries: list[Entry] = []
        self.hidden = 0
        self.more: Label | None = None
        super().__init__(self.chip, self.name_label, self.counts)
        self.entries_x = box.x + name_w + 18 if tight else box.x
        self.entries_y = box.y if tight else box.y + 56
        self.entry_w = max(ENTRY_W, fonts.width("0" * digits, "mono-bold", theme.SMALL) + 18)
        most = 10 ** len(str(look.tokens))
        counts_w = fonts.width(self._count_text(most, most, ""), "sans", theme.SMALL)
        self.room = box.right - self.entries_x - (counts_w + 24 if tight else 0)

    def _fitting(self, pages: Sequence[int]) -> list[int]:
        """Those of `pages` that have room, beside the count of the others if there are any."""
        pitch = self.entry_w + ENTRY_GAP
        if len(pages) * pitch - ENTRY_GAP <= self.room:
            return list(pages)
        return list(pages[: max(1, int((self.room - MORE_W) // pitch))])

    def show(self, look: TableLook) -> None:  # type: ignore[override]
        """Show `look` at once."""
        self.counts.set_text(self.count_text(look))
        for page in self._fitting(look.pages):
            self._add_entry(page)
        self.hidden = len(look.pages) - len(self.entries)
        if self.hidden:
            self._show_more()

    def change(self, look: TableLook, delay: float) -> list[Animation]:
        """Animate to `look`, entries after `delay`."""
        animations: list[Animation] = []
        shown = [entry.page for entry in self.entries]
        kept = self._fitting(look.pages)
        if shown != kept[: len(shown)]:
            for entry in self.entries:
                animations.append(Vanish(entry, delay=delay))
                self.remove(entry)
            self.entries = []
            shown = []
        for page in kept[len(shown) :]:
            entry = self._add_entry(page)
            self.remove(entry)
            animations.append(AppearIn(self, entry, delay=delay))
            delay += 0.12
        hidden = len(look.pages) - len(kept)
        if hidden != self.hidden:
            self.hidden = hidden
            if self.more is None:
                self._show_more()
            else:
                animations.append(SwapText(self.more, self._more_text()))
        text = self.count_text(look)
        return animations if text == self.counts.text else [*animations, SwapText(self.counts, text)]

    def run(self, times: Sequence[float], looks: Sequence[TableLook], seconds: float) -> list[Animation]:
        """Run the counts through those of `looks`, reached at `times` (0 to 1)."""
        texts = [self.count_text(look) for look in looks]
        return replay_text(self.counts, times, texts, seconds)

    def count_text(self, look: TableLook) -> Said:
        """Tokens and slots in cache, and what the task does unless it runs."""
        return self._count_text(look.tokens, look.kv, look.status)

    def _count_text(self, tokens: int, kv: int, status: str) -> Said:
        counts = (
            measure("task.tokens", tokens, "plain", task=self.task),
            measure("task.cached", kv, "plain", task=self.task),
        )
        if self.tight:
            return say("{} tok · {} KV", *counts)
        return say("{} tokens · {} in cache" + ("" if status in ("running", "") else f" · {status}"), *counts)

    def _more_text(self) -> Said:
        return more_text("table.more", self.hidden, task=self.task, shown=len(self.entries))

    def _add_entry(self, page: int) -> Entry:
        x = self.entries_x + len(self.entries) * (self.entry_w + ENTRY_GAP)
        entry = Entry(self.task, len(self.entries), page, Box(x, self.entries_y, self.entry_w, ENTRY_H), self.hue)
        self.entries.append(entry)
        self.add(entry)
        return entry

    def _show_more(self) -> None:
        x = self.entries_x + len(self.entries) * (self.entry_w + ENTRY_GAP) + 6
        self.more = Label(self._more_text(), theme.SMALL, "mono", theme.MUTED, (x, self.entries_y + ENTRY_H / 2))
        self.add(self.more)

    def read(self) -> list[int]:
        """Pages as written in the entries."""
        return [int(entry.label.text) for entry in self.entries]


class PageTables(Group):
    """The tables of all tasks that have one, below one another in `box`.

    With more than `slots` tasks rows can hold, each gets one line, but those of
    the tasks in `opened`. `digits` is how long the largest page number is.
    """

    def __init__(self, box: Box, slots: int, digits: int = 2, opened: Collection[str] = ()) -> None:
        self.box = box
        self.digits = digits
        self.opened = set(opened)
        self.title = Label("page tables", theme.SMALL, "sans", theme.MUTED, (box.x, box.y + 16))
        self.tight = slots * ROW > box.h - 44
        self.rows: dict[str, TableRow] = {}
        self.hidden: tuple[str, ...] = ()
        self.hidden_label = Label("", theme.SMALL, "sans", theme.MUTED, (box.right, box.y + 16), "right")
        super().__init__(self.title, self.hidden_label)

    def _boxes(self, looks: list[TableLook]) -> list[Box]:
        """Boxes of the rows that fit, from the first table on."""
        boxes: list[Box] = []
        y = self.box.y + 44
        for look in looks:
            pitch = TIGHT_ROW if self._is_tight(look) else ROW + 12
            if boxes and y + pitch > self.box.bottom + 4:
                break
            boxes.append(Box(self.box.x, y, self.box.w, pitch - 12))
            y += pitch
        return boxes

    def _is_tight(self, look: TableLook) -> bool:
        return self.tight and look.task not in self.opened

    def _row(self, look: TableLook, box: Box) -> TableRow:
        row = TableRow(look, box, self._is_tight(look), self.digits)
        row.show(look)
        self.rows[look.task] = row
        return row

    def show(self, looks: list[TableLook]) -> None:  # type: ignore[override]
        """Show the tables in `looks` at once."""
        boxes = self._boxes(looks)
        for look, box in zip(looks, boxes, strict=False):
            self.add(self._row(look, box))
        self.hidden = tuple(look.task for look in looks[len(boxes) :])
        self.hidden_label.set_text(self._hidden_text())

    def change(self, looks: list[TableLook], delay: float) -> list[Animation]:
        """Animate to `looks`: new rows appear, missing ones leave, the rest move up."""
        animations: list[Animation] = []
        boxes = self._boxes(looks)
        wanted = {look.task: look for look in looks[: len(boxes)]}
        for task in [task for task in self.rows if task not in wanted]:
            row = self.rows.pop(task)
            self.remove(row)
            animations.append(Vanish(row, delay=delay))
        for look, box in zip(wanted.values(), boxes, strict=True):
            row = self.rows.get(look.task)
            if row is None:
                animations.append(AppearIn(self, self._row(look, box), delay=delay))
                continue
            if row.box.y != box.y:
                dy = box.y - row.box.y
                moved = Glide(row, 0, dy, delay=delay)
                animations.append(moved)
                _shift_boxes(row, dy)
            animations += row.change(look, delay)
        self.rows = {task: self.rows[task] for task in wanted}
        self.hidden = tuple(look.task for look in looks[len(boxes) :])
        if self.hidden_label.text != self._hidden_text():
            animations.append(SwapText(self.hidden_label, self._hidden_text(), delay=delay))
        return animations

    def run(self, times: Sequence[float], frames: Sequence[Sequence[TableLook]], seconds: float) -> list[Animation]:
        """Run all counts through `frames`: tables like those shown, at `times` (0 to 1)."""
        animations: list[Animation] = []
        for task, row in self.rows.items():
            looks = [look for frame in frames for look in frame if look.task == task]
            animations += row.run(times, looks, seconds)
        return animations

    def flash(self, task: str) -> list[Animation]:
        """Draw the eye to a task's entries."""
        row = self.rows.get(task)
        return [Flash(entry.frame) for entry in row.entries] if row else []

    def _hidden_text(self) -> Said:
        more = more_text("tables.more", len(self.hidden), shown=len(self.rows))
        return say("{} more", more) if more else more


def name_text(task: str) -> Said:
    """A request's name."""
    return written("task.name", task, "name", task=task)


def more_text(name: str, count: int, /, **args: object) -> Said:
    """How many more there are than are shown, as the measure `name` of `args`; nothing for none."""
    return say("+{}", measure(name, count, "plain", **args)) if count else Said()


def _shift_boxes(row: TableRow, dy: float) -> None:
    def moved(box: Box) -> Box:
        return Box(box.x, box.y + dy, box.w, box.h)

    row.box = moved(row.box)
    row.entries_y += dy
    for entry in row.entries:
        entry.box = moved(entry.box)
