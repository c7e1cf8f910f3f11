"""A picture with a hole comes back from a run's folder as it was trained on."""

from __future__ import annotations

import pytest
import torch
from helpers import picture
from torch import Tensor

from consingan.images.hole import emptied, emptied_by_1_2
from consingan.methods import holes
from consingan.methods.holes import Holed, Smooth, holed_from, known

HOLE = torch.zeros(1, 1, 22, 26)
HOLE[..., 6:15, 8:19] = 1


def filled(rule: Smooth, image: Tensor) -> Holed:
    return Holed(rule(image, HOLE).clamp(-1, 1), HOLE, rule)


def of_8_bit(image: Tensor) -> Tensor:
    return (((image.double() + 1) * 127.5).round() / 255 * 2 - 1).float()


@pytest.mark.parametrize("rule", [emptied, emptied_by_1_2])
@pytest.mark.parametrize("deep", [False, True])
def test_it_comes_back_with_the_hole_as_its_release_filled_it(rule: Smooth, deep: bool) -> None:
    image = picture(22, 26)
    before = filled(rule, image if deep else of_8_bit(image))
    kept = before.tensors()
    assert (kept["whole"].dtype == torch.uint8) != deep
    again = holed_from(kept)
    assert again is not None
    assert torch.equal(again.picture, before.picture)
    assert again.smooth is rule
    assert all(torch.equal(again.tensors()[name], kept[name]) for name in kept)


def test_what_releases_put_into_the_hole_is_not_known() -> None:
    image = of_8_bit(picture(22, 26))
    one, other = (known(filled(rule, image).tensors()) for rule in (emptied, emptied_by_1_2))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert torch.equal(one["whole"], image * (1 - HOLE))


def test_what_is_known_is_read_without_filling_the_hole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue asks it of every run that it keeps; of 3 megapixels that took half a minute."""
    kept = filled(emptied, of_8_bit(picture(22, 26))).tensors()
    monkeypatch.setattr(holes, "RULES", ())
    assert bool((known(kept)["whole"][HOLE.expand(1, 3, -1, -1) > 0] == 0).all())
