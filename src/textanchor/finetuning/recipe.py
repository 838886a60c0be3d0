"""What is trained of an encoder, how fast, and by which loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from textanchor import registry
from textanchor.encoders.own.folder import MOST_ON_TOP
from textanchor.errors import InputError
from textanchor.pretraining import Plan
from textanchor.records import Setting

PLAN = Plan(epochs=20, batch=64, rate=3e-4)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Layers are counted from the input, the stem or the embedding of patches being the first.

    The first `freeze` layers stay as they are. `layer_decay` is what a layer's rate is multiplied by for each layer above it
    (Howard and Ruder 2018, arXiv:1801.06146, section 3.2, who divide by 2.6). With `unfreeze_every`, only the top layer is
    trained for so many epochs, then one more for as many, and so on (gradual unfreezing, section 3.3 there).
    `copy_first` layers are taken from the encoder in the folder `copy_from`; without one they are the encoder's own, and the
    layers above them are drawn anew. `new_layers` are put on top, and do nothing at first. `lora` is the rank of adapters that
    are trained instead of the weights (Hu et al. 2022, arXiv:2106.09685), 0 for none.
    """

    loss: str = "bank"
    plan: Plan = field(default_factory=lambda: PLAN)
    freeze: int = 0
    layer_decay: float = 1.0
    unfreeze_every: int = 0
    copy_first: int = 0
    copy_from: Path | None = None
    new_layers: int = 0
    lora: int = 0
    augmentation: str = "nothing"
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises `InputError` for numbers that mean nothing, or an unknown loss."""
        for name in ("freeze", "unfreeze_every", "copy_first", "new_layers", "lora"):
            if getattr(self, name) < 0:
                raise InputError(f"{name}={getattr(self, name)}: expected 0 or more")
        if not 0 < self.layer_decay <= 1:
            raise InputError(f"layer_decay={self.layer_decay}: expected a factor above 0, at most 1")
        if self.new_layers > MOST_ON_TOP:
            raise InputError(f"new_layers={self.new_layers}: at most {MOST_ON_TOP}")
        if self.copy_from is not None and not self.copy_first:
            raise InputError(f"nothing says how many layers of {self.copy_from} are copied: --copy-first N")
        registry.part("loss", self.loss)

    def described(self) -> Mapping[str, Setting | Mapping[str, Setting]]:
        """JSON-ready."""
        return {**asdict(self), "copy_from": None if self.copy_from is None else self.copy_from.name}
