"""A small vision transformer, of which patches may be hidden."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from textanchor.errors import InputError
from textanchor.settings import Count

SMALL = 0.02


class ViT(nn.Module):
    """Patches, learned places, `depth` pre-normalised blocks. Its layers are what each block gives, the last one normalised.

    Patches are `patch` wide and high, as far as the input is. Source: Dosovitskiy et al. 2021, arXiv:2010.11929, equations 1
    to 4, without the class token: places are pooled.
    """

    name = "vit"

    def __init__(
        self, *, shape: tuple[int, int, int], width: Count = 96, depth: Count = 4, heads: Count = 4, patch: Count = 7
    ) -> None:
        super().__init__()
        if width % heads:
            raise InputError(
                f"vit: width={width} and heads={heads}: heads share the width, so that it must be a multiple of them"
            )
        self.settings = {"width": width, "depth": depth, "heads": heads, "patch": patch}
        self.patch = (min(patch, shape[1]), min(patch, shape[2]))
        self.grid = tuple(-(-side // cut) for side, cut in zip(shape[1:], self.patch, strict=True))
        self.room = tuple(cells * cut - side for cells, cut, side in zip(self.grid, self.patch, shape[1:], strict=True))
        self.embed = nn.Conv2d(shape[0], width, self.patch, stride=self.patch)
        self.places = nn.Parameter(torch.randn(1, self.grid[0] * self.grid[1], width) * SMALL)
        self.hidden = nn.Parameter(torch.randn(width) * SMALL)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.widths = (width,) * depth

    def forward(self, inputs: Float[Tensor, "b c h w"], masked: Bool[Tensor, "b n"] | None = None) -> list[Tensor]:
        """*Shape:* a list of [b, patches, width]. What is `masked` is seen as one learned vector instead."""
        tokens = self.embed(self.padded(inputs)).flatten(2).transpose(1, 2)
        if masked is not None:
            tokens = torch.where(masked[..., None], self.hidden.to(tokens.dtype), tokens)
        tokens, found = tokens + self.places, []
        for block in self.blocks:
            tokens = block(tokens)
            found.append(tokens)
        return [*found[:-1], self.norm(found[-1])]

    def padded(self, inputs: Float[Tensor, "b c h w"]) -> Tensor:
        """With zeros below and on the right, so that patches fill it."""
        down, right = self.room
        return nn.functional.pad(inputs, (0, right, 0, down))

    def patches(self, inputs: Float[Tensor, "b c h w"]) -> Float[Tensor, "b n v"]:
        """The numbers of each patch, channels first."""
        cut = nn.functional.unfold(self.padded(inputs), self.patch, stride=self.patch)
        return cut.transpose(1, 2)


class Block(nn.Module):
    """Attention and two dense layers, each on normalised tokens and added to them.

    torch's own layer takes a path in evaluation that no graph can be made of.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.asked, self.told = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.dense = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, tokens: Float[Tensor, "b n d"]) -> Float[Tensor, "b n d"]:
        """Tokens again."""
        items, places, width = tokens.shape
        parts = self.asked(self.first(tokens)).view(items, places, 3, self.heads, width // self.heads)
        found = nn.functional.scaled_dot_product_attention(*parts.permute(2, 0, 3, 1, 4))
        tokens = tokens + self.told(found.transpose(1, 2).reshape(items, places, width))
        out: Tensor = tokens + self.dense(self.second(tokens))
        return out
