"""The scheduler and cache manager of a mini-sglang checkout, watched while they serve requests.

Its model, attention and sampler need CUDA kernels: K of each token is a random number here, and tokens are drawn.
"""

import importlib
import random
import sys
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import click
import torch

from astrai_sim.adapters import attach
from tests.engines.asked import VOCABULARY, prompts, run_options, words

EOS, LAYERS = 2, 2


class Output(NamedTuple):
    """What a pass gives back, in the engine's order."""

    next_tokens_gpu: torch.Tensor
    next_tokens_cpu: torch.Tensor
    copy_done_event: Any


def compare(one: torch.Tensor, other: torch.Tensor) -> int:
    """How many numbers two tensors begin with alike."""
    count = min(len(one), len(other))
    differ = (one[:count] != other[:count]).nonzero()
    return int(differ[0]) if len(differ) else count


def on_cpu() -> None:
    """Memory is not pinned where there is no CUDA."""
    if torch.cuda.is_available():
        return
    for name in ("empty", "tensor"):
        made = getattr(torch, name)
        setattr(torch, name, lambda *args, made=made, pin_memory=False, **how: made(*args, **how))
    torch.Tensor.pin_memory = lambda self: self  # type: ignore[method-assign]


def load(checkout: Path) -> None:
    """Make the checkout importable, less what needs CUDA kernels."""
    source = checkout / "python" if (checkout / "python").is_dir() else checkout
    sys.path.insert(0, str(source))
    kernel, engine = ModuleType("minisgl.kernel"), ModuleType("minisgl.engine")
    kernel.__dict__["fast_compare_key"] = compare
    engine.__path__ = [str(source / "minisgl" / "engine")]
    sys.modules |= {"minisgl.kernel": kernel, "minisgl.engine": engine}
    config = importlib.import_module("minisgl.engine.config").EngineConfig
    engine.__dict__.update(EngineConfig=config, Engine=Engine, ForwardOutput=Output, BatchSamplingArgs=SimpleNamespace)
    importlib.import_module("minisgl.distributed").set_tp_info(0, 1)


class Engine:
    """Stands for the model: writes K and V where a pass puts its tokens, and draws tokens."""

    max_seq_len = 256

    def __init__(self, pages: int, page_size: int, batch: int) -> None:
        core = importlib.import_module("minisgl.core")
        self.num_pages, self.device, self.ctx = pages, torch.device("cpu"), core.Context(page_size)
        core.set_global_ctx(self.ctx)
        self.ctx.kv_cache = self.kv_cache = importlib.import_module("minisgl.kvcache.mha_pool").MHAKVCache(
            **{"num_kv_heads": 1, "num_layers": LAYERS, "head_dim": 8, "num_pages": pages + 1, "page_size": page_size},
            **{"dtype": torch.float32, "device": self.device},
        )
        self.ctx.page_table = self.page_table = torch.zeros(batch + 1, self.max_seq_len, dtype=torch.int32)
        self.draw, self.stream = random.Random(0), SimpleNamespace(wait_stream=lambda other: None)
        self.attn_backend = SimpleNamespace(prepare_metadata=lambda batch: None)
        self.sampler = SimpleNamespace(prepare=lambda batch: None, vocab_size=VOCABULARY)
        self.graph_runner = SimpleNamespace(pad_batch=lambda batch: setattr(batch, "padded_reqs", batch.reqs))

    def forward_batch(self, batch: Any, args: Any) -> Output:
        """A pass."""
        slots = batch.out_loc.long()
        for layer in range(LAYERS):
            for cache in (self.kv_cache.k_cache(layer), self.kv_cache.v_cache(layer)):
                cache.flatten(0, 1)[slots] = torch.rand(len(slots), 1, 8)
        for req in batch.reqs:
            req.complete_one()
        tokens = torch.tensor([self.draw.randrange(EOS + 1, VOCABULARY) for _ in batch.reqs], dtype=torch.int32)
        return Output(tokens, tokens, SimpleNamespace(synchronize=lambda: None))


class Server:
    """The checkout's scheduler, with a list of messages in place of its sockets."""

    def __init__(self, pages: int, page_size: int, batch: int, budget: int, cache: str) -> None:
        kinds = importlib.import_module("minisgl.scheduler.scheduler")
        self.scheduler = made = kinds.Scheduler.__new__(kinds.Scheduler)
        made.engine = Engine(pages, page_size, batch)
        made.device, made.stream, made.engine_stream_ctx = made.engine.device, None, nullcontext()
        made.table_manager = kinds.TableManager(batch, made.engine.page_table)
        made.cache_manager = kinds.CacheManager(pages, page_size, made.engine.page_table, cache)
        made.decode_manager = kinds.DecodeManager(page_size)
        made.prefill_manager = kinds.PrefillManager(made.cache_manager, made.table_manager, made.decode_manager)
        made.finished_reqs, made.tokenizer, made.eos_token_id = set(), words(), EOS
        made.token_pool, made.prefill_budget = made.table_manager.token_pool, budget
        self.messages: list[Any] = []
        self.replies: list[Any] = []
        made.receive_msg, made.send_result = self.received, self.replies.extend
        self.asked, self.last = 0, None

    def received(self, blocking: bool = False) -> list[Any]:
        """Messages that came since the last look."""
        messages, self.messages = self.messages, []
        return messages

    def ask(self, prompt: list[int], most: int) -> None:
        """Send a request."""
        message, core = importlib.import_module("minisgl.message"), importlib.import_module("minisgl.core")
        sampling = core.SamplingParams(max_tokens=most)
        self.messages.append(message.UserMsg(self.asked, torch.tensor(prompt, dtype=torch.int32), sampling))
        self.asked += 1

    def serve(self, overlap: bool) -> None:
        """Steps until nothing is left to do; then the engine's own check of its pool."""
        made = self.scheduler
        while self.messages or self.last or made.prefill_manager.runnable or made.decode_manager.runnable:
            self.last = made.overlap_loop(self.last) if overlap else made.normal_loop()
        made.cache_manager.check_integrity()


@click.command()
@run_options
@click.option("--budget", default=64)
@click.option("--cache", type=click.Choice(["radix", "naive"]), default="radix")
@click.option("--overlap/--no-overlap", default=True, help="whether passes overlap with what follows the one before")
def main(
    checkout: Path,
    out: Path,
    pages: int,
    page_size: int,
    batch: int,
    budget: int,
    cache: str,
    overlap: bool,
    requests: tuple[str, ...],
) -> None:
    """Record a run of the mini-sglang in CHECKOUT. Requests are parted by `,` where one waits for those before."""
    torch.manual_seed(0)
    load(checkout)
    on_cpu()
    server = Server(pages, page_size, batch, budget, cache)
    with attach(server, out, title="mini-sglang, observed live"):
        for group in requests:
            for prompt, most in prompts(group):
                server.ask(prompt, most)
            server.serve(overlap)


if __name__ == "__main__":
    main()
