"""Records what Transformers makes of a tokenizer.json beside a tokenizer_config.json that says something else:
test/fixtures/tokenizers/configs.json.gz, the cases with the ids of the first texts, without special tokens. Needs the
families that record_tokenizers.py writes, and no PyTorch."""

import gzip
import json
import tempfile
from pathlib import Path

from transformers import AutoTokenizer

from record_tokenizers import TARGET, TEXTS, read

COUNT = 125
BERT = {"tokenizer_class": "BertTokenizer"}
ALBERT = {"tokenizer_class": "AlbertTokenizer"}
DEBERTA = {"tokenizer_class": "DebertaV2Tokenizer", "unk_token": "<unk>"}
GENERIC = {"tokenizer_class": "PreTrainedTokenizerFast"}
MASK = {"content": "<mask>", "lstrip": False, "normalized": True, "rstrip": True, "single_word": False, "special": True}
ENDS = {"bos_token": "<s>", "eos_token": "</s>"}
CASES = [
    ("bert-uncased", "bert", {**BERT, "do_lower_case": False}),
    ("bert-uncased", "bert", {"do_lower_case": False}),
    ("bert-cased", "bert", BERT),
    ("bert-cased", "bert", {**BERT, "do_lower_case": True, "strip_accents": False}),
    ("bert-uncased", "bert", {**BERT, "strip_accents": False}),
    ("bert-uncased", "bert", {**BERT, "strip_accents": True, "do_lower_case": False}),
    ("bert-uncased", "bert", {**BERT, "tokenize_chinese_chars": False}),
    ("bert-sequence", "bert", {**BERT, "do_lower_case": False}),
    ("bert-accents", "bert", BERT),
    ("bert-cased", "modernbert", {**BERT, "do_lower_case": True}),
    ("bert-cased", "bert", {**GENERIC, "do_lower_case": True, "strip_accents": True}),
    ("bert-cased", "distilbert", {"tokenizer_class": "DistilBertTokenizerFast", "do_lower_case": True}),
    ("bert-cased", "electra", {"tokenizer_class": "ElectraTokenizer", "do_lower_case": True}),
    ("added-tokens", "bert", {**BERT, "do_lower_case": False}),
    ("added-tokens", "bert", {**BERT, "split_special_tokens": True}),
    ("roberta", "roberta", {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": True}),
    ("roberta", "roberta", {"add_prefix_space": True}),
    ("roberta", "longformer", {"tokenizer_class": "LongformerTokenizer", "add_prefix_space": True}),
    ("roberta", "roberta", {**GENERIC, "added_tokens_decoder": {"1200": MASK}}),
    ("gpt2", "gpt2", {"tokenizer_class": "GPT2Tokenizer"}),
    ("gpt2", "gpt2", {**GENERIC, "add_prefix_space": False}),
    ("llama", "bert", {**GENERIC, **ENDS, "unk_token": "an", "add_bos_token": True, "add_eos_token": True}),
    ("xlm-roberta", "xlm-roberta", {"tokenizer_class": "XLMRobertaTokenizer", "add_prefix_space": False}),
    ("xlm-roberta", "xlm-roberta", {**GENERIC, "add_prefix_space": False}),
    ("albert", "albert", ALBERT),
    ("albert", "albert", {**ALBERT, "do_lower_case": False}),
    ("albert", "albert", {**ALBERT, "keep_accents": True}),
    ("albert", "albert", {**ALBERT, "do_lower_case": False, "keep_accents": True, "add_prefix_space": False}),
    ("deberta-v3", "deberta-v2", DEBERTA),
    ("deberta-v3", "deberta-v2", {**DEBERTA, "do_lower_case": True}),
    ("deberta-v3", "deberta-v2", {**DEBERTA, "split_by_punct": True}),
    ("deberta-v3", "deberta-v2", {**DEBERTA, "do_lower_case": True, "split_by_punct": True, "add_prefix_space": False}),
]


def adapted(family):
    """The tokenizer.json of a family with the parts that its class in Transformers has, whatever the settings."""
    content = json.loads(read(family).to_str())
    if family == "albert":
        content["normalizer"]["normalizers"].pop()
    if family == "deberta-v3":
        content["model"]["unk_id"] = 3
        content["normalizer"]["normalizers"] = [
            {"type": "Replace", "pattern": {"Regex": r"\s{2,}|[\n\r\t]"}, "content": " "},
            {"type": "NFC"},
            {"type": "Strip", "strip_left": False, "strip_right": True},
        ]
    return content


def ids(family, model_type, config):
    with tempfile.TemporaryDirectory() as folder:
        files = {"tokenizer.json": adapted(family), "tokenizer_config.json": config, "config.json": {"model_type": model_type}}
        for name, content in files.items():
            (Path(folder) / name).write_text(json.dumps(content))
        tokenizer = AutoTokenizer.from_pretrained(folder)
        return [tokenizer(text, add_special_tokens=False)["input_ids"] for text in TEXTS[:COUNT]]


cases = [
    {"family": family, "model_type": model_type, "config": config, "ids": ids(family, model_type, config)}
    for family, model_type, config in CASES
]
text = json.dumps(cases, ensure_ascii=False, separators=(",", ":"))
(TARGET / "configs.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
