"""The texts of test/fixtures/tokenizers: every script, and what tokenizers are known to stumble over."""

import unicodedata

PLAIN = """
The quick brown fox jumps over the lazy dog.
I can't believe it's not butter! They're here; we've won, haven't we?
Hello,world!No spaces;here...or "there" (or [here] or {there}).
HELLO WORLD Hello World hElLo wOrLd
A state-of-the-art, well-known, e-mail-based follow-up.
    leading and trailing spaces
tabs	and  double  spaces   and    more
 one leading space
line one
Prices: $1,234.56, €99.99, £5, ¥1000, ₹250, 50%, 3/4, 1e-10, 0xFF, 1_000_000
3.14159 2.71828 1.41421 123456789012345678901234567890
2024-02-29T23:59:59Z 12:30 p.m. 10-12-2023 1st 2nd 3rd 4th
https://example.org/path/to/page?query=1&other=%20two#fragment
http://user:pass@[::1]:8080/~user/index.html,mailto:someone@example.com
www.example.co.uk/a_b-c.d user.name+tag@example.museum @handle #hashtag
def f(x): return {"key": [x**2 for x in range(10)]}  # comment
if (a && b || !c) { printf("%d\\n", a->b[0]); } // done
SELECT * FROM t WHERE a <> 'b' AND c >= 10; -- comment
<div class="a">text</div><!-- comment --><br/>
C:\\Users\\name\\file.txt ~/bin/../lib ./a.out *.tar.gz
x = y == z ? a : b; i++; j--; k += 1; a <<= 2; ~a ^ b
``quoted'' text, ''more'' and ``nested `quotes' here''
He said “hello” and ‘goodbye’ — then left… – ok‐fine ‑ nonbreaking
supercalifragilisticexpialidocious antidisestablishmentarianism
aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
Un film génial, très drôle; l'œuvre d'un maître à Noël.
Ein schöner Film über die Straße, GROẞE Füße, größer.
El niño comió piñas en España. ¿Qué? ¡Sí!
Não há razão para a coração, pão e avó.
Il caffè è perché città più là.
Zażółć gęślą jaźń. Łódź, Kraków.
Příliš žluťoučký kůň úpěl ďábelské ódy.
Árvíztűrő tükörfúrógép.
Vântul, încă, țara, școală, şcoală.
Đây là tiếng Việt: được, người, những, Nguyễn, ệ ộ ữ ẵ.
İstanbul ISPARTA ığdır İĞÜŞÖÇ iIıİ
Þetta er íslenska: æðarfugl, ÞÓRÐUR.
Ŝi ĉiam ĝojas; eĥoŝanĝo ĉiuĵaŭde.
Ελληνικά: ΟΔΟΣ ΟΔΥΣΣΕΥΣ Σ ΣΑΣ σας ς Ο Σ. ΑΣ, ΣΣ
Ἀρχὴ μὲν οὖν πᾶς ᾧ ᾳ ῼ ΰ ΐ ᾼ
Привет, мир! Ёлка, йод, ЩУКА, объём. Їжак, ґанок, ў.
Здраво свете, Љубав, њега, џеп, ђак.
Монгол хэл: Сайн байна уу, өдөр, үг.
Բարեւ աշխարհ։ Հայերեն և եւ ՙ՚՛
გამარჯობა მსოფლიო ᲒᲐᲛᲐᲠᲯᲝᲑᲐ Ⴀⴀ
שלום עולם! שָׁלוֹם עֲלֵיכֶם בְּרֵאשִׁית בָּרָא אֱלֹהִים ׀ ־ שׁ שׂ
السلام عليكم، كيف حالك؟ العَرَبِيَّةُ لُغَةٌ جَمِيلَةٌ ﷺ لا ﻻ ـــ
بِسْمِ اللَّهِ الرَّحْمَٰنِ الرَّحِيمِ
فارسی: می‌خواهم، کتاب‌ها، ۱۲۳۴۵، ٪ ؛ ٫
اردو: یہ ایک ٹیسٹ ہے۔ ھ ہ ۂ ے
نمستे दुनिया नमस्ते, हिन्दी क्षत्रिय ज्ञान श्री क़ ज़ फ़ ड़ ।॥ १२३
বাংলা ভাষা: আমি বাংলায় গান গাই। ক্ষ ড় ঢ় য় ১২৩
ਪੰਜਾਬੀ ਸਤ ਸ੍ਰੀ ਅਕਾਲ ਸ਼ ਖ਼
ગુજરાતી નમસ્તે દુનિયા ક્ષ
தமிழ் வணக்கம் உலகம் கொ கோ கௌ ௧௨௩
తెలుగు నమస్కారం ప్రపంచం క్ష
ಕನ್ನಡ ನಮಸ್ಕಾರ ಕೊ ಕೋ
മലയാളം നമസ്കാരം ക്ഷ ൻ ർ ൽ
සිංහල ආයුබෝවන් ක්ෂ
ภาษาไทย สวัสดีชาวโลก ทำ น้ำ ก็ ๑๒๓ ฿
ລາວ ສະບາຍດີ ຳ ກຳ ໑໒໓
མཐོང་བ་ བོད་ཡིག ཀྵ ༡༢༣ ༼༽ །
မြန်မာ မင်္ဂလာပါ ၁၂၃ ၊ ။
ភាសាខ្មែរ សួស្តី ពិភពលោក ០១២ ។ ៖
አማርኛ ሰላም ልዑል ፩፪፫ ። ፣
ᏣᎳᎩ ꭰꭱꭲ ᏸ ᏹ
ᐃᓄᒃᑎᑐᑦ ᖃᓂᐅᔮᖅ
ᚠᚢᚦᚨᚱᚲ ᛫ ᚁᚂᚃ ᚛ᚑᚌᚐᚋ᚜
ᠮᠣᠩᠭᠣᠯ ᠪᠢᠴᠢᠭ ᠂ ᠃ ᢅᢆ
ⵜⴰⵎⴰⵣⵉⵖⵜ ⵣ ⵿
ߒߞߏ ߊ߬ߓߊ߲ ߁߂߃
ⲘⲉⲧⲢⲉⲙ̀ⲛⲭⲏⲙⲓ ϢϣϤ
ܫܠܡܐ ܐܳܪܳܡܳܝܳܐ ܀
𐌰𐌱𐌲 𐎀𐎁 𐤀𐤁 𒀀𒀁 𓀀𓀁 𐀀𐀁 𐐀𐐨 𐒰𐓘 𞤀𞤢𞥅
日本語のテキスト、カタカナとひらがな。ﾊﾝｶｸ ｶﾞｷﾞｸﾞ ー〜「」『』【】・々〇
がぎぐげご ぱぴぷ ヴ か゚ ㍿ ㌔ ㍻ ㋿ ゟ ヿ
中文文本，包含标点符号。你好，世界！《书名》、“引号”；【】（）
繁體中文：歡迎來到臺灣，請問您貴姓？
漢字𠀀𠀁𠮷𡈽𪚥𫝀𫠝丽𤭢𬺰㐀㐁䶵﨎豈
한국어 텍스트: 안녕하세요, 세계! 가각힣 ㄱㄴㄷ ㅏㅑ
ᄒᆞᆫ글 ᄀᆞᆷ ꥠᅡ ힰ
ⅠⅡⅢ ⅳ ①②③ ㊀㊁ ½ ¼ ⅓ ² ³ ¹ ⁴ ₅ ™ © ® ℃ № ℡ ℀ ﬁ ﬂ ﬀ ﬃ ﬅ ĳ ŀ ŉ ǆ ǅ Ǆ
ＦＵＬＬＷＩＤＴＨ ｆｕｌｌｗｉｄｔｈ １２３ ！？（）～￣＿｀　［］｛｝
𝐁𝐨𝐥𝐝 𝑖𝑡𝑎𝑙𝑖𝑐 𝔉𝔯𝔞𝔨 𝕕𝕠𝕦𝕓𝕝𝕖 𝟎𝟏𝟐 𝛼𝛽 ℕℤℚℝℂ ∑∏∫√∞≈≠≤≥±×÷∂∇∈∉⊂⊃∪∩∧∨¬∀∃
←↑→↓↔⇒⇔ ▲▼◆◇○●★☆ ■□▪▫ ☎☏ ☺☻ ♠♣♥♦ ♪♫ ✓✗ ✂ ✈ ✉ ✏ ➜ ➤
─│┌┐└┘├┤┬┴┼ ═║╔╗ ░▒▓█ ▁▂▃▄▅▆▇ ▏▎▍▌
😀 😃😄 😂🤣 🙂🙃 😍🥰 🤔 😭 😡 💩 🤖 👻
👍 👍🏻 👍🏼 👍🏽 👍🏾 👍🏿 ✌🏽 🤝🏻 🧑🏿‍🚀
👨‍👩‍👧‍👦 👩‍❤️‍💋‍👨 🏳️‍🌈 🏴‍☠️ 🧑‍💻 👩🏽‍🚒 🐻‍❄️ 🐦‍⬛ ❤️‍🔥
❤ ❤️ ☂ ☂️ ☂︎ ©️ ™️ 1️⃣ #️⃣ *️⃣ ⌚ ⌚︎ ㊙️ ‼️ ⁉️
🇩🇪 🇫🇷🇮🇹 🇺🇸🇬 🇦 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🏴󠁧󠁢󠁳󠁣󠁴󠁿
I❤️NY 😀text😀text 100%😀! a👍🏽b
Ünïcödé mîxed wïth ASCII and 日本 and עברית and русский in one.
naïve café résumé façade coöperate jalapeño Übermut
Mixed: abcабвאבגابجनमस中文日本한글😀①ﬁ123
don't 'tis rock'n'roll O'Neil's DON'T I'LL WE'VE IT'S don’t it’s ’twas
don'ſ it'ſ K K Å Ω
[CLS] [SEP] [MASK] [PAD] [UNK] <s> </s> <pad> <mask> <unk> <|endoftext|> <|startoftext|>
before<mask>after before <mask> after <mask><mask>  <mask>  [MASK]text[MASK] [mask]
<0x41> <0x0A> ▁ ▁▁ ▁word word▁word Ġword Ċ ## ##ing </w>
x̂ ŷ z̃ q̇̇̇̇ a͜b o͡o ‮rtl‬ e̊⃝ Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!͖̬̰̙̗̿̋ͥͥ̂ͣ̐́́͜͞
""".strip("\n").split("\n")

LETTERS = {
    "combining acute": "e\u0301 E\u0301 o\u0301\u0323 o\u0323\u0301 \u0301 \u0301a a\u0301\u0301 \u0344 \u0340\u0341",
    "ring and hook": "A\u030a \u212b \u00c5 a\u0309 \u1ea3 u\u031b\u0323 \u1ef1",
    "nukta": "\u0915\u093c \u0958 \u0921\u093c \u095c",
    "kana": "か\u3099 が は\u309a ぱ ウ\u3099 ヴ ワ\u3099 ヷ ｶﾞ ﾊﾟ \u3099 \u309b",
    "hangul": "\u1112\u1161\u11ab 한 \u1100\u1161 가 \u1100\u1161\u11a8 각 가\u11a8",
    "mixed order": "a\u0315\u0300\u05ae\u0300\u0062 a\u05ae\u0300\u0315b",
    "variation": "\u2269\ufe00 \u8fbb\ufe00 \u8fbb\U000e0100 葛\U000e0101 ᠠ\u180b",
    "joiners": "क्\u200dष क्\u200cष \u0644\u200d \u200dه a\u200bb a\u200cb a\u200db a\u2060b a\u00adb a\ufeffb a\u034fb",
    "bidi": "a\u200eb\u200fc \u202aleft\u202c \u202bright\u202c \u2066x\u2069 \u061c",
    "sigma": "ΑΣ ΑΣΑ Σ ΣΑ Α Σ ΑΣ\u0301 ΑΣ. ΑΣ' 'ΑΣ ΑΣ\u00adΑ 𝚺 ϹϺ ς",
    "dotted i": "İ i\u0307 I\u0307 ı I Į\u0307 Ì\u0307 J\u0307",
    "sharp s": "ẞ ß SS ss ſ ſs ﬅ ﬆ",
    "titlecase": "ǅ ǈ ǋ ǲ ᾈ ᾼ ῌ",
    "ligatures": "ﬀ ﬁ ﬂ ﬃ ﬄ ﬓ ﬔ ﬕ ﬖ ﬗ ﷲ ﷺ ﷽ ﻵ",
    "private use": "\ue000 a\ue001b \uf8ff \U000f0000 \U0010fffd x\U00100000y",
    "noncharacters": "\ufffe \uffff \ufdd0 a\U0001ffffb \U0010ffff",
    "replacement": "\ufffd a\ufffdb \ufffd\ufffd \ufffc",
    "tags": "\U000e0001\U000e0020\U000e007f a\U000e0041b",
    "enclosing": "a\u20dd 1\u20e3 а\u0488 \u20e0",
    "spacing marks": "का \u0903 \u093e \u1d165 \U0001d15f \U0001d1c0",
    "fraction": "1\u20442 3⁄4 ½ 1½",
    "old scripts": "𐭰𐭱 𑀀𑀁 𑄀 𑪰 𑱰 𑶰 𖩀 𖬀 𖼀 𛀀 𛰀 𞀀 𞠀 𞢁",
    "prepended": "\u0600١٢٣ \u06dd٤٥ \u070fܐ ൎക \U000110bd𑂀",
    "changed categories": "a\u1734b a\U0001171eb a\u1885b \u1886 a\ua9bdb a\U000111c9b a\u166db \u1cf2 a\u1cf3b",
    "newer scripts": "𐴀 𑵠 𐼰 𑻠 𞄀 𖹀 𑤀 𐺀 𐾰 𑼀 𞓐 𐵀 𑏐",
    "newer emoji": "🥲 🫠 🫨 🩷 🪿 🫩 🫆",
}

WHITE_SPACE = [
    *(chr(c) for c in [*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029]),
    *(chr(c) for c in [0x202F, 0x205F, 0x3000]),
]
LIKE_SPACE = [chr(c) for c in [0x180E, 0x200B, 0x2060, 0xFEFF, 0x1C, 0x1D, 0x1E, 0x1F, 0x2581, 0x00B7, 0x2800, 0x3164]]
CONTROLS = [chr(c) for c in [*range(0x00, 0x20), 0x7F, *range(0x80, 0xA0)]]
PUNCTUATION = [
    chr(point)
    for point in range(0x110000)
    if unicodedata.category(chr(point)).startswith(("P", "S")) and point % 7 == 0 and point < 0x3100
]
SYLLABLES = "ka ti mu re so na hi po la we".split()


def scripts():
    """Eight letters and marks out of every block of 256 code points that holds any."""
    for block in range(0, 0x32000, 0x100):
        points = [p for p in range(block, block + 0x100) if unicodedata.category(chr(p))[0] in "LMNPS"]
        if points and not (0x4E00 < block < 0x9F00 or 0xAC00 < block < 0xD700 or 0x17100 < block < 0x18700):
            if not 0x20100 < block < 0x31200:
                picked = points[:: max(1, len(points) // 8)][:8]
                yield "".join(map(chr, picked)) + " " + " ".join(map(chr, picked[:4]))


def texts():
    found = ["", " ", "\n", "a", ".", "0", "中", "é", "😀", "\r\n", "\r", "a\r\nb", "a\n\rb\r\r\nc", "\n\n\n", " \t \n "]
    found += PLAIN
    for text in LETTERS.values():
        found += [text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)]
    found += [unicodedata.normalize("NFD", text) for text in PLAIN]
    found += [unicodedata.normalize("NFKC", text) for text in PLAIN]
    found += [text.upper() for text in PLAIN[25:45]]
    found += [f"a{space}b {space}c{space} d{space}{space}e{space}" for space in WHITE_SPACE + LIKE_SPACE]
    found += [f"x{control}y {control} z" for control in CONTROLS]
    found += ["".join(WHITE_SPACE), "".join(LIKE_SPACE), "".join(CONTROLS)]
    found += [" ".join(PUNCTUATION[i : i + 12]) for i in range(0, len(PUNCTUATION), 12)]
    found += list(scripts())
    found += [syllable * count for syllable in SYLLABLES[:4] for count in (24, 25, 26, 50, 51)]
    found += ["é" * 100, "é" * 101, "e\u0301" * 60, "😀" * 101, "中" * 101, "ſ" * 40, "1" * 40, "-" * 40, " " * 40]
    return list(dict.fromkeys(found))


# Assigned after the Unicode versions of the Rust library's tables, so that some of them are read in two ways; the first of
# every run of such code points, and some of which nothing is known.
NEWER = [
    int(point, 16)
    for point in (
        "088f 0890 0897 08e2 0c5c 0cdc 1acf 1ae0 1c89 20c1 2b96 2ffc 31e4 32ff a7ce a7d2 a7d4 a7f1 a7f2 a7da ab69 fbc3 "
        "105c0 105c9 105e4 10783 107a5 10940 10d50 10d69 10ec5 10ed0 10efa 110cd 11383 1138e 113c2 113c5 11938 11b60 11bc0 "
        "11db0 11de0 13430 13460 1611e 16121 16d40 16d67 16d68 16ea0 16ebb 16ff2 16ff4 187f8 18d09 18d80 1ccd6 1ccd8 "
        "1ccf0 1ccfa 1e030 1e04c 1e5d0 1e6c0 1e6e3 1e6e6 1e944 1f16c 1f6d8 1f8d0 1fa8a 1fac8 1fbf0 2b73a 2cea2 2ebf0 323b0"
    ).split()
]
