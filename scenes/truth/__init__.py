"""Every number on screen a second time, from the trace alone.

A module of this package vouches for measures of one subject (`@vouches`), and for what films
show without a number (`@shows`): it is found by being here. Nothing of it is shared with those
who draw or tell films: it imports the trace and the theme.
"""

from importlib import import_module
from pkgutil import iter_modules

from scenes.truth.vouching import FADING, SHOWN, VOUCHERS, true_text
from scenes.truth.witness import Witness

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["FADING", "SHOWN", "VOUCHERS", "Witness", "true_text"]
