"""GGUF files: the row order of projections, and weights that are tied or not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from astrai_sim.model import ModelConfig, Transformer
from astrai_sim.model.gguf_file import LAYER, GgufFile, rope_halves
from astrai_sim.model.layers import rope
from tests.model.paged import DenseView

SIZES = ModelConfig(2, 4, 2, 8, 48, 32, rope_base=5000.0, norm_eps=1e-5)


def neighbours(weight: np.ndarray, n_heads: int) -> np.ndarray:
    """The order that llama.cpp stores: row i of a half comes before its partner."""
    halves = weight.reshape(n_heads, 2, -1, weight.shape[-1])
    return np.concatenate([halves[:, :, i] for i in range(halves.shape[2])], axis=1).reshape(weight.shape)


def test_halves_turn_as_neighbours_did():
    weight = np.random.default_rng(0).normal(size=(2 * 8, 5)).astype(np.float32)
    x = torch.randn(1, 3, 5)
    positions = torch.tensor([[4, 5, 6]])
    stored = (x @ torch.from_numpy(weight).T).view(1, 3, 2, 4, 2)
    angle = positions[..., None].float() * 100.0 ** -(torch.arange(4) / 4)
    cos, sin = angle.cos()[:, :, None], angle.sin()[:, :, None]
    even, odd = stored[..., 0], stored[..., 1]
    expected = torch.cat((even * cos - odd * sin, odd * cos + even * sin), dim=-1)
    ours = (x @ torch.from_numpy(rope_halves(weight, 2)).T).view(1, 3, 2, 8)
    torch.testing.assert_close(rope(ours, positions, 100.0), expected)


def write(path: Path, model: Transformer, tied: bool, architecture: str = "llama") -> Path:
    """`model` as a GGUF file, as llama.cpp's converter lays it out."""
    gguf = pytest.importorskip("gguf", reason="the extra smollm2 is not installed")
    c = model.config
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_block_count(c.n_layers)
    writer.add_embedding_length(c.hidden)
    writer.add_feed_forward_length(c.ffn_dim)
    writer.add_head_count(c.n_heads)
    writer.add_head_count_kv(c.n_kv_heads)
    writer.add_vocab_size(c.vocab_size)
    writer.add_rope_freq_base(c.rope_base)
    writer.add_layer_norm_rms_eps(c.norm_eps)
    state = {name: weight.numpy() for name, weight in model.state_dict().items()}
    writer.add_tensor("token_embd.weight", state["embed.weight"])
    writer.add_tensor("output_norm.weight", state["norm.weight"])
    if not tied:
        writer.add_tensor("output.weight", state["lm_head.weight"])
    heads = {"attn_q": c.n_heads, "attn_k": c.n_kv_heads}
    for i in range(c.n_layers):
        for theirs, ours in LAYER.items():
            weight = state[f"layers.{i}.{ours}.weight"]
            if theirs in heads:
                weight = neighbours(weight, heads[theirs])
            writer.add_tensor(f"blk.{i}.{theirs}.weight", np.ascontiguousarray(weight))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.mark.parametrize("tied", [False, True], ids=["own output matrix", "tied"])
def test_a_written_model_comes_back(tmp_path: Path, tied: bool):
    model = Transformer.seeded(SIZES, 3, "cpu", torch.float32)
    if tied:
        model.lm_head.weight = model.embed.weight
    file = GgufFile(write(tmp_path / "tiny.gguf", model, tied))
    loaded = file.load("cpu", torch.float32)
    assert loaded.config.n_kv_heads == 2 and loaded.config.rope_base == pytest.approx(5000.0)
    assert (loaded.lm_head.weight is loaded.embed.weight) == tied
    tokens = torch.tensor([[5, 1, 30, 7]])
    logits = []
    for each in (model, loaded):
        view = DenseView("cpu")
        view.advance(4)
        logits.append(each(tokens, view, torch.tensor([3])))
    torch.testing.assert_close(*logits)


def test_another_architecture_is_refused(tmp_path: Path):
    model = Transformer.seeded(SIZES, 3, "cpu", torch.float32)
    path = write(tmp_path / "other.gguf", model, True, architecture="mamba")
    with pytest.raises(ValueError, match="the architecture is 'mamba', not 'llama'"):
        GgufFile(path)
