"""Writes tiny models with one oddity each into test/fixtures/odd-models/<name>/1/: what the server must notice at load.

Each adds up two numbers per word, so that its answers can be worked out by hand. Needs no PyTorch.
"""

import argparse
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from odd_layout import write_json, write_odd_layout

Nodes = list[onnx.NodeProto]

WORDS = {
    "[PAD]": (6.0, -6.0),
    "[UNK]": (0.1, 0.2),
    "[CLS]": (0.0, 0.0),
    "[SEP]": (0.0, 0.0),
    "[MASK]": (0.0, 0.0),
    "good": (-3.0, 3.0),
    "bad": (3.0, -3.0),
    "fine": (-1.5, 1.0),
    "awful": (2.5, -1.0),
    "film": (0.2, 0.1),
    "a": (0.0, 0.1),
    "the": (0.1, 0.0),
    "not": (0.4, -0.4),
    "nan": (0.0, 0.0),
    "huge": (0.0, 0.0),
    "blast": (280.0, -280.0),
}
PAD_IS_3 = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", *[word for word in WORDS if not word.startswith("[")]]
MAX_TOKENS = 64


def node(operator: str, inputs: list[str], output: str, **attributes: object) -> onnx.NodeProto:
    return helper.make_node(operator, inputs, [output], **attributes)


def constant(name: str, value: np.ndarray) -> onnx.TensorProto:
    return numpy_helper.from_array(value, name)


class Graph:
    """A graph under construction: `words` holds two numbers for each token, `pooled` their mean over the real tokens."""

    def __init__(self, words: list[str], table: dict[str, tuple[float, float]]):
        self.nodes: Nodes = []
        self.weights = [
            constant("words.weight", np.array([table[word] for word in words], np.float32)),
            constant("axis_1", np.array([1])),
            constant("axis_2", np.array([2])),
            constant("axis_0", np.array([0])),
            constant("one", np.array(1, np.float32)),
        ]
        self.inputs = ["input_ids", "attention_mask"]
        self.add("Gather", ["words.weight", "input_ids"], "words")

    def add(self, operator: str, inputs: list[str], output: str, **attributes: object) -> str:
        self.nodes.append(node(operator, inputs, output, **attributes))
        return output

    def weight(self, name: str, value: np.ndarray) -> str:
        self.weights.append(constant(name, value))
        return name

    def pool(self, words: str = "words") -> str:
        """The mean over the tokens that the mask shows."""
        self.add("Cast", ["attention_mask"], "mask", to=TensorProto.FLOAT)
        self.add("Unsqueeze", ["mask", "axis_2"], "mask_column")
        self.add("Mul", [words, "mask_column"], "real_words")
        self.add("ReduceSum", ["real_words", "axis_1"], "sums", keepdims=0)
        self.add("ReduceSum", ["mask_column", "axis_1"], "counts", keepdims=0)
        return self.add("Div", ["sums", "counts"], "pooled")

    def save(self, path: Path, result: str, width: int | str = 2, output: str = "logits", external: bool = False) -> None:
        self.add("Identity", [result], output)
        shape = ["batch", "sequence"]
        graph = helper.make_graph(
            self.nodes,
            "odd",
            [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in self.inputs],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", width])],
            self.weights,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model, full_check=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        if external:
            onnx.save(model, path, save_as_external_data=True, location="model.onnx_data", size_threshold=64)
        else:
            onnx.save(model, path)


def plain() -> Graph:
    return Graph(list(WORDS), WORDS)


def write(out: Path, name: str, graph: Graph, result: str, config: dict | None = None, **save: object) -> None:
    folder = out / name / "1"
    write_odd_layout(folder, list(WORDS), config or {})
    graph.save(folder / "onnx" / "model.onnx", result, **save)


def make_plain(out: Path) -> None:
    graph = plain()
    write(out, "plain", graph, graph.pool())


def make_unmasked(out: Path) -> None:
    """No attention mask: padding counts as words."""
    graph = plain()
    graph.inputs = ["input_ids"]
    write(out, "unmasked", graph, graph.add("ReduceMean", ["words"], "mean", axes=[1], keepdims=0))


def make_mask_ignored(out: Path) -> None:
    """Takes an attention mask and does nothing with it."""
    graph = plain()
    graph.add("Cast", ["attention_mask"], "mask", to=TensorProto.FLOAT)
    graph.add("ReduceMean", ["words"], "mean", axes=[1], keepdims=0)
    graph.add("ReduceSum", ["mask", "axis_1"], "count", keepdims=1)
    graph.add("Mul", ["count", graph.weight("zero", np.array(0, np.float32))], "nothing")
    write(out, "mask-ignored", graph, graph.add("Add", ["mean", "nothing"], "sum"))


def make_last_token(out: Path) -> None:
    """Reads the last word of the row, as GPT-2 does without a padding id."""
    graph = plain()
    graph.add("Gather", ["words", graph.weight("last", np.array(-2))], "last_word", axis=1)
    write(out, "last-token", graph, "last_word")


def make_batch_mean(out: Path) -> None:
    """Subtracts what the rows of a batch have in common."""
    graph = plain()
    graph.add("ReduceMean", [graph.pool()], "common", axes=[0], keepdims=1)
    graph.add("Mul", ["common", graph.weight("half", np.array(0.5, np.float32))], "half_of_it")
    write(out, "batch-mean", graph, graph.add("Sub", ["pooled", "half_of_it"], "difference"))


def make_restless(out: Path) -> None:
    """Answers the same text differently each time, as a model with its dropout left on."""
    graph = plain()
    graph.add("RandomNormalLike", [graph.pool()], "noise")
    write(out, "restless", graph, graph.add("Add", ["pooled", "noise"], "sum"))


def make_not_finite(out: Path) -> None:
    """`nan` is NaN and `huge` infinite, and either spoils the scale that all rows of the batch share."""
    table = {**WORDS, "nan": (np.nan, np.nan), "huge": (np.inf, -np.inf)}
    graph = Graph(list(WORDS), table)
    graph.add("Abs", [graph.pool()], "sizes")
    graph.add("ReduceMax", ["sizes"], "largest", keepdims=0)
    graph.add("Add", ["largest", "one"], "scale")
    graph.add("Div", ["pooled", "scale"], "scaled")
    write(out, "not-finite", graph, graph.add("Mul", ["scaled", "scale"], "rescaled"))


def make_never_finite(out: Path) -> None:
    graph = Graph(list(WORDS), dict.fromkeys(WORDS, (np.nan, np.nan)))
    write(out, "never-finite", graph, graph.pool())


def make_softmaxed(out: Path) -> None:
    graph = plain()
    graph.add("Softmax", [graph.pool()], "scores", axis=-1)
    write(out, "softmaxed", graph, "scores", output="probabilities")


def make_softmaxed_by_hand(out: Path) -> None:
    """No operator tells it, the numbers do."""
    graph = plain()
    graph.add("Exp", [graph.pool()], "exponentials")
    graph.add("ReduceSum", ["exponentials", "axis_1"], "total", keepdims=1)
    write(out, "softmaxed-by-hand", graph, graph.add("Div", ["exponentials", "total"], "scores"))


def make_sigmoided(out: Path) -> None:
    graph = plain()
    graph.add("Sigmoid", [graph.pool()], "scores")
    write(out, "sigmoided", graph, "scores", {"problem_type": "multi_label_classification"})


def make_one_label(out: Path) -> None:
    graph = plain()
    graph.add("Gather", [graph.pool(), graph.weight("first", np.array([0]))], "one_column", axis=1)
    write(out, "one-label", graph, "one_column", {"id2label": {"0": "toxic"}}, width=1)


def make_unnamed_labels(out: Path) -> None:
    """What Transformers writes for two labels of default names: none."""
    graph = plain()
    write(out, "unnamed-labels", graph, graph.pool(), {"id2label": None})
    graph = plain()
    graph.add("Concat", [graph.pool(), "pooled"], "twice", axis=1)
    write(out, "unnamed-dynamic", graph, "twice", {"id2label": None}, width="labels")


def make_positions(out: Path) -> None:
    """Asks for position_ids, as decoders do: the later a word, the more it counts for GOOD."""
    graph = plain()
    graph.inputs.append("position_ids")
    table = np.array([(-position / 16, position / 16) for position in range(MAX_TOKENS)], np.float32)
    graph.weight("positions.weight", table)
    graph.add("Gather", ["positions.weight", "position_ids"], "places")
    write(out, "positions", graph, graph.pool(graph.add("Add", ["words", "places"], "placed")))


def make_external(out: Path) -> None:
    graph = plain()
    write(out, "external", graph, graph.pool(), external=True)


def make_pad_3(out: Path) -> None:
    """Positions begin at the padding id + 1 = 4, as RoBERTa's do: of 34, 30 are left."""
    graph = Graph(PAD_IS_3, WORDS)
    graph.weight("padding", np.array(3))
    graph.weight("embeddings.position_embeddings.weight", np.zeros((34, 2), np.float32))
    graph.add("Equal", ["input_ids", "padding"], "is_padding")
    graph.add("Not", ["is_padding"], "is_token")
    graph.add("Cast", ["is_token"], "token", to=TensorProto.INT64)
    graph.add("CumSum", ["token", graph.weight("along", np.array(1))], "count")
    graph.add("Mul", ["count", "token"], "position_of_tokens")
    graph.add("Add", ["position_of_tokens", "padding"], "positions")
    graph.add("Gather", ["embeddings.position_embeddings.weight", "positions"], "places")
    graph.add("Add", ["words", "places"], "placed")
    folder = out / "pad-3" / "1"
    config = {"model_type": "unheard-of", "max_position_embeddings": 34, "pad_token_id": 3}
    write_odd_layout(folder, PAD_IS_3, config)
    graph.save(folder / "onnx" / "model.onnx", graph.pool("placed"))


def make_few_positions(out: Path) -> None:
    """A table of 16 positions, though config.json speaks of 64. One has the name that exporters give it."""
    for name, table in [("few-positions", "model.embeddings.position_embeddings.weight"), ("hidden-positions", "onnx::Gather_7")]:
        graph = plain()
        graph.weight(table, np.zeros((16, 2), np.float32))
        graph.add("Shape", ["input_ids"], "shape")
        graph.add("Gather", ["shape", graph.weight("second", np.array(1))], "length")
        graph.add("Range", [graph.weight("start", np.array(0)), "length", graph.weight("step", np.array(1))], "positions")
        graph.add("Gather", [table, "positions"], "places")
        graph.add("Add", ["words", "places"], "placed")
        write(out, name, graph, graph.pool("placed"))


def make_flips(out: Path) -> None:
    """int8 whose one scale is taken over the batch: beside `blast` everything else becomes zero."""
    graph = plain()
    write(out, "flips", graph, graph.pool())
    folder = out / "flips" / "1"
    graph = plain()
    graph.nodes.append(helper.make_node("DynamicQuantizeLinear", [graph.pool()], ["small", "scale", "zero_point"]))
    graph.add("DequantizeLinear", ["small", "scale", "zero_point"], "coarse")
    graph.save(folder / "onnx" / "model_quantized.onnx", "coarse")
    # The long one runs alone in the check of the known answers: together they have too many tokens.
    texts = ["a good film", "the bad film", "a fine film", "awful", "not a good film", "blast " * (MAX_TOKENS - 2)]
    words = list(WORDS)
    entries = []
    for text in [*texts[:5] * 2, texts[5]]:
        ids = [words.index(word) for word in ["[CLS]", *text.split(), "[SEP]"]]
        logits = np.mean([WORDS[words[i]] for i in ids], axis=0)
        entries.append({"text": text, "token_ids": ids, "truncated": False, "logits": [round(float(x), 6) for x in logits]})
    write_json(folder / "golden.json", {"tolerance": {"fp32": 0.001, "int8": 1.1}, "entries": entries}, indent=None)


MAKERS: list[Callable[[Path], None]] = [
    make_plain,
    make_unmasked,
    make_mask_ignored,
    make_last_token,
    make_batch_mean,
    make_restless,
    make_not_finite,
    make_never_finite,
    make_softmaxed,
    make_softmaxed_by_hand,
    make_sigmoided,
    make_one_label,
    make_unnamed_labels,
    make_positions,
    make_external,
    make_pad_3,
    make_few_positions,
    make_flips,
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("test/fixtures/odd-models"))
    out: Path = parser.parse_args().out
    shutil.rmtree(out, ignore_errors=True)
    for make in MAKERS:
        make(out)


if __name__ == "__main__":
    main()
