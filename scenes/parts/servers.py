"""Servers that the same requests are given to: what they are called, whom they serve and who waits."""

from collections.abc import Sequence

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Block, Key, Text
from scenes.draw.layout import Box
from scenes.measures import Said, say, written
from scenes.parts.part import Atoms, View

TAG = 40.0
FACE = "sans-bold"


def title(rule: str, view: View) -> Said:
    """What a server is called that keeps a `rule` of `scenes.story.contiguous.RULES`, or is "pages"."""
    if rule == "pages":
        return say("pages of {}", view.ask.page_size())
    return say({"reserve": "one piece each", "closed": "but holes closed", "known": "but lengths known"}[rule])


def source(rule: str) -> str:
    """Where what is shown of it comes from."""
    return "recorded" if rule == "pages" else "computed"


def step_of(view: View) -> int:
    """The step at whose end the picture stands."""
    return view.state.step + view.beyond


def waiting(rule: str, view: View) -> Sequence[str]:
    """Who waits, the first first."""
    return view.state.waiting if rule == "pages" else view.ask.whole(step_of(view), rule).waiting


def served(rule: str, view: View) -> list[str]:
    """Who has been served, the first first."""
    return [task for task, step in view.ask.served(rule).items() if step <= step_of(view)]


def tag_width(task: str) -> float:
    """Width of a request's tag."""
    return max(44.0, fonts.width(task, FACE, theme.LEAST_SIZE) + 22)


def tag(key: Key, task: str, at: tuple[float, float], view: View, z: int = 0) -> Atoms:
    """A request's name on its hue, the middle of its left edge at the pixel `at`."""
    hue, width = view.hue(task), tag_width(task)
    yield (*key, "tag"), Block(Box(at[0], at[1] - TAG / 2, width, TAG), fill=hue, radius=6, keeps=True, z=z)
    name = written("task.name", task, "name", task=task)
    place = (at[0] + width / 2, at[1])
    yield (
        (*key, "name"),
        Text(
            name,
            place,
            px=theme.LEAST_SIZE,
            face=FACE,
            color=view.theme.ground,
            align="center",
            ground=hue,
            keeps=True,
            z=z + 1,
        ),
    )
