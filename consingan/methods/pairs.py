"""Settings of methods that learn from a pair: B, the image, and A, what it is to be made from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from consingan.errors import UserError
from consingan.methods.contract import Panel, Remedy
from consingan.settings.config import Config
from consingan.settings.option import option
from consingan.settings.reading import AUTO, Reading, parse_range

COLORS = (2, 64)  # of colors:K
CONDITION = "condition"  # field of `Inputs` and flag
WORDS = "edges, gray, blur or colors:K"
OF_LAYOUTS = "for layouts, whose colors are names"  # why --jitter does nothing


def condition_option() -> Any:
    """The field `condition` of a method's Config."""
    return option(
        "",
        f"A of the pair (B is the image): a picture file, or {WORDS}, made from B.",
        group="pair",
        kind="words",
    )


def condition_range_option() -> Any:
    """The field `condition_range` of a method's Config."""
    return option(
        AUTO,
        "Values of an A deeper than 8 bit that are black and white, as --range, which counts for "
        "it, too, where this is auto.",
        group="pair",
        metavar="MIN,MAX",
    )


def condition_reading(config: Any) -> Reading:
    """How new A's are read: as that of the training was."""
    return Reading(config.condition_range)


@dataclass(frozen=True, kw_only=True)
class PairConfig(Config):
    """The shared settings, and what is done to a pair before a network sees it.

    The picture B that results are to look like is `input_name`; A is `condition`.
    """

    condition: str = condition_option()
    condition_range: str = condition_range_option()
    warps: bool = option(
        True, "Bend both alike in every iteration: without it a pair is learned by heart.",
        group="pair",
    )  # fmt: skip
    flips: bool = option(True, "Mirror both alike in half of the iterations.", group="pair")
    jitter: float = option(
        0.0, "Change A's brightness and colors by up to this share, but not a layout's.", minimum=0,
        maximum=1, group="pair",
    )  # fmt: skip
    cutmix: float = option(
        0.0, "Share of iterations in which a piece of the pair is laid elsewhere into it.",
        minimum=0, maximum=1, group="pair",
    )  # fmt: skip
    max_size: int = option(
        256, "Longer side of the training size (px): larger is sharper and slower.", minimum=16
    )
    beta1: float = option(
        0.5, "Adam's first momentum.", minimum=0, maximum=0.9999, group="optimization"
    )
    decay_from: float = option(
        0.5,
        "Share of the iterations after which the learning rates fall to 0; 1: they stay.",
        minimum=0,
        maximum=1,
        group="optimization",
    )

    def check(self) -> None:
        """Also that the condition's words are right, see `Config.check`."""
        super().check()
        recipe_of(self.condition)
        parse_range(self.condition_range, "condition_range")
        if self.naive_img:
            raise UserError(
                "--naive_img is a new A, for an evaluation; A of the pair that is learned is "
                "--condition."
            )
        if self.fine_tune:
            raise UserError(
                f"--fine_tune is not for --method {self.method}; train on the new pair instead."
            )


def recipe_of(condition: str) -> tuple[str, int] | None:
    """What `condition` says of making A from B: a word and its number; None where it is a file.

    Raises:
        UserError: the number of colors is none.
    """
    if condition in ("edges", "gray", "blur"):
        return condition, 0
    if not condition.startswith("colors"):
        return None
    found = re.fullmatch(r"colors:(\d+)", condition)
    least, most = COLORS
    if not found or not least <= int(found[1]) <= most:
        raise UserError(
            f"--condition {condition} must be colors:K with K from {least} to {most}, for example "
            "colors:8."
        )
    return "colors", int(found[1])


def pictures_of(config: Any) -> dict[str, str]:
    """The file of A, if it is one, by its field of `Inputs`; see `contract.Method.pictures`."""
    is_file = config.condition and recipe_of(config.condition) is None
    return {CONDITION: config.condition} if is_file else {}


def condition_label(config: Any) -> str:
    """How a run's folder says what A was."""
    recipe = recipe_of(config.condition)
    if recipe is None:
        return "own"
    return recipe[0] + (str(recipe[1]) if recipe[1] else "")


L1 = Panel(
    "mean difference",
    "Difference to B: falls, then stays level.",
    {"difference": ("difference",)},
    log=True,
)
"""The drawing of the loss that all of them have."""

JUDGED = Panel(
    "critic's loss",
    "Critic: at 0.69 it cannot tell real from made.",
    {"real": ("d_real",), "made": ("d_fake",)},
)
"""The drawing of a critic's losses by cross entropy."""

REMEDIES: dict[str, Remedy] = {
    "diverged": lambda _: "Try smaller --lr and --lr_critic.",
    "longer": lambda config: f"Raise --niter, now {config.niter}.",
    "flat": lambda _: "Train anew with a smaller --lr.",
    "learned_by_heart": lambda config: "Raise --niter." if config.warps else "Train with --warps.",
}
"""Advice that holds for all of them, see `contract.Method.remedies`."""
