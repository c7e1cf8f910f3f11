"""How large the patches are that samples are finished with."""

from __future__ import annotations

import gc
from typing import Any

import pytest
import torch
from commands import save, scene

from consingan.images.io import read_image
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.outputs import finisher
from consingan.outputs.finish import finish_of
from consingan.outputs.finisher import patch_for


class Rolled:
    """Makes the image with its left end at the right: as many pictures as it has columns."""

    device = torch.device("cpu")
    stages = 1

    def __init__(self, image: torch.Tensor) -> None:
        self.real = image
        self.sizes = [(image.shape[-2], image.shape[-1])]
        self.config = ConSinGANConfig()
        self.asked = 0

    def sample(self, indices: Any, size: Any, seed: int) -> torch.Tensor:
        self.asked += 1
        return torch.cat([self.real.roll(7 * index + seed, -1) for index in indices])


class Veiled(Rolled):
    """Makes the image with a veil of noise: everything has one place."""

    def sample(self, indices: Any, size: Any, seed: int) -> torch.Tensor:
        rng = torch.Generator().manual_seed(seed + 10 * indices[0])
        noise = torch.randn(self.real.shape, generator=rng)
        return (self.real + 0.6 * noise).clamp(-1, 1)


class Cropped(Rolled):
    """Makes pictures as large as crops of the image."""

    def sample(self, indices: Any, size: Any, seed: int) -> torch.Tensor:
        return super().sample(indices, size, seed)[..., :20, :20]


@pytest.fixture
def choosing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finisher, "LARGER", (13, 11))
    monkeypatch.setattr(finisher, "LAYOUTS", 2)


@pytest.fixture(scope="module")
def trunks() -> torch.Tensor:
    """Upright stripes of many widths, (1, 3, 20, 40): whatever is moved aside looks the same."""
    rng = torch.Generator().manual_seed(3)
    line = torch.rand(40, generator=rng).mul(2).sub(1)
    return line.expand(1, 3, 20, 40).contiguous()


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> torch.Tensor:
    return read_image(save(tmp_path_factory.mktemp("room") / "scene.png", scene(20, 40)))


@pytest.mark.usefixtures("choosing")
def test_patches_are_as_large_as_leaves_samples_their_variety(
    trunks: torch.Tensor, room: torch.Tensor
) -> None:
    assert patch_for(Rolled(trunks)) == 13
    assert patch_for(Veiled(room)) is None


@pytest.mark.usefixtures("choosing")
def test_a_model_chooses_once_and_is_forgotten(trunks: torch.Tensor) -> None:
    model = Rolled(trunks)
    finishes = [finish_of(model, 0.6, seed) for seed in (0, 1)]
    assert model.asked == 0  # not before there is something to finish
    assert [finish.patch for finish in finishes if finish] == [13, 13]
    assert model.asked == finisher.LAYOUTS
    kept = len(finisher._chosen)
    del model, finishes
    gc.collect()
    assert len(finisher._chosen) < kept


@pytest.mark.usefixtures("choosing")
@pytest.mark.parametrize(("size", "patch"), [((20, 40), 13), ((12, 30), 9)])
def test_pictures_smaller_than_its_choice_get_the_usual_patches(
    trunks: torch.Tensor, size: tuple[int, int], patch: int
) -> None:
    finish = finish_of(Rolled(trunks), 0.6, 0, size)
    assert finish is not None
    assert finish.patch == patch
    own = trunks[..., : size[0], : size[1]]
    assert finish(own, 0).shape == own.shape


@pytest.mark.usefixtures("choosing")
def test_an_image_without_larger_patches_needs_no_choice(trunks: torch.Tensor) -> None:
    model = Rolled(trunks[..., :10, :])
    assert patch_for(model) is None
    assert model.asked == 0


@pytest.mark.usefixtures("choosing")
def test_a_model_that_learned_nothing_makes_no_samples_to_choose_by(trunks: torch.Tensor) -> None:
    model = Rolled(trunks)
    model.stages = 0
    assert patch_for(model) is None
    assert model.asked == 0


@pytest.mark.usefixtures("choosing")
def test_a_choice_that_takes_long_has_a_bar(
    trunks: torch.Tensor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("consingan.machine.progress.PATIENCE", 0.0)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    patch_for(Rolled(trunks))
    assert "choosing patches:" in capsys.readouterr().err


@pytest.mark.usefixtures("choosing")
def test_the_image_of_a_model_of_crops_is_reduced_no_more_than_they_are(
    trunks: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finisher, "SEEN", 20)
    model = Cropped(trunks.repeat(1, 1, 2, 2))
    model.sizes = [(20, 20)]
    assert sizes_seen(model, monkeypatch) == {(40, 80)}


@pytest.mark.usefixtures("choosing")
def test_of_a_long_strip_a_part_decides(
    trunks: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time grows with the square of its length."""
    monkeypatch.setattr(finisher, "LONGEST", 2)
    assert sizes_seen(Rolled(trunks.repeat(1, 1, 1, 2)), monkeypatch) == {(20, 40)}


def sizes_seen(model: Any, monkeypatch: pytest.MonkeyPatch) -> set[tuple[int, ...]]:
    """(h, w) of the image when a model chooses."""
    made, taken = finisher.finisher_of, set()

    def noted(model: Any, patch: int | None, real: torch.Tensor) -> Any:
        taken.add(tuple(real.shape[-2:]))
        return made(model, patch, real)

    monkeypatch.setattr(finisher, "finisher_of", noted)
    assert patch_for(model) == 13
    return taken
