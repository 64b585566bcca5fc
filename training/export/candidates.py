"""The texts of which a golden.json is chosen: all scripts, and what tokenizers are known to stumble over.

Each group asks for a number of texts and offers more, since only texts with a clear label are kept.
"""

import unicodedata
from dataclasses import dataclass

from golden import Text


@dataclass(frozen=True)
class Group:
    name: str
    wanted: int
    texts: list[Text]


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


GROUPS = [
    Group("short", 4, ["a", "Yes", "no!", "?", "42", "good", "OK 👍", "bad"]),
    Group(
        "Latin",
        9,
        [
            "I love this, it works perfectly.",
            "This is the worst service I have ever had.",
            "The package arrived on Tuesday.",
            "How do I change the address of my order?",
            "You are an idiot and nobody wants you here.",
            "Congratulations, you have won a prize! Click here now!",
            "It's fine, I guess; nothing special.",
            "WHY IS NOBODY ANSWERING???",
            "The government announced new taxes on fuel.",
            "El servicio fue excelente, ¡muchas gracias!",
            "Ich möchte mein Konto kündigen, sofort. GROẞE Straße",
            "Le café est fermé — quelle déception…",
            "Bu ürün çok kötü; İstanbul ISPARTA ığdır",
            "Đây là một bộ phim rất hay, được nhiều người thích.",
            "Zażółć gęślą jaźń, Łódź",
        ],
    ),
    Group(
        "Cyrillic",
        3,
        [
            "Отличный фильм, всем советую!",
            "Ужасное обслуживание, больше не приду. Ёлка, йод",
            "Їжак і ґанок: це було чудово",
            "Љубав је лепа, џеп, ђак",
            "Когда придёт мой заказ?",
        ],
    ),
    Group(
        "Greek",
        3,
        [
            "Η ταινία ήταν υπέροχη!",
            "ΟΔΥΣΣΕΥΣ: σας ευχαριστώ για όλους τους λόγους",
            "Ἀρχὴ μὲν οὖν πᾶς ᾧ",
            "Πολύ κακή εξυπηρέτηση.",
            "Πού είναι η παραγγελία μου;",
        ],
    ),
    Group(
        "Arabic",
        3,
        [
            "بِسْمِ اللَّهِ الرَّحْمَٰنِ الرَّحِيمِ",
            "العَرَبِيَّةُ لُغَةٌ جَمِيلَةٌ",
            "خدمة سيئة جدا، لن أعود أبدا",
            "الفيلم رائع، أنصح به",
            "می‌خواهم کتاب‌ها را پس بدهم ۱۲۳",
        ],
    ),
    Group(
        "Hebrew",
        2,
        ["בְּרֵאשִׁית בָּרָא אֱלֹהִים", "שָׁלוֹם עֲלֵיכֶם", "הסרט היה נהדר!", "השירות גרוע מאוד", "שׁ שׂ ־ ׀ איפה ההזמנה שלי?"],
    ),
    Group(
        "Devanagari",
        3,
        ["यह फ़िल्म बहुत अच्छी है।", "क्षत्रिय ज्ञान श्री क़ ज़ ड़", "मेरा ऑर्डर कहाँ है? १२३", "सेवा बहुत ख़राब थी", "नमस्ते दुनिया"],
    ),
    Group("Thai", 2, ["หนังเรื่องนี้ดีมาก", "บริการแย่มาก ไม่กลับมาอีก", "น้ำ กำ ๑๒๓", "สินค้าของฉันอยู่ที่ไหน", "ภาษาไทย"]),
    Group("Chinese", 3, ["这部电影太好看了！", "服务很差，再也不来了。", "我的訂單在哪裡？", "他𠮷野家吃飯", "你好，世界"]),
    Group(
        "Japanese",
        3,
        ["この映画は最高でした。", "ひどいサービスだ！二度と行かない", "ﾊﾝｶｸ カタカナ ひらがな", "東京タワーへ行きました", "注文はどこですか"],
    ),
    Group(
        "Japanese, decomposed kana",
        2,
        [nfd("ガギグゲゴ パピプペポ"), nfd("が ぎ ぐ ざ じ ば ぱ"), nfd("これはすばらしいです"), nfd("ビデオゲームで遊びました")],
    ),
    Group("Korean", 2, ["이 영화는 정말 재미있어요!", "서비스가 최악이에요", "제 주문은 어디에 있나요?", "안녕하세요 세계"]),
    Group(
        "Korean, decomposed Hangul",
        2,
        [nfd("영화가 정말 좋았다"), nfd("한국어 각 닭 값"), nfd("서비스가 최악이에요"), nfd("안녕하세요")],
    ),
    Group(
        "emoji",
        3,
        ["😀 great 👍🏽", "👩‍👩‍👧‍👦 family 🏳️‍🌈 🇩🇪🇯🇵", "😡😡😡", "❤️ ☺︎ ☺️ 1️⃣", "🤔 not sure…", "🎉🎉 finally!"],
    ),
    Group(
        "stacked accents",
        2,
        ["Z̸̢͎͋a̵͚̾l̶̰̈g̷̱͝o̴̞͌ text", "e\u0301\u0302\u0303 a\u0323\u0307 o\u031b\u0323", nfd("Tiếng Việt: được, Nguyễn, ệ ộ ữ"), "x̂̃̄̅ ẏ̈"],
    ),
    Group(
        "code",
        3,
        [
            'def f(x): return {"key": [x**2 for x in range(10)]}  # comment',
            "SELECT * FROM t WHERE a <> 'b' AND c >= 10; -- comment",
            '<div class="a">&amp; text</div><!-- c --><br/>',
            'if (a && b || !c) { printf("%d\\n", a->b[0]); }',
            "C:\\Users\\name\\file.txt ~/bin/../lib *.tar.gz",
        ],
    ),
    Group(
        "URLs",
        2,
        [
            "https://example.org/path/to/page?query=1&other=%20two#fragment",
            "see www.example.co.uk/a_b-c.d or write to user.name+tag@example.museum",
            "@handle #hashtag http://user:pass@[::1]:8080/~user/index.html",
            "mailto:someone@example.com,ftp://x.y/z",
        ],
    ),
    Group(
        "numbers",
        2,
        [
            "$1,234.56, €99.99, ¥1000, ₹250, 50%, 3/4, 1e-10, 0xFF",
            "2024-02-29T23:59:59Z 12:30 p.m. 1st 2nd",
            "3.14159 123456789012345678901234567890",
            "½ ² ³ Ⅻ ① ٣ ४",
        ],
    ),
    Group(
        "spaces and controls",
        3,
        [
            "   spaces   around   a   text   ",
            "tabs\tand\nnew lines\r\nand more",
            "zero\u200bwidth, soft\u00adhyphen, no\u00a0break, \u3000wide",
            "Ｆｕｌｌｗｉｄｔｈ ﬁgure ﬀ ﷺ ㍿",
            "“quotes” ‘and’ — dashes – …",
        ],
    ),
    Group("one word", 2, ["supercalifragilisticexpialidocious " * 3, "x" * 150, "a" * 60 + "!" * 20, "неправдоподобный" * 6]),
    Group(
        "long",
        2,
        [
            " ".join(["The second half is better than the first, and that is saying something."] * 4),
            " ".join(["I have waited for an answer for three weeks, and nobody calls me back."] * 5),
            " ".join(["Everything arrived in time, well packed, exactly as described."] * 4),
            " ".join(["It depends: some parts are good, others are not."] * 6),
        ],
    ),
    Group(
        "pairs",
        4,
        [
            ("How was the film?", "Wonderful, funny and moving."),
            ("How was the film?", "Awful, boring and stupid."),
            ("A man is playing a guitar.", "A man is making music."),
            ("A man is playing a guitar.", "Nobody is playing an instrument."),
            ("世界", "hello мир"),
            ("Short.", " ".join(["A much longer second text follows here."] * 5)),
        ],
    ),
]

OVERLONG = [
    "I would like to know when my order arrives, since I have been waiting for weeks. ",
    "A wonderful story, told with warmth and humour, and acted brilliantly. ",
    "It broke after two days, and nobody answers my messages. ",
    "Тест 测试 テスト 테스트 test ",
]


def overlong(tokens: int) -> Group:
    """Texts of more than `tokens` tokens: every word is one at least."""
    return Group("overlong", 1, [text * (tokens // len(text.split()) + 1) for text in OVERLONG])
