"""Rows: what is expected behind pure noise is not the mean of all patches but that of the row.

Nothing is known yet of a canvas that is noise alone, but for its rows: photographs have their sky
above and their ground below. The published method expects the same everywhere, and mixes them up.
A picture whose rows have one mean, as a texture's, is sampled as before. This is our own addition.
"""

from __future__ import annotations

from torch import Tensor

from consingan.methods.patches.denoiser import Denoiser
from consingan.methods.patches.pyramid import resize


def by_rows(denoise: Denoiser, picture: Tensor, share: float) -> Denoiser:
    """`denoise`, which behind pure noise gives also the row's difference from the picture's mean.

    Args:
        denoise: of the coarsest scale.
        picture: (C, h, w) there.
        share: of the difference, 0 to 1.
    """
    means = picture.mean(2, keepdim=True)
    differences = share * (means - means.mean(1, keepdim=True))

    def expected(x: Tensor, alpha: float, sigma: float) -> Tensor:
        clean = denoise(x, alpha, sigma)
        return clean + resize(differences, (x.shape[1], 1)) if alpha == 0 else clean

    return expected
