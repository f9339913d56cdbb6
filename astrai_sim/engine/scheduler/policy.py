"""Which running tasks decode in a step, in the order of admission."""

from collections.abc import Callable

from astrai_sim.engine.scheduler.task import Task

Policy = Callable[[list[Task]], list[Task]]


def all_running(tasks: list[Task]) -> list[Task]:
    """Every running task."""
    return list(tasks)


def same_position(tasks: list[Task]) -> list[Task]:
    """The largest group of tasks at one position.

    Of equally large groups, the one whose first task was admitted earliest.
    """
    groups: dict[int, list[Task]] = {}
    for task in tasks:
        groups.setdefault(task.n_tokens, []).append(task)
    return max(groups.values(), key=len, default=[])


POLICIES: dict[str, Policy] = {"all": all_running, "same-position": same_position}
