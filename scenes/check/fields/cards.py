"""Questions and answers, and the pages that still hold them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from astrai_sim.trace import State
from scenes.check.fields.transcript import _content
from scenes.check.recorded import Difference, Recorded
from scenes.draw.mobjects.pieces import readable
from scenes.story.conversation import control_name

NAMES = ("cards", "system")


def differences(shown: Mapping, state: State, recorded: Recorded) -> Iterator[Difference]:
    """Words that were not recorded so, answers not as far as they were, wrong pages."""
    if "cards" not in shown:
        return
    prompts = {e.task: e.texts for e in recorded.trace.find(event="task_submitted")}
    system = shown["system"]
    for task, (question, answer, pages, hidden) in shown["cards"].items():
        prompt = words("".join(prompts[task]))
        for part in (question, system):
            if not contains(prompt, part):
                yield Difference(f"cards[{task}] prompt", part, prompt)
        truth = answer_of(recorded, task)
        if not (contains(truth, answer) and (answer.endswith("…") or words(answer) == truth)):
            yield Difference(f"cards[{task}] answer", answer, truth)
        held = _content(recorded.trace, recorded.until)
        kept = [page for (name, _), page in sorted(held.items()) if name == task]
        if list(pages) != kept[: len(pages)] or len(pages) + hidden != len(kept):
            yield Difference(f"cards[{task}] pages", pages, kept)


def answer_of(recorded: Recorded, task: str) -> str:
    """What `task` has generated, from its token events, without control tokens."""
    pieces = [
        event.text
        for event in recorded.trace.find(event="tokens")
        if event.task == task and event.seq <= recorded.until
    ]
    return words("".join(piece for piece in pieces if control_name(piece) is None))


def words(text: str) -> str:
    """`text` as the screen writes it, without blanks: lines may break anywhere."""
    return "".join(readable(word) for word in text.split())


def contains(text: str, part: str) -> bool:
    """Whether `part`, up to an ellipsis at its end, stands in `text`."""
    return words(part.removesuffix("…")) in text
