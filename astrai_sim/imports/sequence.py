"""The numbers of a publisher's messages: which come next, are missing, come again, or begin anew."""

from typing import Literal, NamedTuple

from astrai_sim.imports.messages import Message

REMEMBERED = 100_000
"""Messages that are known by their number, to tell one that comes again from one of a publisher that began anew."""


class Place(NamedTuple):
    """What a message is: the `next`, one that comes `again` or too `late`, or the first of a publisher that began
    anew, and so the first to be counted (`restart`). `missing` messages did not come right before it, from `first` on.
    """

    what: Literal["next", "again", "late", "restart"]
    first: int = 0
    missing: int = 0


class Sequence:
    """Numbers of one publisher's messages, from 0; a message without one is always the next."""

    def __init__(self) -> None:
        self.due = 0
        self._last_ts = 0.0
        self._known: dict[int, Message] = {}

    def place(self, message: Message) -> Place:
        """What `message` is, if it comes now."""
        number = message.number
        if number is None or number >= self.due:
            return Place("next", self.due, 0 if number is None else number - self.due)
        if self._known.get(number) == message:
            return Place("again")
        if number in self._known or message.batch.ts >= self._last_ts:
            return Place("restart", 0, number)
        return Place("late")

    def take(self, message: Message) -> Place:
        """The same, and `message` has come."""
        place, number = self.place(message), message.number
        if number is None or place.what in ("again", "late"):
            return place
        if place.what == "restart":
            self._known.clear()
        self._known[number] = message
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        self.due, self._last_ts = number + 1, message.batch.ts
        return place
