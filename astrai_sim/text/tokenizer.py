"""Byte-level BPE built from the vocabulary and merges of a GGUF file."""

import codecs
from collections.abc import Iterable

from astrai_sim.extras import require
from astrai_sim.model.gguf_file import GgufFile

CONTROL = 3


def byte_alphabet() -> dict[str, int]:
    """The byte that each character of a byte-level vocabulary stands for.

    Printable Latin-1 characters stand for themselves, the other bytes in order for
    the characters from U+0100 on (Radford et al., GPT-2, 2019).
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    alphabet = {chr(byte): byte for byte in printable}
    return alphabet | {chr(0x100 + i): byte for i, byte in enumerate(others)}


class TextStream:
    """The text of one sequence of tokens, piece by piece.

    The pieces, in order, concatenate to the text. A character whose bytes come in several tokens belongs to the last of
    them, so that the earlier ones give ""; bytes that are no UTF-8 give U+FFFD.
    """

    def __init__(self, tokenizer: "Tokenizer") -> None:
        self._tokenizer = tokenizer
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def feed(self, token: int) -> str:
        """The text that `token` adds; a control token adds its name."""
        name = self._tokenizer.control.get(token)
        if name is not None:
            return self._decoder.decode(b"", final=True) + name
        return self._decoder.decode(self._tokenizer.pieces[token])

    def close(self) -> str:
        """What is left after the last token: U+FFFD for a character that was cut short."""
        return self._decoder.decode(b"", final=True)


class Tokenizer:
    """Text to token ids and back.

    `vocabulary` has each token's text in the byte-level alphabet, by id; `merges` pairs of tokens, joined by a space,
    in order of rank; `control` ids of tokens that steer the model and have no text of their own. `pieces` are the bytes
    that each token stands for, none for a control token.
    """

    def __init__(self, vocabulary: list[str], merges: list[str], control: Iterable[int]) -> None:
        tokenizers = require("tokenizers", "smollm2")
        self.control = {token: vocabulary[token] for token in control}
        bytes_of = byte_alphabet()
        self.pieces = [
            b"" if token in self.control else bytes(bytes_of[char] for char in text)
            for token, text in enumerate(vocabulary)
        ]
        split = tokenizers.pre_tokenizers
        numbers = {text: token for token, text in enumerate(vocabulary)}
        pairs = [tuple(merge.split(" ")) for merge in merges]
        self._bpe = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=numbers, merges=pairs))
        self._bpe.pre_tokenizer = split.Sequence(
            [split.Digits(individual_digits=True), split.ByteLevel(add_prefix_space=False)]
        )
        self._bpe.add_special_tokens(list(self.control.values()))

    @classmethod
    def of(cls, file: GgufFile) -> "Tokenizer":
        """The tokenizer that `file` carries.

        Raises ValueError where it is not byte-level BPE that splits text as SmolLM does:
        each digit a word of its own, the rest as in GPT-2.
        """
        kind = file.field("tokenizer.ggml.model"), file.field("tokenizer.ggml.pre")
        if kind != ("gpt2", "smollm"):
            raise ValueError(f"{file.path}: the tokenizer is {'/'.join(kind)}, not gpt2/smollm")
        types = file.field("tokenizer.ggml.token_type")
        control = [token for token, kind in enumerate(types) if kind == CONTROL]
        return cls(file.field("tokenizer.ggml.tokens"), file.field("tokenizer.ggml.merges"), control)

    def __len__(self) -> int:
        return len(self.pieces)

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`; the names of control tokens in it become those tokens."""
        return self._bpe.encode(text, add_special_tokens=False).ids

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of whole `tokens`, with the names of control tokens."""
        stream = TextStream(self)
        return "".join([stream.feed(token) for token in tokens]) + stream.close()
