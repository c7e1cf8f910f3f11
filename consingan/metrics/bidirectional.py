"""Bidirectional similarity: nothing alien in the sample, nothing missing from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .patches import Match, match_scales


@dataclass(frozen=True)
class Bidirectional:
    """The two directions of the bidirectional similarity, one value for each sample.

    Attributes:
        coherence: (N,), lower is better: how far the sample's patches are from the real ones.
        completeness: (N,), lower is better: how far the real patches are from the sample's.
    """

    coherence: Tensor
    completeness: Tensor


def bidirectional(real: Tensor, samples: Tensor) -> Bidirectional:
    r"""Coherence and completeness by exact nearest neighbors of 7 x 7 patches, times 1000.

    .. math:: coherence = 1000 \; mean_{p \in sample} \min_{q \in real} rms(p - q), \quad
       completeness = 1000 \; mean_{q \in real} \min_{p \in sample} rms(q - p)

    each the mean over half and quarter size (see `match_scales`), over all patches.

    Range: 0 to 1000, lower is better. Exchanging the pictures exchanges the two values.

    Source: Simakov et al., Summarizing Visual Data Using Bidirectional Similarity (2008),
    equation 1, with the root mean square instead of the sum of squared differences.

    Args:
        real: (1, 3, H, W) in [0, 1].
        samples: (N, 3, H', W') in [0, 1].
    """
    return bidirectional_from([match_scales(real, sample) for sample in torch.split(samples, 1)])


def bidirectional_from(matches: Sequence[Sequence[Match]]) -> Bidirectional:
    """Do the same with the matches of each sample, where other metrics need these as well."""
    return Bidirectional(
        coherence=torch.stack([_mean([m.to_real for m in scales]) for scales in matches]),
        completeness=torch.stack([_mean([m.to_sample for m in scales]) for scales in matches]),
    )


def _mean(scales: Sequence[Tensor]) -> Tensor:
    return 1000 * torch.stack([distances.mean() for distances in scales]).mean()
