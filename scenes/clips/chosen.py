"""What somebody chose in a TOML file: read as a typed whole, and each mistake said with its line."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NoReturn, TypeVar

import msgspec

from astrai_sim.files import FileError
from scenes.film import catalog

T = TypeVar("T")


@dataclass(frozen=True)
class Chosen(Generic[T]):
    """The `value` of a file, whose tables `[[table]]` are counted from 0, and where its parts stand."""

    path: Path
    text: str
    table: str
    value: T

    def refuse(self, where: int | str | None, says: str) -> NoReturn:
        """Raise FileError with the line of the table number `where`, or of the key called so."""
        raise FileError(self.path, _line(self.text, self.table, where), says)

    def check_film(self, place: int, film: str, trace: str) -> None:
        """Refuse table number `place` where no film is called so, or no file `trace` lies beside the file."""
        try:
            catalog.film(film)
        except catalog.UnknownFilm as error:
            self.refuse(place, str(error))
        if trace and not (self.path.parent / trace).is_file():
            self.refuse(place, f"no trace {trace} lies beside it")


def read_choice(path: Path, kind: type[Any], table: str, guide: str) -> Chosen[Any]:
    """Read the TOML file `path` as `kind`, in which `[[table]]`s are listed; `guide` is the page that says its form.

    Raises FileError, with the line where one is known, for one that is no such file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(path, None, f"cannot be read: {error}") from None
    try:
        return Chosen(path, text, table, msgspec.toml.decode(text, type=kind))
    except msgspec.ValidationError as error:
        place = re.search(rf"\$\.{table}\[(\d+)\]", str(error))
        key = re.search(r"\$\.(\w+)", str(error)) or re.search(r"field `(\w+)`", str(error))
        where = int(place[1]) if place else key[1] if key else None
        raise FileError(path, _line(text, table, where), f"{error}: see {guide}") from None
    except msgspec.DecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else max(1, len(text.splitlines()))  # else it says: at the end
        raise FileError(path, line, f"{error}: write it as TOML") from None


def _line(text: str, table: str, where: int | str | None) -> int | None:
    lines = text.splitlines()
    if isinstance(where, int):
        heads = [number for number, line in enumerate(lines, start=1) if line.split("#")[0].strip() == f"[[{table}]]"]
        return heads[where] if where < len(heads) else None
    begins = re.compile(rf"\s*\[*{re.escape(where or '')}\]*\s*(=|$)")
    return next((number for number, line in enumerate(lines, start=1) if where and begins.match(line)), None)
