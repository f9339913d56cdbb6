"""The engine's side of a call that is watched: how it went is remembered, whatever becomes of the one who watches."""

from collections.abc import Callable
from typing import Any


class RecordingFailed(Exception):
    """The recording of a live engine has stopped by an error of its own: which method of the adapter, and the error.

    The engine has gone on without it, and nothing is kept of the recording.
    """


class Call:
    """A method of the engine as a handler is given it: it is called at most once, and `went` says what came of it."""

    def __init__(self, method: Callable) -> None:
        self.__wrapped__ = method
        self.raised: BaseException | None = None
        self._made, self._result = False, None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._made = True
        try:
            self._result = self.__wrapped__(*args, **kwargs)
        except BaseException as error:
            self.raised = error
            raise
        return self._result

    def went(self, *args: Any, **kwargs: Any) -> Any:
        """What the call returned or raised; the call is made with these arguments where nobody has made it."""
        if not self._made:
            return self.__wrapped__(*args, **kwargs)
        if self.raised is not None:
            raise self.raised
        return self._result
