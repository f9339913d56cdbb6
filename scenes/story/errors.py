"""Why a film cannot be told."""


class DoesNotApply(Exception):
    """The trace holds nothing that the film is about; the message says why in one line."""
