"""Between text and token ids: tokenizer, chat template, and the text of each token."""

from astrai_sim.text.language import ChatTemplate, Language, smollm2_language
from astrai_sim.text.tokenizer import TextStream, Tokenizer

__all__ = ["ChatTemplate", "Language", "TextStream", "Tokenizer", "smollm2_language"]
