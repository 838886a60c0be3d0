"""What a bench compares: runs, and the grids that they come from."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from itertools import product
from typing import Any

from textanchor import registry
from textanchor.config import DEFAULT_ANCHOR
from textanchor.encoders import canonical
from textanchor.errors import InputError
from textanchor.files import digest
from textanchor.records.showing import short

Latents = tuple[str, tuple[tuple[str, str], ...]]  # an anchor, and encoders by modality


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What decides a result beside the data, the split and what is compared: how texts are worded, whose texts the views'
    statistics come from, and the fingerprints of the anchor (`text`) and of each modality's encoder."""

    wording: Mapping[str, Any] = field(default_factory=dict)
    shared_view: bool = False
    fingerprints: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def id(self) -> str:
        """Hash of all of it."""
        return digest(json.dumps(asdict(self), sort_keys=True))[:16]


@dataclass(frozen=True, kw_only=True)
class Run:
    """One fit: with which anchor, encoders, aligner and seed, under which conditions. `method` is what it is a trial or a seed
    of."""

    __repr__ = short

    anchor: str
    encoders: Mapping[str, str]
    aligner: str
    seed: int
    method: str
    trial: int = 0
    conditions: Conditions = Conditions()

    @property
    def latents(self) -> Latents:
        """What decides the latents: the anchor, and the encoders by modality."""
        return self.anchor, tuple(sorted(self.encoders.items()))

    @cached_property
    def id(self) -> str:
        """Hash of everything that decides the result."""
        told = {key: value for key, value in asdict(self).items() if key not in ("method", "trial")}
        return digest(json.dumps(told, sort_keys=True))[:16]

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Run:
        """What `asdict` gave."""
        return cls(**{**told, "conditions": Conditions(**told["conditions"])})


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Every combination of these is a method; `seeds` runs of each. `encoders` are alternatives by modality.

    `losses` and `projectors` make gradient aligners. `views` and `hubness` are set on every aligner that does not name its own.
    """

    aligners: Sequence[str] = ()
    losses: Sequence[str] = ()
    projectors: Sequence[str] = ()
    views: Sequence[str] = ()
    hubness: Sequence[str] = ()
    anchors: Sequence[str] = (DEFAULT_ANCHOR,)
    encoders: Mapping[str, Sequence[str]] = field(default_factory=dict)
    seeds: int = 1

    def described(self) -> dict[str, Any]:
        """JSON-ready: what builds it anew."""
        told = {name: list(value) for name, value in vars(self).items() if name not in ("encoders", "seeds")}
        return {**told, "encoders": {name: list(specs) for name, specs in self.encoders.items()}, "seeds": self.seeds}

    def specs(self) -> tuple[str, ...]:
        """Aligners with their settings, distinct, in order. Raises `InputError` or `UnknownNameError` for what cannot be
        built."""
        trained = [
            f"gradient(loss={loss}, projector={projector})"
            for loss, projector in product(self.losses or (["mse"] if self.projectors else []), self.projectors or ["mlp"])
        ]
        given = [*self.aligners, *trained] or ["auto"]
        made = [
            with_settings(with_settings(spec, "view", view), "hubness", hubness)
            for spec, view, hubness in product(given, self.views or [""], self.hubness or [""])
        ]
        for spec in dict.fromkeys(made):
            registry.part("aligner", spec)
        return tuple(dict.fromkeys(made))

    def runs(self) -> Iterator[Run]:
        """All runs, method by method, under no conditions yet."""
        if self.seeds < 1:
            raise InputError(f"seeds={self.seeds}: at least 1")
        choices = [[(name, canonical(spec)) for spec in specs] for name, specs in self.encoders.items()]
        for anchor, chosen, spec in product(self.anchors, product(*choices), self.specs()):
            for seed in range(self.seeds):
                yield Run(anchor=canonical(anchor), encoders=dict(chosen), aligner=spec, seed=seed, method=spec)


def with_settings(spec: str, key: str, value: Any) -> str:
    """The spec with one more setting where its part has one of that name and does not say it already."""
    name, settings = registry.take_apart(spec)
    known = inspect.signature(registry.load("aligner", name)).parameters
    if not value or key in settings or key not in known:
        return registry.spelled(name, settings)
    return registry.spelled(name, {**settings, key: value})
