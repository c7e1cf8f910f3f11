"""Sliced transport to the picture's shares of small patches."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from consingan.methods.patches import index
from consingan.methods.patches import transport as transport_
from consingan.methods.patches.config import PatchesConfig
from consingan.methods.patches.method import PATCHES
from consingan.methods.patches.model import PatchDiffusion
from consingan.methods.patches.transport import SIDE, Transport
from consingan.methods.registry import config_from_json
from consingan.metrics.swd import sliced_wasserstein
from consingan.nn.noise import stream


def picture(*size: int) -> Tensor:
    return torch.rand(3, *size, generator=stream("transport", *size)) * 2 - 1


def blocks(height: int = 36, width: int = 44) -> Tensor:
    """A dark picture with a bright corner of stripes: what popular patches would drown."""
    image = torch.full((1, 3, height, width), -0.8)
    image[..., : height // 3, : width // 3] = 0.8
    image[:, 1, : height // 3 : 3, : width // 3] = -0.2
    return image


def transport(steps: int, last: float = 1e-4) -> Transport:
    return Transport(steps, last, stream("directions"))


def test_a_picture_stays_as_it_is() -> None:
    real = picture(20, 24)
    torch.testing.assert_close(transport(5).moved(real, real), real, rtol=0, atol=5e-3)


def test_single_pixels_of_one_channel_get_the_colors_of_the_picture() -> None:
    """With one dimension a single step is the whole transport, and ranks stay."""
    canvas, real = picture(1, 30)[:1], picture(1, 31)[1:2, :, 1:]
    made = transport(1).moved(canvas, real)
    torch.testing.assert_close(
        made.flatten().sort().values, real.flatten().sort().values, rtol=0, atol=2e-3
    )
    assert torch.equal(made.flatten().argsort(), canvas.flatten().argsort())


def test_of_patches_that_are_all_the_same_none_goes_another_way() -> None:
    canvas, real = torch.full((3, 20, 24), 0.2), picture(20, 24)
    canvas[:, :, 12:] = -0.4
    moved = transport(1).moved(canvas, real) - canvas
    whole = moved[:, SIDE - 1 : 20 - SIDE + 1, SIDE - 1 : 12 - SIDE + 1]  # alike in all patches
    assert float((whole - whole[:, :1, :1]).abs().max()) < 1e-5
    assert float(whole.abs().max()) > 0.01


def test_a_canvas_of_twice_the_size_has_every_color_twice() -> None:
    real = picture(1, 8)[:1]
    made = transport(1).moved(picture(1, 16)[:1], real)
    wanted = real.flatten().sort().values.repeat_interleave(2)
    torch.testing.assert_close(made.flatten().sort().values, wanted)


def test_the_distance_of_patches_shrinks_and_things_stay_where_they_are() -> None:
    real, canvas = picture(24, 30) * 0.2 + 0.5, picture(26, 29) * 0.1 + 0.3
    made = transport(20).moved(canvas, real)
    before, after = (
        float(sliced_wasserstein(real[None], x[None].clamp(0, 1))[0]) for x in (canvas, made)
    )
    assert after < 0.1 * before
    both = torch.stack([canvas.flatten(), made.flatten()])
    assert float(torch.corrcoef(both)[0, 1]) > 0.75


def test_an_endless_canvas_moves_alike_wherever_it_begins() -> None:
    canvas, real = picture(17, 19), picture(20, 24)
    made = transport(3).moved(canvas, real, (True, True))
    rolled = transport(3).moved(canvas.roll((5, 7), (1, 2)), real, (True, True))
    torch.testing.assert_close(rolled, made.roll((5, 7), (1, 2)), rtol=0, atol=1e-4)
    open_ends = transport(3).moved(canvas, real)
    assert not torch.allclose(open_ends, made, atol=1e-2)


def test_canvases_smaller_than_a_patch_are_moved_too() -> None:
    made = transport(3).moved(picture(SIDE - 2, 9), picture(12, SIDE - 1))
    assert made.shape == (3, SIDE - 2, 9)
    assert made.isfinite().all()


def test_at_the_last_level_and_behind_pure_noise_nothing_is_moved() -> None:
    clean, real = picture(18, 18), picture(20, 22)
    denoise = transport(2).around(lambda _x, _alpha, _sigma: clean, real)
    last = 1 - (1 - 1e-4)  # as levels have it
    assert torch.equal(denoise(clean, 1 - last, last), clean)
    assert torch.equal(denoise(clean, 0.0, 1.0), clean)
    assert not torch.equal(denoise(clean, 0.9, 0.1), clean)


@pytest.mark.parametrize("engine", ["exact", "fast"])
def test_samples_have_more_of_what_was_missing(engine: str) -> None:
    real = blocks()
    distances = []
    for steps in (0, 2):
        config = PatchesConfig(patch=7, balance=0, sw_steps=steps)
        made = PatchDiffusion(config, real, engine).sample([0, 1, 2])
        distances.append(float(sliced_wasserstein((real + 1) / 2, (made + 1) / 2).mean()))
    assert distances[1] < 0.9 * distances[0]


def test_runs_of_earlier_versions_have_none() -> None:
    kept = PatchesConfig(input_name="a.png").to_json()
    assert kept.pop("sw_steps") == 2
    assert config_from_json({**kept, "method": "patches"}).sw_steps == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, False),
        ({"train_mode": "retarget"}, True),
        ({"train_mode": "retarget", "loosen": 0.3}, False),
        ({"train_mode": "harmonization", "naive_img": "b.png"}, True),
        ({"train_mode": "analogy", "naive_img": "b.png"}, False),
    ],
)
def test_where_shares_change_nothing_it_is_said(settings: dict[str, object], named: bool) -> None:
    config = PatchesConfig(input_name="a.png", **settings)  # type: ignore[arg-type]
    idle = {name for name, _ in PATCHES.idle(config)}
    assert {"balance", "sw_steps"} & idle == ({"balance", "sw_steps"} if named else set())


@pytest.mark.parametrize("shares", [{"balance": 10}, {"sw_steps": 2}])
def test_an_analogy_heeds_shares(shares: dict[str, int]) -> None:
    real, layout = picture(48, 56)[None], picture(48, 57)[None, ..., 1:]
    told = {"patch": 7, "train_mode": "analogy", "balance": 0, "sw_steps": 0}
    made = [
        PatchDiffusion(PatchesConfig(**{**told, **more}), real, "exact").enter(layout)  # type: ignore[arg-type]
        for more in ({}, shares)
    ]
    assert not torch.equal(made[0], made[1])


def test_what_an_apple_gpu_lacks_is_computed_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no float64, nor eigenvectors in every torch."""
    asked: list[str] = []

    def complete(device: torch.device) -> torch.device:
        asked.append(device.type)
        return device

    for module in (transport_, index):
        monkeypatch.setattr(module, "complete", complete)
    numbers = torch.rand(2, 9)
    transport_._wanted(numbers, torch.rand(2, 9))
    assert asked == ["cpu"]
    index.build_index(torch.rand(3, 20, 22), 7, torch.Generator())
    assert asked == ["cpu", "cpu"]
