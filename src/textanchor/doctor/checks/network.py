"""Whether a network is worth its trouble."""

from __future__ import annotations

from collections.abc import Iterator

from textanchor.doctor.closed_forms import network_verdict
from textanchor.doctor.examined import Examined
from textanchor.doctor.findings import Finding


def check(examined: Examined) -> Iterator[Finding]:
    """What an MLP adds to the best closed form, of each modality that was fitted."""
    for modality, fits in examined.reached.items():
        if fits:
            text = network_verdict(fits[:-1], fits[-1], examined.fitted[modality].val.groups)
            yield Finding(level="note", topic="network", text=text, modality=modality)
