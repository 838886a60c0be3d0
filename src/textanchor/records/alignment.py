"""What an aligner is given, what it chooses and what it returns."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Int

from textanchor import registry
from textanchor.records.heads import Named
from textanchor.records.latents import Latents, PairedLatents, Vectors
from textanchor.records.showing import short
from textanchor.records.views import View

if TYPE_CHECKING:
    from torch import nn

Setting = str | int | float | bool


@dataclass(frozen=True, kw_only=True)
class Unpaired:
    """Items and texts that have no partner: latents with their groups, and texts with their anchor vectors."""

    __repr__ = short

    items: Latents | None = None
    groups: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    anchors: Vectors | None = None

    @property
    def empty(self) -> bool:
        """Whether there is neither an item nor a text."""
        return not self.texts and (self.items is None or not len(self.items))


@dataclass(frozen=True, kw_only=True)
class Task:
    """What an aligner is to fit: pairs to learn from, pairs to choose on, data without partners, and how.

    `view_texts` are the vectors of other modalities' texts, which count for the view's statistics alone. `named` is what the
    encoder's classifier knows, where it has one. With `refit`
    validation pairs are fitted as well once everything is chosen; without it they can still judge what comes out.
    """

    __repr__ = short

    train: PairedLatents
    val: PairedLatents | None = None
    unpaired: Unpaired = Unpaired()
    named: Named | None = None
    view_texts: Vectors | None = None
    device: str = "cpu"
    seed: int = 0
    refit: bool = True

    @property
    def fitted(self) -> PairedLatents:
        """The pairs that the projector is fitted on in the end."""
        return self.train.joined(self.val) if self.refit else self.train


@dataclass(frozen=True, kw_only=True)
class Naming:
    """How often validation items found their text first, in the fit on training pairs alone: recall@1 with its 95 % interval.

    Beside it `largest_class`, what always answering the commonest text reaches, `macro` over classes where they are uneven, and
    `passed_over`, the mean share of wrong texts before the first right one: a half by chance.
    """

    items: int
    recall: float
    low: float
    high: float
    largest_class: float
    passed_over: float
    macro: float | None = None


@dataclass(frozen=True, kw_only=True)
class Unseen:
    """Validation pairs as the fit on training pairs alone places them: what scores of held-out data are like.

    *Shape:* raw vectors of items [n, d] and of their distinct texts [m, d]; edges [e, 2] say which text belongs to which item.
    `foreign` [f, d] are texts that belong to none; an aligner leaves them out.
    """

    __repr__ = short

    items: Vectors
    texts: Vectors
    edges: Int[np.ndarray, "e 2"]
    foreign: Vectors | None = None

    @cached_property
    def belongs(self) -> Bool[np.ndarray, "n m"]:
        """`belongs[i, t]`: text t describes item i."""
        found = np.zeros((len(self.items), len(self.texts)), dtype=bool)
        found[self.edges[:, 0], self.edges[:, 1]] = True
        return found


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What an aligner chose, and on what.

    `aligner` is its spec as asked for, and left empty by the aligner itself; of `auto` it is the winner's, and `scores` holds
    every candidate's. `settings` are the values it was fitted with in the end, by the names of its signature where it has them.
    `score`, `centred_score`, that under plain centring, `temperature`, by which scores become probabilities, `naming` and
    `unseen` are of the fit on the training pairs alone. `notes` is what is worth telling and sets nothing: a last loss, the
    number of landmarks.
    """

    __repr__ = short

    aligner: str = ""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    view: str = ""
    hubness: str = ""
    chosen_on: str = "default"
    score: float | None = None
    centred_score: float | None = None
    temperature: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    notes: Mapping[str, Setting] = field(default_factory=dict)
    naming: Naming | None = None
    unseen: Unseen | None = field(default=None, repr=False, compare=False)

    @property
    def fixed(self) -> str:
        """The spec with every value spelled that was chosen: nothing is left to choose."""
        name, given = registry.take_apart(self.aligner)
        compared = {key: value for key, value in (("view", self.view), ("hubness", self.hubness)) if value}
        chosen = {**self.settings, **compared}
        known = inspect.signature(registry.load("aligner", name)).parameters
        return registry.spelled(name, {**given, **{key: value for key, value in chosen.items() if key in known}})

    @property
    def text(self) -> str:
        """What was chosen, and on what: values, view and correction of hubness."""
        values = {**self.settings, "view": self.view, "hubness": self.hubness}
        shown = ", ".join(f"{name} {value}" for name, value in values.items() if value != "")
        return f"chosen on {self.chosen_on}: {shown}"

    def described(self) -> dict[str, Any]:
        """As JSON keeps it; `read` reads it back."""
        return {
            "aligner": self.aligner,
            "settings": dict(self.settings),
            "view": self.view,
            "hubness": self.hubness,
            "chosen on": self.chosen_on,
            "score": self.score,
            "centred score": self.centred_score,
            _HEAT: self.temperature,
            "scores": dict(self.scores),
            "notes": dict(self.notes),
            "naming": self.naming and asdict(self.naming),
        }

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Choice:
        """What `described` gave, or a flat report of older spaces, in which settings and notes stood beside the rest."""
        named = (
            "aligner", "settings", "view", "hubness", "chosen on", "score", "centred score", "scores", "notes", "naming", _HEAT,
        )  # fmt: skip
        loose = {} if "settings" in told else {key: told[key] for key in told if key not in (*named, *_NOTES, "asked")}
        notes = {key: told[key] for key in _NOTES if key in told}
        return cls(
            aligner=str(told.get("aligner", told.get("asked", ""))),
            settings=dict(told.get("settings", loose)),
            view=str(told.get("view", "")),
            hubness=str(told.get("hubness", "")),
            chosen_on=str(told.get("chosen on", "nothing")),
            score=told.get("score"),
            centred_score=told.get("centred score"),
            temperature=told.get(_HEAT),
            scores=dict(told.get("scores", {})),
            notes=dict(told.get("notes", notes)),
            naming=Naming(**told["naming"]) if told.get("naming") else None,
        )


_HEAT = "softmax temperature"
_NOTES = ("last loss", "landmarks", "seed")  # what reports of before held beside the settings


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What an aligner returns: a projector, the view it was fitted for (None: raw cosine), and what it chose."""

    __repr__ = short

    projector: nn.Module
    view: View | None
    choice: Choice = field(default_factory=Choice)
