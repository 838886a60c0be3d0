"""Cost curves: how much is right after how many labels, by strategy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import t

from textanchor.metrics.interval import Interval
from textanchor.pages import as_svg, figure, label

NEEDED = ("labels for what random has", "share of random's labels", "most below random")


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One strategy's: after so many `labels`, by seed, the shares right on the `rest` and of all items (`whole`: human labels
    and right proposals), and the `classes` that had a label."""

    strategy: str
    labels: Int[np.ndarray, " p"]
    rest: Float[np.ndarray, "s p"]
    whole: Float[np.ndarray, "s p"]
    classes: Int[np.ndarray, "s p"]

    def needed(self, accuracy: float) -> float | None:
        """Labels after which the mean accuracy on the rest first reaches that, between two batches by a straight line; None
        if it never does."""
        means = self.rest.mean(axis=0)
        reached = np.flatnonzero(means >= accuracy)
        if not len(reached):
            return None
        place = int(reached[0])
        if not place:
            return float(self.labels[0])
        low, high = means[place - 1], means[place]
        return float(np.interp(accuracy, [low, high], self.labels[place - 1 : place + 1]))


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """Cost curves of several strategies on one set; the first is that of `random`. `drawn` is the share of all batches that was
    drawn at random whatever the strategy."""

    items: int
    classes: int
    seeds: int
    drawn: float
    curves: tuple[Curve, ...]

    @property
    def base(self) -> Curve:
        """Of asking at random."""
        return self.curves[0]

    def saved(self, curve: Curve) -> float | None:
        """Labels that it needs for what random has at the end, as a share of random's; None if it never gets there."""
        needed = curve.needed(float(self.base.rest.mean(axis=0)[-1]))
        return None if needed is None else needed / float(self.base.labels[-1])

    def behind(self, curve: Curve) -> float:
        """The most by which its mean accuracy on the rest lies below random's after equally many labels; 0 if nowhere."""
        return max(0.0, float((self.base.rest.mean(axis=0) - curve.rest.mean(axis=0)).max()))

    def rows(self) -> list[dict[str, object]]:
        """A row a strategy and number of labels; 95 % intervals over seeds."""
        return [_row(curve, place) for curve in self.curves for place in range(len(curve.labels))]

    def table(self) -> str:
        """Markdown: what each strategy has in the end, and how many labels it needs for what random has in the end."""
        head = ("strategy", "right of the rest", "right of all", "classes with a label", *NEEDED)
        lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(self._line(curve) for curve in self.curves)]
        return "\n".join(lines)

    def metrics(self) -> dict[str, Any]:
        """Everything, as JSON holds it."""
        known = {"items": self.items, "classes": self.classes, "seeds": self.seeds, "drawn": self.drawn}
        summary = [
            {"strategy": one.strategy, "share of random's labels": self.saved(one), "most below random": self.behind(one)}
            for one in self.curves
        ]
        return {"format": "textanchor-simulation", "version": 1, **known, "summary": summary, "rows": self.rows()}

    def picture(self) -> str:
        """Human labels against the share of all items that are right, as SVG."""
        drawn, axes = figure(4.5)
        for curve in self.curves:
            ends = np.array([interval(column) or (column[0], column[0]) for column in curve.whole.T])
            means = curve.whole.mean(axis=0)
            axes.plot(curve.labels, means, marker="o", markersize=3, label=label(curve.strategy))
            axes.fill_between(curve.labels, ends[:, 0], ends[:, 1], alpha=0.15)
        axes.plot([0, self.items], [0, 1], color="grey", linewidth=0.8, linestyle=":", label="by hand alone")
        axes.set(xlabel="labels by a person", ylabel="share of all items right", ylim=(0, 1.02))
        axes.set_xlim(0, 1.05 * float(max(curve.labels[-1] for curve in self.curves)))
        axes.legend(frameon=False)
        return as_svg(drawn)

    def _line(self, curve: Curve) -> str:
        saved, needed = self.saved(curve), curve.needed(float(self.base.rest.mean(axis=0)[-1]))
        cells = [
            curve.strategy,
            f"{curve.rest[:, -1].mean():.3f}{_ends(interval(curve.rest[:, -1]))}",
            f"{curve.whole[:, -1].mean():.3f}{_ends(interval(curve.whole[:, -1]))}",
            f"{curve.classes[:, -1].mean():.1f} of {self.classes}",
            "never" if needed is None else f"{needed:.0f} ({needed / self.items:.1%})",
            "" if saved is None else f"{saved:.0%}",
            f"{self.behind(curve):.3f}",
        ]
        return f"| {' | '.join(cells)} |"


def interval(values: Float[np.ndarray, " s"]) -> Interval | None:
    """95 % of the mean over seeds, by Student's t, within 0 and 1; None for one seed. It says how much draws and starts matter,
    not items."""
    if len(values) < 2:
        return None
    half = float(t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return max(0.0, float(values.mean()) - half), min(1.0, float(values.mean()) + half)


def _row(curve: Curve, place: int) -> dict[str, object]:
    return {
        "strategy": curve.strategy,
        "labels": int(curve.labels[place]),
        "rest": float(curve.rest[:, place].mean()),
        "rest interval": interval(curve.rest[:, place]),
        "whole": float(curve.whole[:, place].mean()),
        "whole interval": interval(curve.whole[:, place]),
        "classes": float(curve.classes[:, place].mean()),
    }


def _ends(ends: Interval | Sequence[float] | None) -> str:
    return "" if ends is None else f" [{ends[0]:.3f}, {ends[1]:.3f}]"
