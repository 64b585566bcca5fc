"""Writes a tiny model with random weights for every family of sequence classifiers to
test/fixtures/families/<family>/1/, as a user would export it, with the answers of Transformers. Needs no network."""

import argparse
import json
import shutil
import tempfile
import warnings
from pathlib import Path

import torch
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase, TextClassificationPipeline
from transformers import __version__ as transformers_version
from transformers.utils import logging

from family import MAX_TOKENS, Family
from family_decoders import DECODERS
from family_encoders import ENCODERS
from family_texts import PAIRS, TEXTS
from golden import FP32_TOLERANCE, Text
from layout import input_names
from onnx_export import export_onnx

FEW = [*TEXTS[:3], TEXTS[-1], PAIRS[0]]


def write_compact(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


def as_saved(family: Family, model: PreTrainedModel, folder: Path) -> PreTrainedTokenizerBase:
    """Writes configuration and tokenizer as the Hub holds them, or as somebody saves them who has loaded the model."""
    with tempfile.TemporaryDirectory() as temporary:
        hub = folder if family.from_hub else Path(temporary)
        model.config.save_pretrained(hub)
        family.tokenizer().save(str(hub / "tokenizer.json"))
        config = {"tokenizer_class": family.tokenizer_class, "model_max_length": MAX_TOKENS, **family.tokenizer_config}
        write_compact(hub / "tokenizer_config.json", config)
        if not family.from_hub:
            AutoTokenizer.from_pretrained(hub).save_pretrained(folder)
    model.config.save_pretrained(folder)
    for path in folder.glob("*.json"):
        write_compact(path, json.loads(path.read_text(encoding="utf-8")))
    return AutoTokenizer.from_pretrained(folder)


@torch.inference_mode()
def answers(family: Family, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, text: Text) -> dict:
    """What PyTorch answers in fp32, the text alone."""
    first, second = text if isinstance(text, tuple) else (text, None)
    limits = {"truncation": True, "max_length": MAX_TOKENS}
    encoding = tokenizer(first, second, return_tensors="pt", return_token_type_ids=True, **limits)
    whole = tokenizer(first, second, truncation=False)["input_ids"]
    names = set(input_names(model.config)) & {"input_ids", "attention_mask", "token_type_ids"}
    logits = model(**{name: encoding[name] for name in names}).logits[0]
    if family.outputs == ("probabilities",):
        logits = logits.softmax(-1)
    ids = encoding["input_ids"][0].tolist()
    return {
        "text": first,
        **({"text_pair": second} if second is not None else {}),
        "token_ids": ids,
        "truncated": len(whole) > len(ids),
        "logits": [round(value, 6) for value in logits.tolist()],
    }


def scores(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, text: str) -> dict[str, float]:
    """What the pipeline of Transformers makes of one text, by label."""
    classify = TextClassificationPipeline(model=model, tokenizer=tokenizer)
    return {answer["label"]: round(answer["score"], 6) for answer in classify(text, top_k=None)}


def make(family: Family, folder: Path) -> None:
    vocab_size = family.tokenizer().get_vocab_size()
    model = family.build(vocab_size)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tokenizer = as_saved(family, model, folder)
    texts = FEW if family.few_texts else [*TEXTS, *PAIRS]
    entries = [answers(family, model, tokenizer, text) for text in texts]
    generated_by = f"Transformers {transformers_version}, PyTorch {torch.__version__}, fp32, one row at a time"
    golden = {
        "generated_by": generated_by,
        "tolerance": {"fp32": FP32_TOLERANCE},
        "scores": scores(model, tokenizer, TEXTS[0]),
        "entries": entries,
    }
    write_compact(folder / "golden.json", golden)
    export_onnx(
        model, folder / "onnx" / "model.onnx", family.dtype, outputs=family.outputs, dynamo=family.dynamo
    )


def write_checkpoint(family: Family, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    model = family.build(family.tokenizer().get_vocab_size())
    as_saved(family, model, folder)
    model.save_pretrained(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="families; all if none is named")
    parser.add_argument("--out", type=Path, help="test/fixtures/families, but for checkpoints, which need a folder of their own")
    parser.add_argument("--checkpoints", action="store_true", help="write the checkpoints instead, to try training/export on")
    arguments = parser.parse_args()
    if arguments.checkpoints and arguments.out is None:
        parser.error("--checkpoints needs --out: checkpoints are no fixtures")
    out = arguments.out or Path("test/fixtures/families")
    logging.set_verbosity_error()
    warnings.simplefilter("ignore")
    for family in [*ENCODERS, *DECODERS]:
        if arguments.names and family.name not in arguments.names:
            continue
        if arguments.checkpoints:
            write_checkpoint(family, out / family.name)
        else:
            make(family, out / family.name / "1")
        print(family.name, flush=True)


if __name__ == "__main__":
    main()
