"""A labelling project of many made-up items: how long the next item, a decision, proposals for all and exports take.

    PYTHONPATH=src python benchmarks/label_project.py [--items 100000] [--dim 128 256] [--classes 20] [--labels 1000]

Items are a mixture of as many clouds as classes that overlap a little. Every figure is of this machine, beside the
bound that is asked for; two cores: set OMP_NUM_THREADS=2.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from textanchor.labelling.formats import export_labels
from textanchor.labelling.pool import Features
from textanchor.labelling.project import Choice, Project
from textanchor.labelling.project.filling import Filled
from textanchor.records import Item

ASKED = 200  # items one by one, of which the slowest in a hundred counts


def main() -> None:
    """Print a table, a column a width of features."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--dim", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--classes", type=int, default=20)
    parser.add_argument("--labels", type=int, default=1000)
    told = parser.parse_args()
    columns = [measured(told.items, dim, told.classes, told.labels) for dim in told.dim]
    print(f"{told.items} items, {told.classes} classes, {told.labels} labels\n")
    print(f"| | bound | {' | '.join(f'{dim} dimensions' for dim in told.dim)} |")
    print(f"|---|---|{'---|' * len(told.dim)}")
    for name, bound in BOUNDS.items():
        print(f"| {name} | {bound} | {' | '.join(column[name] for column in columns)} |")


BOUNDS = {
    "begin": "",
    "open and ask the first item": "",
    "next item, median": "",
    "next item, slowest of a hundred": "200 ms",
    "decision on disk, median": "",
    "next item by the strategy, its queue empty": "",
    "undo": "",
    "all items as arrays": "",
    "proposals for all": "60 s",
    "proposer, right of the rest": "",
    "next item, slowest of a hundred, with proposals": "200 ms",
    "accept what is let through": "",
    "undo that": "",
    "export CSV": "",
    "export Label Studio, 5000 items": "seconds",
    "size of the file": "",
    "most memory": "",
}


def measured(items: int, dim: int, classes: int, labels: int) -> dict[str, str]:
    """All figures of one width."""
    found: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "p.label"
        truth, filled = made(items, dim, classes)
        keys = [f"class {place}" for place in range(classes)]
        found["begin"], project = timed(lambda: Project.begin(file, filled, classes=keys))
        project.close()
        found["open and ask the first item"], project = timed(lambda: opened(file))
        numbers = {item.id: row for row, item in enumerate(filled.items)}

        def label(name: str) -> None:
            project.decide(name, classes=[keys[truth[numbers[name]]]], who="Ada")

        asks, decisions = one_by_one(project, label)
        found["next item, median"], found["next item, slowest of a hundred"] = ms(np.median(asks)), ms(np.quantile(asks, 0.99))
        found["decision on disk, median"] = ms(np.median(decisions))
        while project.progress().labelled < labels:
            wanted = project.next("Ada", min(100, labels - project.progress().labelled))
            project.decide_all(
                [Choice(item=one.entry.id, classes=(keys[truth[numbers[one.entry.id]]],)) for one in wanted], who="Ada"
            )
        found["next item by the strategy, its queue empty"], _ = timed(project.refill)
        found["undo"], _ = timed(lambda: project.undo("Ada"))
        found["all items as arrays"], _ = timed(project.overview)
        found["proposals for all"], run = timed(project.propose)
        view = project.overview()
        rest = view.proposal >= 0
        right = (view.proposal[rest] == truth[rest]).mean()
        found["proposer, right of the rest"] = f"{run.proposer}, {right:.3f}; {run.through} let through"
        asks, _ = one_by_one(project, label)
        found["next item, slowest of a hundred, with proposals"] = ms(np.quantile(asks, 0.99))
        if run.through:
            found["accept what is let through"], _ = timed(lambda: project.accept(who="Ada"))
            found["undo that"], _ = timed(lambda: project.undo("Ada"))
        found["export CSV"], _ = timed(lambda: export_labels(project, Path(folder) / "l.csv"))
        found["size of the file"] = f"{file.stat().st_size / 1e6:.0f} MB"
        project.close()
        found["export Label Studio, 5000 items"] = exported(Path(folder), classes)
    found["most memory"] = f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB"
    return {name: found.get(name, "-") for name in BOUNDS}


def exported(folder: Path, classes: int) -> str:
    """Half of the items labelled."""
    truth, filled = made(5000, 16, classes)
    keys = [f"class {place}" for place in range(classes)]
    with Project.begin(folder / "q.label", filled, classes=keys) as project:
        project.decide_all(
            [Choice(item=filled.items[row].id, classes=(keys[truth[row]],)) for row in range(0, 5000, 2)], who="Ada"
        )
        return timed(lambda: export_labels(project, folder / "ls", format="label-studio"))[0]


def made(items: int, dim: int, classes: int) -> tuple[np.ndarray, Filled]:
    """Clouds around random means, scaled so that neighbours overlap a little."""
    rng = np.random.default_rng(0)
    truth = rng.integers(classes, size=items)
    means = rng.normal(size=(classes, dim)).astype(np.float32) * np.float32(4.5 / np.sqrt(dim))
    values = means[truth] + rng.normal(size=(items, dim)).astype(np.float32)
    values /= np.float32(np.sqrt((values**2).sum(axis=1).mean()))
    rows = [Item(id=f"{row:06d}.png", modality="image", path=Path(f"/photos/{row:06d}.png")) for row in range(items)]
    features = Features(name="image", values=values, present=np.ones(items, dtype=bool))
    return truth, Filled(items=rows, features=[features])


def opened(file: Path) -> Project:
    """A process that begins with one question."""
    project = Project(file)
    project.next("Bob")
    return project


def one_by_one(project: Project, label: Callable[[str], None]) -> tuple[list[float], list[float]]:
    """Seconds of each question and each decision."""
    asks, decisions = [], []
    for _ in range(ASKED):
        since = time.perf_counter()
        (ask,) = project.next("Ada")
        asks.append(time.perf_counter() - since)
        since = time.perf_counter()
        label(ask.entry.id)
        decisions.append(time.perf_counter() - since)
    return asks, decisions


def timed(what: Callable[[], Any]) -> tuple[str, Any]:
    """How long it took, and what it gave."""
    since = time.perf_counter()
    found = what()
    seconds = time.perf_counter() - since
    return (ms(seconds) if seconds < 1 else f"{seconds:.1f} s"), found


def ms(seconds: float) -> str:
    """In thousandths."""
    return f"{1000 * seconds:.0f} ms"


if __name__ == "__main__":
    main()
