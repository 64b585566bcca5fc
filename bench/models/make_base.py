"""Writes a classifier of the size of DistilBERT-base, with seeded random weights, for measurements.

The folder has the Hub's layout with model.safetensors as well, so that PyTorch servers load the same weights.
Run it in the environment of training/requirements.txt; the tokenizer is that of models/sentiment/1.
"""

import argparse
import math
import random
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnxruntime.transformers.float16 import convert_float_to_float16
from tokenizers import Tokenizer
from transformers import DistilBertConfig, DistilBertForSequenceClassification

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "training"))

from onnx_export import export_onnx  # noqa: E402
from golden import largest_error, record, replay, write_golden  # noqa: E402
from layout import label_maps, write_layout  # noqa: E402
from quantize import quantize_weights  # noqa: E402

SEED = 11
CANDIDATES = 120
ENTRIES = 10
LOGIT_SPREAD = 3.0


def random_model() -> DistilBertForSequenceClassification:
    """6 layers, 768 wide, 12 heads, 30,522 embedding rows: 67 M parameters."""
    torch.manual_seed(SEED)
    config = DistilBertConfig(
        initializer_range=0.05,
        problem_type="single_label_classification",
        architectures=["DistilBertForSequenceClassification"],
        **label_maps(["NEGATIVE", "POSITIVE"]),
    )
    return DistilBertForSequenceClassification(config).eval()


def random_texts(tokenizer: Tokenizer) -> list[str]:
    """Texts of 3 to 40 whole words of the vocabulary."""
    rng = random.Random(SEED)
    words = sorted(word for word in tokenizer.get_vocab() if word.isalpha() and len(word) > 2)
    return [" ".join(rng.choices(words, k=rng.randint(3, 40))) for _ in range(CANDIDATES)]


def spread_labels(model: DistilBertForSequenceClassification, entries: list[dict]) -> None:
    """Scales and shifts the head so that both labels occur and most texts have a clear one."""
    logits = torch.tensor([entry["logits"] for entry in entries])
    scale = LOGIT_SPREAD / logits.std(0)
    with torch.no_grad():
        model.classifier.weight.mul_(scale[:, None])
        model.classifier.bias.sub_(logits.median(0).values).mul_(scale)


def margin(entry: dict) -> float:
    return abs(entry["logits"][1] - entry["logits"][0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="for example bench/models/out/base/1")
    parser.add_argument("--tokenizer", type=Path, default=ROOT / "models" / "sentiment" / "1" / "tokenizer.json")
    args = parser.parse_args()

    tokenizer = Tokenizer.from_file(str(args.tokenizer))
    model = random_model()
    texts = random_texts(tokenizer)
    spread_labels(model, record(model, tokenizer, texts))
    entries = sorted(record(model, tokenizer, texts), key=margin, reverse=True)[:ENTRIES]

    model.save_pretrained(args.out)
    (args.out / "model.safetensors").chmod(0o644)
    write_layout(args.out, model.config, tokenizer)
    fp32, int8, fp16 = (args.out / "onnx" / f"model{suffix}.onnx" for suffix in ("", "_quantized", "_fp16"))
    export_onnx(model, fp32)
    quantize_weights(fp32, int8)
    onnx.save(convert_float_to_float16(onnx.load(fp32), keep_io_types=True), fp16)

    def tolerance(path: Path) -> float:
        return math.ceil(20 * largest_error(path, entries) + 1) / 10

    write_golden(
        args.out / "golden.json",
        model,
        entries,
        int8_tolerance=tolerance(int8),
        fp32_tolerance=5e-3,
        fp16_tolerance=tolerance(fp16),
    )
    wanted = np.array([entry["logits"] for entry in entries]).argmax(1)
    for path in (fp32, int8, fp16):
        swapped = int((replay(path, entries).argmax(1) != wanted).sum())
        megabytes = path.stat().st_size / 1e6
        error = largest_error(path, entries)
        print(f"{path.name}: {megabytes:.0f} MB, largest error {error:.4f}, labels swapped {swapped}")


if __name__ == "__main__":
    main()
