"""The files around the ONNX files of make_odd_models.py, without Transformers."""

import json
from pathlib import Path

from wordpiece import new_tokenizer


def write_json(path: Path, value: object, indent: int | None = 2) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=indent, ensure_ascii=False) + "\n", encoding="utf-8")


def write_odd_layout(folder: Path, words: list[str], config: dict) -> None:
    """config.json, with BAD and GOOD as its labels where `config` says nothing else, and tokenizer.json."""
    whole = {
        "model_type": "bert",
        "id2label": {"0": "BAD", "1": "GOOD"},
        "max_position_embeddings": 64,
        "pad_token_id": words.index("[PAD]"),
        **config,
    }
    write_json(folder / "config.json", {key: value for key, value in whole.items() if value is not None})
    vocab = {word: index for index, word in enumerate(words)}
    tokenizer = new_tokenizer(vocab | {"[MASK]": vocab.get("[MASK]", len(vocab))})
    tokenizer.save(str(folder / "tokenizer.json"))
