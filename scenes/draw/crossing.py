"""Texts and pages that would cross others while one picture becomes the next, and what they do instead."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from scenes.draw.atoms import FLYING, Block, Key, Picture, Text

NEAR = 1.0
"""Pixels by which something is off its place from which on it counts as moved."""
OPAQUE = 0.9


@dataclass
class Ways:
    """How texts and pages keep out of each other's way.

    `first` are texts that go before anything moves, `last` those that come when all has arrived, `behind` says of
    those that come which of those that go stand in their place. Of two that move one is `lifted`, with all that is
    on its ground, and passes over the other, or, where it has no ground of its own, is `hidden` on its way. Of two
    grounds that would pass over each other one is hidden with all that is on it, which is `apart` then.
    """

    first: set[Key] = field(default_factory=set)
    last: set[Key] = field(default_factory=set)
    behind: dict[Key, list[Key]] = field(default_factory=dict)
    lifted: set[Key] = field(default_factory=set)
    hidden: set[Key] = field(default_factory=set)
    apart: set[Key] = field(default_factory=set)


def crossing(before: Picture, after: Picture) -> Ways:
    """What texts and grounds that would cross others do. What flies has a ground of its own and may cover them."""
    ways = Ways(apart=_apart(before, after))
    kinds: dict[str, list[tuple[Key, Text, Text]]] = {"moves": [], "stands": [], "goes": [], "comes": []}
    for key, atom in {**before, **after}.items():
        old, new = before.get(key), after.get(key)
        if key[:2] in ways.apart:
            (ways.first if new is None else ways.last if old is None else ways.hidden).add(key)
            continue
        if not isinstance(atom, Text) or atom.z >= FLYING or not (new is None or isinstance(new, Text)):
            continue
        if not isinstance(old, Text):
            kinds["comes"].append((key, atom, atom))
        elif new is None:
            kinds["goes"].append((key, old, old))
        else:
            far = float(np.hypot(*np.subtract(new.at, old.at))) > NEAR
            there = replace(new, text=old.text, face=old.face) if far else old
            kinds["moves" if far else "stands"].append((key, old, there))
    texts = [text for kind in kinds.values() for text in kind]
    keys = [key for key, *_ in texts]
    m, s, g = np.cumsum([len(kinds[kind]) for kind in ("moves", "stands", "goes")])
    if not texts:
        return ways
    hit = _hits(np.array([old.ink for _, old, _ in texts]), np.array([new.ink for *_, new in texts]))
    ways.first |= {keys[s + i] for i in np.flatnonzero(hit[s:g, :m].any(axis=1))}
    ways.last |= {keys[g + i] for i in np.flatnonzero(hit[g:, :s].any(axis=1))}
    for i, j in np.argwhere(hit[g:, s:g]).tolist():
        ways.behind.setdefault(keys[g + i], []).append(keys[s + j])
        if texts[g + i][1].early:
            ways.first.add(keys[s + j])
    met, up = hit[:s, :s].copy(), np.zeros(s, dtype=bool)
    while m and met.any():
        count, together = met.sum(axis=1).tolist(), Counter[Key]()
        for key, hits in zip(keys, count, strict=False):
            together[key[:-1]] += hits
        worst = max(range(m), key=lambda i: (together[keys[i][:-1]], count[i]))
        on_it = _on_ground(before, keys[worst][:-1], texts[:s])
        if on_it[worst] and not hit[:s, :s][on_it][:, on_it | up].any():
            ways.lifted.add(keys[worst][:-1])
            up |= on_it
        else:
            ways.hidden.add(keys[worst])
            on_it = np.arange(s) == worst
        met[on_it] = met[:, on_it] = False
    return ways


def _apart(before: Picture, after: Picture) -> set[Key]:
    """What has a ground that would pass over others of its part on their way, those that go farthest: two first items
    of keys, the part and whose ground it is."""
    grounds = [
        {key: atom.box for key, atom in picture.items() if key[2:] == ("ground",) and isinstance(atom, Block)}
        for picture in (before, after)
    ]
    keys = [key for key in grounds[0] if key in grounds[1]]
    if len(keys) < 2:
        return set()
    boxes = [np.array([(b.x, b.y, b.right, b.bottom) for b in map(ground.__getitem__, keys)]) for ground in grounds]
    part = np.unique([str(key[0]) for key in keys], return_inverse=True)[1]
    met = _hits(*boxes) & ~_hits(boxes[0], boxes[0]) & ~_hits(boxes[1], boxes[1]) & (part[:, None] == part)
    far = np.abs(boxes[1] - boxes[0]).sum(axis=1)
    found: set[Key] = set()
    while met.any():
        farthest = int(np.where(met.any(axis=1), far, -1.0).argmax())
        found.add(keys[farthest][:2])
        met[farthest] = met[:, farthest] = False
    return found


def _on_ground(picture: Picture, ground: Key, texts: Sequence[tuple[Key, Text, Text]]) -> np.ndarray:
    """Which texts lie on an opaque block whose key is `ground` and one item, as the beginning of their keys is."""
    atoms = [atom for key, atom in picture.items() if key[:-1] == ground and isinstance(atom, Block)]
    boxes = [atom.box for atom in atoms if atom.fill is not None and atom.alpha * atom.fill_alpha > OPAQUE]
    return np.array(
        [key[: len(ground)] == ground and any(box.holds(text.ink) for box in boxes) for key, text, _ in texts]
    )


def _hits(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Which boxes [n, 4] overlap at any time [n, n], all at the same share of their straight ways."""
    a, b = (boxes[:, None, :2] - boxes[None, :, 2:] for boxes in (start, end))
    meet = a / np.where(a == b, 1.0, a - b)
    enters = np.where(a < 0, 0.0, np.where(b < 0, meet, np.inf)).max(axis=2)
    leaves = np.where(b < 0, 1.0, np.where(a < 0, meet, -np.inf)).min(axis=2)
    hit = np.maximum(enters, enters.T) < np.minimum(leaves, leaves.T)
    np.fill_diagonal(hit, False)
    return hit
