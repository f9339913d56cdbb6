"""Reading scenarios and their requests: TOML in, one clear line out when something is wrong."""

import math
import re
import tomllib
from collections.abc import Sequence
from dataclasses import MISSING, asdict, fields, replace
from pathlib import Path
from typing import Any, Literal, NoReturn, get_args, get_origin, get_type_hints

from astrai_sim.engine.cache import pages_for
from astrai_sim.engine.clock import CostModel
from astrai_sim.engine.scheduler import POLICIES, SETTINGS
from astrai_sim.extras import MissingExtra
from astrai_sim.files import FileError
from astrai_sim.model.gguf_file import smollm2
from astrai_sim.scenario import schema
from astrai_sim.scenario.limits import number_fits, text_fits
from astrai_sim.scenario.schema import AGING_STEPS, ChangePart, PrefixPart, RequestPart, Scenario, WorkloadPart
from astrai_sim.shipped import ASSETS
from astrai_sim.text import Language, smollm2_language
from astrai_sim.trace.header import DETAILS
from astrai_sim.workload import KINDS as WORKLOADS
from astrai_sim.workload import UNITS, Workload, read_workload

FOLDER = ASSETS / "scenarios"
TABLES = {
    "model": schema.ModelPart,
    "cache": schema.CachePart,
    "scheduler": schema.SchedulerPart,
    "record": schema.RecordPart,
    "stop": schema.StopPart,
    "cost": CostModel,
    "workload": WorkloadPart,
}
TEXTS = ("title", "question", "takeaway", "film")
BRACED = re.compile(r"(?:[^{}]|\{[^{}]+\})*")
"""Text with something in every pair of braces, and no pair within another."""
LISTS = {"request": ("requests", RequestPart), "prefix": ("prefixes", PrefixPart), "change": ("changes", ChangePart)}
CHOICES = {
    "kind": {"model": ("random", "none", "smollm2"), "workload": WORKLOADS},
    "dtype": {"model": ("bfloat16", "float16", "float32")},
    "detail": {"record": DETAILS},
    "time_unit": {"workload": UNITS},
    "decode_policy": dict.fromkeys(("scheduler", "change"), POLICIES),
}
"""What a text may be, by its key and table."""
MOST_BYTES, LONGEST_MESSAGE = 1 << 22, 400
SIZES = ("n_layers", "n_heads", "n_kv_heads", "head_dim", "ffn_dim", "vocab_size")


class ScenarioError(FileError):
    """A scenario that cannot be used: file, line, what is wrong, what to do."""

    def __init__(self, path: Path, line: int | None, message: str) -> None:
        if len(message) > LONGEST_MESSAGE:
            message = f"{message[: LONGEST_MESSAGE // 2]} … {message[-LONGEST_MESSAGE // 2 :]}"
        super().__init__(path, line, message)


def shipped_scenarios() -> list[Path]:
    """The scenarios in assets/scenarios, by name."""
    return sorted(FOLDER.glob("*.toml"))


def find_scenario(name: str) -> Path:
    """Path of a scenario given as a path, or by its name in assets/scenarios. Raises ScenarioError for neither."""
    path = Path(name)
    if path.is_file():
        return path
    shipped = FOLDER / f"{name.removesuffix('.toml')}.toml"
    if shipped.is_file():
        return shipped
    known = ", ".join(p.stem for p in shipped_scenarios())
    raise ScenarioError(path, None, f"no such scenario: give a file, or one of: {known}")


def load_scenario(path: Path) -> Scenario:
    """Read and check a scenario. Raises ScenarioError."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ScenarioError(path, None, f"larger than {MOST_BYTES >> 20} MiB: take requests from a [workload]")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(path, None, f"cannot be read: {error}") from None
    try:
        raw = tomllib.loads(text)
    except RecursionError:
        raise ScenarioError(path, None, "nested too deeply: a scenario has tables and lists of plain values") from None
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found.group(1)) if found else None
        twice = re.search(r"Cannot declare \('(request|prefix|change)',\) twice", str(error))
        what = f"write [[{twice[1]}]], with two brackets" if twice else f"not TOML: {error}"
        raise ScenarioError(path, line, what) from None
    except ValueError:
        raise ScenarioError(path, None, "a whole number has more digits than any that is meant") from None
    return _Reader(path, text).scenario(raw)


def load_requests(scenario: Scenario, path: Path, file: Path | None = None) -> tuple[Scenario, Workload | None]:
    """The workload of the scenario read from `path`; `file` overrides where it lies.

    Returns the scenario with the workload's kind and file name as they turned out, which is what a trace's header
    should say, and the workload; None where the scenario lists its requests itself. Raises ScenarioError where a file
    is missing or not wanted and where a request is longer than the pool, and WorkloadError for what is wrong with it.
    """
    part = scenario.workload
    if part is None:
        if file is not None:
            raise ScenarioError(path, None, "the scenario has no [workload] table to read into")
        return scenario, None
    file = file or (path.parent / part.path if part.path else None)
    if file is None:
        raise ScenarioError(path, None, "[workload] names no path: give --workload FILE")
    workload = read_workload(file, part.kind, part, scenario.seed)
    _fits(scenario, path, workload)
    found = replace(part, kind=workload.kind, path=workload.path.name)
    return replace(scenario, workload=found), workload


def _fits(scenario: Scenario, path: Path, workload: Workload) -> None:
    """Raise ScenarioError for a request that could never run."""
    pool = scenario.cache
    longest = max(workload.requests, key=lambda request: request.prompt_len + request.output_len)
    prompt, output = longest.prompt_len, longest.output_len
    if (needed := pages_for(prompt + output - 1, pool.page_size)) > pool.n_pages:
        told = f"a request of {prompt} + {output} tokens in {workload.path.name} can never fit: it needs {needed} pages"
        lower = f"raise n_pages or set length_limit = {pool.n_pages * pool.page_size} in [workload]"
        raise ScenarioError(path, None, f"{told}, the pool has {pool.n_pages}: {lower}")
    if wrong := number_fits("arrival_s", workload.requests[-1].arrival_s):
        raise ScenarioError(path, None, f"the last request of {workload.path.name}: {wrong}: set window or time_scale")


class _Reader:
    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.lines = text.splitlines()
        self.language: Language | None = None

    def scenario(self, raw: dict[str, Any]) -> Scenario:
        known = {"name", "seed", *TEXTS, *TABLES, *LISTS}
        for key in raw:
            self.refuse(key not in known, f"unknown key {key!r}: choose from {', '.join(sorted(known))}", key)
        for table in ("model", "cache"):
            self.refuse(not isinstance(raw.get(table), dict), f"a [{table}] table is needed", table)
        if raw["model"].get("kind") == "smollm2":
            raw = self.filled(raw)
        values: dict[str, Any] = {"name": raw.get("name", self.path.stem)}
        values |= {key: raw[key] for key in ("seed", *TEXTS) if key in raw}
        values |= {table: self.part(part, raw[table], f"[{table}]") for table, part in TABLES.items() if table in raw}
        for table, (name, part) in LISTS.items():
            rows = raw.get(table, [])
            self.refuse(not isinstance(rows, list), f"write [[{table}]], with two brackets", table)
            values[name] = tuple(self.part(part, row, f"[[{table}]]", i) for i, row in enumerate(rows))
        if bool(values["requests"]) == ("workload" in values):
            self.fail("[[request]] or [workload] is needed, and not both", "request")
        scenario = Scenario(**values)
        self.check(scenario)
        scheduler = scenario.scheduler
        if "same-position" in {scheduler.decode_policy, *(change.decode_policy for change in scenario.changes)}:
            return replace(scenario, scheduler=replace(scheduler, aging_steps=scheduler.aging_steps or AGING_STEPS))
        told = 'aging_steps goes with decode_policy = "same-position"'
        self.refuse(scheduler.aging_steps, told, "aging_steps", "[scheduler]")
        return scenario

    def filled(self, raw: dict[str, Any]) -> dict[str, Any]:
        """`raw` with what the file of SmolLM2 says of sizes and end token."""
        for key in SIZES:
            if key in raw["model"]:
                self.fail(f'{key} comes from the file with kind = "smollm2": leave it out', key, "[model]")
        try:
            config = smollm2().config
            self.language = smollm2_language()
        except (MissingExtra, ValueError) as error:
            self.fail(str(error), "kind", "[model]")
        sizes = {key: getattr(config, key) for key in SIZES}
        scheduler = raw.get("scheduler", {})
        if isinstance(scheduler, dict):
            scheduler = {"eos": self.language.eos} | scheduler
        return raw | {"model": raw["model"] | sizes, "scheduler": scheduler}

    def part(self, part: type, row: Any, table: str, nth: int = 0) -> Any:
        self.refuse(not isinstance(row, dict), f"{table} must be a table", table)
        hints = get_type_hints(part)
        values = {}
        for key, value in row.items():
            if key not in hints:
                self.fail(f"unknown key {key!r} in {table}: choose from {', '.join(hints)}", key, table, nth)
            values[key] = self.value(key, value, hints[key], table, nth)
        for item in fields(part):
            required = item.default is MISSING and item.default_factory is MISSING
            self.refuse(required and item.name not in values, f"{table} needs {item.name!r}", table, table, nth)
        return part(**values)

    def value(self, key: str, value: Any, hint: Any, table: str, nth: int) -> Any:
        wanted = [kind for kind in (get_args(hint) or (hint,)) if kind is not type(None)]
        plain = wanted[0]
        words = [word for kind in wanted if get_origin(kind) is Literal for word in get_args(kind)]
        if value in words:
            return value
        if get_args(plain) == (float, float):
            return self.span(key, value, table)
        if get_origin(plain) is tuple:
            ok = isinstance(value, list) and value and all(type(item) is int and item >= 0 for item in value)
            self.refuse(not ok, f"{key} must be a list of token ids", key, table, nth)
            return tuple(value)
        if plain is float and type(value) in (int, float):
            if not (math.isfinite(value) and value >= 0):
                self.fail(f"{key} must be a number from 0 on, not {value}", key, table, nth)
            self.refuse(wrong := number_fits(key, value), wrong, key, table, nth)
            return float(value)
        if type(value) is not plain:
            choice = " or ".join([plain.__name__, *map(repr, words)])
            self.fail(f"{key} must be {choice}, not {value!r}", key, table, nth)
        self.refuse(wrong := (text_fits if plain is str else number_fits)(key, value), wrong, key, table, nth)
        if (choices := CHOICES.get(key, {}).get(table.strip("[]"))) and value not in choices:
            self.fail(f"{key} {value!r}: choose from {', '.join(choices)}", key, table, nth)
        return value

    def span(self, key: str, value: Any, table: str) -> tuple[float, float]:
        ok = isinstance(value, list) and len(value) == 2 and all(type(end) in (int, float) for end in value)
        if not ok or not 0 <= value[0] < value[1] < math.inf:
            self.fail(f"{key} must be [from, to] in seconds, from 0 on", key, table)
        return float(value[0]), float(value[1])

    def check(self, scenario: Scenario) -> None:
        model = scenario.model
        if type(scenario.seed) is not int or number_fits("seed", scenario.seed):
            self.fail("seed must be a whole number from 0 on, below 2^63", "seed")
        for key in ("name", *TEXTS):
            if not isinstance(text := getattr(scenario, key), str):
                self.fail(f"{key} must be text, not {text!r}", key)
            self.refuse(wrong := text_fits(key, text), wrong, key)
            if key in ("question", "takeaway") and not BRACED.fullmatch(text):
                self.fail(f"{key}: write each measure in one pair of braces, {{measure}}, not {text!r}", key)
        if scenario.cost is not None and model.kind != "none":
            self.fail('[cost] is the clock of runs without a model: it goes with kind = "none"', "[cost]", "[cost]")
        for name in ("n_heads", "ffn_dim"):
            if getattr(model, name) is None and model.kind != "none":
                self.fail(f"[model] needs {name!r}", "[model]", "[model]")
        if model.n_heads is not None and model.n_heads % model.n_kv_heads:
            self.fail("n_heads must be a multiple of n_kv_heads", "n_heads", "[model]")
        self.refuse(model.head_dim % 2, "head_dim must be even", "head_dim", "[model]")
        record = scenario.record
        if record.kv_layer >= model.n_layers:
            self.fail(f"kv_layer must be below n_layers ({model.n_layers})", "kv_layer", "[record]")
        if record.bulk and record.line_calls:
            self.fail('line_calls goes with detail = "full": bulk records no lines', "line_calls", "[record]")
        self.settings_fit(scenario, asdict(scenario.scheduler), "[scheduler]")
        eos = scenario.scheduler.eos
        if eos is not None and eos >= model.vocab_size:
            self.fail(f"eos {eos} is not below vocab_size ({model.vocab_size})", "eos", "[scheduler]")
        self.unique(scenario.prefixes, "[[prefix]]")
        prefixes: dict[str | None, PrefixPart] = {prefix.name: prefix for prefix in scenario.prefixes}
        names = self.unique(scenario.requests, "[[request]]")
        for i, prefix in enumerate(scenario.prefixes):
            if sum(each is not None for each in (prefix.tokens, prefix.prompt_ids, prefix.text)) != 1:
                self.fail("give one of tokens, prompt_ids, text", "name", "[[prefix]]", i)
            self.prompt_fits(prefix.text, "text", "[[prefix]]", i)
            self.ids_fit(prefix.prompt_ids, model.vocab_size, "[[prefix]]", i)
        for i, request in enumerate(scenario.requests):
            if sum(each is not None for each in (request.prompt_tokens, request.prompt_ids, request.prompt)) != 1:
                self.fail("give one of prompt_tokens, prompt_ids, prompt", "name", "[[request]]", i)
            self.prompt_fits(request.prompt, "prompt", "[[request]]", i)
            if request.arrival_s is not None and request.arrival_step:
                self.fail("give either arrival_step or arrival_s", "arrival_s", "[[request]]", i)
            if request.prefix is not None and request.prefix not in prefixes:
                self.fail(f"no [[prefix]] is named {request.prefix!r}", "prefix", "[[request]]", i)
            prefix = prefixes.get(request.prefix)
            if prefix is not None and (prefix.text is None) != (request.prompt is None):
                self.fail("a prefix with text goes with requests whose prompt is text", "prefix", "[[request]]", i)
            self.ids_fit(request.prompt_ids, model.vocab_size, "[[request]]", i)
            self.pages_fit(scenario, request, prefix, i)
        if scenario.workload is not None and scenario.workload.time_scale == 0:
            self.fail("time_scale must be above 0", "time_scale", "[workload]")
        self.changes_fit(scenario)
        stop = scenario.stop
        self.refuse((stop.task is None) != (stop.tokens is None), "task and tokens go together", "[stop]")
        if stop.task is not None and stop.task not in names:
            self.fail(f"no request is named {stop.task!r}", "task", "[stop]")

    def settings_fit(self, scenario: Scenario, settings: dict, table: str, nth: int = 0) -> None:
        name, most = "max_tokens_per_step", scenario.scheduler.max_batch
        budget = settings.get(name) or most
        self.refuse(budget < most, f"{name} must be at least max_batch ({most}), not {budget}", name, table, nth)

    def changes_fit(self, scenario: Scenario) -> None:
        seen, table = set(), "[[change]]"
        for i, change in enumerate(scenario.changes):
            settings = change.settings()
            if len(settings) != 1:
                self.fail(f"a {table} sets one of {', '.join(SETTINGS)}, not {len(settings)}", table, table, i)
            self.settings_fit(scenario, settings, table, i)
            name = next(iter(settings))
            if (change.step, name) in seen:
                self.fail(f"{name} is changed twice before step {change.step}", name, table, i)
            seen.add((change.step, name))
            last = scenario.stop.max_steps
            told = f"step {change.step} is never reached: the run stops after max_steps {last}"
            self.refuse(last is not None and change.step >= last, told, "step", table, i)

    def unique(self, parts: Sequence[PrefixPart] | Sequence[RequestPart], table: str) -> set[str]:
        names: set[str] = set()
        for i, part in enumerate(parts):
            self.refuse(part.name in names, f"the name {part.name!r} is used twice", "name", table, i)
            names.add(part.name)
        return names

    def prompt_fits(self, text: str | None, key: str, table: str, nth: int) -> None:
        if text is None:
            return
        self.refuse(self.language is None, f'{key} needs a model that knows text: kind = "smollm2"', key, table, nth)
        self.refuse(not text.strip(), f"{key} is empty", key, table, nth)

    def pages_fit(self, scenario: Scenario, request: RequestPart, prefix: PrefixPart | None, nth: int) -> None:
        if request.prompt is not None and self.language is not None:
            prompt = len(self.language.prompt_ids(request.prompt, prefix.text if prefix else None))
        else:
            prompt = request.n_tokens + (prefix.n_tokens if prefix else 0)
        slots, most = prompt + request.max_tokens - 1, scenario.cache.n_pages
        needed = pages_for(slots, scenario.cache.page_size)
        told = f"request {request.name!r} can never fit: {slots} tokens need {needed} pages, the pool has {most}"
        self.refuse(needed > most, f"{told}: raise n_pages or lower max_tokens", "max_tokens", "[[request]]", nth)

    def ids_fit(self, ids: tuple[int, ...] | None, vocab_size: int, table: str, nth: int) -> None:
        largest = max(ids or (0,))
        told = f"token id {largest} is not below vocab_size ({vocab_size})"
        self.refuse(largest >= vocab_size, told, "prompt_ids", table, nth)

    def refuse(self, wrong: object, message: str | None, key: str = "", table: str = "", nth: int = 0) -> None:
        if wrong:
            self.fail(str(message), key, table, nth)

    def fail(self, message: str, key: str = "", table: str = "", nth: int = 0) -> NoReturn:
        raise ScenarioError(self.path, self.line_of(key, table, nth), message)

    def line_of(self, key: str, table: str, nth: int) -> int:
        """1-based line of `key` in the `nth` table headed `table`, as near as the text tells.

        A key that is missing is reported at its table's head, a table at line 1.
        """
        heads = [i for i, line in enumerate(self.lines) if table and line.split("#")[0].strip() == table]
        start = heads[nth] if nth < len(heads) else 0
        wanted = re.compile(rf"\[*\s*{re.escape(key)}\s*(=|\]|$)")
        for i in range(start, len(self.lines)):
            text = self.lines[i].strip()
            if key and wanted.match(text):
                return i + 1
            if heads and i > start and text.startswith("["):
                break
        return start + 1
