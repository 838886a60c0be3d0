"""How a training is shown: a bar, and a line an epoch, by the first of several processes alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from textanchor.pretraining.loop import Course, Row
from textanchor.pretraining.processes import launched
from textanchor.runtime import Runtime


def line(row: Row) -> str:
    """An epoch in a line."""
    score = f", probe {row['score']:.3f}" if "score" in row else ""
    return f"epoch {row['epoch']:.0f}: loss {row['loss']:.4f}, {row['rank']:.0f} directions{score}"


def shown(
    announce: Callable[[str], None], runtime: Runtime, *, words: Callable[[Row], str] = line
) -> Callable[[Course], Course]:
    """What makes a course one that is seen."""
    if not launched().first:
        return lambda course: course
    return lambda course: replace(course, progress=runtime.progress, told=lambda row: announce(words(row)))
