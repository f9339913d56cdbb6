"""The films that there are: subclasses of `FilmScene` in the modules of `scenes`."""

import importlib
import pkgutil
from types import ModuleType
from typing import Any

import scenes
from astrai_sim.command_line import did_you_mean
from scenes.film.scene import FilmScene


class UnknownFilm(LookupError):
    """No film has this name; the message lists those that there are."""


def films() -> dict[str, type[FilmScene]]:
    """Films by name, in alphabetical order."""
    return subclasses(FilmScene, scenes)


def subclasses(base: type, package: ModuleType) -> dict[str, Any]:
    """The subclasses of `base` that the modules of `package` define, by name, in alphabetical order."""
    found = {}
    for info in pkgutil.iter_modules(package.__path__):
        if info.ispkg or info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, base) and value.__module__ == module.__name__:
                found[value.__name__] = value
    return dict(sorted(found.items()))


def film(name: str) -> type[FilmScene]:
    """The film called `name`. Raises `UnknownFilm`."""
    known = films()
    if name not in known:
        near = did_you_mean(name, list(known))
        raise UnknownFilm(f"no film is called {name!r}{near or ': choose one of ' + ', '.join(known)}")
    return known[name]
