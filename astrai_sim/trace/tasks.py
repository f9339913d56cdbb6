"""The replayed requests: counts in arrays, so that ten thousand of them copy fast."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

STATUSES = ("waiting", "prefilling", "running", "preempted", "finished")
_STATUS, _PROMPT, _MAX, _TOKENS, _STORED, _LOG = range(6)


class TokenLog:
    """The ids (and texts, where recorded) of one request, in order.

    Shared by all states of a trace: it only grows, and each state knows by its own count how much of it has happened.
    `ids` and `texts` are None where the trace does not record them.
    """

    __slots__ = ("ids", "texts")

    def __init__(self, ids: Sequence[int] | None, texts: Sequence[str] | None) -> None:
        self.ids = None if ids is None else list(ids)
        self.texts = None if texts is None else list(texts)

    def put(self, position: int, token: int | None, text: str | None) -> None:
        """Note the token at `position`; one that is known already stays."""
        if self.ids is not None and token is not None and position == len(self.ids):
            self.ids.append(token)
        if self.texts is not None and text is not None and position == len(self.texts):
            self.texts.append(text)


@dataclass(frozen=True, slots=True)
class TaskState:
    """One request at some moment: its prompt and answer, and how much is in the cache.

    `n_tokens` counts prompt and generated tokens, `kv_len` those whose K and V are in the cache.
    """

    name: str
    status: str
    prompt_len: int
    max_tokens: int
    n_tokens: int
    kv_len: int
    _log: TokenLog = field(repr=False, compare=False)

    @property
    def generated(self) -> int:
        """Generated tokens."""
        return self.n_tokens - self.prompt_len

    @property
    def tokens(self) -> tuple[int, ...] | None:
        """Ids of prompt and answer; None where the trace records counts only."""
        return None if self._log.ids is None else tuple(self._log.ids[: self.n_tokens])

    @property
    def texts(self) -> tuple[str, ...] | None:
        """Text of each token of prompt and answer; None where the trace has none."""
        return None if self._log.texts is None else tuple(self._log.texts[: self.n_tokens])


class Tasks(Mapping[str, TaskState]):
    """The requests submitted so far by name, in order of submission."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {}
        self._data = np.zeros((6, 16), dtype=np.int32)
        self._logs: dict[int, TokenLog] = {}

    def copy(self) -> Tasks:
        """An independent copy; the token logs stay shared."""
        twin = Tasks.__new__(Tasks)
        twin._index = self._index.copy()
        twin._data = self._data.copy()
        twin._logs = self._logs
        return twin

    def __len__(self) -> int:
        return len(self._index)

    def __iter__(self) -> Iterator[str]:
        return iter(self._index)

    def __contains__(self, name: object) -> bool:
        return name in self._index

    def __getitem__(self, name: str) -> TaskState:
        row = self._data[:, self._index[name]].tolist()
        status = STATUSES[row[_STATUS]]
        kv_len = 0 if status == "preempted" else row[_STORED]
        return TaskState(name, status, row[_PROMPT], row[_MAX], row[_TOKENS], kv_len, self._logs[row[_LOG]])

    def index(self, name: str) -> int:
        """Place of a request in order of submission. Raises KeyError for an unknown one."""
        return self._index[name]

    def stored(self, name: str) -> int:
        """Leading tokens of a request whose K and V its pages hold; outlasts a preemption
        until the pages are let go."""
        return int(self._data[_STORED, self._index[name]])

    def stored_of(self, names: Sequence[str]) -> np.ndarray:
        """`stored` of each name, int32."""
        return self._data[_STORED, [self._index[name] for name in names]]

    def submit(self, name: str, seq: int, prompt_len: int, max_tokens: int, log: TokenLog) -> None:
        """Add a request; one that was submitted before starts anew in its place."""
        at = self._index.setdefault(name, len(self._index))
        if at >= self._data.shape[1]:
            self._data = np.concatenate([self._data, np.zeros_like(self._data)], axis=1)
        self._data[:, at] = (0, prompt_len, max_tokens, prompt_len, 0, seq)
        self._logs.setdefault(seq, log)

    def set_status(self, name: str, status: str) -> None:
        """Change where a request is in its life."""
        self._data[_STATUS, self._index[name]] = STATUSES.index(status)

    def store(self, name: str, kv_len: int) -> None:
        """Set how many leading tokens are in the cache."""
        self._data[_STORED, self._index[name]] = kv_len

    def let_go(self, name: str) -> None:
        """Note that the pages of a request are gone: a preempted one has nothing stored."""
        at = self._index[name]
        if self._data[_STATUS, at] == STATUSES.index("preempted"):
            self._data[_STORED, at] = 0

    def store_more(self, names: Sequence[str], counts: int | Sequence[int]) -> None:
        """Add to how many tokens of each request are in the cache."""
        self._data[_STORED, [self._index[name] for name in names]] += np.asarray(counts, np.int32)

    def append(
        self, names: Sequence[str], ids: Sequence[int] | None = None, texts: Sequence[str | None] | None = None
    ) -> None:
        """One more generated token for each request, which is then running."""
        at = [self._index[name] for name in names]
        for i in range(len(at)) if ids is not None or texts is not None else ():
            log = self._logs[int(self._data[_LOG, at[i]])]
            log.put(int(self._data[_TOKENS, at[i]]), ids[i] if ids else None, texts[i] if texts else None)
        self._data[_TOKENS, at] += 1
        self._data[_STATUS, at] = STATUSES.index("running")
