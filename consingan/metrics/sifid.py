"""Single-image Frechet Inception distance, with the first layers of Inception-v3."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from .common import checked
from .download import local_file
from .foreign import take, tensors_in
from .frechet import Gaussian, fit_gaussian, frechet_distance

FIGURES = ("sifid", "sifid_64", "sifid_192")
"""By their features: 64 channels as they enter the first max-pool, the same as they leave it, 192
channels as they leave the second."""

WEIGHT_FILES = (
    "https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth",
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
    "pt_inception-2015-12-05-6726825d.pth",
)
"""The published weights of torchvision and of pytorch-fid, about 100 MB each."""

_WHOSE = "torchvision's or pytorch-fid's Inception-v3"
_EPSILON = 0.001  # of the batch normalization in Inception-v3

# name: (channels in, channels out, kernel, stride, padding)
_CONVOLUTIONS = {
    "Conv2d_1a_3x3": (3, 32, 3, 2, 0),
    "Conv2d_2a_3x3": (32, 32, 3, 1, 0),
    "Conv2d_2b_3x3": (32, 64, 3, 1, 1),
    "Conv2d_3b_1x1": (64, 80, 1, 1, 0),
    "Conv2d_4a_3x3": (80, 192, 3, 1, 0),
}
_BLOCKS = (tuple(_CONVOLUTIONS)[:3], tuple(_CONVOLUTIONS)[3:])
_SMALLEST = (7, 3)  # sides of a block's input that leave one position to its max-pool
_POOL, _STRIDE = 3, 2
_NORM = ("bn.weight", "bn.bias", "bn.running_mean", "bn.running_var")
_SUFFIXES = ("conv.weight", *_NORM)


@dataclass(frozen=True)
class Inception:
    """The first five convolutions of Inception-v3, as plain tensors by torchvision's names."""

    weights: dict[str, Tensor]

    @torch.no_grad()
    def features(self, pictures: Tensor) -> dict[str, Tensor]:
        """Features of pictures (N, 3, H, W) in [0, 1], by the names of `FIGURES`.

        Pictures are brought to [-1, 1] and not resized. A layer that has under two positions in
        pictures this small is left out.

        Returns:
            (N, channels, h, w) of each.
        """
        x, found = pictures.float() * 2 - 1, []
        for names, smallest in zip(_BLOCKS, _SMALLEST, strict=True):
            if min(x.shape[2:]) < smallest:
                break
            for name in names:
                x = self._convolve(x, name)
            if names is _BLOCKS[0]:
                found.append(x)
            if min(x.shape[2:]) < _POOL:
                break
            x = F.max_pool2d(x, _POOL, stride=_STRIDE)
            found.append(x)
        named = zip(FIGURES, found, strict=False)
        return {name: x for name, x in named if x.shape[2] * x.shape[3] > 1}

    def _convolve(self, x: Tensor, name: str) -> Tensor:
        *_, stride, padding = _CONVOLUTIONS[name]
        kernel, gain, bias, mean, variance = (
            self.weights[f"{name}.{suffix}"].to(x) for suffix in _SUFFIXES
        )
        x = F.conv2d(x, kernel, stride=stride, padding=padding)
        return F.relu(F.batch_norm(x, mean, variance, gain, bias, eps=_EPSILON))


def sifid(real: Tensor, samples: Tensor, inception: Inception) -> dict[str, Tensor]:
    """Frechet distance between the Inception features of each sample and of the real picture.

    The features of all positions of one picture are taken as draws from a Gaussian, see
    `frechet_distance`. "sifid" is the figure of the SinGAN and ConSinGAN papers, whose program
    takes the 64 channels before the first max-pool; "sifid_64" and "sifid_192" are those behind
    the first and the second max-pool, the layers of pytorch-fid.

    Range: 0 upwards, lower is better. Symmetric. Depends on the size of pictures and on file
    formats (JPEG), so compare only like with like.

    Source: Shaham et al., SinGAN (2019), section 3.2; weights: Szegedy et al. (2015).

    Args:
        real: (1, 3, H, W) in [0, 1], or (1, 1, H, W), whose gray becomes all three colors.
        samples: (N, 3, H', W') in [0, 1], or (N, 1, H', W').
        inception: what `load_inception` returns.

    Returns:
        For each of `FIGURES` the distances (N,). A layer that does not fit into the pictures is
        left out.
    """
    real, samples = checked(real, samples)
    target = _statistics(real, inception)
    fakes = [_statistics(sample, inception) for sample in torch.split(samples, 1)]
    return {
        name: torch.stack([frechet_distance(fake[name], target[name]) for fake in fakes])
        for name in FIGURES
        if name in target and name in fakes[0]
    }


def _statistics(picture: Tensor, inception: Inception) -> dict[str, Gaussian]:
    found = inception.features(picture.expand(-1, 3, -1, -1))
    return {name: fit_gaussian(x[0].flatten(1).T) for name, x in found.items()}


def load_inception(source: str | Path) -> Inception:
    """Load the weights of torchvision's or pytorch-fid's Inception-v3 from a path or URL.

    Nothing but tensors is read (no pickled code), and of them only the first layers are kept.
    `download.downloaded` says which addresses are taken.

    Raises:
        UserError: there is no such file, it cannot be had or read, or it holds something else.
    """
    path = local_file(source)
    state = tensors_in(path, "Inception-v3")
    weights = {}
    for name, (inputs, outputs, size, _, _) in _CONVOLUTIONS.items():
        for suffix in _SUFFIXES:
            key = f"{name}.{suffix}"
            shape = (outputs,) if suffix in _NORM else (outputs, inputs, size, size)
            weights[key] = take(state, key, shape, path, _WHOSE)
    return Inception(weights)
