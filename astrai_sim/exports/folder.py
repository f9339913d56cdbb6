"""Several files of one folder that appear together, when all are whole."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from astrai_sim.files import whole


@contextmanager
def files(folder: Path, names: Sequence[str]) -> Iterator[list[Path]]:
    """Names to write to, in the order of `names`; they become `names` in `folder` when all went well, and are gone
    when not, with the folder where it was not there before. What else is in there stays. Raises OSError as `whole`."""
    new = not folder.exists()
    try:
        with ExitStack() as stack:
            yield [stack.enter_context(whole(folder / name)) for name in names]
    except BaseException:
        if new:
            with suppress(OSError):
                folder.rmdir()
        raise
