"""Why a film cannot be told."""

from astrai_sim.command_line import clear


class DoesNotApply(Exception):
    """The trace holds nothing that the film is about; the message says why in one line."""

    def __init__(self, reason: str) -> None:
        super().__init__(clear(reason))
