"""Traces that say nothing of what was said: tokens, texts and names replaced, equal ones by equal ones."""

import hashlib
import json
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import structs

from astrai_sim.trace.digests import lengths_digest, tables_digest
from astrai_sim.trace.header import Header, RequestPart, Source, StopPart
from astrai_sim.trace.reader import Trace, TraceError
from astrai_sim.trace.state import State
from astrai_sim.trace.verify.policy import OWN_ENGINE, RULES, claimed
from astrai_sim.trace.wire import DIALECTS, LineReader
from astrai_sim.trace.writer import TraceWriter

HIDDEN = "private"
"""What stands for names of scenarios and files."""
REASONS = ("length", "eos", "aborted", "stop")
ASKED = "scenario-kept"
"""The rule that requests are those of the scenario, whose prompts are not told."""
TOKENS, NAMES = ("tokens", "chunk"), ("task", "self.running")
"""Arguments and locals of this engine's functions that hold token ids, and names of requests."""
LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORD = 5
T = TypeVar("T", int, str)


def private(trace: Trace, path: Path) -> str:
    """Write `trace` to `path` as `PrivateWriter` has it; returns the SHA-256.

    Raises TraceError for an incomplete recording and for what cannot be read, OSError where nothing can be written.
    """
    if trace.footer is None:
        raise TraceError(trace.path, None, "incomplete: record it again")
    header, *lines = bytes(trace.content).splitlines()[: len(trace) + 1]
    writer = PrivateWriter(path, msgspec.json.decode(header))
    try:
        for number, line in enumerate(lines):
            assert trace[number].seq >= 0  # raises where the line cannot be read
            writer.event(msgspec.json.decode(line))
    except BaseException:
        writer.discard()
        raise
    return writer.finish(trace.footer.stopped)


def letter(index: int) -> str:
    """A, B, …, Z, AA, AB, …"""
    rest, last = divmod(index, len(LETTERS))
    return (letter(rest - 1) if rest else "") + LETTERS[last].upper()


class Standins(Generic[T]):
    """What stands for each of many things: `made` from its hash under a `secret`, never the same for two."""

    def __init__(self, secret: bytes, made: Callable[[int], T], known: dict[T, T] | None = None) -> None:
        self._secret, self._made, self._known = secret, made, known or {}
        self._taken = set(self._known.values())

    def of(self, old: T) -> T:
        """What stands for `old`."""
        tries = 0
        while old not in self._known:
            text = f"{type(old).__name__} {tries} {old}".encode("utf-8", "surrogatepass")
            digest = hashlib.blake2b(text, key=self._secret, digest_size=8).digest()
            new, tries = self._made(int.from_bytes(digest, "big")), tries + 1
            if new not in self._taken:
                self._known[old] = new
                self._taken.add(new)
        return self._known[old]

    def put(self, old: T, new: T) -> T:
        """Have `new` stand for `old`."""
        self._known[old] = new
        return new


def word(number: int) -> str:
    """Five letters after a space."""
    return " " + "".join(LETTERS[number // len(LETTERS) ** place % len(LETTERS)] for place in range(WORD))


class PrivateWriter(TraceWriter):
    """A writer that hides what the run was about, line by line.

    Token ids and texts become keyed BLAKE2b hashes; the key is drawn at random and written nowhere. Names of requests
    become letters in order of submission, keys of pages those of the new ids. The scenario's name, seed, title,
    question, takeaway and prompts, paths, fields that the format does not know, and norms of K, by which who has the
    model could tell tokens, are left out; so is the source code, with its executed lines, of any engine but this one.
    Times, lengths and pages stay as they are, and how often a token comes.

    Raises OSError, and msgspec.ValidationError for what is no header.
    """

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        secret, known = secrets.token_bytes(32), msgspec.json.decode(json.dumps(header), type=Header)
        self._ids = Standins[int](secret, lambda number: number % (1 << 32))
        self._texts = Standins[str](secret, word, {"": ""})
        self._keys = Standins[str](secret, lambda number: f"{number:016x}", {"": ""})
        self._names: dict[str, str] = {}
        self._known_ids: dict[str, list[int]] = {}
        self._chains: dict[str, list[str]] = {}
        self._own = known.engine.name == OWN_ENGINE
        self._chained = "chained-keys" in claimed(known)[0]
        self._size, self._reader = known.scenario.cache.page_size, LineReader(known.detail, known.phases)
        lines = {str(line.__struct_config__.tag): line for line in DIALECTS[known.detail]}
        self._fields = {tag: {field.encode_name for field in structs.fields(line)} for tag, line in lines.items()}
        self._state = State(known.scenario.cache.n_pages, self._size) if known.detail == "bulk" else None
        super().__init__(path, msgspec.to_builtins(self._header(known)))

    def event(self, data: dict[str, Any]) -> None:
        """Append one event, without what it says."""
        kind = data["event"]
        if kind == "lines" and not self._own:
            return
        if self._state is not None:
            line = msgspec.json.encode({**data, "seq": self.events})
            self._state.apply(self._reader.event(line, self.events + 2))
        kept = {name: it for name, it in data.items() if name == "event" or name in self._fields[kind] - {"seq"}}
        hide: Callable[[dict[str, Any]], dict[str, Any]] = getattr(self, f"_on_{kind}", lambda kept: {})
        super().event({**kept, **self._usual(kept), **hide(kept)})

    def _header(self, header: Header) -> Header:
        scenario, rules = header.scenario, header.policy
        if rules is None and self._own:
            rules = list(RULES)
        came = sorted(scenario.requests, key=lambda request: (request.arrival_s or 0.0, request.arrival_step))
        self._names_of(request.name for request in came)
        scheduler, stop, load = scenario.scheduler, scenario.stop, scenario.workload
        eos = scheduler.eos
        if eos is not None:
            eos = self._ids.of(eos) if isinstance(eos, int) else tuple(map(self._ids.of, eos))
        scenario = structs.replace(
            scenario,
            name=HIDDEN,
            title="",
            question="",
            takeaway="",
            film="",
            seed=0,
            model=structs.replace(scenario.model, vocab_size=None),
            scheduler=structs.replace(scheduler, eos=eos),
            stop=StopPart(stop.max_steps, self._name(stop.task), stop.tokens),
            requests=[
                RequestPart(
                    self._names[one.name], one.max_tokens, arrival_step=one.arrival_step, arrival_s=one.arrival_s
                )
                for one in scenario.requests
            ],
            prefixes=[],
            workload=load and structs.replace(load, path=HIDDEN),
        )
        return structs.replace(
            header,
            scenario=scenario,
            scenario_name=HIDDEN,
            seed=0,
            sources={name: Source("", it.line, it.text) for name, it in header.sources.items() if self._own},
            weights=header.weights and structs.replace(header.weights, file=HIDDEN),
            workload=header.workload and structs.replace(header.workload, file=HIDDEN, sha256=""),
            policy=None if rules is None else [rule for rule in rules if rule != ASKED],
            private=True,
        )

    def _asked(self, one: RequestPart) -> RequestPart:
        """A request without its prompt."""
        name = self._names[one.name]
        return RequestPart(name, one.max_tokens, arrival_step=one.arrival_step, arrival_s=one.arrival_s)

    # what stands for what

    def _name(self, name: str | None) -> str | None:
        return None if name is None else self._names.setdefault(name, letter(len(self._names)))

    def _names_of(self, names: Iterable[str]) -> list[str | None]:
        return [self._name(name) for name in names]

    def _usual(self, data: dict[str, Any]) -> dict[str, Any]:
        """Names, wherever they stand."""
        new: dict[str, Any] = {"task": self._name(data["task"])} if "task" in data else {}
        for field in ("tasks", "waiting", "running"):
            if isinstance(data.get(field), list):
                new[field] = self._names_of(data[field])
        for field in ("spans", "rows"):
            if field in data:
                new[field] = [self._place(it) for it in data[field]]
        return new

    def _place(self, it: dict[str, Any]) -> dict[str, Any]:
        """A span or a row."""
        return {name: self._name(value) if name == "task" else value for name, value in it.items() if name != "norms"}

    def _text(self, text: str | None) -> str | None:
        return None if text is None else self._texts.of(text)

    def _came(self, task: str, ids: list[int]) -> list[int]:
        """New ids of tokens that come to a task."""
        new = [self._ids.of(token) for token in ids]
        if task in self._known_ids:
            self._known_ids[task] += new
        return new

    # kinds of lines

    def _on_task_submitted(self, data: dict[str, Any]) -> dict[str, Any]:
        task, prompt, texts = data["task"], data.get("prompt"), data.get("texts")
        self._known_ids.pop(task, None)
        self._chains[task] = []
        if prompt is not None:
            self._known_ids[task] = []
        new = {} if prompt is None else {"prompt": self._came(task, prompt)}
        return new if texts is None else {**new, "texts": [self._text(text) for text in texts]}

    def _on_token(self, data: dict[str, Any]) -> dict[str, Any]:
        new: dict[str, Any] = {"id": self._came(data["task"], [data["id"]])[0]}
        return {**new, "text": self._text(data["text"])} if "text" in data else new

    def _on_tokens(self, data: dict[str, Any]) -> dict[str, Any]:
        ids, texts = data.get("ids"), data.get("texts")
        new: dict[str, Any] = {}
        if ids is not None:
            new["ids"] = [self._came(task, [token])[0] for task, token in zip(data["tasks"], ids, strict=True)]
        return new if texts is None else {**new, "texts": [self._text(text) for text in texts]}

    def _on_task_finished(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"reason": data["reason"] if data["reason"] in REASONS else "other"}

    def _on_page_keyed(self, data: dict[str, Any]) -> dict[str, Any]:
        return self._keyed(data, 1)

    def _on_pages_keyed(self, data: dict[str, Any]) -> dict[str, Any]:
        return self._keyed(data, sum(abs(count) for _, count in data["runs"]))

    def _keyed(self, data: dict[str, Any], pages: int) -> dict[str, Any]:
        """Keys of the new ids, where keys are those of ids; else any, the same for the same."""
        task, first, key, parent = data["task"], data["logical"], data.get("key"), data.get("parent")
        if self._chained and task in self._known_ids and key is not None and parent is not None:
            chain = self._chain(task, first + pages)
            return {"key": self._keys.put(key, chain[first + pages - 1]), "parent": chain[first - 1] if first else ""}
        return {name: self._keys.of(it) for name, it in (("key", key), ("parent", parent)) if it is not None}

    def _chain(self, task: str, pages: int) -> list[str]:
        """Keys of a task's first pages, by the rule `chained-keys`."""
        chain, ids = self._chains[task], self._known_ids[task]
        while len(chain) < pages:
            page = ids[len(chain) * self._size : (len(chain) + 1) * self._size]
            text = f"{chain[-1] if chain else ''}:{','.join(map(str, page))}"
            chain.append(hashlib.blake2b(text.encode(), digest_size=8).hexdigest())
        return chain

    def _on_page_evicted(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"key": self._keys.of(data["key"])} if data.get("key") is not None else {}

    def _on_lines(self, data: dict[str, Any]) -> dict[str, Any]:
        steps = [{"line": step["line"], "values": self._values(step["values"])} for step in data["steps"]]
        return {"args": self._values(data["args"]), "steps": steps}

    def _values(self, values: dict[str, Any]) -> dict[str, Any]:
        return {name: self._value(name, value) for name, value in values.items()}

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {part: self._value(name, it) if part == "data" else it for part, it in value.items()}
        if isinstance(value, list):
            return [self._ids.of(it) if name in TOKENS else self._value(name, it) for it in value]
        return self._name(value) if name in NAMES and isinstance(value, str) else value

    def _on_snapshot(self, data: dict[str, Any]) -> dict[str, Any]:
        new: dict[str, Any] = {}
        for field in ("tables", "lengths"):
            if field in data:
                new[field] = {self._name(task): it for task, it in data[field].items()}
        if data.get("digests") is not None and self._state is not None:
            tables = {str(self._name(task)): pages for task, pages in self._state.tables.items()}
            lengths = {str(self._name(task)): self._state.tasks[task].kv_len for task in self._state.tables}
            digests = {"tables": tables_digest(tables), "lengths": lengths_digest(lengths)}
            new["digests"] = {**data["digests"], **digests}
        return new
