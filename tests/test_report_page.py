"""The report and the page of hits: what stands where, that it says what the figures say, and that it fits on screens."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

import textanchor
from conftest import write_shapes
from textanchor.data.decoding import content_hash
from textanchor.evaluation.answers import answers, classes, confusions
from textanchor.evaluation.held_out import HELD_OUT
from textanchor.evaluation.verdict import _relation, cards, percent, verdict
from textanchor.judging import judge
from textanchor.records import Hits

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&\u202e"


class Page(HTMLParser):
    """What tags there are, which sections in order, each table's cells, and the text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.sections: list[str] = []
        self.handlers: list[str] = []
        self.links: list[str] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.words: list[str] = []
        self._cell = self._box = ""
        self._hidden = False
        self.feed(path.read_text(encoding="utf-8"))
        self.text = " ".join("".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags[tag] += 1
        self.handlers += [name for name in found if name.startswith("on")]
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "data", "action", "xlink:href")]
        self._hidden = tag == "style" or (self._hidden and tag != "body")
        if tag == "section" and found.get("id"):
            self.sections.append(str(found["id"]))
        if found.get("role") == "region":
            self._box = str(found["aria-label"])
            self.tables[self._box] = []
        if tag == "tr":
            self.tables[self._box].append([])
        if tag in ("td", "th"):
            self._cell = tag
            self.tables[self._box][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._cell = "" if tag == self._cell else self._cell

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)
        if self._cell:
            self.tables[self._box][-1][-1] += data.strip()


@pytest.fixture(scope="module")
def done(space: Any, shapes: Path) -> Any:
    seed = textanchor.fit(shapes, aligner="seed")
    return textanchor.evaluate(space, shapes, name="ours", against={"seed recipe": seed}, include_train=True)


@pytest.fixture(scope="module")
def report(done: Any, space: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return textanchor.write_report(done, space, tmp_path_factory.mktemp("report") / "r")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """A space and an evaluation of 30 classes of flat colours, some of which look alike."""
    folder, rng = tmp_path_factory.mktemp("many"), np.random.default_rng(0)
    colours = rng.integers(0, 255, (30, 3))
    for name, colour in enumerate(colours):
        (folder / f"colour number {name}").mkdir()
        for row in range(10):
            noisy = np.clip(colour + rng.normal(0, 40, (8, 8, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(noisy).save(folder / f"colour number {name}" / f"{row}.png")
    made = textanchor.fit(folder, aligner="ridge", fractions=(0.5, 0.1, 0.4))
    return made, textanchor.evaluate(made, folder, probe=False)


@pytest.fixture(scope="module")
def captioned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """A space and an evaluation of drawings with a caption of their own each."""
    folder = write_shapes(tmp_path_factory.mktemp("captions") / "s", sounds=False)
    with (folder / "pairs.csv").open() as stream:
        head, *rows = csv.reader(stream)
    with (folder / "pairs.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([head, *([row[0], f"{row[1]} number {n}", *row[2:]] for n, row in enumerate(rows))])
    made = textanchor.fit(folder, aligner="ridge")
    return made, textanchor.evaluate(made, folder, probe=False)


def test_what_matters_most_stands_first(report: Path) -> None:
    page = Page(report)
    assert page.sections == ["verdict", "map", "gallery", "classes", "worst", "tables", "reading", "origin"]
    assert page.text.index("find their own text first") < page.text.index("R@1") < page.text.index("t-SNE")
    assert page.tags["script"] == page.tags["link"] == page.tags["iframe"] == 0
    assert "default-src 'none'" in report.read_text()


def test_the_verdict_says_the_figures_of_the_json(report: Path) -> None:
    metrics, text = json.loads((report.parent / "metrics.json").read_text()), Page(report).text
    own = [
        row for row in metrics["alignment"] if row["split"] == HELD_OUT and row["space"] == "ours" and row["gallery"] == "text"
    ]
    first, second = re.match(r".*? it has not seen\. (.*?\.) (Never .*?\.)(?= image → text)", text).groups()  # type: ignore[union-attr]
    assert len(own) == 2
    for row, unit in zip(own, ("images", "sounds"), strict=True):
        assert f"{percent(row['R@1'])} of " in first
        assert f"{row['queries']} unseen {unit}" in first
        assert f"first among {row['gallery size']}" in first
        assert row["R@1 interval"][0] > row["chance R@1"]
    assert f"above chance ({percent(own[0]['chance R@1'])})" in first
    for row in metrics["emergent"]:
        if row["split"] == HELD_OUT and row["space"] == "ours":
            assert f"first in {percent(row['R@1'])}" in second
    told = Counter(row["verdict"] for row in metrics["differences"])
    assert f"against seed recipe, recall@1 is better in {told['better']} of {len(metrics['differences'])} directions" in second
    assert f"worse in {told['worse']}" in second


def test_without_another_space_the_floor_stands_in_the_verdict(captioned: tuple[Any, Any], tmp_path: Path) -> None:
    made, found = captioned
    first, second = verdict(found, {"image": ()})
    (there,) = (row for row in found.table("alignment") if row["query"] == "image")
    assert f"{percent(there['R@1'])} of only {there['queries']} unseen images" in first
    assert "commonest" not in first
    assert f"to their own texts and {there['floor']:.2f}".replace("-0.00", "0.00").replace("-", "−") in second
    assert len([card for card in cards(found, {"image": ()}) if "R@10" in card.title]) == sum(
        "R@10" in row for row in found.table("alignment")
    )
    page = Page(textanchor.write_report(found, made, tmp_path / "r"))
    assert "classes" not in page.sections
    assert "confusion matrix of image" not in page.tables


@pytest.mark.parametrize(
    ("interval", "value", "said"),
    [
        ((0.2, 0.4), 0.1, "above"),
        ((0.2, 0.4), 0.2, "not to be told from"),
        ((0.2, 0.4), 0.3, "not to be told from"),
        ((0.2, 0.4), 0.5, "below"),
        (None, 0.0, "no interval to tell it from"),
    ],
)
def test_above_is_said_only_where_the_interval_allows(interval: Any, value: float, said: str) -> None:
    assert _relation(interval, value) == said


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0, "0 %"), (1, "100 %"), (0.9996, ">99.9 %"), (0.994, "99.4 %"),
     (0.0002, "<0.1 %"), (0.034, "3.4 %"), (0.1, "10 %"), (0.5, "50 %")],
)  # fmt: skip
def test_percentages_are_never_rounded_to_all_or_nothing(share: float, shown: str) -> None:
    assert percent(share) == shown


def test_one_text_is_no_choice(tmp_path: Path) -> None:
    folder = write_shapes(tmp_path / "s", sounds=False)
    made = textanchor.fit(folder, aligner="ridge")
    one = textanchor.read_pairs(folder)
    rows = [pair for pair in one.rows if pair.text == "circle"]
    found = textanchor.evaluate(made, textanchor.Pairs(rows=tuple(rows)), probe=False)
    assert "1 text to choose from, which says nothing" in verdict(found, {})[0]
    assert "no floor" in verdict(found, {})[1]
    page = Page(textanchor.write_report(found, made, tmp_path / "r"))
    assert "classes" not in page.sections


def test_with_nothing_held_out_nothing_is_claimed(tmp_path: Path) -> None:
    folder = write_shapes(tmp_path / "s", each=6, sounds=False)
    made = textanchor.fit(folder, aligner="ridge")
    seen = textanchor.read_pairs(folder).rows
    known = set(made.seen.contents)
    rows = tuple(pair for pair in seen if content_hash(pair.item) in known)
    found = textanchor.evaluate(made, textanchor.Pairs(rows=rows), probe=False, include_train=True)
    page = Page(textanchor.write_report(found, made, tmp_path / "r"))
    assert "No held-out item could be judged." in page.text
    assert "unseen images" not in page.text


def test_rows_of_the_confusion_matrix_add_up(report: Path, done: Any) -> None:
    metrics, page = json.loads((report.parent / "metrics.json").read_text()), Page(report)
    for modality, pairs in done.judged.pairs[HELD_OUT].items():
        head, *rows = page.tables[f"confusion matrix of {modality}"]
        names = head[1:-1]
        counts = Counter(pairs.texts[text] for text in pairs.first_text.tolist())
        assert names == [row[0] for row in rows] == list(pairs.texts)
        for row in rows:
            assert sum(int(cell or 0) for cell in row[1:-1]) == int(row[-1]) == counts[row[0]]
        right = sum(int(row[1 + place] or 0) for place, row in enumerate(rows))
        (told,) = (
            row for row in metrics["alignment"]
            if row["split"] == HELD_OUT and row["space"] == "ours" and row["query"] == modality
        )  # fmt: skip
        assert right / told["queries"] == pytest.approx(told["R@1"])
        assert f"{modality}: {right} of {told['queries']} right" in page.text


def test_of_many_classes_the_commonest_mistakes_are_listed(many: tuple[Any, Any], tmp_path: Path) -> None:
    made, found = many
    pairs = found.judged.pairs[HELD_OUT]["image"]
    own = classes(answers(made.geometry, pairs))
    assert len(own) == 30
    page = Page(textanchor.write_report(found, made, tmp_path / "r"))
    assert "confusion matrix of image" not in page.tables
    listed = confusions(own)
    assert [count for count, _, _ in listed] == sorted((count for count, _, _ in listed), reverse=True)
    assert sum(count for count, _, _ in listed) == sum(one.items - one.right for one in own) > 0
    count, one, other = listed[0]
    assert f"{one.name} taken for {other}" in page.text
    assert f"{count} of {one.items}" in page.text
    worst = min(own, key=lambda one: one.share)
    assert page.text.index("the lowest first") < page.text.index(f"{worst.right} of {worst.items}")


def test_answers_are_those_that_recall_counts(many: tuple[Any, Any]) -> None:
    made, found = many
    pairs = found.judged.pairs[HELD_OUT]["image"]
    own = answers(made.geometry, pairs)
    ranked = judge(made.geometry, {"image": pairs}).alignment[0]
    assert np.array_equal(own.rank, ranked.retrieval.rank)
    to_texts = made.geometry.between("image", "text")
    scores = to_texts.query(made.geometry.project("image", pairs.inputs)) @ to_texts.gallery(pairs.anchors).T
    gaps = {}
    for row, text in enumerate(pairs.first_text.tolist()):
        best = max((score, other) for other, score in enumerate(scores[row]) if other != text)
        assert own.first[row] == (best[1] if best[0] >= scores[row][text] else text)
        if best[0] >= scores[row][text]:
            gaps[row] = scores[row][text] - best[0]
    assert own.worst(5) == sorted(gaps, key=lambda row: gaps[row])[:5]


def test_tables_say_all_that_the_json_says(report: Path) -> None:
    metrics, page = json.loads((report.parent / "metrics.json").read_text()), Page(report)
    head, *rows = page.tables["Items and texts"]
    assert len([row for row in rows if len(row) > 1]) == len(metrics["alignment"])
    assert [row[0] for row in rows if len(row) == 1] == [HELD_OUT, "on training data (no evidence)"]
    first = dict(zip(head, rows[1], strict=True))
    told = metrics["alignment"][0]
    assert first["direction"] == f"{told['query']} → {told['gallery']}"
    assert first["positive cosine"] == f"{told['positive cosine']:.3f}"
    assert first["R@1"].startswith(f"{told['R@1']:.3f}[")
    for row in metrics["probes"]:
        assert f"{row['accuracy']:.3f}\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}{row['spread']:.3f}" in report.read_text()


def test_more_figures_of_a_probe_stand_behind_it() -> None:
    from textanchor.evaluation.sheets import _side_by_side

    one = {"split": "s", "modality": "m", "labelled": "80/20", "features": "f", "accuracy": 0.5, "spread": 0.1, "folds": 5}
    (made,) = _side_by_side([{**one, "macro accuracy": 0.25}])
    assert str(made["f"]).endswith("0.100, macro accuracy 0.250")


def test_a_tie_counts_against_the_item(toy: Callable[..., Any]) -> None:
    pairs = toy(items=40, texts=8)
    pairs.anchors[1] = pairs.anchors[0]
    same = SimpleNamespace(query=lambda vectors: vectors, gallery=lambda vectors: vectors)
    unit = pairs.anchors / np.linalg.norm(pairs.anchors, axis=1, keepdims=True)
    perfect = SimpleNamespace(between=lambda *_: same, project=lambda *_: unit[pairs.first_text])
    own = answers(perfect, replace(pairs, anchors=unit))  # type: ignore[arg-type]
    twins = np.isin(pairs.first_text, (0, 1))
    assert twins.any()
    assert np.array_equal(own.rank, twins.astype(int))
    assert np.array_equal(own.first[twins], 1 - pairs.first_text[twins])
    assert np.array_equal(own.first[~twins], pairs.first_text[~twins])


def test_hostile_names_and_endless_texts_are_only_shown(tmp_path: Path, run: Callable[..., Any]) -> None:
    folder = write_shapes(tmp_path / "s", each=8, sounds=False)
    name = "<img src=x onerror=alert(3)>\x1b[31m\u202e.png"
    (folder / "image" / "circle" / "00.png").rename(folder / "image" / "circle" / name)
    with (folder / "pairs.csv").open() as stream:
        head, *rows = csv.reader(stream)
    place = head.index("text")
    for row in rows:
        row[0] = row[0].replace("circle/00.png", f"circle/{name}")
        row[place] = {"circle": EVIL, "cross": "endless " * 40_000}.get(row[place], row[place])
    with (folder / "pairs.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([head, *rows])
    made = textanchor.fit(folder, aligner="ridge", fractions=(0.4, 0.2, 0.4))
    found = textanchor.evaluate(made, folder, probe=False, name=EVIL)
    place = textanchor.write_report(found, made, tmp_path / "r", title=EVIL)
    saved = made.save(tmp_path / "space")
    hits = tmp_path / "hits.html"
    assert run("search", saved, EVIL, "--in", folder, "--html", hits, "-k", 40).exit_code == 0
    for path in (place, hits):
        page = Page(path)
        assert page.tags["script"] == 0
        assert page.handlers == []
        assert not [link for link in page.links if not link.startswith(("data:", "#", "file:"))]
        assert "<script>alert(1)</script>" in page.text, "shown as it is"
        assert not set("\x1b\u202e") & set(path.read_text())
        assert path.stat().st_size < 1_000_000
    assert "onerror=alert(3)>\\x1b[31m\\u202e.png" in Page(hits).text


def test_a_report_is_bounded(many: tuple[Any, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from textanchor.pages import media

    made, found = many
    full = textanchor.write_report(found, made, tmp_path / "full")
    monkeypatch.setattr(media.Album.__init__, "__kwdefaults__", {**(media.Album.__init__.__kwdefaults__ or {}), "budget": 2000})
    small = textanchor.write_report(found, made, tmp_path / "small")
    assert "left out of this page to keep it small" in Page(small).text
    assert "left out of this page" not in Page(full).text
    assert 0 < Page(small).tags["img"] < Page(full).tags["img"]


def test_the_page_of_hits_says_what_the_json_says(saved: Path, shapes: Path, tmp_path: Path, run: Callable[..., Any]) -> None:
    file = tmp_path / "new" / "hits.html"
    done = run("search", saved, "circle", "--in", shapes, "-k", 6, "--html", file, "--json")
    assert done.exit_code == 0
    assert f"page: {file}" in done.stderr
    page = Page(file)
    assert "“circle”" in page.text
    for hit in json.loads(done.stdout):
        assert hit["item"] in page.text
        assert f"score {hit['score']:.2f} · {hit['modality']} {hit['item']}" in page.text
        assert Path(hit["path"]).as_uri() in page.links
    assert page.tags["img"] == 6
    refused = run("search", saved, "circle", "--in", shapes, "--html", file)
    assert refused.exit_code == 2
    assert "exists already; name another place or add --overwrite" in refused.stderr
    by_file = run(
        "search",
        saved,
        shapes / "audio" / "cross" / "02.wav",
        "--in",
        shapes,
        "--modality",
        "text",
        "--html",
        file,
        "--overwrite",
    )
    assert by_file.exit_code == 0
    page = Page(file)
    assert page.tags["audio"] == 1, "the query"
    assert "Asked with this audio" in page.text
    for text in ("circle", "square", "cross", "stripes"):
        assert text in page.text


def test_several_queries_stand_on_one_page(space: Any, shapes: Path, tmp_path: Path) -> None:
    from textanchor.collections.page import write_hits

    index = textanchor.build_index(space, shapes)
    asked = ["circle", shapes / "image" / "cross" / "01.png"]
    answered = [(query, textanchor.search(space, query, index, k=3)) for query in asked]
    page = Page(write_hits(tmp_path / "hits.html", index, [*answered, ("nothing", Hits())]))
    assert page.text.index("“circle”") < page.text.index("Asked with this image") < page.text.index("“nothing”")
    assert page.tags["figure"] == 7
    assert "No hit." in page.text


MEASURE = """<script>addEventListener("load", () => {
  const box = [...document.querySelectorAll(".scroll")].map(e => e.scrollWidth - e.clientWidth);
  parent.postMessage([document.documentElement.scrollWidth, innerWidth, Math.max(0, ...box)].join(" "), "*");
});</script></body>"""
FRAME = """<body><iframe src="{page}" style="width:{width}px;height:900px;border:0"></iframe>
<script>addEventListener("message", e => {{ document.body.innerHTML = "<p>measured " + e.data + "</p>" }})</script></body>"""


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("which", ["report", "many", "matrix", "hits"])
def test_pages_fit_on_screens(
    which: str, width: int, request: Any, tmp_path: Path, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no chromium here to measure with")
    if which == "report":
        path = request.getfixturevalue("report")
    elif which in ("many", "matrix"):
        if which == "matrix":
            monkeypatch.setattr("textanchor.evaluation.report.MATRIX", 30)
        made, found = request.getfixturevalue("many")
        path = textanchor.write_report(found, made, tmp_path / "r")
        assert ("confusion matrix of image" in Page(path).tables) == (which == "matrix")
    else:
        path = tmp_path / "hits.html"
        run("search", request.getfixturevalue("saved"), "n" * 300, "--in", request.getfixturevalue("shapes"), "--html", path)
    html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", path.read_text())
    (tmp_path / "page.html").write_text(html.replace("</body>", MEASURE))
    (tmp_path / "frame.html").write_text(FRAME.format(page="page.html", width=width))
    told = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
         f"--user-data-dir={tmp_path}/u", "--window-size=1400,1000", "--virtual-time-budget=10000", "--dump-dom",
         (tmp_path / "frame.html").as_uri()],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    measured = re.search(r"measured (\d+) (\d+) (\d+)", told.stdout)
    assert measured, told.stderr[-500:]
    wide, screen, beyond = map(int, measured.groups())
    assert screen == width
    assert wide <= screen, "the page itself never scrolls sideways"
    if width == 1280:
        assert beyond == 0, "the last column of every table is visible"
