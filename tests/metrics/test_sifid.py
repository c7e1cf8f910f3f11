"""SIFID: the distance against closed forms, the layers and the weight files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from inception_cases import LAYOUT, random_weights
from judged_pictures import REAL, blurred, noisy, photo
from safetensors.torch import save_file
from torch import Tensor, nn

from consingan.errors import UserError
from consingan.metrics.frechet import Gaussian, fit_gaussian, frechet_distance
from consingan.metrics.sifid import FIGURES, Inception, load_inception, sifid


@pytest.fixture(scope="module")
def inception() -> Inception:
    return Inception(random_weights())


# Frechet distance


def gaussian(mean: list[float], covariance: Tensor) -> Gaussian:
    return Gaussian(torch.tensor(mean, dtype=torch.float64), covariance.double())


def test_distance_of_diagonal_gaussians_is_that_of_means_and_deviations() -> None:
    a = gaussian([0, 1, 2], torch.tensor([1.0, 4.0, 0.0]).diag())
    b = gaussian([1, 1, 0], torch.tensor([9.0, 0.25, 4.0]).diag())
    expected = (1 + 0 + 4) + (2**2 + 1.5**2 + 2**2)
    assert frechet_distance(a, b).item() == pytest.approx(expected)


def test_distance_in_one_dimension() -> None:
    a, b = gaussian([0.5], torch.tensor([[0.09]])), gaussian([-1.0], torch.tensor([[1.44]]))
    assert frechet_distance(a, b).item() == pytest.approx(1.5**2 + 0.9**2)


def test_distance_of_covariances_that_do_not_commute() -> None:
    # In two dimensions tr (AB)^(1/2) = (tr AB + 2 (det AB)^(1/2))^(1/2).
    a, b = torch.tensor([[2.0, 0.5], [0.5, 1.0]]), torch.tensor([[1.0, -0.7], [-0.7, 3.0]])
    root = ((a @ b).trace() + 2 * (a @ b).det().sqrt()).sqrt()
    expected = (a.trace() + b.trace() - 2 * root).item()
    found = frechet_distance(gaussian([0, 0], a), gaussian([0, 0], b)).item()
    assert found == pytest.approx(expected, rel=1e-5)


def test_distance_is_symmetric_and_zero_only_for_equal_features() -> None:
    rng = torch.Generator().manual_seed(0)
    # Fewer features than dimensions: singular covariances.
    a, b = (fit_gaussian(torch.randn(20, 50, generator=rng)) for _ in range(2))
    assert frechet_distance(a, a).item() == pytest.approx(0, abs=1e-6)
    assert frechet_distance(a, b).item() > 1
    torch.testing.assert_close(frechet_distance(a, b), frechet_distance(b, a))


def test_distance_survives_a_common_rotation_and_scales_with_the_square() -> None:
    rng = torch.Generator().manual_seed(1)
    x, y = (torch.randn(60, 8, generator=rng, dtype=torch.float64) for _ in range(2))
    y = 2 * y + 1
    turn = torch.linalg.qr(torch.randn(8, 8, generator=rng, dtype=torch.float64)).Q
    plain = frechet_distance(fit_gaussian(x), fit_gaussian(y))
    torch.testing.assert_close(
        frechet_distance(fit_gaussian(x @ turn), fit_gaussian(y @ turn)), plain
    )
    torch.testing.assert_close(
        frechet_distance(fit_gaussian(3 * x), fit_gaussian(3 * y)), 9 * plain
    )


def test_constant_features_give_the_distance_of_the_means() -> None:
    a, b = fit_gaussian(torch.ones(30, 4)), fit_gaussian(torch.zeros(30, 4))
    assert frechet_distance(a, b).item() == pytest.approx(4)


# The network


def test_features_are_those_of_torch_modules(inception: Inception) -> None:
    blocks: list[nn.Module] = []
    for name, (inputs, outputs, size) in LAYOUT.items():
        stride, padding = (2 if "1a" in name else 1), (1 if "2b" in name else 0)
        conv = nn.Conv2d(inputs, outputs, size, stride, padding, bias=False)
        norm = nn.BatchNorm2d(outputs, eps=0.001)
        prefix = f"{name}."
        own = {k[len(prefix) :]: v for k, v in inception.weights.items() if k.startswith(prefix)}
        nn.ModuleDict({"conv": conv, "bn": norm}).load_state_dict(own)
        blocks += [conv, norm, nn.ReLU()]
        if name in ("Conv2d_2b_3x3", "Conv2d_4a_3x3"):
            blocks.append(nn.MaxPool2d(3, 2))
    x, found = 2 * REAL - 1, inception.features(REAL)
    # SinGAN's SIFID/inception.py calls "input to maxpool1" its 64 channels, pytorch-fid the pooled.
    parts = {"sifid": blocks[:9], "sifid_64": blocks[9:10], "sifid_192": blocks[10:]}
    for name, layers in parts.items():
        with torch.no_grad():
            x = nn.Sequential(*layers).eval()(x)
        torch.testing.assert_close(found[name], x, rtol=1e-4, atol=1e-5)
    assert list(found) == list(parts)


def test_sifid_is_zero_for_the_picture_itself_and_grows_with_damage(inception: Inception) -> None:
    for samples in (
        torch.cat([noisy(REAL, sigma) for sigma in (0.0, 0.05, 0.15)]),
        torch.cat([REAL, blurred(REAL, 1), blurred(REAL, 4)]),
    ):
        for layer, distances in sifid(REAL, samples, inception).items():
            assert layer in FIGURES
            assert distances[0].item() == pytest.approx(0, abs=1e-6)
            assert (distances.diff() > 0).all()


def test_sifid_takes_pictures_of_different_sizes_and_precisions(inception: Inception) -> None:
    other = photo(60, 110, seed=3)
    there = sifid(REAL, other, inception)
    back = sifid(other.double(), REAL.double(), inception)
    for layer in FIGURES:
        assert there[layer].item() > 0
        torch.testing.assert_close(there[layer], back[layer], rtol=1e-4, atol=1e-6)


def test_flat_pictures_give_no_nan(inception: Inception) -> None:
    flat = torch.full((1, 3, 40, 40), 0.5)
    for real, sample in ((flat, flat), (flat, 0 * flat), (REAL, flat)):
        for distances in sifid(real, sample, inception).values():
            assert distances.isfinite().all()
            assert (distances >= 0).all()


@pytest.mark.parametrize(
    ("side", "layers"), [(7, 0), (8, 0), (9, 1), (14, 1), (15, 2), (34, 2), (35, 3)]
)
def test_layers_that_do_not_fit_are_left_out(inception: Inception, side: int, layers: int) -> None:
    small = photo(side, side)
    assert tuple(sifid(small, small, inception)) == FIGURES[:layers]


# Weight files


@pytest.mark.parametrize("name", ["a.pth", "b.safetensors"])
def test_weights_are_read_from_both_formats(tmp_path: Path, name: str) -> None:
    weights = random_weights(1)
    path = tmp_path / name
    if path.suffix == ".pth":
        torch.save(weights, path)
    else:
        save_file(weights, path)
    loaded = load_inception(path).weights
    assert len(loaded) == 25
    assert all(torch.equal(loaded[key], weights[key]) for key in loaded)


class Harmful:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return len, ("called by a reader that is not safe",)


def wrong_files(folder: Path) -> dict[str, Path]:
    """Files that are not what they should be, by a word of the message."""
    files = {word: folder / f"{n}.pth" for n, word in enumerate(("read", "missing", "shape"))}
    torch.save({"Conv2d_1a_3x3.conv.weight": Harmful()}, files["read"])
    torch.save({"weight": torch.zeros(3)}, files["missing"])
    torch.save(random_weights() | {"Conv2d_4a_3x3.bn.bias": torch.zeros(3)}, files["shape"])
    files["damaged"] = folder / "nan.pth"
    torch.save(
        random_weights() | {"Conv2d_2a_3x3.bn.bias": torch.full((32,), torch.nan)}, files["damaged"]
    )
    files["Inception-v3"] = folder / "list.pth"
    torch.save([torch.zeros(3)], files["Inception-v3"])
    files["can be read"] = folder / "text.safetensors"
    files["can be read"].write_text("not weights")
    files["no file"] = folder / "absent.pth"
    return files


@pytest.mark.parametrize(
    "word", ["read", "missing", "shape", "damaged", "Inception-v3", "can be read", "no file"]
)
def test_wrong_files_are_one_sentence(tmp_path: Path, word: str) -> None:
    with pytest.raises(UserError, match=word) as caught:
        load_inception(wrong_files(tmp_path)[word])
    assert "\n" not in str(caught.value)


def test_an_address_is_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, asked = tmp_path / "weights.pth", []
    torch.save(random_weights(), path)
    monkeypatch.setattr(
        "consingan.metrics.download.downloaded", lambda url: asked.append(url) or path
    )
    load_inception("https://example.org/weights-01234567.pth")
    assert asked == ["https://example.org/weights-01234567.pth"]
