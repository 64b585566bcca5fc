"""Chooses the texts of golden.json: from every group those with the clearest labels.

The server compares the labels of all entries in every precision, so a text that is nearly a tie has no place among them.
Where a script has too few clear texts, one is joined with a text that is clear.
"""

from collections.abc import Callable, Sequence

from answers import Answer
from candidates import Group
from golden import Text

CLEAREST = 6

Answering = Callable[[Sequence[Text]], list[Answer]]
Slack = Callable[[Answer], float]
Clear = Callable[[Sequence[Answer]], list[Answer]]


def choose(
    groups: Sequence[tuple[Group, list[Answer]]], slack: Slack, clear: Clear, answer: Answering
) -> tuple[list[Answer], list[str]]:
    """The chosen answers, and the groups that have fewer than they should. `clear` takes out the unclear answers."""
    everything = [found for _, answers in groups for found in answers]
    usable = {id(found) for found in clear(everything)}
    clearest = sorted((a for a in everything if id(a) in usable and is_joinable(a)), key=slack)[-CLEAREST:]
    unclear = [[a for a in answers if id(a) not in usable] for _, answers in groups]
    clearly = [sorted((a for a in answers if id(a) in usable), key=slack)[-group.wanted :] for group, answers in groups]
    missing = [
        found[: group.wanted - len(kept)] for (group, _), found, kept in zip(groups, unclear, clearly, strict=True)
    ]
    joined = clear(answer([join(a.text, c.text) for found in missing for a in found for c in clearest]))
    chosen: list[Answer] = []
    short: list[str] = []
    for (group, _), kept, found in zip(groups, clearly, missing, strict=True):
        parts = [[a for a in joined if starts_with(a.text, start.text)] for start in found]
        kept = [*kept, *(max(some, key=slack) for some in parts if some)]
        chosen.extend(kept)
        if len(kept) < group.wanted:
            short.append(f"{group.name} ({len(kept)} of {group.wanted})")
    return chosen, short


def is_joinable(answer: Answer) -> bool:
    return isinstance(answer.text, str) and not answer.truncated


def join(text: Text, clear: Text) -> Text:
    return (f"{text[0]} {clear}", text[1]) if isinstance(text, tuple) else f"{text} {clear}"


def starts_with(joined: Text, text: Text) -> bool:
    if isinstance(text, tuple):
        return joined[0].startswith(f"{text[0]} ") and joined[1] == text[1]
    return isinstance(joined, str) and joined.startswith(f"{text} ")
