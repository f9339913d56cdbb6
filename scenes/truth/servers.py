"""Servers of one queue: what is in the memory of each, who waits, who has been served, and when."""

from collections.abc import Mapping

from scenes.truth.contiguous import plan, step_of
from scenes.truth.vouching import shows, vouches
from scenes.truth.witness import Witness

RULES = ("reserve", "closed", "known")


def _stretches(witness: Witness, at: int, rule: str) -> list[tuple[str, int, int, int]]:
    """(request, first slot, size, filled) of everything held, by address."""
    if rule != "pages":
        told, step = plan(witness.trace, rule), step_of(witness, at)
        return [(stay.life.task, stay.start, stay.size, stay.used(step)) for stay in told.held(step)]
    state, size = witness.state(at), witness.page_size
    pages = sorted({page for page, ref in enumerate(state.refs) if ref} | {*state.lru})
    owners = {page: witness.owners(page, at) for page in pages}
    return [(owners[page][0] if owners[page] else "", page * size, size, witness.slots(page, at)) for page in pages]


def _memory(witness: Witness, at: int, shown: Mapping, rule: str) -> list[tuple[float | str, ...]]:
    """Stretches by where they begin, as shares of a row of the strip."""
    row = -(-witness.n_pages * witness.page_size // shown["memory.rows"])
    return [(start / row, task, size / row, used / row) for task, start, size, used in _stretches(witness, at, rule)]


def _ends(witness: Witness, rule: str) -> dict[str, int]:
    """The step that served each request."""
    if rule == "pages":
        return {task: life.finished.step for task, life in witness.lives.items() if life.finished}
    return {stay.life.task: stay.last for stay in plan(witness.trace, rule).stays}


def _line(witness: Witness, at: int, rule: str) -> list[str]:
    """Who waits."""
    return (
        list(witness.state(at).waiting) if rule == "pages" else plan(witness.trace, rule).waiting(step_of(witness, at))
    )


def _score(witness: Witness, at: int, shown: tuple[str, ...], rule: str) -> tuple[str, ...]:
    """Of those who wait as many as are shown, the first first, then of those served the latest."""
    step, line, ends = step_of(witness, at), _line(witness, at, rule), _ends(witness, rule)
    waiting = [task for task in line if task in shown]
    if waiting != line[: len(waiting)] or bool(waiting) != bool(line):
        raise LookupError(f"{line} wait")
    done = [task for task, end in ends.items() if end <= step and task not in line]
    rest = set(shown) - set(waiting)
    earlier = max((ends[task] for task in done if task not in rest), default=-1)
    if not rest <= set(done) or any(ends[task] < earlier for task in rest):
        raise LookupError(f"{done} have been served")
    order = list(reversed(shown[len(waiting) :]))
    if [ends[task] for task in order] != sorted(ends[task] for task in order):
        raise LookupError("others were served first")
    return (*waiting, *shown[len(waiting) :])


for _rule in (*RULES, "pages"):
    if _rule != "closed":  # its stays do not say where they are moved to
        shows(f"memory.{_rule}", fades=True)(lambda witness, at, shown, rule=_rule: _memory(witness, at, shown, rule))
    shows(f"score.{_rule}", fades=True)(
        lambda witness, at, shown, rule=_rule: _score(witness, at, shown[f"score.{rule}"], rule)
    )


@shows("progress", fades=True)
def progress(witness: Witness, at: int, shown: Mapping) -> dict[str, tuple[float, dict[str, float]]]:
    """How far each server is, and where it served whom, as shares of the longest run."""
    rules = {rule: _ends(witness, rule) for rule in shown["progress"]}
    total = max(1, *(max(ends.values(), default=-1) + 1 for ends in rules.values()))
    now = min(total, step_of(witness, at) + 1)
    return {
        rule: (
            min(now, max(ends.values(), default=-1) + 1) / total,
            {task: (step + 1) / total for task, step in ends.items() if step < now},
        )
        for rule, ends in rules.items()
    }


# Who waits and is not shown.
vouches("score.more")(lambda witness, rule, shown, at: len(_line(witness, at, rule)) - shown)
# Steps that are over.
vouches("servers.steps")(lambda witness, at: step_of(witness, at) + 1)
# How the strips are to be read.
shows("memory.rows")(lambda witness, at, shown: shown["memory.rows"])
