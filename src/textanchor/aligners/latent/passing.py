"""What a system makes of a batch: latents, translations and ways back, each worked out once and when it is asked for."""

from __future__ import annotations

from functools import cached_property

from jaxtyping import Float
from torch import Tensor, nn

from textanchor.aligners.latent.frames import Drawn
from textanchor.aligners.latent.networks import System


class Pass:
    """One pass of a batch through a system; `heat` is how much of an adversary's gradient reaches what it judges, 0 to 1."""

    def __init__(self, system: System, batch: Drawn, *, search: nn.Module, heat: float = 1.0) -> None:
        self.system, self.batch, self.search, self.heat = system, batch, search, heat

    @cached_property
    def item(self) -> Float[Tensor, "b k"]:
        """Latents of the paired items."""
        return self._made(self.system.item, self.batch.item)

    @cached_property
    def text(self) -> Float[Tensor, "b k"]:
        """Latents of their texts."""
        return self._made(self.system.text, self.batch.text)

    @cached_property
    def items(self) -> Float[Tensor, "m k"]:
        """Latents of the single items."""
        return self._made(self.system.item, self.batch.items)

    @cached_property
    def texts(self) -> Float[Tensor, "m k"]:
        """Latents of the single texts."""
        return self._made(self.system.text, self.batch.texts)

    @cached_property
    def items_as_texts(self) -> Float[Tensor, "m d_t"]:
        """Single items in the text domain."""
        return self._made(self.system.to_text, self.items)

    @cached_property
    def texts_as_items(self) -> Float[Tensor, "m d_i"]:
        """Single texts in the item domain."""
        return self._made(self.system.to_item, self.texts)

    @cached_property
    def items_again(self) -> Float[Tensor, "m k"]:
        """Latents of single items that were translated to texts."""
        return self._made(self.system.text, self.items_as_texts)

    @cached_property
    def texts_again(self) -> Float[Tensor, "m k"]:
        """Latents of single texts that were translated to items."""
        return self._made(self.system.item, self.texts_as_items)

    def _made(self, network: nn.Module, vectors: Tensor) -> Tensor:
        made: Tensor = network(vectors)
        return made
