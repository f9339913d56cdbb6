"""Which running tasks decode in a step, in the order of admission."""

from collections.abc import Callable

from astrai_sim.engine.scheduler.task import Task

Policy = Callable[[list[Task], int | None], list[Task]]


def same_position(tasks: list[Task], overdue: int | None) -> list[Task]:
    """The largest group of tasks at one position; of equally large ones that of the first admitted.

    First of all the one that waits longest, once its last token is of step `overdue` or before (None: never).
    """
    groups: dict[int, list[Task]] = {}
    for task in tasks:
        groups.setdefault(task.n_tokens, []).append(task)
    oldest = min(tasks, key=lambda task: task.last_step, default=None)
    if oldest is not None and overdue is not None and oldest.last_step <= overdue:
        return groups[oldest.n_tokens]
    return max(groups.values(), key=len, default=[])


POLICIES: dict[str, Policy] = {"all": lambda tasks, overdue: tasks, "same-position": same_position}
"""Each picks of running tasks, in the order of admission, those that decode; see `same_position` for `overdue`."""
