"""How well the model gives back the real picture."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from consingan.errors import UserError

from .common import checked

MAX_PSNR = 100.0
"""What equal pictures have instead of infinity, in dB."""

_WINDOW = 11


@dataclass(frozen=True)
class Reconstruction:
    """Agreement of the reconstruction with the real picture; higher is better.

    Attributes:
        psnr: peak signal-to-noise ratio in dB, at most 100.
        ssim: structural similarity, in [-1, 1].
        size: (h, w) in px to which both were reduced; None: none of it.
    """

    psnr: float
    ssim: float
    size: tuple[int, int] | None = None

    @property
    def where(self) -> str:
        """What the PSNR is of, in words."""
        return "" if self.size is None else f" at {self.size[1]}x{self.size[0]} px"


def contrast(picture: Tensor) -> float:
    """Root of the mean squared distance of (1, C, H, W) from its mean color, in its own units.

    So one flat color's PSNR is -20 log10 of it, at best. How far apart the means of the channels
    are is no part of it.
    """
    return float((picture - picture.mean((-2, -1), keepdim=True)).square().mean().sqrt())


def reconstruction_quality(real: Tensor, reconstruction: Tensor) -> Reconstruction:
    r"""PSNR and SSIM of a reconstruction, by scikit-image.

    .. math:: psnr = -10 \log_{10} mean((r - x)^2)

    and SSIM as the mean over channels, Gaussian window of 11 px and sigma 1.5 (a smaller one in
    pictures under 11 px). Both are symmetric.

    Source: Wang et al., Image Quality Assessment: from Error Visibility to Structural Similarity
    (2004).

    Args:
        real: (1, 3, H, W) in [0, 1].
        reconstruction: (1, 3, H, W) in [0, 1], of the same size.

    Raises:
        UserError: the sizes differ.
    """
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    real, reconstruction = checked(real, reconstruction)
    if real.shape != reconstruction.shape:
        raise UserError(
            "The reconstruction must have the real picture's size, but it has "
            f"{tuple(reconstruction.shape[2:])} instead of {tuple(real.shape[2:])} "
            "(height, width)."
        )
    a, b = (x[0].permute(1, 2, 0).double().cpu().numpy() for x in (real, reconstruction))
    short = min(a.shape[:2])
    ssim = structural_similarity(
        a,
        b,
        win_size=min(_WINDOW, short - 1 + short % 2),
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=1.0,
        channel_axis=2,
    )
    exact = float(((a - b) ** 2).mean()) <= 10 ** (-MAX_PSNR / 10)
    psnr = MAX_PSNR if exact else float(peak_signal_noise_ratio(a, b, data_range=1.0))
    return Reconstruction(psnr=psnr, ssim=float(ssim))
