"""DenseNet121's ImageNet weights, as torchvision publishes them."""

from __future__ import annotations

import re
from pathlib import Path

import torch

from dcrnet_edge.models.densenet import DenseNet121
from dcrnet_edge.models.imagenet_file import read_imagenet
from dcrnet_runtime.errors import DcrnetError

PUBLISHED_SHA256_PREFIX = "a639ec97"
"""Of torchvision's ``densenet121-a639ec97.pth``: the one pickle that is read."""

PUBLISHED_URL = f"https://download.pytorch.org/models/densenet121-{PUBLISHED_SHA256_PREFIX}.pth"

_OLD_KEY = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12])\.")
_PREFIX = "features."
_FILES = "torchvision's published densenet121 file"


def fetch_backbone() -> Path:
    """torchvision's published file, downloaded into torch.hub's cache unless it is there.

    torch.hub checks the hash that stands in the file's name.

    Raises:
        DcrnetError: it could not be fetched; names what else there is.
    """
    path = Path(torch.hub.get_dir()) / "checkpoints" / PUBLISHED_URL.rsplit("/", 1)[-1]
    if not path.is_file():
        try:
            torch.hub.load_state_dict_from_url(PUBLISHED_URL, check_hash=True, weights_only=True)
        except (OSError, RuntimeError) as error:
            raise DcrnetError(
                f"ImageNet weights could not be fetched from {PUBLISHED_URL} ({error}): copy that"
                f" file to {path}, name one with `backbone_weights`, or train `from_scratch`"
            ) from error
    return path


def load_backbone(backbone: DenseNet121, path: Path, input_scale: float) -> None:
    """Load weights with torchvision's keys, old or new.

    ImageNet's normalisation is folded into ``conv0`` so that the backbone keeps taking
    ``(x - 128) / input_scale``.

    Args:
        backbone: all its tensors are replaced.
        path: safetensors, or torchvision's published ``.pth``, told by its hash and read
            without running code.
        input_scale: of the network around the backbone.

    Raises:
        DcrnetError: the file is missing, another pickle, or does not hold all of DenseNet121's
            features.
    """
    tensors = {
        _OLD_KEY.sub(r"\1\2.", name): tensor.float()
        for name, tensor in read_imagenet(path, (PUBLISHED_SHA256_PREFIX,), _FILES).items()
        if name.startswith(_PREFIX)
    }
    wanted = backbone.state_dict()
    absent = [n for n in wanted if n not in tensors and not n.endswith("num_batches_tracked")]
    if absent:
        raise DcrnetError(
            f"{path} lacks {len(absent)} of DenseNet121's tensors (first {absent[0]}): it is no"
            " torchvision densenet121 file"
        )
    try:
        backbone.load_state_dict(tensors, strict=False)
    except RuntimeError as error:
        raise DcrnetError(f"{path} is of another network: {error}") from error
    _fold_imagenet_normalisation(backbone, input_scale)


def _fold_imagenet_normalisation(backbone: DenseNet121, input_scale: float) -> None:
    """Make conv0 take ``(x - 128) / s`` where it took ``(x / 255 - mean) / std``.

    The scale goes into the kernel exactly. The shift is exact away from the border, where it
    goes into norm0's running mean; at the border ImageNet's zero-padding stood for its mean
    colour, ours for code 128.
    """
    mean = torch.tensor([0.485, 0.456, 0.406])
    std = torch.tensor([0.229, 0.224, 0.225])
    kernel = backbone.features.get_parameter("conv0.weight")
    running_mean = backbone.features.get_buffer("norm0.running_mean")
    with torch.no_grad():
        shift = (128.0 / 255.0 - mean) / std
        running_mean.sub_((kernel.sum(dim=(2, 3)) * shift).sum(dim=1))
        kernel.mul_((input_scale / 255.0 / std)[None, :, None, None])
