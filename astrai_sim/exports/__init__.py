"""A run in forms that other tools read: Perfetto, Parquet, CSV."""

from astrai_sim.exports.forms import FORMS, export

__all__ = ["FORMS", "export"]
