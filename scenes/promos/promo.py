"""What a promo is: a TOML file that names moments, a length, a title, an end, colours and sound."""

import re
from pathlib import Path

import msgspec

from astrai_sim.files import FileError
from scenes.draw.layout import FRAMES
from scenes.film import catalog
from scenes.theme import THEMES

SHORTEST_S, LONGEST_S = 4.0, 180.0


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A `[[moment]]`: what of a `film` to `show`, by a name of `scenes.promos.moments` or a section's key or title.

    `trace` is a file beside the promo; default: the film's own. `weight` is its share of the time, of 1 each.
    """

    film: str
    show: str
    trace: str = ""
    weight: float = 1.0


class End(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The end card: a line of text, and an address that is written and drawn as a QR code."""

    text: str = ""
    url: str = ""


class Promo(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`length` is in seconds. Without a `title` there is no title card, without `end` no end card; with `loop` the last
    picture turns into the first. `logo` and `audio` are files beside the promo; `accent` is a colour as #RRGGBB."""

    length: float
    moment: tuple[Shown, ...]
    title: str = ""
    subtitle: str = ""
    logo: str = ""
    accent: str = ""
    theme: str = "dark"
    frame: str = "16:9"
    audio: str = ""
    loop: bool = False
    end: End | None = None


def read_promo(path: Path) -> Promo:
    """The promo in a TOML file. Raises FileError, with the line where one is known, for one that is not right."""
    text = path.read_text(encoding="utf-8")
    try:
        promo = msgspec.toml.decode(text, type=Promo)
    except msgspec.ValidationError as error:
        place = re.search(r"moment\[(\d+)\]", str(error))
        line = _moments(text)[int(place[1])] if place else _key(text, str(error))
        raise FileError(path, line, f"{error}: see docs/promo.md") from None
    except msgspec.DecodeError as error:
        raise FileError(path, None, f"{error}: write it as TOML") from None
    for wrong, key, says in (
        (not SHORTEST_S <= promo.length <= LONGEST_S, "length", f"from {SHORTEST_S:g} to {LONGEST_S:g} seconds"),
        (promo.theme not in THEMES, "theme", f"choose from {', '.join(THEMES)}"),
        (promo.frame not in FRAMES, "frame", f"choose from {', '.join(FRAMES)}"),
        (promo.accent and not re.fullmatch(r"#[0-9A-Fa-f]{6}", promo.accent), "accent", "write a colour as #37A5FB"),
        (promo.loop and (promo.title or promo.end), "loop", "a loop has no title and no end card"),
        (not promo.moment, "moment", "give at least one [[moment]]"),
    ):
        if wrong:
            raise FileError(path, _line(text, key), f"{key}: {says}")
    for key in ("logo", "audio"):
        name = getattr(promo, key)
        if name and not (path.parent / name).is_file():
            raise FileError(path, _line(text, key), f"{key}: no file {name} lies beside it")
    if promo.logo and Path(promo.logo).suffix.lower() not in (".png", ".svg"):
        raise FileError(path, _line(text, "logo"), "logo: give an SVG or a PNG")
    for shown, line in zip(promo.moment, _moments(text), strict=False):
        try:
            catalog.film(shown.film)
        except catalog.UnknownFilm as error:
            raise FileError(path, line, str(error)) from None
        if shown.trace and not (path.parent / shown.trace).is_file():
            raise FileError(path, line, f"no trace {shown.trace} lies beside it")
        if not 0 < shown.weight <= 100:
            raise FileError(path, line, "weight: more than 0, at most 100")
    return promo


def line_of(path: Path, what: int | str) -> int | None:
    """The line of the moment number `what`, from 0, or of the key called so."""
    text = path.read_text(encoding="utf-8")
    if isinstance(what, str):
        return _line(text, what)
    found = _moments(text)
    return found[what] if what < len(found) else None


def _moments(text: str) -> list[int]:
    return [number for number, line in enumerate(text.splitlines(), start=1) if line.strip() == "[[moment]]"]


def _line(text: str, key: str) -> int | None:
    begins = re.compile(rf"\s*\[*{key}\]*\s*(=|$)")
    return next((number for number, line in enumerate(text.splitlines(), start=1) if begins.match(line)), None)


def _key(text: str, error: str) -> int | None:
    """The line of the key that a message of msgspec is about: `$.length`, or an unknown field in backquotes."""
    found = re.search(r"\$\.(\w+)", error) or re.search(r"field `(\w+)`", error)
    return _line(text, found[1]) if found else None
