"""The figures that one reads first: a verdict in two sentences, and a row of cards. Both say what `metrics.json` holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textanchor.evaluation.answers import Class
from textanchor.evaluation.evaluation import Evaluation
from textanchor.evaluation.held_out import HELD_OUT
from textanchor.evaluation.tables import ALIGNMENT, EMERGENT, gains
from textanchor.judging import Ranking
from textanchor.pages import score
from textanchor.space import TEXT

UNITS = {"audio": "sounds", "document": "documents", "image": "images", "series": "series", "text": "texts", "video": "videos"}
NAMED, CARDS, FEW = 3, 12, 20
Interval = tuple[float, float]
Classes = Mapping[str, tuple[Class, ...]]  # by modality; empty where texts are no classes


@dataclass(frozen=True, kw_only=True)
class Card:
    """One figure: a share with its interval and what chance gives, all in [0, 1] and drawn on one line."""

    title: str
    value: float
    detail: str
    interval: Interval | None = None
    chance: float | None = None


def percent(share: float) -> str:
    """A share in per cent; never 0 or 100 where it is not quite that."""
    if share in (0, 1):
        return f"{share:.0%}".replace("%", " %")
    value = 100 * share
    shown = f"{value:.1f}" if value < 10 or value > 99 else f"{value:.0f}"
    return f"{ {'0.0': '<0.1', '10.0': '10', '100.0': '>99.9'}.get(shown, shown) } %"


def unit(modality: str) -> str:
    """What several items of a modality are called."""
    return UNITS.get(modality, f"{modality} items")


def verdict(evaluation: Evaluation, classes: Classes) -> tuple[str, str]:
    """How well unseen items find their own texts, beside chance and the commonest text; and how that stands to what else there
    is: modalities that were never paired, other spaces, or the floor of the cosine.

    Something is said to be above or below something else only where the 95 % interval excludes it.
    """
    facing = [one for one in _held_out(evaluation, ALIGNMENT) if one.query != TEXT]
    if not facing:
        return "No held-out item could be judged.", "What the tables say of training data is no evidence."
    said = _joined([_finds(one, classes.get(one.query, ())) for one in facing[:NAMED]])
    if len(facing) > NAMED:
        said.append(f"{len(facing) - NAMED} more modalities stand below")
    return _sentence(said), _sentence([*_never_paired(evaluation), *(_against(evaluation) or _floors(facing))])


def cards(evaluation: Evaluation, classes: Classes) -> list[Card]:
    """The main space's held-out figures, at most twelve: each modality against texts, then modalities against each other."""
    found: list[Card] = []
    for one in _held_out(evaluation, ALIGNMENT):
        name = f"{one.query} → {one.gallery}"
        if one.query == TEXT and classes.get(one.gallery):
            precision = one.retrieval.mean_average_precision
            if precision is not None:
                found.append(
                    Card(title=f"{name}, mAP@10", value=precision, detail=f"{one.retrieval.gallery} {unit(one.gallery)} ranked")
                )
            continue
        found += _recalls(one, name, (1,) if classes.get(one.query) else (1, 10))
        if one.cosine and one.cosine.auc is not None and one.cosine.floor is not None:
            detail = f"true pairs above mismatched ones; mean cosine {score(one.cosine.mean)}, floor {score(one.cosine.floor)}"
            found.append(Card(title=f"{name}, AUC", value=one.cosine.auc, detail=detail, chance=0.5))
    for one in _held_out(evaluation, EMERGENT):
        found += _recalls(one, f"{one.query} → {one.gallery}, never paired", (1,))
    return found[:CARDS]


def _held_out(evaluation: Evaluation, table: str) -> list[Ranking]:
    own = [row for row in evaluation.rows if row.space == evaluation.main and row.split == HELD_OUT]
    return [row.ranking for row in own if row.table == table]


def _recalls(one: Ranking, name: str, ks: Sequence[int]) -> list[Card]:
    """Recall at each k that says something, with the interval and chance that belong to the first hit."""
    found = []
    for k in ks:
        share = one.recall(k)
        if share is None:
            continue
        interval, chance = (one.interval, one.retrieval.chance) if k == 1 else (None, None)
        parts = [f"{len(one.groups)} queries, {one.retrieval.gallery} to choose from"]
        if interval:
            parts.append(f"95 % interval {_span(interval)}")
        if chance is not None:
            parts.append(f"chance {percent(chance)}")
        found.append(Card(title=f"{name}, R@{k}", value=share, detail="; ".join(parts), interval=interval, chance=chance))
    return found


def _finds(one: Ranking, classes: tuple[Class, ...]) -> tuple[str, str]:
    """One modality's share of items whose first text is their own, and what it is among and above."""
    count = len(one.groups)
    asked = f"{'only ' if count < FEW else ''}{count} unseen {unit(one.query)}"
    share = one.recall(1)
    if share is None:
        return asked, f" had but {one.retrieval.gallery} text to choose from, which says nothing"
    beside = [(one.retrieval.chance, "chance")]
    if classes:
        beside.append(
            (max(own.items for own in classes) / sum(own.items for own in classes), "always giving the commonest text")
        )
    ten = one.recall(10)
    more = "" if classes or ten is None else f", and {percent(ten)} among the first ten"
    return (
        f"{percent(share)} of {asked}",
        f" find their own text first among {one.retrieval.gallery}{more}: {_beside(one, beside)}",
    )


def _never_paired(evaluation: Evaluation) -> list[str]:
    judged = [(one, share) for one in _held_out(evaluation, EMERGENT) if (share := one.recall(1)) is not None]
    if not judged:
        return []
    said = [
        (
            f"{unit(one.query)} find {unit(one.gallery)} of their text first in {percent(share)}",
            f", {_beside(one, [(one.retrieval.chance, 'chance')])}",
        )
        for one, share in judged[:NAMED]
    ]
    more = [f"{len(judged) - NAMED} more directions stand below"] if len(judged) > NAMED else []
    return [f"never paired with each other, {'; '.join([*_joined(said), *more])}"]


def _beside(one: Ranking, others: Sequence[tuple[float, str]]) -> str:
    """What recall@1 is above, below or not to be told from."""
    words: dict[str, list[str]] = {}
    for value, name in others:
        words.setdefault(_relation(one.interval, value), []).append(f"{name} ({percent(value)})")
    return ", ".join(f"{word} {' and '.join(names)}" for word, names in words.items())


def _joined(said: Sequence[tuple[str, str]]) -> list[str]:
    """Clauses, those that end alike in one."""
    ends: dict[str, list[str]] = {}
    for begin, end in said:
        ends.setdefault(end, []).append(begin)
    return [f"{' and '.join(begins)}{end}" for end, begins in ends.items()]


def _against(evaluation: Evaluation) -> list[str]:
    """In how many directions recall@1 is better or worse than that of each compared space."""
    found = gains(evaluation.rows, evaluation.main)
    said = []
    for than in dict.fromkeys(gain.than for gain in found):
        own = [gain.difference.verdict for gain in found if gain.than == than]
        better, worse = own.count("better"), own.count("worse")
        rest = len(own) - better - worse
        tail = f" and not to be told apart in {rest}" if rest else ""
        said.append(f"against {than}, recall@1 is better in {better} of {len(own)} directions, worse in {worse}{tail}")
    return said


def _floors(facing: Sequence[Ranking]) -> list[str]:
    """Mean cosines beside their floors."""
    said = []
    for one in facing[:NAMED]:
        if one.cosine and one.cosine.floor is not None:
            mean, floor = score(one.cosine.mean), score(one.cosine.floor)
            said.append(
                f"{unit(one.query)} lie at a mean cosine of {mean} to their own texts and {floor} to others', the floor"
            )
    return said or ["without a second text there is no floor to compare the cosine with"]


def _relation(interval: Interval | None, value: float) -> str:
    """What an interval allows to say of a share and a value."""
    if interval is None:
        return "no interval to tell it from"
    if interval[0] > value:
        return "above"
    return "below" if interval[1] < value else "not to be told from"


def _span(interval: Interval | None) -> str:
    return "–".join(percent(end).removesuffix(" %") for end in interval) + " %" if interval else ""


def _sentence(parts: Sequence[str]) -> str:
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."
