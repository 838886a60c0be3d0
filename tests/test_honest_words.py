"""What `fit` and the doctor warn of, and what errors say: command line in, words out."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from conftest import CLASSES, picture, write_shapes
from textanchor.encoders import make
from textanchor.runtime import Runtime
from textanchor.space.languages import foreign

Run = Callable[..., Any]


def shapes_table(folder: Path, names: dict[str, str], *, each: int = 12) -> Path:
    """A table of drawings whose classes have other names."""
    rows = []
    for kind, name in names.items():
        for seed in range(each):
            picture(kind, seed).save(folder / f"{kind}{seed}.png")
            rows.append((f"{kind}{seed}.png", name))
    return table(folder, rows)


def table(folder: Path, rows: Iterable[tuple[str, ...]]) -> Path:
    place = folder / "pairs.csv"
    with place.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("path", "text"), *rows])
    return place


def warnings_of(run: Run, pairs: Path, *more: object) -> list[str]:
    done = run("fit", pairs, "-o", pairs.parent / "space", "--aligner", "ridge", "--overwrite", *more)
    assert done.exit_code == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert not any("warning" in line for line in done.stdout.splitlines())
    return lines


def one(lines: list[str], *words: str) -> str:
    """The single line that says all of it."""
    found = [line for line in lines if all(word in line for word in words)]
    assert len(found) == 1, lines
    return found[0]


def none(lines: list[str], word: str) -> None:
    assert not [line for line in lines if word in line], lines


def test_few_validation_items(run: Run, tmp_path: Path) -> None:
    names = dict(zip(CLASSES, CLASSES, strict=True))
    assert "image: 5 items judge on validation" in one(warnings_of(run, shapes_table(tmp_path, names)), "so few")
    enough = warnings_of(run, shapes_table(tmp_path, names, each=60))
    none(enough, "so few")
    none(enough, "chance")


def test_validation_at_chance(run: Run, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = []
    for n in range(240):
        Image.fromarray(rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)).save(tmp_path / f"{n}.png")
        rows.append((f"{n}.png", ("cat", "dog", "owl")[n % 3]))
    line = one(warnings_of(run, table(tmp_path, rows)), "cannot be told from chance")
    assert "24 items" in line
    assert "the largest class alone reaches 0.333" in line


def test_copies_under_two_labels(run: Run, tmp_path: Path) -> None:
    pairs = shapes_table(tmp_path, {"circle": "ring", "cross": "plus"})
    none(warnings_of(run, pairs), "two labels")
    shutil.copy(tmp_path / "circle3.png", tmp_path / "again.png")
    with pairs.open("a") as stream:
        stream.write("again.png,plus\n")
    line = one(warnings_of(run, pairs), "two labels")
    assert "'circle3.png' is 'ring' and 'again.png' is 'plus'" in line
    with pairs.open("a") as stream:
        stream.write("circle5.png,plus\n")
    assert "2 contents" in one(warnings_of(run, pairs), "two labels"), "one file in two rows counts as well"


def test_tags_are_no_contradiction(run: Run, tmp_path: Path) -> None:
    pairs = shapes_table(tmp_path, {"circle": "round", "cross": "straight", "square": "straight"})
    with pairs.open("a") as stream:
        stream.writelines(f"{kind}{seed}.png,closed\n" for kind in ("circle", "square") for seed in range(12))
    none(warnings_of(run, pairs), "two labels")


def test_texts_beyond_the_anchors_length(run: Run, tmp_path: Path) -> None:
    lead = "a long description of the street and of the weather on that day " * 30
    pairs = shapes_table(tmp_path, {"circle": f"{lead} and a circle", "cross": f"{lead} and a cross", "square": "a square"})
    assert "2 of 3 texts are longer than the 256 tokens" in one(warnings_of(run, pairs), "tokens")
    told = run("doctor", pairs).stdout
    assert "2 of 3 texts are longer than the 256 tokens that the anchor reads" in told
    assert "what the anchor cannot tell apart" not in told, "it was not given the difference to read"
    edge = "dog " * 254
    none(warnings_of(run, shapes_table(tmp_path, {"circle": edge, "cross": "a cross"})), "tokens")
    line = one(warnings_of(run, shapes_table(tmp_path, {"circle": f"{edge} dog", "cross": "a cross"})), "tokens")
    assert "1 of 2 texts is" in line
    pairs = shapes_table(tmp_path, {"circle": edge, "cross": "a cross"})
    assert one(warnings_of(run, pairs, "--template", "image=a photo of {}"), "tokens")


def test_documents_beyond_the_encoders_length(run: Run, tmp_path: Path) -> None:
    with (tmp_path / "pairs.csv").open("w", newline="") as stream:
        rows = [(f"note {n} on {kind} " + "and so on " * (100 * (n == 3)), kind) for kind in ("tea", "rain") for n in range(12)]
        csv.writer(stream).writerows([("item_text", "text"), *rows])
    line = one(warnings_of(run, tmp_path / "pairs.csv", "--fractions", "0.8,0.2,0"), "tokens")
    assert "document: 2 of 24 documents are longer than the 256 tokens" in line


ENGLISH = (
    "dog, cat, horse, cow, sheep, oak tree, church bells, washing machine, vacuum cleaner",
    "aardvark, axolotl, okapi, pangolin, quokka, capybara, tapir, dugong, kinkajou, fossa, numbat, echidna, hoatzin",
    "black footed albatross, groove billed ani, parakeet auklet, bobolink, chuck will widow, geococcyx, bewick wren",
    "Turdus merula, Parus major, Erithacus rubecula, Tachycineta bicolor, Bubo bubo, Ardea cinerea, Amanita muscaria",
    "aphid, thrip, weevil, mealybug, earwig, katydid, cicada, psyllid, sawfly",
    "baklava, bibimbap, ceviche, edamame, foie gras, gyoza, panna cotta, tiramisu, apple pie, crème brûlée, hot dog",
    "weimaraner, schipperke, groenendael, affenpinscher, entlebucher, keeshond, samoyed, dachshund",
    "melanocytic nevi, dermatofibroma, actinic keratoses, atelectasis, cardiomegaly, pneumothorax",
    "outer race fault at 1797 rpm, the oscilloscope shows a clipped sinusoid, photolithography misalignment, ISO 898",
    "707-320, A300B4, ATR-42, BAE 146-200, Gulfstream IV, Il-76, Yak-42",
    "acetaminophen, dichloromethane, tetrahydrofuran, β-carotene, sodium hydroxide, polyethylene",
)
FOREIGN = (
    "Hund, Katze, Vogel, Pferd, Kuh, Schwein, Löwe, Bär, Fisch",
    "Hund, Katze",
    "Ein Hund läuft über die Wiese, Zwei Kinder spielen im Garten mit einem Ball, Der Mann sitzt auf einer Bank",
    "chien, chat, oiseau, cheval, vache, chèvre, éléphant",
    "Un chien court dans l'herbe, Deux enfants jouent dans le jardin avec un ballon",
    "perro, gato, pájaro, caballo, vaca, ratón",
    "Un cane corre nel prato, Una donna va in bicicletta per la città",
    "kot, pies, ptak, koń, świnia, słoń",
    "собака, кошка, птица, лошадь",
    "Собака бежит по траве, Двое детей играют в саду",
    "狗, 猫, 鸟, 大象",
    "一只狗在草地上奔跑, 两个孩子在花园里玩球",
    "犬が芝生を走っている, 二人の子供が庭で遊ぶ",
    "개가 잔디밭을 달린다, 고양이",
    "كلب يركض على العشب, قطة",
    "σκύλος, γάτα, πουλί",
)


@pytest.fixture(scope="module")
def anchor() -> Any:
    return make("all-MiniLM-L6-v2", "text", Runtime(device="cpu"))


@pytest.mark.parametrize("texts", ENGLISH)
def test_no_alarm_on_english(texts: str, anchor: Any) -> None:
    assert foreign(texts.split(", "), anchor) == ""


@pytest.mark.parametrize("texts", FOREIGN)
def test_languages_that_the_anchor_does_not_know(texts: str, anchor: Any) -> None:
    assert foreign(texts.split(", "), anchor)


def test_an_anchor_that_knows_the_language_is_not_blamed() -> None:
    class Multilingual:
        longest = 512

        def pieces(self, texts: list[str]) -> list[tuple[str, ...]]:
            return [tuple(text[start : start + 5] for start in range(0, len(text.strip()), 5)) for text in texts]

    for texts in FOREIGN:
        assert foreign(texts.split(", "), Multilingual()) == "", texts


def test_fit_names_a_multilingual_anchor(run: Run, tmp_path: Path) -> None:
    pairs = shapes_table(tmp_path, {"circle": "круг", "cross": "крест", "square": "квадрат"})
    line = one(warnings_of(run, pairs), "unknown to the anchor or broken into single letters")
    assert "--anchor intfloat/multilingual-e5-small" in line
    assert "unknown to the anchor" in run("doctor", pairs).stdout


@pytest.mark.parametrize("labels", [("0", "1"), ("1.0", "-1.0"), ("class 3", "class_4"), ("n01440764", "n01443537")])
def test_labels_that_are_bare_numbers(labels: tuple[str, str], run: Run, tmp_path: Path) -> None:
    pairs = shapes_table(tmp_path, dict(zip(("circle", "cross"), labels, strict=True)))
    assert "--synonyms" in one(warnings_of(run, pairs), "2 of 2 labels are bare numbers")


def test_names_with_numbers_are_names(run: Run, tmp_path: Path) -> None:
    none(warnings_of(run, shapes_table(tmp_path, {"circle": "Boeing 747", "cross": "A300B4"})), "numbers")


def test_underscores_are_taken_out_of_names(run: Run, tmp_path: Path) -> None:
    names = {"circle": "golden_retriever", "cross": "tabby cat", "square": "what snake_case looks like"}
    pairs = shapes_table(tmp_path, names)
    assert "1 name: 'golden_retriever' is 'golden retriever'" in one(warnings_of(run, pairs), "underscores")
    texts = run("search", tmp_path / "space", "dog", "--in", pairs, "--modality", "text", "-k", 3).stdout
    assert "golden retriever" in texts
    assert "golden_retriever" not in texts
    assert "what snake_case looks like" in texts, "a sentence means what it says"
    synonyms = tmp_path / "synonyms.json"
    synonyms.write_text('{"golden_retriever": ["a blond dog"]}')
    assert one(warnings_of(run, pairs, "--synonyms", synonyms), "underscores")
    assert "a blond dog" in (tmp_path / "space" / "space.json").read_text()
    folders = tmp_path / "folders"
    for kind, name in (("circle", "golden_retriever"), ("cross", "tabby-cat")):
        (folders / name).mkdir(parents=True)
        for seed in range(12):
            picture(kind, seed).save(folders / name / f"{seed}.png")
    none(warnings_of(run, folders), "underscores")


def test_nested_folders_taken_as_classes(run: Run, tmp_path: Path) -> None:
    def write(*levels: str, kind: str, count: int = 8) -> None:
        place = tmp_path.joinpath("nest", *levels)
        place.mkdir(parents=True)
        for seed in range(count):
            picture(kind, seed).save(place / f"{seed}.png")

    write("curved", "rings", kind="circle")
    write("curved", "lines", kind="stripes")
    write("straight", "boxes", kind="square")
    write("straight", "crosses", kind="cross")
    told = warnings_of(run, tmp_path / "nest")
    line = one(told, "folders lie in folders") if any("folders lie" in text for text in told) else ""
    if line:  # where the reader takes the upper folder
        assert "'curved' was taken as the class, and 'lines', 'rings' below it" in line
    shutil.rmtree(tmp_path / "nest")
    for speaker in ("anna", "ben"):
        write("circle", speaker, kind="circle")
        write("square", speaker, kind="square")
    none(warnings_of(run, tmp_path / "nest"), "folders lie")


def test_signal_is_a_floor(run: Run, tmp_path: Path) -> None:
    told = warnings_of(run, write_shapes(tmp_path / "pairs"), "--encoder", "image=signal")
    assert "--encoder audio=hub:laion/larger_clap_general" in one(told, "audio: ", "floor")
    assert "--encoder image=efficientnet-lite0" in one(told, "image: ", "floor")


def test_python_finds_the_remarks_in_the_story(shapes: Path) -> None:
    import textanchor

    heard: list[str] = []
    space = textanchor.fit(shapes, aligner="ridge", announce=heard.append)
    assert tuple(heard) == space.stories[-1].remarks
    assert any("floor" in remark for remark in heard)
    assert type(space.stories[-1]).read(space.stories[-1].described()).remarks == tuple(heard)
