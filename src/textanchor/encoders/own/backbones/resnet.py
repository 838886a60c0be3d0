"""A small residual network."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from textanchor.settings import Count

LARGE = 48  # sides from which the first layer halves them


class ResNet(nn.Module):
    """A stem and `stages` of `blocks` blocks each; each stage but the first doubles the width and halves the sides.

    Blocks are two 3 x 3 convolutions with batch normalisation and a shortcut. Source: He et al. 2016, arXiv:1512.03385,
    section 4.2, the form for small pictures.
    """

    name = "resnet"

    def __init__(self, *, shape: tuple[int, int, int], width: Count = 32, stages: Count = 3, blocks: Count = 1) -> None:
        super().__init__()
        self.settings = {"width": width, "stages": stages, "blocks": blocks}
        stride = 2 if max(shape[1:]) > LARGE else 1
        self.stem = nn.Sequential(
            nn.Conv2d(shape[0], width, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        wide, layers = width, []
        for stage in range(stages):
            for block in range(blocks):
                halves = stage > 0 and block == 0
                layers.append(Block(wide, wide * 2 if halves else wide, stride=2 if halves else 1))
                wide = wide * 2 if halves else wide
        self.blocks = nn.ModuleList(layers)
        self.widths = (width, *(block.wide for block in layers))

    def forward(self, inputs: Float[Tensor, "b c h w"]) -> list[Tensor]:
        """*Shape:* a list of [b, places, width of the layer]."""
        maps = [self.stem(inputs)]
        for block in self.blocks:
            maps.append(block(maps[-1]))
        return [one.flatten(2).transpose(1, 2) for one in maps]


class Block(nn.Module):
    """Two convolutions and a shortcut."""

    def __init__(self, narrow: int, wide: int, *, stride: int) -> None:
        super().__init__()
        self.wide = wide
        self.first, self.second = (
            nn.Sequential(nn.Conv2d(here, wide, 3, stride=step, padding=1, bias=False), nn.BatchNorm2d(wide))
            for here, step in ((narrow, stride), (wide, 1))
        )
        same = stride == 1 and narrow == wide
        self.shortcut = (
            nn.Identity()
            if same
            else nn.Sequential(nn.Conv2d(narrow, wide, 1, stride=stride, bias=False), nn.BatchNorm2d(wide))
        )

    def forward(self, inputs: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d i j"]:
        """The block's map."""
        return functional.relu(self.second(functional.relu(self.first(inputs))) + self.shortcut(inputs))
