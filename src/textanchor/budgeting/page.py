"""The budget as JSON, as CSV and as one self-contained HTML file with a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from textanchor.budgeting.result import Budget
from textanchor.budgeting.spots import Spot
from textanchor.files import write_bytes, write_csv, write_json
from textanchor.pages import as_svg, columns, figure, label, rendered

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INTERVAL = " interval"


def write_budget(result: Budget, folder: Path, facts: str) -> None:
    """`budget.csv`, `budget.html` and, named by `facts`, everything as JSON; the page refers to nothing outside it."""
    write_json(folder / facts, {"format": "textanchor-budget", "version": 1, **result.metrics()})
    rows = [_flat(row) for row in result.rows()]
    names = columns(rows)
    write_csv(folder / "budget.csv", [names, *([row.get(name) for name in names] for row in rows)])
    differences = [one.row() for one in result.contrasts]
    html = rendered(
        "textanchor.budgeting",
        "budget.html.jinja",
        budget=result,
        tables=[*_recalls(result), ("Paired differences between methods", columns(differences), differences)],
        plots=[Markup(_curves(result.spots, modality)) for modality in result.advice],
    )
    write_bytes(folder / "budget.html", html)


def _recalls(result: Budget) -> Iterator[tuple[str, list[str], list[dict[str, object]]]]:
    """A table a modality: its title, columns and rows."""
    for modality in result.advice:
        shown = [joined(row) for row in result.rows() if row["modality"] == modality]
        yield f"{modality}: recall by number of pairs", columns(shown), shown


def joined(row: Mapping[str, object]) -> dict[str, object]:
    """A row whose intervals stand in the cells of their figures."""
    told: dict[str, object] = {}
    for name, value in row.items():
        interval = row.get(f"{name}{INTERVAL}")
        if isinstance(value, float) and isinstance(interval, list | tuple):
            told[name] = f"{value:.3f} [{interval[0]:.3f}, {interval[1]:.3f}]"
        elif not name.endswith(INTERVAL):
            told[name] = value
    return told


def _flat(row: Mapping[str, object]) -> dict[str, object]:
    """A row with the two ends of every interval in cells of their own."""
    flat: dict[str, object] = {}
    for name, value in row.items():
        if name.endswith(INTERVAL):
            low, high = value if isinstance(value, list | tuple) else (None, None)
            flat |= {f"{name.removesuffix(INTERVAL)} low": low, f"{name.removesuffix(INTERVAL)} high": high}
        else:
            flat[name] = value
    return flat


def _curves(spots: Sequence[Spot], modality: str) -> str:
    """The main figure of every method by number of pairs, with its 95 % interval, above what chance gives."""
    own = [spot for spot in spots if spot.modality == modality]
    drawn, axes = figure(4.4)
    for place, method in enumerate(dict.fromkeys(spot.method for spot in own)):
        _curve(axes, [spot for spot in own if spot.method == method], shift=1 + 0.02 * place)
    axes.axhline(own[0].chance, color="0.5", linestyle=":", linewidth=1.2, label="chance")
    axes.set(xscale="log", xlabel="pairs (items with their texts)", ylabel=f"mean R@{own[0].depth} of both directions")
    sizes = sorted({spot.pairs for spot in own})
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.set_title(label(modality))
    axes.legend(fontsize=8)
    return as_svg(drawn)


def _curve(axes: Axes, own: Sequence[Spot], *, shift: float) -> None:
    """One method; `shift` keeps the intervals of several apart."""
    recalls = [spot.recall for spot in own]
    ends = [spot.interval or (spot.recall, spot.recall) for spot in own]
    below = [max(0.0, recall - low) for recall, (low, _) in zip(recalls, ends, strict=True)]
    above = [max(0.0, high - recall) for recall, (_, high) in zip(recalls, ends, strict=True)]
    sizes = [spot.pairs * shift for spot in own]
    axes.errorbar(sizes, recalls, yerr=[below, above], marker="o", capsize=2, linewidth=1.2, label=label(own[0].method))
