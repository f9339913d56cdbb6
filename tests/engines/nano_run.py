"""The engine, scheduler and block manager of a nano-vllm checkout, watched while they serve requests.

Its model needs Triton and flash-attn on a GPU: K of each token is a random number here, and tokens are drawn.
"""

import importlib
import random
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import click
import torch

from astrai_sim.adapters import attach
from tests.engines.asked import VOCABULARY, prompts, run_options

EOS = 2


class Runner:
    """Stands for the model: writes where block tables say, and draws tokens."""

    def __init__(self, blocks: int, block_size: int) -> None:
        self.kv_cache = torch.zeros(2, 2, blocks, block_size, 1, 8)
        self.config = SimpleNamespace(hf_config=SimpleNamespace(vocab_size=VOCABULARY))
        self.block_size, self.draw = block_size, random.Random(0)

    def call(self, name: str, sequences: list[Any], is_prefill: bool) -> list[int]:
        """A pass."""
        for sequence in sequences:
            for i in range(sequence.num_cached_tokens, sequence.num_cached_tokens + sequence.num_scheduled_tokens):
                place = sequence.block_table[i // self.block_size], i % self.block_size
                self.kv_cache[:, :, place[0], place[1]] = torch.rand(2, 2, 1, 8)
        return [self.draw.randrange(3, VOCABULARY) for _ in sequences]


@click.command()
@run_options
@click.option("--budget", default=64)
def main(
    checkout: Path, out: Path, pages: int, page_size: int, batch: int, budget: int, requests: tuple[str, ...]
) -> None:
    """Record a run of the nano-vllm in CHECKOUT. Requests are parted by `,` where one waits for those before."""
    package, runner = ModuleType("nanovllm"), ModuleType("nanovllm.engine.model_runner")
    package.__path__ = [str(checkout / "nanovllm")]
    package.__file__ = str(checkout / "nanovllm" / "__init__.py")
    runner.__dict__["ModelRunner"] = Runner
    sys.modules |= {"nanovllm": package, "nanovllm.engine.model_runner": runner}
    llm = importlib.import_module("nanovllm.engine.llm_engine").LLMEngine
    sequence = importlib.import_module("nanovllm.engine.sequence").Sequence
    sampling = importlib.import_module("nanovllm.sampling_params").SamplingParams
    config = {"max_num_seqs": batch, "max_num_batched_tokens": budget, "eos": EOS, "num_kvcache_blocks": pages}
    sequence.block_size = page_size
    engine = llm.__new__(llm)
    scheduler = importlib.import_module("nanovllm.engine.scheduler").Scheduler
    engine.scheduler = scheduler(SimpleNamespace(**config, kvcache_block_size=page_size))
    engine.model_runner = Runner(pages, page_size)
    with attach(engine, out, title="nano-vllm, observed live"):
        for group in requests:
            for prompt, most in prompts(group):
                engine.add_request(prompt, sampling(max_tokens=most))
            while not engine.is_finished():
                engine.step()


if __name__ == "__main__":
    main()
