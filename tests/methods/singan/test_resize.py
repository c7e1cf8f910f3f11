"""What SinGAN's resize keeps for the next picture."""

from __future__ import annotations

import torch

from consingan.methods.singan import resize


def test_weights_of_large_pictures_are_not_kept_and_the_same_again() -> None:
    small, large = ((8, 12, 1.5, False), (1500, 1500, 0.999, True))
    assert resize._taps(*small) is resize._taps(*small)
    first, second = resize._taps(*large), resize._taps(*large)
    assert first is not second
    assert torch.equal(first, second)
