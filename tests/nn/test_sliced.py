"""The sliced Wasserstein distance as a loss."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from consingan.nn import sliced
from consingan.nn.noise import stream
from consingan.nn.sliced import SIDE, empty_directions, patch_directions, sliced_distance

DIRECTIONS = patch_directions(3, stream("directions")).double()


def picture(*size: int) -> Tensor:
    return torch.rand(1, 3, *size, generator=stream("picture", *size), dtype=torch.float64)


def test_of_a_picture_to_itself_it_is_zero() -> None:
    assert sliced_distance(picture(12, 15), picture(12, 15), DIRECTIONS) == 0


def test_the_same_patches_in_other_places_are_the_same() -> None:
    """A picture that repeats itself has the same patches wherever its beginning is."""
    tiled = picture(8, 9).repeat(1, 1, 3, 3)
    one, other = tiled[..., :14, :15], tiled[..., 8:22, 9:24]
    moved = tiled[..., 3:17, 4:19]
    whole = (8 + SIDE - 1, 9 + SIDE - 1)
    assert one.shape[-2:] == whole
    assert float(sliced_distance(one, other, DIRECTIONS)) < 1e-12
    assert float(sliced_distance(one, moved, DIRECTIONS)) < 1e-12


def test_a_shift_in_color_is_as_far_as_the_directions_say() -> None:
    real = picture(12, 15)
    expected = 0.25 * DIRECTIONS.sum((1, 2, 3)).abs().mean()
    torch.testing.assert_close(sliced_distance(real + 0.25, real, DIRECTIONS), expected)


def test_it_is_symmetric() -> None:
    one, other = picture(12, 15), picture(12, 15) ** 2
    there, back = sliced_distance(one, other, DIRECTIONS), sliced_distance(other, one, DIRECTIONS)
    assert there == back > 0


def test_its_gradient_is_the_slope() -> None:
    made, real = picture(9, 10).requires_grad_(), picture(9, 10) ** 2
    assert torch.autograd.gradcheck(lambda x: sliced_distance(x, real, DIRECTIONS), made)


def test_of_many_patches_a_grid_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sliced, "MOST", 20)
    made, real = picture(20, 26).requires_grad_(), picture(20, 26) ** 2  # 14 x 20 places
    (gradient,) = torch.autograd.grad(sliced_distance(made, real, DIRECTIONS), made)
    seen = gradient.abs().sum((0, 1)) > 0
    assert seen[:19, :23].all()
    assert not seen[19:].any()


def test_pictures_under_a_patch_have_one() -> None:
    assert sliced_distance(picture(4, 5), picture(4, 5) ** 2, DIRECTIONS) > 0


def test_directions_are_unit_vectors_and_their_room_fits() -> None:
    norms = DIRECTIONS.flatten(1).norm(dim=1)
    torch.testing.assert_close(norms, torch.ones_like(norms))
    assert empty_directions(picture(8, 8)).shape == DIRECTIONS.shape
