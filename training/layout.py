"""Writes a model in the file layout of the Hugging Face Hub, without its ONNX files and golden.json."""

import json
from pathlib import Path

from tokenizers import Tokenizer
from transformers import PretrainedConfig

from wordpiece import CLS, MASK, PAD, SEP, UNK

SPECIAL_TOKENS_MAP = {
    "cls_token": CLS,
    "mask_token": MASK,
    "pad_token": PAD,
    "sep_token": SEP,
    "unk_token": UNK,
}


def write_json(path: Path, value: object, indent: int | None = 2) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=indent, ensure_ascii=False) + "\n", encoding="utf-8")


def write_layout(folder: Path, config: PretrainedConfig, tokenizer: Tokenizer) -> None:
    """Writes config.json, tokenizer.json, tokenizer_config.json and special_tokens_map.json."""
    folder.mkdir(parents=True, exist_ok=True)
    config.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "do_lower_case": True,
            "model_max_length": config.max_position_embeddings,
            "padding_side": "right",
            "truncation_side": "right",
            "model_input_names": input_names(config),
            **SPECIAL_TOKENS_MAP,
        },
    )
    write_json(folder / "special_tokens_map.json", SPECIAL_TOKENS_MAP)


def label_maps(labels: list[str]) -> dict[str, dict]:
    """The two label maps of a Transformers configuration."""
    return {
        "id2label": dict(enumerate(labels)),
        "label2id": {label: index for index, label in enumerate(labels)},
    }


# These tell the two texts of a pair apart by their token types.
WITH_TOKEN_TYPES = {"albert", "bert", "big_bird", "convbert", "deberta", "deberta-v2", "electra", "rembert"}
# Exporters have these ask for the positions of the tokens.
WITH_POSITIONS = {"data2vec-text", "gpt2", "llama", "qwen2", "qwen3"}


def input_names(config: PretrainedConfig) -> list[str]:
    """The inputs of the model's graph, as exporters choose them."""
    names = ["input_ids", "attention_mask"]
    if config.model_type in WITH_TOKEN_TYPES and config.type_vocab_size > 0:
        names.append("token_type_ids")
    if config.model_type in WITH_POSITIONS:
        names.append("position_ids")
    if config.model_type == "longformer":
        names.append("global_attention_mask")
    return names
