"""A request as the replayed state has it."""

from msgspec import Struct


class TokenLog(Struct, eq=False):
    """The ids (and texts, where recorded) of one request, in order; None where they are not.

    Shared by all states of a trace: it only grows, and each state knows by its own count how much of it has happened.
    """

    ids: list[int] | None
    texts: list[str] | None

    def put(self, position: int, token: int | None, text: str | None) -> None:
        """Note the token at `position`; one that is known already stays."""
        if self.ids is not None and token is not None and position == len(self.ids):
            self.ids.append(token)
        if self.texts is not None and text is not None and position == len(self.texts):
            self.texts.append(text)


class TaskState(Struct, frozen=True, gc=False):
    """One request at some moment: its prompt and answer, and how much is in the cache.

    `index` is its place in the order of submission, `status` "waiting", "prefilling", "running", "preempted" or
    "finished". `n_tokens` counts prompt and generated tokens, `stored` the leading ones whose K and V its pages hold:
    that outlasts a preemption until the pages are let go.
    """

    name: str
    index: int
    status: str
    prompt_len: int
    max_tokens: int
    n_tokens: int
    stored: int
    log: TokenLog

    @property
    def kv_len(self) -> int:
        """Tokens whose K and V it can use: none after a preemption."""
        return 0 if self.status == "preempted" else self.stored

    @property
    def generated(self) -> int:
        """Generated tokens."""
        return self.n_tokens - self.prompt_len

    @property
    def tokens(self) -> tuple[int, ...] | None:
        """Ids of prompt and answer; None where the trace records counts only."""
        return None if self.log.ids is None else tuple(self.log.ids[: self.n_tokens])

    @property
    def texts(self) -> tuple[str, ...] | None:
        """Text of each token of prompt and answer; None where the trace has none."""
        return None if self.log.texts is None else tuple(self.log.texts[: self.n_tokens])
