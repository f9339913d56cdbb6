"""The decoder."""

import torch
from torch import nn

from astrai_sim.model.layers import DecoderLayer, KVView, ModelConfig, RMSNorm


class Transformer(nn.Module):
    """Llama-style decoder with untied output weights drawn from a seed.

    Weights are drawn in float32 on the CPU, so that a seed gives the same model on every device, and then converted.
    Matrices have variance 1 / inputs and embeddings variance 1, so that a random model's choices depend on its input
    instead of repeating one token.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.vocab_size, config.hidden)
        self.layers = nn.ModuleList(DecoderLayer(config, i) for i in range(config.n_layers))
        self.norm = RMSNorm(config.hidden, config.norm_eps)
        self.lm_head = nn.Linear(config.hidden, config.vocab_size, bias=False)

    @classmethod
    def seeded(cls, config: ModelConfig, seed: int, device: torch.device, dtype: torch.dtype) -> "Transformer":
        """A model with weights drawn from `seed`, on `device` in `dtype`."""
        with torch.device("meta"):
            model = cls(config)
        model = model.to_empty(device="cpu")
        generator = torch.Generator().manual_seed(seed)
        for name, weight in model.named_parameters():
            if name.endswith("norm.weight"):
                nn.init.ones_(weight)
            else:
                std = 1.0 if name.startswith("embed") else weight.shape[-1] ** -0.5
                nn.init.normal_(weight, std=std, generator=generator)
        return model.to(device=device, dtype=dtype).eval().requires_grad_(False)

    @torch.inference_mode()
    def forward(self, tokens: torch.Tensor, view: KVView, last: torch.Tensor) -> torch.Tensor:
        """Logits of one position of each sequence.

        tokens: int64 [B, S]; last: int64 [B], the column whose logits are wanted. Returns float32 [B, vocab_size].
        """
        x, masks = self.embed(tokens), view.masks()
        for layer in self.layers:
            x = layer(x, view, masks)
        wanted = x[torch.arange(len(last), device=last.device), last]
        return self.lm_head(self.norm(wanted)).float()
