"""What `fit` would remark."""

from __future__ import annotations

from collections.abc import Iterator

from textanchor.doctor.closed_forms import closed_best
from textanchor.doctor.examined import Examined
from textanchor.doctor.findings import TABLE, Finding
from textanchor.space.remarks import FEW, after_fit, before_fit

ELSEWHERE = ("copies",)  # topics of which another check says more


def check(examined: Examined) -> Iterator[Finding]:
    """Of the pairs before a fit, and of validation after the best closed form; how few items judge, `size` says."""
    for remark in before_fit(examined.ready):
        if remark.topic not in ELSEWHERE:
            for modality in remark.modality.split(", "):
                yield Finding(level="warning", topic=remark.topic, text=remark.text, modality=modality or TABLE)
    for modality, fits in examined.reached.items():
        naming = closed_best(fits).fit.choice.naming if fits else None
        for remark in after_fit(modality, FEW, naming):
            yield Finding(level="warning", topic=remark.topic, text=remark.text, modality=modality)
