"""A trained cascade."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from consingan.errors import UserError
from consingan.images.conditions import MOST_LABELS, one_hot, two_colors
from consingan.machine.execution import Execution
from consingan.methods.crn.config import CRNConfig
from consingan.methods.crn.networks import Cascade, modules_for, sizes_of
from consingan.methods.crn.tasks import TASKS
from consingan.methods.pairing import Pair, PairModel


@dataclass
class CRN(PairModel):
    """A cascade with the pair that it learned."""

    def made(self, condition: Tensor) -> Tensor:
        """From a layout of any size, by the nearest of the known colors."""
        pictures: Tensor = self.network(layout_of(self.pair, condition))
        return pictures


def colors_of(pair: Pair) -> Tensor:
    """The labels' colors; of a drawing its two, between which there may be gray.

    Raises:
        UserError: the A of the pair is no layout.
    """
    if pair.labels:
        return pair.palette
    colors = two_colors(pair.condition)
    near = (pair.condition.flatten(2)[0].T[:, None] - colors.to(pair.condition)).abs().amax(2)
    if float((near.min(1).values < 0.4).float().mean()) < 0.9:
        raise UserError(
            f"The condition has too many colors to be names of things; use {MOST_LABELS} or fewer, "
            "in a PNG (JPEG blends them), let --condition colors:8 make them, or take --method "
            "pix2pix."
        )
    return colors


def layout_of(pair: Pair, condition: Tensor) -> Tensor:
    """The layout (1, L, h, w) of an A."""
    return one_hot(condition, colors_of(pair))


def new_model(config: CRNConfig, pair: Pair, execution: Execution) -> CRN:
    """With a network whose weights are not drawn yet.

    Raises:
        UserError: the A of the pair is no layout.
    """
    height, width = pair.image.shape[-2:]
    count = modules_for((height, width))
    widths = [config.width_at(min(size)) for size in sizes_of((height, width), count)]
    network = Cascade(len(colors_of(pair)), widths, config.num_outputs).to(execution.device)
    return CRN(config, TASKS, network, pair, execution.arithmetic)
