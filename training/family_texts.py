"""What the models of make_families.py are asked, and what their tokenizers are trained on."""

import unicodedata

LONG = "The first half drags on without an aim, but the last twenty minutes made up for all of it. "

TEXTS = [
    "a gripping film, and a tender one",
    "It's 5 o'clock; don't be late!!",
    "HELLO Wörld, naïve café, DÉJÀ VU",
    "Où est la gare la plus proche ?",
    "Страна большая, и люди в ней живут",
    "Ελληνικά: ΟΔΟΣ, σοφός",
    "مَرْحَبًا بِالعَالَمِ",
    "שָׁלוֹם עוֹלָם",
    "我的卡还没有到。",
    "日本の料理はとても美味しい",
    unicodedata.normalize("NFD", "ガラスがパリで"),
    "안녕하세요 세계",
    unicodedata.normalize("NFD", "한국어 문장"),
    "Ti\u0302\u0301e\u0302\u0301ng Viê\u0323t z\u0301\u0327\u0323\u0308",
    "नमस्ते दुनिया, क्षेत्र",
    "ภาษาไทยง่ายมาก",
    "ქართული ሰላም தமிழ் မြန်မာ",
    "😀 👍🏽 👨\u200d👩\u200d👧 🇩🇪 dinner",
    " leading,  inner and trailing white space \t ",
    "\n tabs\tand\u00a0no-break\u3000spaces  twice\u200b",
    "\u0301",
    "ﬁne ① ㎏ Ａｌｌ ™ x² ½",
    "http://example.com/a_b?c=d&e=1,234.50 #tag @user",
    "``quoted'' and \"quoted\" … “too”",
    LONG * 4,
]
PAIRS = [
    ("The team won the match.", "The team won."),
    ("The team won.", "The team won the match."),
    ("안녕하세요", "a gripping film "),
    ("\u0301", "the bread was tasty"),
    (LONG * 3, "It was a great film, " * 6),
]

CORPUS = [
    *TEXTS,
    *[text for pair in PAIRS for text in pair],
    "the team won the match and the coach of the team was happy",
    "one more word and one more sentence that is not bad at all",
    "yes no good bad film match soup bread law vote phone data",
    "la gare est proche et le film est bon",
]
