"""Trains a tiny tokenizer of every family on the texts of tokenizer_texts.py, and records the ids that the Rust library
gives: test/fixtures/tokenizers/texts.json, and <family>.json.gz with "tokenizer", "ids" (one list for each text), "newer"
(the same for texts around newer code points, without special tokens) and "pairs" (ids and token types). What SentencePiece
calls a charsmap is a file of its own, which tokenizers name.

A family that is there is recorded anew with the tokenizer it has; --train trains all that are given anew."""

import argparse
import gzip
import hashlib
import io
import json
from pathlib import Path

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from tokenizer_texts import NEWER, PLAIN, texts

TARGET = Path("test/fixtures/tokenizers")
SIZE = 1200
ALPHABET = 400
TEXTS = texts()
NEWER_TEXTS = [f"a{chr(point)}b {chr(point)} x{chr(point)}{chr(point)}" for point in NEWER]
PAIRS = [("one two", "three"), ("", "three"), ("Un film", "génial\u2003"), ("中文", "")]
GPT4 = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
)
QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CLIP = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def specials(*contents, **properties):
    return [AddedToken(content, special=True, normalized=False, **properties) for content in contents]


def trained(tokenizer, trainer):
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


def bert(normalizer):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    names = specials("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    trained(
        tokenizer,
        trainers.WordPieceTrainer(
            vocab_size=SIZE, special_tokens=names, limit_alphabet=ALPHABET, show_progress=False, min_frequency=1
        ),
    )
    cls, sep = ((name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[cls, sep]
    )
    return tokenizer


def byte_level(pre_tokenizer, names=("<s>", "<pad>", "</s>", "<unk>"), normalizer=None, **model):
    tokenizer = Tokenizer(models.BPE(**model))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    return trained(
        tokenizer,
        trainers.BpeTrainer(
            vocab_size=SIZE,
            special_tokens=specials(*names),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
            **({"end_of_word_suffix": model["end_of_word_suffix"]} if "end_of_word_suffix" in model else {}),
        ),
    )


def split_bytes(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), behavior, invert),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def roberta():
    tokenizer = byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False))
    tokenizer.add_special_tokens(specials("<mask>", lstrip=True))
    sep, cls = ((name, tokenizer.token_to_id(name)) for name in ("</s>", "<s>"))
    tokenizer.post_processor = processors.RobertaProcessing(sep, cls, True, False)
    return tokenizer


def gpt2():
    tokenizer = byte_level(pre_tokenizers.ByteLevel(add_prefix_space=True), ["<|endoftext|>"])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def clip():
    return byte_level(
        pre_tokenizers.Sequence(
            [pre_tokenizers.Split(Regex(CLIP), "removed", True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        ),
        ["<|startoftext|>", "<|endoftext|>"],
        normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]),
        unk_token="<|endoftext|>",
        end_of_word_suffix="</w>",
        continuing_subword_prefix="",
    )


def deepseek():
    return byte_level(
        pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex("[\r\n]"), "isolated"),
                pre_tokenizers.Split(Regex(r"\s?\p{L}+"), "isolated"),
                pre_tokenizers.Split(Regex(r"\s?\p{P}+"), "isolated"),
                pre_tokenizers.Split(Regex("[一-龥ࠀ-一가-퟿]+"), "isolated"),
                pre_tokenizers.Digits(True),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
    )


def spm(rule, kind="unigram", **options):
    """What PyPI's sentencepiece trains: pieces with scores, and the charsmap of a normalisation rule."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(PLAIN * 4),
        model_writer=model,
        vocab_size=2500,
        model_type=kind,
        normalization_rule_name=rule,
        character_coverage=0.98,
        hard_vocab_limit=False,
        minloglevel=2,
        num_threads=1,
        **options,
    )
    proto = sentencepiece_model_pb2.ModelProto.FromString(model.getvalue())
    return [(piece.piece, piece.score) for piece in proto.pieces], proto.normalizer_spec.precompiled_charsmap


def unigram(rule, before, after, pre_tokenizer, names, byte_fallback=False):
    pieces, charsmap = spm(rule, byte_fallback=byte_fallback)
    vocab = [(name, 0.0) for name in names] + [p for p in pieces if p[0] not in {*names, "<s>", "</s>", "<unk>"}]
    tokenizer = Tokenizer(models.Unigram(vocab, names.index("<unk>"), byte_fallback))
    tokenizer.normalizer = normalizers.Sequence([*before, normalizers.Precompiled(charsmap), *after])
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.add_special_tokens(specials(*[name for name in names if name != "<mask>"]))
    if "<mask>" in names:
        tokenizer.add_special_tokens(specials("<mask>", lstrip=True))
    return tokenizer


def words_and_metaspace():
    return pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])


def xlm_roberta():
    names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = unigram("nmt_nfkc", [], [], words_and_metaspace(), names)
    start, end = (("<s>", 0), ("</s>", 2))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[start, end]
    )
    return tokenizer


def deberta_v3():
    return unigram(
        "nmt_nfkc",
        [normalizers.Strip()],
        [normalizers.Replace(Regex(" {2,}"), " ")],
        pre_tokenizers.Sequence([pre_tokenizers.Punctuation("isolated"), pre_tokenizers.Metaspace()]),
        ["[PAD]", "[CLS]", "[SEP]", "<unk>", "[MASK]"],
    )


def albert():
    return unigram(
        "nmt_nfkc_cf",
        [
            normalizers.Replace("``", '"'),
            normalizers.Replace("''", '"'),
            normalizers.NFKD(),
            normalizers.StripAccents(),
            normalizers.Lowercase(),
        ],
        [normalizers.Replace(Regex(" {2,}"), " ")],
        words_and_metaspace(),
        ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"],
    )


def mt5():
    return unigram(
        "nmt_nfkc",
        [],
        [normalizers.Strip(left=False, right=True), normalizers.Replace(Regex(" {2,}"), "▁")],
        pre_tokenizers.Metaspace(prepend_scheme="first"),
        ["<pad>", "</s>", "<unk>"],
    )


def nfkc_bytes():
    names = ["<unk>", "<s>", "</s>"]
    return unigram("nmt_nfkc", [], [], pre_tokenizers.Metaspace(prepend_scheme="never"), names, byte_fallback=True)


def llama(normalizer, pre_tokenizer):
    names = ["<unk>", "<s>", "</s>"]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    if pre_tokenizer is not None:
        tokenizer.pre_tokenizer = pre_tokenizer
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    trained(
        tokenizer,
        trainers.BpeTrainer(
            vocab_size=SIZE, special_tokens=[*names, *bytes_], limit_alphabet=ALPHABET, max_token_length=12,
            show_progress=False,
        ),
    )
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = [token for token in content["added_tokens"] if token["content"] in names]
    content["normalizer"] = json.loads(normalizer.__getstate__()) if normalizer is not None else None
    tokenizer = Tokenizer.from_str(json.dumps(content))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)]
    )
    return tokenizer


def fused_unknowns():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    names = specials("<unk>", "<pad>")
    return trained(
        tokenizer,
        trainers.BpeTrainer(vocab_size=SIZE, special_tokens=names, limit_alphabet=200, show_progress=False),
    )


def word_level(normalizer, pre_tokenizer):
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    return trained(
        tokenizer,
        trainers.WordLevelTrainer(vocab_size=2500, special_tokens=specials("[UNK]", "[PAD]"), show_progress=False),
    )


def splits():
    """One of every way to split, and of what becomes of the delimiters."""
    isolated = pre_tokenizers.Split
    return pre_tokenizers.Sequence(
        [
            isolated("e", "merged_with_previous"),
            isolated(Regex("[.!?]+|a+"), "merged_with_next"),
            isolated(Regex(r"[\s\-]"), "contiguous"),
            isolated(Regex(r"[\p{Lu}&&[^A-M]]"), "isolated"),
            isolated(Regex(r"\w+"), "merged_with_previous", True),
            pre_tokenizers.CharDelimiterSplit("o"),
            pre_tokenizers.Punctuation("merged_with_next"),
            pre_tokenizers.Digits(False),
            pre_tokenizers.Metaspace(replacement="_", prepend_scheme="never"),
        ]
    )


def added():
    """Added tokens with every property."""
    tokenizer = bert(normalizers.BertNormalizer())
    tokenizer.add_tokens(
        [
            AddedToken("the", single_word=True),
            AddedToken("Café", lstrip=True),
            AddedToken("WORLD", rstrip=True, normalized=False),
            AddedToken("fox", lstrip=True, rstrip=True),
            AddedToken("中文", single_word=True, normalized=False),
            AddedToken("he", normalized=False, single_word=True),
            AddedToken("hello wo", normalized=True),
            AddedToken("  ", normalized=False),
            AddedToken("👍🏽", normalized=False, lstrip=True),
            AddedToken("ΣΑΣ", single_word=True),
        ]
    )
    return tokenizer


FAMILIES = {
    "bert-uncased": lambda: bert(normalizers.BertNormalizer()),
    "bert-cased": lambda: bert(normalizers.BertNormalizer(lowercase=False)),
    "bert-accents": lambda: bert(
        normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=False)
    ),
    "bert-sequence": lambda: bert(
        normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()])
    ),
    "added-tokens": added,
    "roberta": roberta,
    "gpt2": gpt2,
    "clip": clip,
    "gpt4": lambda: byte_level(split_bytes(GPT4), ignore_merges=True),
    "gpt4o": lambda: byte_level(split_bytes(O200K)),
    "qwen2": lambda: byte_level(split_bytes(QWEN2), normalizer=normalizers.NFC()),
    "deepseek": deepseek,
    "xlm-roberta": xlm_roberta,
    "deberta-v3": deberta_v3,
    "albert": albert,
    "mt5": mt5,
    "unigram-bytes": nfkc_bytes,
    "llama": lambda: llama(normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]), None),
    "llama-metaspace": lambda: llama(None, pre_tokenizers.Metaspace(prepend_scheme="first", split=False)),
    "bpe-fused": fused_unknowns,
    "whitespace": lambda: word_level(normalizers.Sequence([normalizers.NFC()]), pre_tokenizers.Whitespace()),
    "word-level": lambda: word_level(
        normalizers.Sequence([normalizers.NFD(), normalizers.Strip(), normalizers.ByteLevel()]),
        pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.FixedLength(5)]),
    ),
    "splits": lambda: word_level(normalizers.NFC(), splits()),
}


def stored(charsmap):
    """The name of the file, base64 in gzip, that holds a charsmap."""
    name = f"charsmap-{hashlib.sha256(charsmap.encode()).hexdigest()[:8]}.gz"
    (TARGET / name).write_bytes(gzip.compress(charsmap.encode(), 9, mtime=0))
    return name


def read(family):
    content = json.loads(gzip.decompress((TARGET / f"{family}.json.gz").read_bytes()))["tokenizer"]
    for normalizer in (content["normalizer"] or {}).get("normalizers", []):
        if "precompiled_charsmap" in normalizer:
            file = TARGET / normalizer["precompiled_charsmap"]
            normalizer["precompiled_charsmap"] = gzip.decompress(file.read_bytes()).decode()
    return Tokenizer.from_str(json.dumps(content))


def write(family, tokenizer):
    content = json.loads(tokenizer.to_str())
    content["truncation"] = content["padding"] = None
    tokenizer = Tokenizer.from_str(json.dumps(content))
    for normalizer in (content["normalizer"] or {}).get("normalizers", []):
        if "precompiled_charsmap" in normalizer:
            normalizer["precompiled_charsmap"] = stored(normalizer["precompiled_charsmap"])
    ids = [encoding.ids for encoding in tokenizer.encode_batch(TEXTS, add_special_tokens=True)]
    newer = [encoding.ids for encoding in tokenizer.encode_batch(NEWER_TEXTS, add_special_tokens=False)]
    pairs = [[encoding.ids, encoding.type_ids] for encoding in tokenizer.encode_batch(PAIRS)]
    text = json.dumps({"tokenizer": content, "ids": ids, "newer": newer, "pairs": pairs}, ensure_ascii=False, separators=(",", ":"))
    (TARGET / f"{family}.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(family, tokenizer.get_vocab_size(), sum(map(len, ids)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("families", nargs="*")
    parser.add_argument("--train", action="store_true")
    arguments = parser.parse_args()
    TARGET.mkdir(parents=True, exist_ok=True)
    content = {"texts": TEXTS, "newer": NEWER, "pairs": PAIRS}
    (TARGET / "texts.json").write_text(json.dumps(content, indent=0) + "\n")
    for name in arguments.families or FAMILIES:
        path = TARGET / f"{name}.json.gz"
        if arguments.train or not path.exists():
            write(name, FAMILIES[name]())
        else:
            write(name, read(name))
