"""The settings of cascaded refinement."""

from __future__ import annotations

from dataclasses import dataclass

from consingan.methods.crn.presets import PRESETS
from consingan.methods.crn.tasks import TASKS
from consingan.methods.pairs import PairConfig
from consingan.settings.option import option

# The share of `width` that a module has, by the px of its shorter side up to which it counts.
SHARES = ((64, 1), (256, 2), (512, 8), (1024, 32))


@dataclass(frozen=True, kw_only=True)
class CRNConfig(PairConfig):
    """All settings that decide what is trained."""

    method: str = option("crn", "How: see `consingan methods`.")
    train_mode: str = option("translation", "What the model is for.", choices=TASKS.keys())
    preset: str = option(
        "small",
        "small for one pair on a CPU, paper with the published widths.",
        choices=PRESETS.keys(),
    )
    niter: int = option(600, "Iterations: fewer are faster and rougher.", minimum=1)
    width: int = option(
        64, "Channels of the modules up to 64 px: fewer are faster and blurrier.", minimum=2,
        group="network",
    )  # fmt: skip
    num_outputs: int = option(
        1, "Pictures for each layout, of which every label may choose its best.", minimum=1,
        maximum=32, group="network",
    )  # fmt: skip
    ndf: int = option(16, "Channels of the critic.", minimum=1, group="network")
    compared: str = option(
        "patches",
        "Features that pictures are compared by: of the image's own patches, or random filters.",
        choices=("patches", "filters"),
        group="optimization",
    )
    vgg_weights: str = option(
        "", "File or address of torchvision's VGG19, to compare by in place of --compared.",
        group="optimization",
    )  # fmt: skip
    features: float = option(
        0.5, "Weight of these features; 0 compares pixels alone.", minimum=0,
        group="optimization",
    )  # fmt: skip
    adversarial: float = option(
        0.05, "Weight of a critic: texture; 0 as published.", minimum=0, group="optimization",
        flag="critic_weight",
    )  # fmt: skip
    lr: float = option(1e-3, "Learning rate of the cascade.", above=0, group="optimization")
    lr_critic: float = option(2e-4, "Learning rate of the critic.", above=0, group="optimization")

    def width_at(self, short: int) -> int:
        """Channels of the module whose shorter side is `short` px."""
        share = next((share for most, share in SHARES if short <= most), SHARES[-1][1])
        return max(1, self.width // share)
