"""Writes src/tokenizer/normalizers/unicode-tables.ts: the code points that the Rust tokenizers take for marks and
punctuation, as the insides of character classes. They ask tables of older Unicode versions than any running Node."""

from pathlib import Path

from tokenizers import normalizers, pre_tokenizers

TARGET = Path("src/tokenizer/normalizers/unicode-tables.ts")
CODE_POINTS = [point for point in range(0x110000) if not 0xD800 <= point <= 0xDFFF]

bert = normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False)
clean = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=False)
strip_accents = normalizers.StripAccents()
punctuation = pre_tokenizers.Punctuation("isolated")

TABLES = {
    "CONTROLS": (
        "What `BertNormalizer` removes with `clean_text`: category C, but for Cn, in the crate unicode_categories 0.1.",
        lambda character: clean.normalize_str(f"a{character}b") == "ab",
    ),
    "NONSPACING_MARKS": (
        "What `BertNormalizer` strips: category Mn in the crate unicode_categories 0.1 (Unicode 8).",
        lambda character: bert.normalize_str(character) == "",
    ),
    "MARKS": (
        "What `StripAccents` strips: marks in the crate unicode-normalization-alignments 0.1 (Unicode 9).",
        lambda character: strip_accents.normalize_str(character) == "",
    ),
    "PUNCTUATION": (
        "What `BertPreTokenizer` and `Punctuation` split at: P of unicode_categories 0.1, and ASCII symbols.",
        lambda character: len(punctuation.pre_tokenize_str(f"a{character}b")) == 3,
    ),
}


def escape(point):
    return f"\\u{point:04x}" if point < 0x10000 else f"\\u{{{point:x}}}"


def ranges(belongs):
    found = []
    for point in CODE_POINTS:
        if not belongs(chr(point)):
            continue
        if found and found[-1][1] == point - 1:
            found[-1][1] = point
        else:
            found.append([point, point])
    return found


def character_class(belongs):
    return "".join(
        escape(first) + ("" if first == last else ("-" if last > first + 1 else "") + escape(last))
        for first, last in ranges(belongs)
    )


lines = ["// Written by training/record_unicode_tables.py with tokenizers 0.23.3. Do not edit.", ""]
for name, (comment, belongs) in TABLES.items():
    text = character_class(belongs)
    lines.append(f"/** {comment} */")
    lines.append("// biome-ignore format: one line")
    lines.append(f"export const {name} = String.raw`{text}`;")
    lines.append("")
TARGET.write_text("\n".join(lines))
