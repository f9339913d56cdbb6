"""`attach`: finds the adapter of a live engine, and records what the engine does until it is detached."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

from astrai_sim.adapters import astrai, astrai_before, mini_sglang, nano_vllm
from astrai_sim.adapters.following import Follower
from astrai_sim.adapters.guarding import RecordingFailed
from astrai_sim.adapters.shapes import found
from astrai_sim.adapters.stepping import CannotAttach
from astrai_sim.adapters.texts import Speech
from astrai_sim.trace import TraceWriter
from astrai_sim.trace.header import RecordPart
from astrai_sim.trace.private import PrivateWriter

ADAPTERS: dict[str, type[Follower]] = {
    "astrai": astrai.Radix,
    "astrai-facade": astrai_before.Facade,
    "astrai-pages": astrai_before.Pages,
    "nano-vllm": nano_vllm.NanoVLLM,
    "mini-sglang": mini_sglang.MiniSGLang,
}
"""Adapters by name. `needs`, of each, says which attributes it looks for."""


def attach(
    engine: Any,
    out: Path | str,
    adapter: str | type[Follower] | None = None,
    *,
    title: str = "",
    line_calls: int = 4,
    snapshot_every: int = 16,
    private: bool = False,
) -> "Attached":
    """Record what `engine` does, from now on until `detach` or the end of the `with` block, into the trace `out`.

    The adapter is the first of `ADAPTERS` that finds all its attributes, or the one named. `line_calls` first calls of
    each function that films show are recorded line by line. `private` hides tokens, texts and names, and the engine's
    source (`astrai_sim.trace.private`). Attach before the first request: nothing may be in the
    pool. The trace is at `out` when it is whole; until then at `out`.partial. Raises CannotAttach, and OSError where
    the file cannot be written.
    """
    kind, target = _fitting(engine, adapter)
    if stands := kind.in_the_way(target):
        raise CannotAttach(stands)
    asked = RecordPart(snapshot_every=snapshot_every, line_calls=line_calls)
    path = Path(out)
    header = kind.header(target, asked, path.name.split(".")[0], title)
    if (speech := Speech.of(kind.tokenizer(target))) is not None:
        header["tokenizer"] = speech.facts
    writer = (PrivateWriter if private else TraceWriter)(path, header)
    follower = kind(writer, asked, target)
    try:
        follower.watch()
        follower.wait()
    except BaseException:
        follower.detach()
        writer.discard()
        raise
    return Attached(follower)


class Attached:
    """An engine that is being recorded; as a context, until the end of its block."""

    def __init__(self, follower: Follower) -> None:
        self._follower: Follower | None = follower
        self.path = follower.writer.path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self.detach("detached" if kind is None else kind.__name__)
        except RecordingFailed as failed:
            if error is None:
                raise
            error.add_note(str(failed))

    def detach(self, stopped: str = "detached") -> None:
        """Leave the engine as it was, and write the end of the trace; nothing where that is done already.

        Waits for the end of the step that runs in another thread. Raises RecordingFailed where the recording has
        stopped by an error of its own: nothing is kept of it. (Where the block of the context ends with an exception,
        it is a note on that one.)
        """
        follower, self._follower = self._follower, None
        if follower is not None:
            follower.close(stopped)


def _fitting(engine: Any, adapter: str | type[Follower] | None) -> tuple[type[Follower], Any]:
    """The adapter for an engine, and the object that it watches. Raises CannotAttach."""
    if isinstance(adapter, str) and adapter not in ADAPTERS:
        raise CannotAttach(f"no adapter is named {adapter!r}: choose from {', '.join(ADAPTERS)}")
    named = ADAPTERS[adapter] if isinstance(adapter, str) else adapter
    kinds = [*ADAPTERS.values()] if named is None else [named]
    missing = []
    for kind in kinds:
        target = kind.target(engine)
        count, lacks = found(target, kind.needs)
        if lacks is None:
            return kind, target
        missing.append((count, kind, lacks))
    _, kind, lacks = max(missing, key=lambda entry: entry[0])
    hint = next((f": {hint}" for name, hint in kind.hints.items() if repr(name) in lacks), "")
    which = f"the nearest adapter, {kind.__name__}," if adapter is None else kind.__name__
    raise CannotAttach(f"{which} does not fit this {type(engine).__name__}: {lacks}{hint}")
