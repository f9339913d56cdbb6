"""Questions, answers and the system prompt, to be read."""

from __future__ import annotations

from typing import Any

from manim import Animation, Group, Mobject, Scene

from astrai_sim.trace import State
from scenes.measures import Said, say, written
from scenes.old.animations import Appear, Flash
from scenes.old.mobjects.cards import CardBoard, CardText
from scenes.old.parts.part import Part
from scenes.old.parts.setting import Setting
from scenes.old.parts.transcript import last_tasks
from scenes.story.beats import Cards
from scenes.story.conversation import Exchange
from scenes.story.history import history_of


class CardsPart(Part):
    """A card for each request that the section's `Cards` name."""

    name = "cards"

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.prop = next(prop for prop in setting.section.props if isinstance(prop, Cards))
        self.arrivals = {e.task: e.step + 1 for e in setting.trace.find(event="task_submitted")}
        self.board: Any = None  # a CardBoard, from the first `show` on

    def mobjects(self) -> list[Group]:
        return [self.board] if self.board is not None else []

    def show(self, state: State) -> None:
        tasks = last_tasks(self.setting.trace)
        exchanges = {task: Exchange.of(tasks[task].texts or (), tasks[task].prompt_len) for task in self.prop.tasks}
        first, asked = next(iter(exchanges.items()))
        system = Said() if self.prop.answers else written("request.system", asked.system, "name", task=first)
        others = say("and {} more, not shown", self.prop.others) if self.prop.others else Said()
        texts = [
            self._answered(state, task) if self.prop.answers else self._asked(task, exchange)
            for task, exchange in exchanges.items()
        ]
        self.board = CardBoard(texts, system, others, self.setting.plan.tall_panel)

    def _asked(self, task: str, exchange: Exchange) -> CardText:
        return CardText(
            task,
            self.setting.looks.colors[task],
            written("request.question", exchange.question, "name", task=task),
            note=say("arrives before step {}", written("request.first_step", self.arrivals[task], task=task)),
        )

    def _answered(self, state: State, task: str) -> CardText:
        now = state.tasks[task]
        exchange = Exchange.of(now.texts or (), now.prompt_len)
        rows = history_of(self.setting.trace).pages
        held = [rows.page_at((task, logical), state.seq) for logical in range(-(-now.n_tokens // rows.page_size))]
        pages = tuple(page for page in held if page is not None)
        note = "K and V still held in pages" if pages else "its pages are free again"
        question, answer = (
            written(f"request.{what}", getattr(exchange, what), "name", task=task) for what in ("question", "answer")
        )
        return CardText(task, self.setting.looks.colors[task], question, answer, note, pages)

    def change(self, state: State, seconds: float) -> list[Animation]:
        return []

    def reveal(self, scene: Scene) -> list[Animation]:
        scene.add(self.board)
        everything = list(self.board.submobjects)
        self.board.submobjects = []
        return [_Join(self.board, part, delay=0.25 * i) for i, part in enumerate(self._groups(everything))]

    def _groups(self, parts: list) -> list:
        """The system prompt's parts as one, then the cards."""
        above = [p for p in parts if p not in self.board.cards and p is not self.board.others]
        rest = [*self.board.cards, self.board.others]
        return [*([Group(*above)] if above else []), *rest]

    def flash(self, task: str) -> list[Animation]:
        """Draw the eye to a card."""
        return [Flash(card.back) for card in self.board.cards if card.text.task == task]

    def nudge(self) -> list[Animation]:
        return [Flash(card.chip) for card in self.board.cards]

    def read(self) -> dict:
        return self.board.read() if self.board is not None else {}


class _Join(Appear):
    """Fade in; then be a part of the board."""

    def __init__(self, board: CardBoard, part: Mobject, **kwargs: Any) -> None:
        super().__init__(part, **kwargs)
        self.board = board

    def clean_up_from_scene(self, scene: Scene) -> None:
        super().clean_up_from_scene(scene)
        scene.remove(self.mobject)
        self.board.add(self.mobject)
