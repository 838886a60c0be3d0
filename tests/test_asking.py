"""What is asked of a collection: parts of a query, filters, copies, explanations; arrays and texts only."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textanchor.collections.asking.composing import WAYS, Asking, Composed, Part, compose, parse_part
from textanchor.collections.asking.duplicates import Candidate, Kept, collapse
from textanchor.collections.asking.explaining import Listed, Named, Neighbour, nearest, why_not
from textanchor.collections.asking.filters import DEEPEST, LONGEST, MOST, parse_filter
from textanchor.errors import InputError
from textanchor.projectors.linear import Linear
from textanchor.records import Affine, View
from textanchor.space import TEXT, Geometry
from textanchor.space.sides import AnchorSide, FittedSide
from textanchor.views import unit, with_hubness

DIM = 6
NAMES = ("year", "split", "id", "modality", "path", 'odd "name"', "ünï.x")
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6) | st.sampled_from(
    ["train", "a*b", "[x]", "?", "İ", "1", "é", "😀"]
)
NUMBERS = (
    st.integers(-5, 5)
    | st.integers(-(1 << 70), 1 << 70)
    | st.sampled_from([0.5, -2.0, 1e300, 2.0**53, float(1 << 63)])
    | st.booleans()
)
VALUES = TEXTS | NUMBERS


def spelled(value: Any) -> str:
    if isinstance(value, bool):
        return str(value)
    return repr(value) if isinstance(value, int | float) else "'" + value.replace("'", "''") + "'"


@st.composite
def predicates(draw: Any) -> str:
    name = '"' + draw(st.sampled_from(NAMES)).replace('"', '""') + '"'
    kind = draw(st.sampled_from(["sign", "in", "glob", "missing"]))
    if kind == "sign":
        return f"{name} {draw(st.sampled_from(['=', '!=', '<', '<=', '>', '>=']))} {spelled(draw(VALUES))}"
    if kind == "in":
        values = ", ".join(map(spelled, draw(st.lists(VALUES, min_size=1, max_size=3))))
        return f"{name} {draw(st.sampled_from(['in', 'not in']))} ({values})"
    if kind == "glob":
        return f"{name} ~ {spelled(draw(TEXTS | st.text('ab*?[]^!-', max_size=6)))}"
    return f"{name} {draw(st.sampled_from(['is missing', 'IS NOT MISSING']))}"


FILTERS = st.recursive(
    predicates(),
    lambda inner: st.builds("({}) {} {}".format, inner, st.sampled_from(["and", "OR"]), inner) | inner.map("not ({})".format),
    max_leaves=6,
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        name: st.none() | (TEXTS if name in ("id", "modality", "path") else VALUES | st.text("ab[]", max_size=3))
        for name in NAMES
    },
)


@settings(max_examples=150, deadline=None)
@given(FILTERS, st.lists(FIELDS, min_size=1, max_size=6))
def test_a_mapping_and_sqlite_answer_alike(text: str, items: list[dict[str, Any]]) -> None:
    made = parse_filter(text)
    base = sqlite3.connect(":memory:")
    base.execute("create table items (row integer primary key, id text, modality text, path text, fields text)")
    for row, item in enumerate(items):
        own = [item.get(name) for name in ("id", "modality", "path")]
        held = {name: value for name, value in item.items() if name not in ("id", "modality", "path")}
        base.execute("insert into items values (?, ?, ?, ?, ?)", (row, *own, json.dumps(held, ensure_ascii=False)))
    clause, values = made.sql()
    found = [row for (row,) in base.execute(f"select row from items where {clause} order by row", values)]
    base.close()
    assert found == [row for row, item in enumerate(items) if made.matches(item)]
    again = parse_filter(str(made.condition))
    assert again.sql() == made.sql(), "a condition reads back"


@pytest.mark.parametrize(
    ("text", "fields", "passes"),
    [
        ("year >= 2020 and camera = 'X100' and not (split = 'train')", {"year": 2021, "camera": "X100", "split": "val"}, True),
        (
            "year >= 2020 and camera = 'X100' and not (split = 'train')",
            {"year": 2021, "camera": "X100", "split": "train"},
            False,
        ),
        ("a = 1 or b = 1 and c = 1", {"a": 1}, True),
        ("year != 2020", {}, True),
        ("year < 2020", {"year": "1999"}, False),
        ("name = 'it''s'", {"name": "it's"}, True),
        ('name = "it\'s"', {"name": "it's"}, True),
        ("path ~ '*/DSC_????.jpg'", {"path": "x/DSC_0001.jpg"}, True),
        ("path ~ '*[1].jpg'", {"path": "x[1].jpg"}, True),
        ("good = TRUE", {"good": 1}, True),
        ("is is missing", {"is": None}, True),
        ("x > -1.5e3", {"x": float("nan")}, False),
        ("x is missing", {"x": float("nan")}, True),
        (f"x < {'9' * 5000}", {"x": 1}, True),
    ],
)
def test_what_passes(text: str, fields: dict[str, Any], passes: bool) -> None:
    assert parse_filter(text).matches(fields) is passes


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", r"character 1: the end where the name of a field was expected"),
        ("year >> 3", r"character 7: '> 3' where a number, text between quotes, true or false was expected, in: year >> 3"),
        ("year = 3 camera = 'x'", r"character 10: 'camera = 'x'' where and, or, or the end was expected"),
        ("camera = X100", r"character 10: 'X100' where a number, text between quotes"),
        ("camera like 'X%'", r"character 8: 'like 'X%'' where one of ="),
        ("camera ~ 3", r"character 10: '3' where a pattern between quotes"),
        ("(year = 3", r"character 10: the end where '\)' was expected"),
        ("year in ()", r"character 10: '\)' where a number"),
        ("name = 'open", r"character 8: ''open' where"),
        ("year = 3; drop table items", r"character 9: '; drop table items' where"),
        ("x = null", r"character 5: 'null' where"),
        ("x is null", r"character 6: 'null' where 'missing' was expected"),
        ("x = 1 and", r"the end where the name of a field"),
        ("x = 3rd", r"character 5: '3rd' where a number"),
        ("x = 'a\0'", r"character 7: '\\x00' is no text"),
        ("x = '\udc80'", r"character 6: '\\udc80' is no text"),
        ("(" * 5000 + "x = 1", rf"more than {DEEPEST} parentheses"),
        ("not " * 500 + "x = 1", rf"more than {DEEPEST} parentheses"),
        (f"x in ({', '.join(['1'] * (MOST + 1))})", rf"more than {MOST} values"),
        ("x" * (LONGEST + 1), rf"at most {LONGEST}"),
    ],
)
def test_mistakes_are_named_with_their_place(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        parse_filter(text)


def test_no_text_of_a_user_reaches_the_sql() -> None:
    nasty = "x') or 1=1 --"
    text, values = parse_filter(f'"{nasty}" = "{nasty}" and path = "{nasty}"').sql()
    assert nasty not in text
    assert values == [nasty, nasty, nasty]


def test_a_filter_says_what_it_asks_for() -> None:
    assert parse_filter("a = 1 and (b ~ 'x' or not c is missing) and a in (1, 'x')").names == {"a", "b", "c"}


def test_patterns_of_many_stars_end_soon() -> None:
    assert not parse_filter(f"x ~ '{'*a' * 40}b'").matches({"x": "a" * 5000})


def a_view(seed: int, hubness: str) -> View:
    item, text = (Affine(mean=rows(seed, 1)[0], matrix=rows(seed + place, DIM)) for place in (1, 2))
    return with_hubness(View(item=item, text=text), hubness, items=rows(seed + 3, 30), anchors=rows(seed + 4, 30))


def rows(seed: int, count: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32)


@pytest.fixture
def geometry() -> Geometry:
    sides = {
        "image": FittedSide(Linear(dim_in=3, dim_out=DIM).eval(), a_view(10, "csls(k=2)")),
        "audio": FittedSide(Linear(dim_in=2, dim_out=DIM).eval(), a_view(20, "none")),
        "series": FittedSide(Linear(dim_in=2, dim_out=DIM).eval(), None),
    }
    return Geometry({TEXT: AnchorSide(), **sides})


@pytest.fixture
def asks(geometry: Geometry) -> Callable[..., Asking]:
    """A part that asks for images: `asks(seed, weight, modality)`."""

    def part(seed: int, weight: float = 1.0, modality: str = TEXT) -> Asking:
        return Asking(comparison=geometry.between(modality, "image"), vector=rows(seed, 1)[0], weight=weight)

    return part


ITEMS = 9


def galleries(composed: Composed) -> dict[str, np.ndarray]:
    return {voice.comparison.key: voice.comparison.gallery(rows(99, ITEMS)) for voice in composed.voices}


def alone(part: Asking) -> np.ndarray:
    """Scores of one part as any query has them."""
    return (part.comparison.query(part.vector[None]) @ part.comparison.gallery(rows(99, ITEMS)).T)[0]


def test_a_part_alone_asks_like_any_query(asks: Callable[..., Asking]) -> None:
    for modality in (TEXT, "image", "audio"):
        composed = compose([asks(1, 0.3, modality)])
        np.testing.assert_allclose(composed.scores(galleries(composed)), alone(asks(1, modality=modality)), atol=1e-6)


def test_positives_of_one_gallery_are_a_weighted_mean_of_units(asks: Callable[..., Asking]) -> None:
    one, other = asks(1, 2.0), asks(2, 1.0)
    composed = compose([one, other])
    comparison = one.comparison
    mixed = unit(2 * comparison.query_unit(rows(1, 1)) + comparison.query_unit(rows(2, 1)))
    gallery = comparison.gallery(rows(99, ITEMS))
    (voice,) = composed.voices
    np.testing.assert_allclose(voice.query, np.concatenate([mixed, [[1]]], axis=1), atol=1e-6)
    np.testing.assert_allclose(
        composed.scores(galleries(composed)), (mixed @ gallery[:, :DIM].T)[0] + gallery[:, DIM], atol=1e-5
    )


def test_a_subtracted_negative_costs_its_score(asks: Callable[..., Asking]) -> None:
    composed = compose([asks(1), asks(2, -0.5)], way="subtract")
    np.testing.assert_allclose(composed.scores(galleries(composed)), alone(asks(1)) - 0.5 * alone(asks(2)), atol=1e-5)


def test_apart_holds_against_an_item_only_what_the_positive_has_not(asks: Callable[..., Asking]) -> None:
    one, other = asks(1), asks(2, -1.0)
    positive, negative = (part.comparison.query_unit(part.vector[None])[0] for part in (one, other))
    rest = negative - (negative @ positive) * positive
    composed = compose([one, other])
    (voice,) = composed.voices
    expected = positive - rest / np.linalg.norm(rest)
    np.testing.assert_allclose(voice.query[0], [*expected, 0], atol=1e-6)


def test_a_projected_query_is_orthogonal_to_all_negatives(asks: Callable[..., Asking]) -> None:
    parts = [asks(1), asks(2, -1.0), asks(3, -5.0)]
    (voice,) = compose(parts, way="project").voices
    negatives = np.concatenate([part.comparison.query_unit(part.vector[None]) for part in parts[1:]])
    np.testing.assert_allclose(voice.query[:, :DIM] @ negatives.T, 0, atol=1e-5)
    assert voice.query[0, DIM] == 1, "a bias of the gallery stays whole"


@pytest.mark.parametrize("way", WAYS)
def test_contributions_sum_to_the_score_and_weights_are_relative(way: str, asks: Callable[..., Asking]) -> None:
    told = [(1, 1.0, TEXT), (2, 0.5, TEXT), (3, -0.7, TEXT), (4, 2.0, "image"), (5, -1.0, "audio")]
    parts = [asks(*one) for one in told]
    composed = compose(parts, way=way)
    held = galleries(composed)
    contributions = composed.contributions(held)
    assert contributions.shape == (5, ITEMS)
    np.testing.assert_allclose(contributions.sum(axis=0), composed.scores(held), atol=1e-5)
    again = compose([asks(seed, 3 * weight, modality) for seed, weight, modality in told], way=way)
    np.testing.assert_allclose(again.scores(held), composed.scores(held), atol=1e-4)


def test_parts_with_galleries_of_their_own_meet_in_standard_scores(asks: Callable[..., Asking]) -> None:
    parts = [asks(1, 1.0, "image"), asks(2, 1.0), asks(3, -1.0, "audio")]
    composed = compose(parts)
    assert len(composed.voices) == 3
    wanted = np.zeros(ITEMS)
    for part, weight in zip(parts, (0.5, 0.5, -0.5), strict=True):
        mean, deviation = part.comparison.scale or (0.0, 1.0)
        wanted += weight * (alone(part) - mean) / deviation
    np.testing.assert_allclose(composed.scores(galleries(composed)), wanted, atol=1e-5)


def test_parts_that_say_nothing_together_are_refused(asks: Callable[..., Asking], geometry: Geometry) -> None:
    with pytest.raises(InputError, match="negatives only"):
        compose([asks(1, -1.0)])
    with pytest.raises(InputError, match="says the same"):
        compose([asks(1), asks(1, -0.2)])
    comparison = geometry.between("image", "image")
    opposite = 2 * a_view(10, "none").item.mean - rows(1, 1)[0]
    with pytest.raises(InputError, match="cancel out"):
        compose([asks(1, 1.0, "image"), Asking(comparison=comparison, vector=opposite, weight=1.0)])
    with pytest.raises(InputError, match="no way 'minus' for negatives; expected one of apart, subtract, project"):
        compose([asks(1)], way="minus")
    without_bank = Asking(comparison=geometry.between("series", "image"), vector=rows(2, 1)[0], weight=1.0)
    composed = compose([asks(1), without_bank])
    with pytest.raises(InputError, match="series and other parts cannot be weighed"):
        composed.scores(galleries(composed))


def test_parts_are_read_as_typed() -> None:
    assert parse_part("a red car") == Part("a red car")
    assert parse_part(" 0.5 * a red car ") == Part("a red car", weight=0.5)
    assert parse_part("2*photo.jpg", negative=True) == Part("photo.jpg", weight=-2.0)
    assert parse_part("1*2*3 on a blackboard").value == "2*3 on a blackboard"
    assert parse_part("-1*rain").weight == -1
    for text, told in (("", "is empty"), ("3*", "is empty"), ("0*x", "weight 0"), ("1e9*x", None)):
        if told is None:
            assert parse_part(text) == Part(text)
        else:
            with pytest.raises(InputError, match=told):
                parse_part(text)
    with pytest.raises(InputError, match="negated twice"):
        parse_part("-1*x", negative=True)
    with pytest.raises(InputError, match="weight nan"):
        Part("x", weight=float("nan"))


def candidate(*vector: float, content: str | None = None, modality: str = "image") -> Candidate:
    latent = np.array(vector, np.float32) if vector else None
    return Candidate(modality=modality, content=content, latent=latent)


def test_later_hits_stand_under_the_first_like_them() -> None:
    near = float(np.cos(0.1))
    chain = [candidate(np.cos(a), np.sin(a)) for a in (0.0, 0.09, 0.18, 1.5, 0.01)]
    kept = collapse(chain, least=near)
    assert kept == (Kept(row=0, duplicates=(1, 4)), Kept(row=2), Kept(row=3)), "a duplicate brings none of its own"
    assert sorted(row for one in kept for row in (one.row, *one.duplicates)) == list(range(5)), "nothing is lost"


def test_equal_contents_collapse_whatever_the_vectors_say() -> None:
    items = [candidate(1, 0, content="a"), candidate(0, 1, content="a"), candidate(content="a", modality="audio"), candidate()]
    assert collapse([*items, candidate()]) == (Kept(row=0, duplicates=(1, 2)), Kept(row=3), Kept(row=4))


def test_only_one_modality_is_compared_and_zero_is_like_nothing() -> None:
    items = [candidate(1, 0), candidate(1, 0, modality="audio"), candidate(1, 0, 0), candidate(0, 0), candidate(0, 0)]
    assert collapse(items, least=1.0) == tuple(Kept(row=row) for row in range(5))
    assert collapse([]) == ()
    assert collapse([candidate(0.1, 0.3, 0.7)] * 3, least=1.0) == (Kept(row=0, duplicates=(1, 2)),)
    with pytest.raises(InputError, match="cosine of 0"):
        collapse([], least=0)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["a", "b", None])), max_size=12))
def test_collapsing_is_the_plain_loop(told: list[tuple[int, str | None]]) -> None:
    units = np.eye(2, dtype=np.float32)
    items = [Candidate(modality=f"m{kind // 2}", content=content, latent=units[kind % 2]) for kind, content in told]
    expected: list[list[int]] = []
    for row, (kind, content) in enumerate(told):
        for group in expected:
            other_kind, other = told[group[0]]
            if kind == other_kind or (content is not None and content == other):
                group.append(row)
                break
        else:
            expected.append([row])
    assert [[one.row, *one.duplicates] for one in collapse(items)] == expected


def test_what_is_nearest_is_named_with_its_pair(geometry: Geometry) -> None:
    comparison, vectors = geometry.between(TEXT, "image"), rows(5, 6)
    names = [f"photo {row}" for row in range(6)]
    found = nearest(
        rows(1, 1)[0], comparison, Named(names=names, vectors=vectors, pairs=[f"text {row}" for row in range(6)]), k=2
    )
    cosines = comparison.cosine(rows(1, 1), vectors)[0]
    best = np.argsort(-cosines)[:2]
    assert found == tuple(Neighbour(name=names[row], cosine=float(cosines[row]), pair=f"text {row}") for row in best)
    assert nearest(rows(1, 1)[0], comparison, Named(names=[], vectors=vectors[:0])) == ()
    with pytest.raises(InputError, match="5 names, 6 vectors"):
        nearest(rows(1, 1)[0], comparison, Named(names=names[:5], vectors=vectors))


SCORES = np.array([0.9, 0.8, 0.8, 0.5, 0.1], np.float32)


def kinds(row: int, listed: Listed, **fields: Any) -> tuple[int, list[str]]:
    found = why_not(row, listed, fields or None)
    return found.rank, [reason.kind for reason in found.reasons]


def test_why_an_item_is_not_shown() -> None:
    assert kinds(1, Listed(scores=SCORES, k=2)) == (2, [])
    assert kinds(2, Listed(scores=SCORES, k=2)) == (3, ["rank"]), "of equals the earlier row comes first"
    assert kinds(3, Listed(scores=SCORES, k=5, threshold=0.6)) == (4, ["threshold"])
    assert kinds(0, Listed(scores=SCORES, k=5, allowed=np.arange(5) > 0)) == (1, ["filter"])
    assert kinds(1, Listed(scores=SCORES, k=5, under=((1, 0),))) == (2, ["duplicate"])
    assert kinds(2, Listed(scores=SCORES, k=2, under=((1, 0),))) == (2, []), "what is collapsed takes no place"
    contributions = np.stack([SCORES, np.zeros(5, np.float32)]) + np.array([[0], [0]], np.float32)
    contributions[:, 4] = [0.6, -0.5]
    found = why_not(4, Listed(scores=SCORES, k=1, contributions=contributions))
    assert [reason.kind for reason in found.reasons] == ["rank", "part"]
    assert found.reasons[0].told == "its rank is 5 and 1 are shown; 0.800 lower than the last of them"
    assert found.reasons[1].told == "part 2 of the query gives it 0.500 less than the last hit shown"
    with pytest.raises(InputError, match="no item 5; the collection has 5"):
        why_not(5, Listed(scores=SCORES, k=1))


def test_the_filter_says_what_does_not_hold() -> None:
    made = parse_filter("year >= 2020 and (camera = 'X' or not lens is missing) and \"my not\" in (1, 'a')")
    found = why_not(0, Listed(scores=SCORES, k=5, filter=made), {"year": 2021, "camera": "Y"})
    (reason,) = found.reasons
    assert reason.told == "does not hold: (camera = 'X') or (not (lens is missing)); \"my not\" in (1, 'a')"
