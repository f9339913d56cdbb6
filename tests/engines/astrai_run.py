"""A tiny random AstrAI from a checkout, watched while it serves requests."""

import importlib
import sys
import threading
from pathlib import Path
from typing import Any

import click
import torch

from astrai_sim.adapters import attach
from tests.engines.asked import VOCABULARY, prompts, run_options, words

STOP = 2


class Words:
    """A tokenizer of numbers: the token of "17" is 17."""

    stop_ids = (STOP,)
    pad_id = None

    def __init__(self) -> None:
        self._tokenizer = words()

    def encode(self, text: str, **_: Any) -> list[int]:
        """Token ids of a text."""
        return [int(word) for word in text.split()]

    def decode(self, ids: list[int], **_: Any) -> str:
        """The text of token ids."""
        return " ".join(map(str, ids))


def newest(pages: int, page_size: int, batch: int) -> Any:
    """A scheduler of the design with a radix tree."""
    config = importlib.import_module("astrai.config.model_config").AutoRegressiveLMConfig(
        **{"vocab_size": VOCABULARY, "hidden_size": 16, "num_attention_heads": 2, "num_key_value_heads": 1},
        **{"intermediate_size": 32, "max_position_embeddings": 256, "num_hidden_layers": 2, "rms_norm_eps": 1e-5},
    )
    model = importlib.import_module("astrai.model.transformer").AutoRegressiveLM(config).eval()
    pool = importlib.import_module("astrai.inference.cache").PagePool(
        **{"n_layers": 2, "n_kv_heads": 1, "head_dim": 8, "max_batch_size": batch, "max_seq_len": 256},
        **{"device": torch.device("cpu"), "dtype": torch.float32, "page_size": page_size},
        n_tokens=pages * page_size,
    )
    scheduler = importlib.import_module("astrai.inference.scheduler").InferenceScheduler
    return scheduler(model, Words(), max_batch_size=batch, max_seq_len=256, device="cpu", cache=pool)


def older(pages: int, page_size: int, batch: int) -> Any:
    """A scheduler of the two designs before; their pools have as many pages as the longest requests may need."""
    config = importlib.import_module("astrai.config.model_config").ModelConfig(
        **{"vocab_size": VOCABULARY, "dim": 16, "n_layers": 2, "norm_eps": 1e-5, "dim_ffn": 32, "tie_weight": False},
        **{"max_len": pages * page_size // batch, "rope_theta": 10000.0, "n_heads": 2, "n_kv_heads": 1},
        **{"use_qk_norm": False, "use_gated_attention": False},
    )
    model = importlib.import_module("astrai.model.transformer").Transformer(config).eval()
    scheduler = importlib.import_module("astrai.inference.scheduler").InferenceScheduler
    sizes = {"max_batch_size": batch, "page_size": page_size}
    return scheduler(model, Words(), device="cpu", dtype=torch.float32, **sizes)


@click.command()
@run_options
@click.option("--seconds", default=60.0, help="how long to wait for the answers")
def main(
    checkout: Path, out: Path, pages: int, page_size: int, batch: int, requests: tuple[str, ...], seconds: float
) -> None:
    """Record a run of the AstrAI in CHECKOUT. Requests are parted by `,` where one waits for those before."""
    sys.path.insert(0, str(checkout))
    torch.manual_seed(0)
    cache = importlib.import_module("astrai.inference.cache")
    scheduler = (newest if hasattr(cache, "TaskCacheManager") else older)(pages, page_size, batch)
    try:
        with attach(scheduler, out, title="AstrAI, observed live"):
            for place, group in enumerate(requests):
                done = ask(scheduler, [*prompts(group)])
                if not place:
                    scheduler.start()
                wait(done, seconds)
    finally:
        scheduler.stop()


def ask(scheduler: Any, group: list[tuple[list[int], int]]) -> list[threading.Event]:
    """What happens when each of them has its answer. Before the engine's thread starts they come at once, as its step
    sees it; then each comes to whatever step the thread has got to."""
    waited = []
    for prompt, most in group:
        waited.append(done := threading.Event())

        def heard(text: object, done: threading.Event = done) -> None:
            if not isinstance(text, str):
                done.set()

        scheduler.add_task(" ".join(map(str, prompt)), max_tokens=most, temperature=1.0, top_k=1, stream_callback=heard)
    return waited


def wait(answers: list[threading.Event], seconds: float) -> None:
    """For all answers, or for the engine's thread to end."""
    for done in answers:
        if not done.wait(seconds):
            click.echo(f"no answer within {seconds} s", err=True)
            return


if __name__ == "__main__":
    main()
