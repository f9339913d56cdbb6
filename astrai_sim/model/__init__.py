"""A decoder-only transformer that runs through the paged cache."""

from astrai_sim.model.layers import ModelConfig
from astrai_sim.model.transformer import Transformer

__all__ = ["ModelConfig", "Transformer"]
