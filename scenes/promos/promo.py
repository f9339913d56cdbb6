"""What a promo is: a TOML file that names moments, a length, a title, an end, colours and sound."""

import re
from pathlib import Path

import msgspec

from scenes.clips.chosen import Chosen, read_choice
from scenes.draw.layout import FRAMES
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


def read_promo(path: Path) -> Chosen[Promo]:
    """The promo in a TOML file. Raises FileError, with the line where one is known, for one that is not right."""
    chosen: Chosen[Promo] = read_choice(path, Promo, "moment", "docs/promo.md")
    promo = chosen.value
    for wrong, key, says in (
        (not SHORTEST_S <= promo.length <= LONGEST_S, "length", f"from {SHORTEST_S:g} to {LONGEST_S:g} seconds"),
        (promo.theme not in THEMES, "theme", f"choose from {', '.join(THEMES)}"),
        (promo.frame not in FRAMES, "frame", f"choose from {', '.join(FRAMES)}"),
        (promo.accent and not re.fullmatch(r"#[0-9A-Fa-f]{6}", promo.accent), "accent", "write a colour as #37A5FB"),
        (promo.loop and (promo.title or promo.end), "loop", "a loop has no title and no end card"),
        (not promo.moment, "moment", "give at least one [[moment]]"),
    ):
        if wrong:
            chosen.refuse(key, f"{key}: {says}")
    for key in ("logo", "audio"):
        name = getattr(promo, key)
        if name and not (path.parent / name).is_file():
            chosen.refuse(key, f"{key}: no file {name} lies beside it")
    if promo.logo and Path(promo.logo).suffix.lower() not in (".png", ".svg"):
        chosen.refuse("logo", "logo: give an SVG or a PNG")
    for place, shown in enumerate(promo.moment):
        chosen.check_film(place, shown.film, shown.trace)
        if not 0 < shown.weight <= 100:
            chosen.refuse(place, "weight: more than 0, at most 100")
    return chosen
