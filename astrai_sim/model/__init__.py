"""A decoder-only transformer that runs through the paged cache."""

from astrai_sim.model.config import ModelConfig
from astrai_sim.model.dense import DenseView
from astrai_sim.model.transformer import Transformer

__all__ = ["DenseView", "ModelConfig", "Transformer"]
