"""Writes the tiny models that the server's tests load into test/fixtures/models/<name>/1/."""

import argparse
import json
import random
import shutil
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    PreTrainedModel,
)

from onnx_export import export_onnx
from golden import Text, largest_error, record, write_golden
from layout import label_maps, write_json, write_layout
from quantize import quantize_weights
from wordpiece import PAD, new_tokenizer, train_wordpiece

SEED = 7
MAX_LENGTH = 64

TOPICS = {
    "sports": "match goal team coach league player tennis football won race stadium",
    "politics": "vote election senate law minister party parliament policy tax treaty",
    "technology": "software chip phone computer network code robot data server browser",
    "food": "bread soup cheese recipe chef kitchen tasty spice dinner restaurant",
}
FILLER = "the a of in on and with for today this that they new old great not is was we i you it , . ! ?".split()
PLAIN_SENTENCES = [
    "The team won the match!",
    "A new law on data and software.",
    "The chef made a great soup with cheese, and the bread was tasty.",
    "It is a great phone.",
    "They won; was it the coach?",
    "parliament",
    "Café déjà vu — naïve",
    "😀 dinner today 👍",
    "日本の料理",
    "a robot with software code , " * 20,
]
PAIRS: list[Text] = [
    ("The team won the match.", "The team won."),
    ("The team won.", "The team won the match."),
    ("A minister is in the kitchen.", "The kitchen is old."),
    ("The vote was today.", "It was not today!"),
    ("the match " * 40, "the soup " * 40),
]


def topic_text(rng: random.Random, topics: list[str]) -> str:
    words = [rng.choice(TOPICS[topic].split()) for topic in topics for _ in range(rng.randint(1, 3))]
    words += rng.choices(FILLER, k=rng.randint(1, 8))
    rng.shuffle(words)
    return " ".join(words)


def fixture_tokenizer() -> Tokenizer:
    rng = random.Random(SEED)
    texts = [topic_text(rng, rng.sample(list(TOPICS), 2)) for _ in range(400)]
    return train_wordpiece([*texts, "日本 料理 café — 😀"], vocab_size=400, min_frequency=1)


def tiny_distilbert(vocab_size: int, labels: list[str], problem_type: str) -> DistilBertForSequenceClassification:
    torch.manual_seed(SEED)
    config = DistilBertConfig(
        vocab_size=vocab_size,
        dim=32,
        n_layers=2,
        n_heads=2,
        hidden_dim=64,
        max_position_embeddings=MAX_LENGTH,
        initializer_range=0.2,
        pad_token_id=0,
        problem_type=problem_type,
        architectures=["DistilBertForSequenceClassification"],
        **label_maps(labels),
    )
    return DistilBertForSequenceClassification(config).eval()


def fit_topics(model: PreTrainedModel, tokenizer: Tokenizer) -> None:
    """A few hundred steps on made-up sentences, so that the labels mean something."""
    rng = random.Random(SEED)
    names = list(TOPICS)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    tokenizer.enable_padding(pad_id=tokenizer.token_to_id(PAD), pad_token=PAD)
    for _ in range(400):
        chosen = [rng.sample(names, rng.randint(0, 3)) for _ in range(32)]
        batch = tokenizer.encode_batch([topic_text(rng, topics) for topics in chosen])
        loss = model(
            input_ids=torch.tensor([e.ids for e in batch]),
            attention_mask=torch.tensor([e.attention_mask for e in batch]),
            labels=torch.tensor([[0.95 if name in topics else 0.05 for name in names] for topics in chosen]),
        ).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    tokenizer.no_padding()


def write_fixture(folder: Path, model: PreTrainedModel, tokenizer: Tokenizer, texts: list[Text]) -> list[dict]:
    """The common files, the fp32 graph and its golden entries."""
    write_layout(folder, model.config, tokenizer)
    dtype = torch.int32 if model.config.model_type == "bert" else torch.int64
    export_onnx(model, folder / "onnx" / "model.onnx", dtype)
    entries = record(model, tokenizer, texts)
    write_golden(folder / "golden.json", model, entries)
    return entries


def make_topics(folder: Path) -> None:
    tokenizer = fixture_tokenizer()
    model = tiny_distilbert(tokenizer.get_vocab_size(), list(TOPICS), "multi_label_classification")
    fit_topics(model, tokenizer)
    entries = write_fixture(folder, model, tokenizer, PLAIN_SENTENCES)
    quantize_weights(folder / "onnx" / "model.onnx", folder / "onnx" / "model_quantized.onnx")
    error = largest_error(folder / "onnx" / "model_quantized.onnx", entries)
    write_golden(folder / "golden.json", model, entries, int8_tolerance=round(2 * error + 0.05, 2))


def make_broken(topics: Path, folder: Path) -> None:
    """`topics` with every golden logit negated, so that logits and labels both disagree."""
    shutil.copytree(topics, folder)
    golden = json.loads((folder / "golden.json").read_text(encoding="utf-8"))
    for entry in golden["entries"]:
        entry["logits"] = [-value for value in entry["logits"]]
    write_json(folder / "golden.json", golden)


def make_pairs(folder: Path) -> None:
    """BERT, whose logits depend on token_type_ids; its inputs are int32."""
    tokenizer = fixture_tokenizer()
    torch.manual_seed(SEED)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=MAX_LENGTH,
        initializer_range=0.3,
        pad_token_id=0,
        problem_type="single_label_classification",
        architectures=["BertForSequenceClassification"],
        **label_maps(["entailment", "neutral", "contradiction"]),
    )
    model = BertForSequenceClassification(config).eval()
    write_fixture(folder, model, tokenizer, [*PAIRS, *PLAIN_SENTENCES])


def make_poison(folder: Path) -> None:
    """The word `poison` has the id just past the last embedding row, so a batch with it fails."""
    vocab = fixture_tokenizer().get_vocab()
    rows = len(vocab)
    tokenizer = new_tokenizer({**vocab, "poison": rows})
    model = tiny_distilbert(rows, ["NEGATIVE", "POSITIVE"], "single_label_classification")
    write_fixture(folder, model, tokenizer, PLAIN_SENTENCES)


def make_slow(folder: Path) -> None:
    tokenizer = fixture_tokenizer()
    model = tiny_distilbert(tokenizer.get_vocab_size(), ["NEGATIVE", "POSITIVE"], "single_label_classification")
    write_fixture(folder, model, tokenizer, PLAIN_SENTENCES[:2])
    add_ballast(folder / "onnx" / "model.onnx")


def add_ballast(path: Path, width: int = 512, rounds: int = 8000) -> None:
    """Makes every run take long, whatever its length, and leaves the logits as they are.

    The logits are multiplied `rounds` times, in a Loop, by a matrix that the graph expands from one number;
    the result, which stays between -1 and 1, is added to the logits with the weight 1e-9.
    """
    graph = onnx.load(path)
    output = graph.graph.output[0]
    for node in graph.graph.node:
        node.output[:] = ["fast_logits" if name == output.name else name for name in node.output]
    constants = {
        "ballast_value": np.array(1 / width, np.float32),
        "ballast_square": np.array([width, width]),
        "ballast_row": np.array([1, width]),
        "ballast_axis": np.array([1]),
        "ballast_rounds": np.array(rounds),
        "ballast_true": np.array(True),
        "ballast_weight": np.array(1e-9, np.float32),
    }
    graph.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["state", "ballast_matrix"], ["product"]),
            helper.make_node("Tanh", ["product"], ["next_state"]),
            helper.make_node("Identity", ["go_on"], ["still_on"]),
        ],
        "ballast_round",
        [
            helper.make_tensor_value_info("round", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("state", TensorProto.FLOAT, ["batch", width]),
        ],
        [
            helper.make_tensor_value_info("still_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next_state", TensorProto.FLOAT, ["batch", width]),
        ],
    )
    graph.graph.node.extend(
        [
            helper.make_node("Expand", ["ballast_value", "ballast_square"], ["ballast_matrix"]),
            helper.make_node("ReduceSum", ["fast_logits", "ballast_axis"], ["ballast_seed"], keepdims=1),
            helper.make_node("Expand", ["ballast_seed", "ballast_row"], ["ballast_start"]),
            helper.make_node(
                "Loop", ["ballast_rounds", "ballast_true", "ballast_start"], ["ballast_end"], body=body
            ),
            helper.make_node("ReduceMean", ["ballast_end", "ballast_axis"], ["ballast_left"], keepdims=1),
            helper.make_node("Mul", ["ballast_left", "ballast_weight"], ["ballast_share"]),
            helper.make_node("Add", ["fast_logits", "ballast_share"], [output.name]),
        ]
    )
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("test/fixtures/models"))
    out: Path = parser.parse_args().out
    shutil.rmtree(out, ignore_errors=True)
    make_topics(out / "topics" / "1")
    make_broken(out / "topics" / "1", out / "broken" / "1")
    make_pairs(out / "pairs" / "1")
    make_poison(out / "poison" / "1")
    make_slow(out / "slow" / "1")


if __name__ == "__main__":
    main()
