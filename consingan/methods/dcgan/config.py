"""The settings of DCGAN."""

from __future__ import annotations

from dataclasses import dataclass

from consingan.errors import UserError
from consingan.methods.dcgan.presets import PRESETS
from consingan.methods.dcgan.tasks import TASKS
from consingan.settings.config import Config
from consingan.settings.option import option

SIDES = (32, 64)


@dataclass(frozen=True, kw_only=True)
class DCGANConfig(Config):
    """All settings that decide what is trained."""

    method: str = option("dcgan", "How: see `consingan methods`.")
    train_mode: str = option("generation", "What the model is for.", choices=TASKS.keys())
    preset: str = option(
        "small", "small for a CPU, paper with the published widths.", choices=PRESETS.keys()
    )
    niter: int = option(3000, "Iterations: fewer are rougher.", minimum=1)
    max_size: int = option(
        192, "Longer side of the image that crops are taken from (px).", minimum=3
    )
    side: int = option(64, "Side of a crop and of a sample: 32 or 64 px.", minimum=32, maximum=64)
    ngf: int = option(32, "Channels of the generator.", minimum=1, group="network")
    ndf: int = option(32, "Channels of the critic.", minimum=1, group="network")
    nz: int = option(100, "Numbers that a sample is made from.", minimum=1, group="network")
    batch: int = option(16, "Crops in an iteration.", minimum=2, group="optimization")
    lr: float = option(2e-4, "Learning rate.", above=0, group="optimization")
    beta1: float = option(
        0.5, "Adam's first momentum.", minimum=0, maximum=0.9999, group="optimization"
    )
    flips: bool = option(True, "Mirror half of the crops.", group="optimization")

    def check(self) -> None:
        """Also that the side is one of the two, see `Config.check`."""
        super().check()
        if self.side not in SIDES:
            raise UserError(f"--side {self.side} must be 32 or 64.")
        if self.naive_img or self.fine_tune:
            raise UserError(
                "--naive_img and --fine_tune are not for --method dcgan, which takes in no "
                "picture; leave them out."
            )
