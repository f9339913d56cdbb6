"""Where what is shipped with the packages lies: fonts, scenarios, traces."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_WITHIN = _PACKAGE / "assets"
ASSETS = _WITHIN if _WITHIN.is_dir() else _PACKAGE.parent / "assets"
"""Within the package where it was installed as a wheel, beside it in a checkout."""
CHECKOUT = None if _WITHIN.is_dir() else _PACKAGE.parent
"""Root of the checkout, or None where the package was installed."""
