"""A report as one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from textanchor.files import located, new_file
from textanchor.labelling.care import Couple
from textanchor.labelling.project import Entry, Project
from textanchor.labelling.reporting.facts import Facts, facts
from textanchor.pages import Album, Media, rendered
from textanchor.records import Item
from textanchor.runtime import Limits

CONFUSED, SHOWN, CLASSES = 25, 12, 200  # rows and items that are shown


@dataclass(frozen=True, kw_only=True)
class Seen:
    """An item as the page shows it."""

    id: str
    media: Media
    label: str
    proposed: str


def write_label_report(
    project: Project,
    file: str | Path,
    *,
    overwrite: bool = False,
    limits: Limits | None = None,
    settle: Callable[[Item], Item] | None = None,
) -> Path:
    """Write the page, which refers to nothing outside it; its path. Raises `InputError` if it exists, unless `overwrite`.

    `settle` may say where an item's file truly lies, or raise `ItemError` for one that is not to be shown.
    """
    place, told, album = located(file), facts(project), Album(limits or Limits(), settle=settle)
    html = rendered(
        "textanchor.labelling.reporting",
        "report.html.jinja",
        name=project.file.name,
        told=told,
        cards=_cards(told),
        rows=[
            {
                "class": one.key,
                "text": one.text,
                "labels by people": told.progress.classes[one.key],
                "by the machine": told.progress.machine_classes[one.key],
            }
            for one in told.classes[:CLASSES]
        ],
        confused=[
            {"proposed": one, "people say": other, "items": count} for one, other, count in told.compared.pairs[:CONFUSED]
        ],
        couples=[_couple(one) for one in (*told.agreement.people.couples, *told.agreement.repeats)],
        shelves=[(title, [_seen(one, album) for one in entries]) for title, entries in _shelves(project) if entries],
        certificates=[one for one in told.runs if one.certificate][-1:],
        missing=album.missing,
    )
    with new_file(place, overwrite=overwrite) as temporary:
        temporary.write_bytes(html)
    return place


def _couple(told: Couple) -> dict[str, object]:
    one, other = told.people
    low, high = told.interval
    return {
        "people": one if one == other else f"{one} and {other}",
        "": "asked once more" if one == other else "",
        "items": told.items,
        "alike": f"{told.share:.1%} [{low:.1%}, {high:.1%}]",
        "kappa": told.kappa.value,
    }


def _cards(told: Facts) -> list[tuple[str, str]]:
    """Figures that come first."""
    counts = told.progress
    return [
        (str(counts.labelled), f"of {counts.items} items labelled by people"),
        (str(counts.machine), "labelled by the machine"),
        (str(counts.open), "open"),
        (str(counts.none + counts.unsure), "of no class, or unclear"),
    ]


def _shelves(project: Project) -> Sequence[tuple[str, list[Entry]]]:
    """Items worth a look."""
    return (
        ("People differ", project.entries(disagree=True, limit=SHOWN)),
        ("Labelled by the machine, the least sure", project.entries(status="machine", order="least-sure", limit=SHOWN)),
        ("None of the classes", project.entries(status="none", limit=SHOWN)),
        ("Unclear", project.entries(status="unsure", limit=SHOWN)),
    )


def _seen(entry: Entry, album: Album) -> Seen:
    proposed = ""
    if entry.proposed is not None:
        proposed = f"{'|'.join(entry.proposed.classes)} ({entry.proposed.probability:.2f})"
    return Seen(id=entry.id, media=album.of(entry.item), label="|".join(entry.state.classes), proposed=proposed)
