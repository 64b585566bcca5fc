"""Makes up short reviews of products, food, films and services, with negation and contrast.

SST-2 knows films alone, and says little about stars, deliveries, batteries and waiters. Every part was written for this
file. The sentences of everyday.tsv, by which the model is judged, were written later. Its first two were known, and can
come out of here.
"""

import random

from sst2 import Example

THINGS = {
    "product": [
        "phone", "headset", "charger", "laptop", "keyboard", "vacuum cleaner", "backpack", "jacket", "watch", "lamp",
        "camera", "printer", "blender", "mattress", "speaker", "tablet", "toy", "tent", "case", "battery", "screen",
        "cable", "desk", "kettle", "software", "app", "update",
    ],
    "food": [
        "pizza", "soup", "steak", "coffee", "dessert", "salad", "burger", "sushi", "bread", "breakfast", "pasta",
        "chicken", "fish", "curry", "beer", "wine", "sauce", "meal", "food", "menu",
    ],
    "film": [
        "film", "movie", "plot", "acting", "script", "ending", "soundtrack", "story", "series", "cast", "book", "show",
        "documentary", "comedy", "dialogue",
    ],
    "service": [
        "service", "staff", "waiter", "hotel", "room", "delivery", "support team", "restaurant", "driver", "check-in",
        "receptionist", "hairdresser", "website", "place", "doctor", "garage", "course", "shop", "location",
    ],
}  # fmt: skip

PLEASANT = {
    "product": [
        "works perfectly", "is well made", "does exactly what it should", "is easy to set up", "feels sturdy",
        "lasts for days", "is worth every penny", "still works after two years", "fits perfectly", "is very fast",
        "looks great", "is comfortable", "never lets me down", "charges quickly", "solved my problem",
        "is better than I expected", "is great value for money", "exceeded my expectations",
    ],
    "food": [
        "was delicious", "was fresh and tasty", "was cooked to perfection", "was full of flavour", "tasted amazing",
        "was hot and tasty", "melts in your mouth", "was the best I have had", "is worth the trip", "was generous",
        "was perfectly seasoned", "tasted like home", "was out of this world", "was excellent",
    ],
    "film": [
        "kept me hooked until the end", "is a joy", "made me laugh out loud", "is clever and moving", "is superb",
        "had me in tears, in a good way", "is wonderful", "deserves every prize", "is one of the best in years",
        "stayed with me for days", "is gripping", "was beautifully done", "never gets old",
    ],
    "service": [
        "was friendly and quick", "was very helpful", "went out of the way to help", "was spotless", "was on time",
        "made us feel welcome", "was excellent", "sorted everything out in minutes", "was polite and attentive",
        "is the best in town", "was quick and painless", "is always reliable", "took good care of us",
    ],
}  # fmt: skip
UNPLEASANT = {
    "product": [
        "stopped working after a week", "broke on the first day", "is cheaply made", "fell apart", "never worked",
        "keeps crashing", "does not hold a charge", "is a waste of money", "is useless", "arrived damaged",
        "is far too slow", "does not fit", "overheats", "is uncomfortable", "is overpriced", "had to go back",
        "is not worth the money", "died within a month", "feels flimsy", "does not do what it says",
    ],
    "food": [
        "was cold", "was bland", "was overcooked", "was stale", "tasted like cardboard", "was raw in the middle",
        "made me sick", "was greasy and tasteless", "was inedible", "was far too salty", "had no flavour at all",
        "was dry", "was a tiny portion for the price", "was soggy", "came out burnt",
    ],
    "film": [
        "put me to sleep", "makes no sense", "is painful to watch", "drags on forever", "is a mess", "is dreadful",
        "bored me to tears", "was a huge letdown", "insults the viewer", "is predictable", "was a waste of two hours",
        "goes nowhere", "is full of holes", "is lazy and dull",
    ],
    "service": [
        "was rude", "was slow", "ignored us", "was filthy", "never called back", "was an hour late", "lost my order",
        "was unhelpful", "overcharged us", "could not have cared less", "kept us waiting for ages", "was a nightmare",
        "was noisy and dirty", "refused to give a refund", "was unprofessional", "is going downhill",
    ],
}  # fmt: skip

GOOD = [
    "good", "great", "excellent", "impressive", "tasty", "helpful", "reliable", "comfortable", "interesting", "funny",
    "friendly", "worth it", "exciting", "useful", "special", "amazing", "enjoyable",
]  # fmt: skip
BAD = [
    "bad", "terrible", "disappointing", "boring", "awful", "slow", "expensive", "rude", "dull", "horrible", "poor",
    "difficult", "annoying", "dirty", "disappointed", "a waste of time",
]  # fmt: skip
PRAISE = [
    "I love it", "I am very happy with it", "highly recommended", "would buy again", "I will be back", "thank you",
    "I'd order it again in a heartbeat", "couldn't be happier", "no complaints", "can't fault it", "a real bargain",
    "we will definitely come again", "nothing to complain about", "I recommend it to everyone", "so glad I bought it",
    "can't recommend it enough", "best decision I made this year", "five out of five", "10/10", "what a pleasure",
    "I can't get enough of it", "never had a problem", "you won't regret it", "it could not have been better",
    "don't hesitate to buy it", "I wouldn't change a thing", "I was pleasantly surprised", "it never disappoints",
]  # fmt: skip
BLAME = [
    "I hate it", "I want my money back", "avoid it", "never again", "don't buy it", "I will not be back",
    "would not recommend", "what a disappointment", "save your money", "a total waste of time", "I regret buying it",
    "stay away", "I expected more", "so disappointed", "zero stars", "1/10", "not worth it", "I gave up after ten minutes",
    "what a rip-off", "I won't order here again", "I can't recommend it", "you will regret it", "it could have been better",
    "I had high hopes, sadly", "look elsewhere", "worst purchase of the year", "I returned it the next day",
    "nothing works as promised", "I am still waiting for a refund", "they should be ashamed",
]  # fmt: skip
MEASURES = ["", "", "", "really ", "very ", "absolutely ", "so ", "pretty "]
BE = ["is", "was"]


def made_up_reviews(count: int, rng: random.Random) -> list[Example]:
    """As many made-up reviews, half of them positive."""
    return [Example(style(make(number % 2, rng), rng), number % 2) for number in range(count)]


def make(label: int, rng: random.Random) -> str:
    return rng.choice([clause, clause, with_remark, remarks, stars, negation, negation, contrast, contrast, unlike])(
        label, rng
    )


def clause(label: int, rng: random.Random, field: str | None = None) -> str:
    field = field or rng.choice(list(THINGS))
    thing = rng.choice(THINGS[field])
    if rng.random() < 0.25:
        word = rng.choice(GOOD if label else BAD)
        return f"the {thing} {rng.choice(BE)} {rng.choice(MEASURES)}{word}"
    return f"{rng.choice(['the', 'the', 'this', 'my', 'our'])} {thing} {rng.choice((PLEASANT if label else UNPLEASANT)[field])}"


def remark(label: int, rng: random.Random) -> str:
    return rng.choice(PRAISE if label else BLAME)


def with_remark(label: int, rng: random.Random) -> str:
    parts = [clause(label, rng), remark(label, rng)]
    rng.shuffle(parts)
    return rng.choice([". ", ", ", "! ", " - "]).join(parts)


def remarks(label: int, rng: random.Random) -> str:
    source = PRAISE if label else BLAME
    return ", ".join(rng.sample(source, rng.choice([1, 1, 2])))


def stars(label: int, rng: random.Random) -> str:
    number = rng.choice(["five", "5", "four", "4"] if label else ["one", "1", "two", "2", "zero"])
    first = f"{number} star{'' if number in ('one', '1') else 's'}"
    return rng.choice([". ", ", ", ": ", " - "]).join([first, rng.choice([remark, clause])(label, rng)])


def negation(label: int, rng: random.Random) -> str:
    field = rng.choice(list(THINGS))
    subject = rng.choice(["it", "it", "that", f"the {rng.choice(THINGS[field])}"])
    word = rng.choice(BAD[:-2] if label else GOOD)
    if label:
        patterns = [
            f"{subject} {rng.choice(BE)} not {word} at all",
            f"{subject} {rng.choice(['isn’t', 'isn’t', 'wasn’t'])} {word} at all",
            f"{subject} {rng.choice(BE)} never {word}",
            f"{subject} {rng.choice(BE)} anything but {word}",
            f"there is nothing {word} about {subject}",
            f"not {word} at all, {remark(1, rng)}",
            f"I thought {subject} would be {word}, but I was wrong",
            f"{subject} {rng.choice(BE)} not half bad",
            f"I have never had a better {rng.choice(THINGS[field])}",
        ]
    else:
        patterns = [
            f"{subject} {rng.choice(BE)} not {rng.choice(MEASURES)}{word}",
            f"{subject} {rng.choice(['isn’t', 'wasn’t'])} {rng.choice(MEASURES)}{word}",
            f"{subject} {rng.choice(BE)} not {word} at all",
            f"{subject} {rng.choice(BE)} far from {word}",
            f"{subject} {rng.choice(BE)} anything but {word}",
            f"there is nothing {word} about {subject}",
            f"I thought {subject} would be {word}, but I was wrong",
            f"I have never had a worse {rng.choice(THINGS[field])}",
            f"{subject} could have been more {word}" if " " not in word else f"{subject} is hardly {word}",
        ]
    return rng.choice(patterns)


def contrast(label: int, rng: random.Random) -> str:
    """The second part, or the part after the concession, decides."""
    against, decisive = clause(1 - label, rng), rng.choice([clause, remark])(label, rng)
    return rng.choice(
        [
            f"{against}, but {decisive}",
            f"{against}. But {decisive}",
            f"{against}, yet {decisive}",
            f"although {against}, {decisive}",
            f"even though {against}, {decisive}",
            f"{decisive}, even though {against}",
            f"{against}. Still, {decisive}",
        ]
    )


def unlike(label: int, rng: random.Random) -> str:
    """What others say is not what this one says."""
    says = "good" if label else "bad"
    other = "bad" if label else "good"
    return rng.choice(
        [
            f"everyone told me it was {other}, but {clause(label, rng)}",
            f"I was expecting something {other}. Instead, {clause(label, rng)}",
            f"I don't know why people call it {other}: {remark(label, rng)}",
            f"in short, {says}: {remark(label, rng)}",
        ]
    )


def style(text: str, rng: random.Random) -> str:
    """Capital letter, mark at the end, apostrophe of either kind."""
    text = text.replace("’", rng.choice(["'", "’"]))
    if rng.random() < 0.7:
        text = text[0].upper() + text[1:]
    return text + rng.choice([".", ".", ".", "!", "!", "", "!!"])
