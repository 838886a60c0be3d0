"""`textanchor demo`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from textanchor.cli import options, printing
from textanchor.cli.fit import summary
from textanchor.runtime import Runtime, Splitting

if TYPE_CHECKING:
    from textanchor.evaluation import Evaluation
    from textanchor.records import Pairs
    from textanchor.space import Space

NEXT = """
What to try next, on your own files:
  textanchor fit FOLDER_WITH_ONE_FOLDER_PER_CLASS -o my-space
  textanchor search my-space "a sentence, or a file" --in FOLDER
  textanchor evaluate my-space FOLDER_WITH_ONE_FOLDER_PER_CLASS -o my-report
A table works as well: CSV, JSONL or Parquet with the columns path and text, and group for what must not be torn apart.
"""


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("textanchor-demo"), show_default=True)
@options.seed
@options.runtime_without("engine", "offline", "pixels", "seconds", "numbers", "strict")
@options.overwrite
def command(output: Path, seed: int, runtime: Runtime, overwrite: bool) -> None:
    """Run the whole path on real digits: handwritten images and spoken words, joined by nothing but their texts.

    Writes the sample set, the fitted space, the original recipe's space beside it, and the report into the output folder.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # read with torch: on matrices this small, threads wait for each other
    from textanchor.data.pairs import read_pairs
    from textanchor.data.samples import write_sample
    from textanchor.evaluation import evaluate
    from textanchor.evaluation.report import write_report
    from textanchor.files import new_folder
    from textanchor.space.fitting import fit

    with new_folder(output, overwrite=overwrite, marker="demo.txt", sign="textanchor demo") as folder:
        printing.say("1/6 sample set: handwritten digits and synthetic voices; no image is paired with a sound")
        write_sample("digits", folder / "digits")
        pairs = read_pairs(folder / "digits")
        printing.say("2/6 fit: encode once, fit on train, choose on validation")
        splitting = Splitting(seed=seed)
        encoders = {"image": "signal"}  # digits of 8 x 8 pixels are no photos
        space = fit(pairs, encoders=encoders, splitting=splitting, runtime=runtime)
        summary(space)
        original = fit(pairs, encoders=encoders, aligner="seed", splitting=splitting, runtime=runtime)
        space.save(folder / "space")
        original.save(folder / "space-seed-recipe")
        printing.say("3/6 evaluate: unseen images and unheard voices")
        evaluation = evaluate(
            space,
            pairs,
            name="textanchor",
            against={"seed recipe": original},
            include_train=True,
            seed=seed,
            runtime=runtime,
        )
        printing.say("4/6 search")
        _search(space, pairs)
        printing.say("5/6 photos, before any pair: names that an installed classifier knows")
        _photos(folder / "photos", runtime)
        printing.say("6/6 report")
        write_report(evaluation, space, folder / "report")
        (folder / "demo.txt").write_text("Written by `textanchor demo`; it may be replaced with --overwrite.\n")
    _short(evaluation)
    click.echo(f"\nreport: {output / 'report' / 'report.html'}")
    click.echo(f'search it: textanchor search {output / "space"} "seven" --in {output / "digits"} --modality audio')
    click.echo(NEXT)


def _search(space: Space, pairs: Pairs) -> None:
    from textanchor.collections import build_index, search

    unseen = [pair for pair in pairs.rows if pair.split == "test"]
    index = build_index(space, [pair.item for pair in unseen], progress=False)
    picture = next(pair.item for pair in unseen if pair.item.modality == "image" and pair.text == "four")
    texts = {pair.item.id: pair.text for pair in unseen}
    for query, modality in (("seven", "image"), ("seven", "audio"), (picture.path, "audio")):
        hits = search(space, query, index, k=5, modality=modality)
        shown = ", ".join(f"{texts[hit.id]} ({hit.score:.2f})" for hit in hits)
        asked = f"the picture {query.name}, a four" if isinstance(query, Path) else f'"{query}"'
        click.echo(f"search {asked} among unseen {modality}: {shown}")


def _photos(folder: Path, runtime: Runtime) -> None:
    """Photos that come with scikit-learn and matplotlib."""
    from matplotlib.cbook import get_sample_data
    from PIL import Image
    from sklearn.datasets import load_sample_images

    from textanchor.collections import build_index, search
    from textanchor.space.starting import start

    folder.mkdir()
    held = load_sample_images()
    for name, pixels in zip(held.filenames, held.images, strict=True):
        Image.fromarray(pixels).save(folder / Path(name).name)
    Image.open(get_sample_data("grace_hopper.jpg", asfileobj=False)).save(folder / "grace_hopper.jpg")
    space = start(encoders={"image": "efficientnet-lite0"}, runtime=runtime)
    index = build_index(space, folder, progress=False)
    for query in ("a flower", "a temple in China", "a woman in uniform"):
        shown = ", ".join(f"{hit.id} ({hit.score:.2f})" for hit in search(space, query, index, k=3))
        click.echo(f'search "{query}" among three photos: {shown}')


def _short(evaluation: Evaluation) -> None:
    metrics = evaluation.metrics()
    who, figures = ("space", "split", "query", "gallery"), ("positive cosine", "floor", "R@1", "macro R@1", "R@1 interval")
    keep = (*who, *figures, "mAP@10", "chance R@1", "largest class R@1")
    for name, title in (("alignment", "Items -> texts"), ("emergent", "Image and sound, never paired")):
        rows = [row for row in metrics[name] if row["query"] != "text"]
        printing.table([{key: row[key] for key in keep if key in row} for row in rows], title=title)
    printing.table(metrics["differences"], title="Paired differences to the original recipe")
    printing.map_figure(metrics["map"])
