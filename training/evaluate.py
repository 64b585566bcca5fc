"""Prints the accuracy of an ONNX model over a labelled .tsv or .csv file.

    python training/evaluate.py models/sentiment/1 sst2/validation.tsv
    python training/evaluate.py models/intent/1 banking77/test.csv

The file has a header. The text is in the first column, the label in the second: a label's name or its number.
"""

import argparse
import csv
import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer


def read_labelled(path: Path, names: list[str]) -> tuple[list[str], np.ndarray]:
    """Texts and label numbers."""
    with open(path, encoding="utf-8", newline="") as file:
        if path.suffix == ".tsv":
            rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
        else:
            rows = list(csv.reader(file))
    numbers = {name: number for number, name in enumerate(names)}
    labels = [int(label) if label.isdigit() else numbers[label] for _, label in (row[:2] for row in rows[1:])]
    return [row[0].strip() for row in rows[1:]], np.array(labels)


class OnnxClassifier:
    """A model folder, run on the CPU with one thread."""

    def __init__(self, folder: Path, file: str) -> None:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.labels = [config["id2label"][str(number)] for number in range(len(config["id2label"]))]
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(config["max_position_embeddings"])
        self.tokenizer.enable_padding(pad_id=config["pad_token_id"], pad_token="[PAD]")
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(str(folder / file), options, providers=["CPUExecutionProvider"])

    def logits(self, texts: list[str]) -> np.ndarray:
        """The logits of one batch."""
        encodings = self.tokenizer.encode_batch(texts)
        ids = np.array([encoding.ids for encoding in encodings])
        mask = np.array([encoding.attention_mask for encoding in encodings])
        columns = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        inputs = {given.name: columns[given.name] for given in self.session.get_inputs()}
        return self.session.run(["logits"], inputs)[0]

    def all_logits(self, texts: list[str], batch_size: int) -> np.ndarray:
        starts = range(0, len(texts), batch_size)
        return np.concatenate([self.logits(texts[start : start + batch_size]) for start in starts])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="a model folder, such as models/sentiment/1")
    parser.add_argument("data", type=Path)
    parser.add_argument("--file", default="onnx/model_quantized.onnx")
    parser.add_argument("--batch-size", type=int, default=1)
    args = parser.parse_args()
    model = OnnxClassifier(args.model, args.file)
    texts, labels = read_labelled(args.data, model.labels)
    right = int((model.all_logits(texts, args.batch_size).argmax(1) == labels).sum())
    print(f"{args.model}/{args.file}: {right} of {len(texts)} right, accuracy {right / len(texts):.4f}")


if __name__ == "__main__":
    main()
