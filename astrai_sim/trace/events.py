"""What happens in a run: one struct for each kind of event, the same for every recording.

Two dialects of the file (`trace.wire`) say it: full detail, page by page with norms, gathers and executed lines, and
bulk detail, in runs of pages and digests of what would take too much room. What only one of them tells is None where
the other was recorded. Digests are those of `trace.digests`; an engine other than this one may leave them out, and what
it does not have: masks, norms, keys.
"""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import Struct

from astrai_sim.trace.numbers import Int, Length

SCHEMA = "astrai-trace"
VERSION = 1
WHOLE_MASK = WHOLE_LRU = 1024


def kind_of(name: str) -> str:
    """The kind that a struct stands for: PagesAlloc -> pages_alloc."""
    return re.sub(r"\B([A-Z])", r"_\1", name).lower()


def first(name: str) -> Any:
    """A property: the first of the list `name`, in full detail the only one; None where it was not recorded."""
    return property(lambda event: None if getattr(event, name) is None else getattr(event, name)[0])


class Event(Struct, kw_only=True, gc=False, tag_field="event", tag=kind_of):
    """What every event has.

    `seq` counts from 0; `step` is -1 before the first; `phase` is one of the header's `phases`, None or left out
    outside them; `ns` are nanoseconds since the start that never run back, the engine's own time (reading back and
    writing by the recorder is not in it) or the cost model's. `line` is the line of the file, from 1.
    """

    seq: Int
    step: Length
    phase: str | None = None
    ns: Int
    line: int = 0

    event: ClassVar[str]
    """Name of the kind."""
    made: ClassVar[Sequence[tuple[str, Callable[[Any, Any], Any]]]] = ()
    """Fields of a line that become something else, and what they become; see `trace.wire`."""

    if TYPE_CHECKING:  # who knows an event's kind asks for its fields

        def __getattr__(self, name: str) -> Any: ...

    def concerns(self, task: str) -> bool:
        """Whether it is an event of that task."""
        return getattr(self, "task", None) == task


class TaskSubmitted(Event):
    """A request comes: `prompt_len` tokens, their ids in `prompt` where a model runs or the detail is full, and where
    the model knows text the text of each in `texts`. It is there from before step `arrival_step` on (left out: the next
    one), due at `arrival_s` seconds of the clock where the scenario has it by time."""

    task: str
    prompt: list[Length] | None
    prompt_len: Length
    max_tokens: Length
    arrival_step: Length
    arrival_s: float | None = None
    texts: list[str] | None = None


class Tabled(Event, kw_only=True):
    """A task has `tokens` of prompt and answer so far and `n_pages` pages: those of its table, in `pages` (full detail)
    or as `numbers_digest` in `table` (bulk)."""

    task: str
    tokens: Length
    n_pages: Length
    pages: list[Int] | None = None
    table: str | None = None


class TaskAdmitted(Tabled, kw_only=True):
    """A request gets its pages and may run, the first `cached_tokens` of its tokens found in the cache."""

    cached_tokens: Length = 0


class TaskPrefilled(Event):
    """A pass computed K and V of tokens `start` to before `end`, the last ones of a prompt (or of what was lost)."""

    task: str
    start: Length
    end: Length


class Chunk(TaskPrefilled):
    """A pass computed tokens `start` to before `end` of `total`: more are to come."""

    total: Length


class Tokens(Event):
    """Each of `tasks` got one token, computed by `source`: "prefill" where it ends a prompt, else "decode".

    `ids` where a model gave them, `texts` where it knows text: in order they concatenate to the text, a character whose
    bytes come in several tokens standing at the last. In full detail there is one task, `index` counts its generated
    tokens from 0 and `position` all. In bulk `counts` is the `numbers_digest` of the tasks' tokens afterwards.
    """

    tasks: list[str]
    source: str
    ids: list[Length] | None = None
    texts: list[str] | None = None
    counts: str | None = None
    index: Length | None = None
    position: Length | None = None

    task = first("tasks")
    id = first("ids")
    text = first("texts")

    def concerns(self, task: str) -> bool:
        """Whether that task got a token."""
        return task in self.tasks


class TaskPreempted(Tabled):
    """A running request must wait again, and loses its pages."""


class TaskFinished(Event):
    """A request is served (`reason` length or eos) or aborted, with `tokens` of prompt and answer, `generated` of the
    answer. The next cleanup takes its pages."""

    task: str
    reason: str
    tokens: Length
    generated: Length


class SettingChanged(Event, tag="setting"):
    """A setting of the scheduler has a new value, before the first step that has it."""

    name: str
    value: Int | str | bool | None


class StepBegin(Event):
    """A step begins. In full detail the tasks that wait and that run, in their order."""

    waiting: list[str] | None = None
    running: list[str] | None = None


class StepEnd(Event):
    """A step took `duration_ns` (left out: from its begin to its end) and left that many requests `waiting` and
    `running`."""

    duration_ns: Int
    waiting: Int
    running: Int


class PhaseBegin(Event):
    """A phase begins. In bulk, phases in which nothing happens are left out."""


class PhaseEnd(Event):
    """A phase took `duration_ns` (left out: from its begin to its end) and did something for `n_tasks` tasks:
    `tasks`, in full detail."""

    duration_ns: Int
    n_tasks: Int
    tasks: list[str] | None = None


class Paged(Event, kw_only=True):
    """An event about `pages`, in the order in which they were taken or let go.

    `logical` is the entry that the first of them has in the table of `task`; both are None for pages that go to no
    table. Entries go up where pages come, and down from the table's end where they are let go.
    """

    step_of_entries: ClassVar[int] = 1

    pages: list[Int]
    task: str | None = None
    logical: Int | None = None

    page = first("pages")

    @property
    def entries(self) -> list[int] | None:
        """Entry of each page in the task's table."""
        if self.logical is None:
            return None
        up = self.step_of_entries
        return list(range(self.logical, self.logical + up * len(self.pages), up))


class Counted(Paged, kw_only=True):
    """`refs` is the refcount of each page afterwards.

    In full detail events are of one page. `mask` is then the whole free mask (bit i is 1 where page i is free) for
    pools of up to `WHOLE_MASK` pages; for larger ones `word` has index and value of the 64-bit word with the page.
    `lru`, cached pages from the least recently used on, is there where the event changes it, but left out beyond
    `WHOLE_LRU` entries. In bulk `free` is how many pages are free afterwards, `words` the `words_digest` of the
    mask's words that hold the pages' bits, ascending.
    """

    refs: list[Int]
    mask: int | None = None
    word: tuple[int, int] | None = None
    lru: list[Int] | None = None
    free: Int | None = None
    words: str | None = None

    ref = first("refs")


class PagesAlloc(Counted):
    """Free pages, or pages that were evicted right before, go to a task's table. In full detail the task's `table`
    follows each page that comes."""


class PagesRef(Counted):
    """Pages that others hold are shared."""


class PagesRevived(Counted):
    """Cached pages, hit by a lookup, are in use again."""


class PagesFree(Counted):
    """Pages are let go, and free where nobody else holds them. In full detail frees, from the last entry to the
    first, come before the `table` event that empties their task's table."""

    step_of_entries: ClassVar[int] = -1


class PagesCached(Counted):
    """Pages are let go by their last holder, but stay for their content."""

    step_of_entries: ClassVar[int] = -1


class PagesEvicted(Paged):
    """Cached pages lose their content, right before `PagesAlloc` of the same pages.

    `keys` of the pages and `lru` afterwards in full detail; in bulk `task` and `logical`, and `cached`, the length of
    the LRU afterwards.
    """

    keys: list[str] | None = None
    lru: list[Int] | None = None
    cached: Int | None = None

    key = first("keys")


class PagesKeyed(Paged):
    """Full pages of a task can be found from now on: `key` is that of the last of them, `parent` that of the page
    before the first ("" where there is none)."""

    key: str | None = None
    parent: str | None = None


class PrefixHit(Event):
    """A lookup found `pages` with the first `tokens` tokens of a task."""

    task: str
    pages: list[Int]
    tokens: Length


class PrefixMiss(Event):
    """A lookup found no page for the task's full page `logical`."""

    task: str
    logical: Int


class PrefixReset(Event):
    """The prefix cache is emptied; `mask` is the free mask afterwards."""

    mask: int | None = None


class Table(Event):
    """The page table of a task after a page came or all went (full detail)."""

    task: str
    pages: list[Int]


class Span(Struct, gc=False):
    """Tokens `start` to before `start` + `count` of a task, written to `slots` ([page, first slot, end] for each
    page), with the L2 norm of each token's K, read back from the cache tensor, to 4 significant digits."""

    task: str
    start: Length
    count: Length
    slots: list[tuple[Int, Int, Int]]
    norms: list[float] | None = None


class KvWrite(Event):
    """K and V of new tokens were written (full detail, with a model)."""

    layer: Int
    spans: list[Span]


class Row(Struct, gc=False):
    """Where a task's first `length` tokens were read: its `pages`, and [first slot, count] of each in `slots`,
    counted over the whole pool."""

    task: str
    length: Length
    pages: list[Int]
    slots: list[tuple[Int, Int]]


class Gather(Event):
    """K and V of all tokens of some tasks were read (full detail, with a model)."""

    layer: Int
    rows: list[Row]


class KvLengths(Event):
    """A forward pass computed `counts` tokens, one number for each of `tasks`; `lengths` is the `numbers_digest` of
    their tokens in the cache afterwards. Stands for write and gather in bulk and without a model."""

    tasks: list[str]
    counts: list[Int]
    lengths: str | None = None


class Line(Struct):
    """A line of a function, from 1, and the locals and attributes that executing it changed."""

    line: int
    values: dict[str, Any]


class Lines(Event, gc=True):
    """One call of a function that films show, line by line, ahead of its effects (full detail). `task` is the one
    that it was called for, where it is known. The first of all, before any step, is the `PagedCache.__init__` that
    made the pool; `CacheView.__init__` is what attention sees in a pass, its tables side by side."""

    function: str
    task: str | None
    args: dict[str, Any]
    steps: list[Line]
    result: Any


class Digests(Struct, gc=False):
    """What a bulk snapshot has for all: `pages_digest` of refcounts and of the LRU, `tables_digest` of page tables
    and `lengths_digest` of the tokens in the cache."""

    refs: str
    tables: str
    lengths: str
    lru: str


class Snapshot(Event):
    """Read from the live objects: the free mask and, in full detail, refcounts, page tables, tokens in the cache of
    each task that has a table, and the LRU of up to `WHOLE_LRU` entries. `reached`, of an engine whose prefixes are a
    tree that can be walked, are the pages to which its root leads. In bulk the LRU's length in `cached`, and `digests`
    of the rest."""

    mask: int
    refs: list[Int] | None = None
    tables: dict[str, list[Int]] | None = None
    lengths: dict[str, Int] | None = None
    lru: list[Int] | None = None
    reached: list[Int] | None = None
    cached: Int | None = None
    digests: Digests | None = None


EVENTS: tuple[type[Event], ...] = (
    *(TaskSubmitted, TaskAdmitted, TaskPrefilled, Chunk, Tokens, TaskPreempted, TaskFinished, SettingChanged),
    *(StepBegin, StepEnd, PhaseBegin, PhaseEnd),
    *(PagesAlloc, PagesRef, PagesRevived, PagesFree, PagesCached, PagesEvicted, PagesKeyed),
    *(PrefixHit, PrefixMiss, PrefixReset, Table),
    *(KvWrite, Gather, KvLengths, Lines, Snapshot),
)
for kind in EVENTS:
    kind.event = str(kind.__struct_config__.tag)
