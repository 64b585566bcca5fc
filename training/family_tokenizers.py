"""Tiny tokenizers with the parts that each family's fast tokenizer has on the Hub."""

import io
import json
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from family_texts import CORPUS

QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
BLOOM = r" ?[^(\s|[.,!?…。，、।۔،])]+"


def specials(*contents: str, **properties: bool) -> list[AddedToken]:
    return [AddedToken(content, special=True, normalized=False, **properties) for content in contents]


def framed(tokenizer: Tokenizer, single: str, pair: str, *names: str) -> Tokenizer:
    ids = [(name, tokenizer.token_to_id(name)) for name in names]
    tokenizer.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=ids)
    return tokenizer


def wordpiece(
    names: Sequence[str] = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"), lowercase: bool = True
) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    texts = [tokenizer.normalizer.normalize_str(text) for text in CORPUS]
    words = Counter(word for text in texts for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text))
    tokenizer.model = models.WordPiece(word_pieces(words, names), unk_token="[UNK]")
    tokenizer.add_special_tokens(specials(*names))
    return tokenizer


def word_pieces(words: Counter[str], names: Sequence[str]) -> dict[str, int]:
    """Special tokens, common characters, beginnings and ends of words: what a trainer learns differs from run to run."""
    alphabet = common(Counter(char for word in words.elements() for char in word), 130)
    parts = Counter[str]()
    for word, count in words.items():
        for size in range(2, len(word) + 1):
            parts[word[:size]] += count
            parts["##" + word[-size:]] += count
    pieces_ = [*names, *alphabet, *(f"##{char}" for char in alphabet), *common(parts, 150)]
    return {piece: index for index, piece in enumerate(dict.fromkeys(pieces_))}


def common(counts: Counter[str], most: int) -> list[str]:
    return sorted(sorted(counts), key=lambda part: -counts[part])[:most]


def bert(lowercase: bool = True) -> Tokenizer:
    tokenizer = wordpiece(lowercase=lowercase)
    return framed(tokenizer, "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", "[CLS]", "[SEP]")


def mpnet() -> Tokenizer:
    tokenizer = wordpiece(["<s>", "<pad>", "</s>", "[UNK]"])
    tokenizer.add_special_tokens(specials("<mask>", lstrip=True))
    return roberta_frame(tokenizer)


def roberta_frame(tokenizer: Tokenizer) -> Tokenizer:
    sep, cls = ((name, tokenizer.token_to_id(name)) for name in ("</s>", "<s>"))
    tokenizer.post_processor = processors.RobertaProcessing(sep, cls, True, False)
    return tokenizer


def byte_level(names: Sequence[str], pre_tokenizer: pre_tokenizers.PreTokenizer | None = None) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer or pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=380,
        special_tokens=specials(*names),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def split_bytes(pattern: str) -> pre_tokenizers.PreTokenizer:
    split = pre_tokenizers.Split(Regex(pattern), "isolated")
    return pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def roberta() -> Tokenizer:
    tokenizer = byte_level(["<s>", "<pad>", "</s>", "<unk>"])
    tokenizer.add_special_tokens(specials("<mask>", lstrip=True))
    return roberta_frame(tokenizer)


def deberta() -> Tokenizer:
    tokenizer = byte_level(["[CLS]", "[PAD]", "[SEP]", "[UNK]"])
    tokenizer.add_special_tokens(specials("[MASK]", lstrip=True))
    return framed(tokenizer, "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", "[CLS]", "[SEP]")


def modernbert() -> Tokenizer:
    tokenizer = byte_level(["[UNK]", "[CLS]", "[SEP]", "[PAD]"])
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.add_special_tokens(specials("[MASK]", lstrip=True))
    return framed(tokenizer, "[CLS] $A [SEP]", "[CLS] $A [SEP] $B [SEP]", "[CLS]", "[SEP]")


def gpt2() -> Tokenizer:
    tokenizer = byte_level(["<|endoftext|>"])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def qwen2() -> Tokenizer:
    tokenizer = byte_level(["<|endoftext|>", "<|im_start|>", "<|im_end|>"], split_bytes(QWEN2))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.post_processor = processors.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)
    return tokenizer


def opt() -> Tokenizer:
    tokenizer = byte_level(["<s>", "<pad>", "</s>", "<unk>"])
    return framed(tokenizer, "</s> $A", "</s> $A </s>:1 $B:1", "</s>")


def bloom() -> Tokenizer:
    tokenizer = byte_level(["<unk>", "<s>", "</s>", "<pad>"], split_bytes(BLOOM))
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def llama() -> Tokenizer:
    names = ["<unk>", "<s>", "</s>"]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    alphabet = common(Counter("".join(CORPUS).replace(" ", "▁")), 90)
    trainer = trainers.BpeTrainer(
        vocab_size=440,
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
        special_tokens=[*names, *bytes_],
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    vocab, merges = sorted_bpe(tokenizer)
    tokenizer = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.add_special_tokens(specials(*names))
    return framed(tokenizer, "<s> $A", "<s> $A <s>:1 $B:1", "<s>")


def sorted_bpe(tokenizer: Tokenizer) -> tuple[dict[str, int], list[tuple[str, str]]]:
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [tuple(merge) for merge in model["merges"]]


def normalisation_rules(folder: Path) -> Path:
    """SentencePiece's NFKC for what the texts hold: the whole table takes 300 kB."""
    sources = {piece for text in CORPUS for form in ("NFC", "NFD") for piece in clusters(unicodedata.normalize(form, text))}
    rules = {source: unicodedata.normalize("NFKC", source) for source in sources}
    rules |= dict.fromkeys("\t\n\u00a0\u3000", " ") | {"\u200b": " "}
    path = folder / "rules.tsv"
    codes = lambda text: " ".join(f"{ord(char):X}" for char in text)
    lines = [f"{codes(source)}\t{codes(target)}\n" for source, target in sorted(rules.items()) if source != target]
    path.write_text("".join(lines))
    return path


def clusters(text: str) -> set[str]:
    """Characters with the marks behind them, and Hangul syllables in their parts."""
    found, cluster = set(), ""
    for char in text:
        joins = unicodedata.combining(char) or 0x1160 <= ord(char) <= 0x11FF
        cluster = cluster + char if joins else char
        found |= {char, cluster}
    return found


def pieces() -> tuple[list[tuple[str, float]], bytes]:
    """What SentencePiece trains: pieces with scores, and the charsmap of the normalisation rules."""
    model = io.BytesIO()
    with TemporaryDirectory() as folder:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(CORPUS * 4),
            model_writer=model,
            vocab_size=400,
            model_type="unigram",
            normalization_rule_tsv=str(normalisation_rules(Path(folder))),
            character_coverage=0.98,
            hard_vocab_limit=False,
            minloglevel=2,
            num_threads=1,
        )
    proto = sentencepiece_model_pb2.ModelProto.FromString(model.getvalue())
    return [(piece.piece, round(piece.score, 4)) for piece in proto.pieces], proto.normalizer_spec.precompiled_charsmap


def words_and_metaspace() -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])


def unigram(
    names: Sequence[str], unknown: str = "<unk>", before: Sequence[normalizers.Normalizer] = ()
) -> Tokenizer:
    learnt, charsmap = pieces()
    vocab = [(name, 0.0) for name in names]
    vocab += [piece for piece in learnt if piece[0] not in {*names, "<s>", "</s>", "<unk>"}]
    tokenizer = Tokenizer(models.Unigram(vocab, names.index(unknown), False))
    after = [normalizers.Replace(Regex(" {2,}"), " ")]
    tokenizer.normalizer = normalizers.Sequence([*before, normalizers.Precompiled(charsmap), *after])
    tokenizer.pre_tokenizer = words_and_metaspace()
    masks = {"<mask>", "[MASK]"}
    tokenizer.add_special_tokens(specials(*[name for name in names if name not in masks and "NOTUSED" not in name]))
    tokenizer.add_special_tokens(specials(*[name for name in names if name in masks], lstrip=True))
    return tokenizer


BERT_FRAME = ("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", "[CLS]", "[SEP]")
XLM_R_FRAME = ("<s> $A </s>", "<s> $A </s> </s> $B </s>", "<s>", "</s>")
QUOTES = [normalizers.Replace("``", '"'), normalizers.Replace("''", '"')]


def xlm_roberta() -> Tokenizer:
    return framed(unigram(["<s>", "<pad>", "</s>", "<unk>", "<mask>"]), *XLM_R_FRAME)


def camembert() -> Tokenizer:
    names = ["<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED", "<s>", "</s>", "<mask>"]
    return framed(unigram(names), *XLM_R_FRAME)


def albert() -> Tokenizer:
    accents = [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]
    tokenizer = unigram(["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"], before=[*QUOTES, *accents])
    return framed(tokenizer, *BERT_FRAME)


def rembert() -> Tokenizer:
    return framed(unigram(["<pad>", "[CLS]", "<unk>", "[SEP]", "[MASK]"], before=QUOTES), *BERT_FRAME)


def big_bird() -> Tokenizer:
    tokenizer = unigram(["<pad>", "</s>", "<s>", "<unk>", "[CLS]", "[SEP]", "[MASK]"])
    return framed(tokenizer, *BERT_FRAME)


def deberta_v2() -> Tokenizer:
    tokenizer = unigram(["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"], "[UNK]", before=[normalizers.Strip()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return framed(tokenizer, *BERT_FRAME)
