"""What tasks took before, so that the longest can be given out first."""

import statistics
from pathlib import Path

import msgspec

from astrai_sim.files import whole


class Costs:
    """Seconds of a worker that things took, by kind and name, in the JSON file `path`: {kind: {name: [took, of]}}.

    A kind says what has one price, as `1080p60`; `of` is how many seconds of film there were. What cannot be read is
    not known: it only says in which order to begin.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known = self._read()
        self._new: dict[str, dict[str, tuple[float, float]]] = {}

    def _read(self) -> dict[str, dict[str, tuple[float, float]]]:
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=dict[str, dict[str, tuple[float, float]]])
        except (OSError, msgspec.DecodeError):
            return {}

    def expected(self, kind: str, name: str, seconds: float) -> float:
        """What `seconds` of film will take: as it did before; else as others of the kind; else as long as they last."""
        known = self._known.get(kind, {})
        rates = [took / of for took, of in ([known[name]] if name in known else known.values()) if of > 0]
        return seconds * (statistics.median(rates) if rates else 1.0)

    def add(self, kind: str, name: str, took: float, seconds: float) -> None:
        """Remember what was measured."""
        self._new.setdefault(kind, {})[name] = (round(took, 3), round(seconds, 3))

    def write(self) -> None:
        """Put what is new into the file, beside what others may have written meanwhile."""
        if self._new:
            known = self._read()
            for kind, measured in self._new.items():
                known[kind] = {**known.get(kind, {}), **measured}
            with whole(self.path) as partial:
                partial.write_bytes(msgspec.json.format(msgspec.json.encode(known), indent=1))
