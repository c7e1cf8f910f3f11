"""The settings of SinGAN: what all methods share, and its own."""

from __future__ import annotations

from dataclasses import dataclass

from consingan.errors import UserError
from consingan.methods.singan.architecture import Architecture
from consingan.methods.singan.presets import PRESETS
from consingan.methods.singan.pyramid import USUAL_ENLARGEMENT
from consingan.methods.singan.tasks import TASKS
from consingan.settings.config import Config
from consingan.settings.option import option
from consingan.settings.tiles import TILES, Wraps, check_tile, tile_option


@dataclass(frozen=True, kw_only=True)
class SinGANConfig(Config):
    """All settings that decide what is trained; names and defaults are the authors'."""

    method: str = option("singan", "How: see `consingan methods`.")
    train_mode: str = option("generation", "What the model is for.", choices=TASKS.keys())
    preset: str = option(
        "paper", "Effort: paper as published; draft a first look.", choices=PRESETS.keys()
    )
    scale_factor: float = option(
        0.75, "Size of a scale beside the next finer one, about.", above=0, maximum=0.99
    )
    min_size: int = option(
        25, "Shorter side of the coarsest scale (px): smaller keeps the layout.", minimum=3
    )
    sr_factor: float = option(
        USUAL_ENLARGEMENT, "Super-resolution: how many times as large.", above=1, maximum=64
    )
    paint_start_scale: int = option(
        1, "Paint in few colors (--fine_tune): scale that is trained anew.", minimum=1
    )
    quantization_colors: str = option(
        "triples",
        "Paint in few colors: what k-means takes for a color; triples as the authors, or rgb.",
        choices=("triples", "rgb"),
    )
    tile: str = tile_option()
    recompute_fake: bool = option(
        False, "Another method: make the fake anew for each generator step.", group="optimization"
    )
    nfc: int = option(32, "Channels of the first four scales.", minimum=1, group="network")
    min_nfc: int = option(32, "Channels below which no layer goes.", minimum=1, group="network")
    ker_size: int = option(3, "Side of the kernels (odd).", minimum=1, group="network")
    num_layer: int = option(5, "Layers of each network.", minimum=2, group="network")
    stride: int = option(1, "Of convolutions; only 1.", minimum=1, maximum=1, group="network")
    padd_size: int = option(
        0, "Padding inside convolutions; only 0.", minimum=0, maximum=0, group="network"
    )
    nc_im: int = option(3, "Image channels; only 3.", minimum=3, maximum=3, group="network")
    nc_z: int = option(3, "Noise channels; only 3.", minimum=3, maximum=3, group="network")
    lr_g: float = option(5e-4, "Learning rate of the generator.", above=0, group="optimization")
    lr_d: float = option(5e-4, "Learning rate of the discriminator.", above=0, group="optimization")
    beta1: float = option(
        0.5, "Adam's first momentum.", minimum=0, maximum=0.9999, group="optimization"
    )
    gamma: float = option(
        0.1,
        "Factor on the learning rates from iteration 1600 of a scale on.",
        minimum=0,
        maximum=1,
        group="optimization",
    )
    g_steps: int = option(
        3, "Generator steps per iteration.", minimum=1, flag="Gsteps", group="optimization"
    )
    d_steps: int = option(
        3, "Discriminator steps per iteration.", minimum=1, flag="Dsteps", group="optimization"
    )
    lambda_grad: float = option(
        0.1, "Weight of the gradient penalty.", minimum=0, group="optimization"
    )
    alpha: float = option(10.0, "Weight of the reconstruction.", minimum=0, group="optimization")
    noise_amp: float = option(
        0.1, "Noise at finer scales: higher varies more detail.", minimum=0, group="optimization"
    )

    @property
    def architecture(self) -> Architecture:
        """The numbers of the coarsest scale's networks, see `Architecture.at_scale`."""
        return Architecture(self.nfc, self.min_nfc, self.num_layer, self.ker_size, self.nc_im)

    @property
    def wraps(self) -> Wraps:
        """See `Config.wraps`."""
        return TILES[self.tile]

    def check(self) -> None:
        """Refuse values that cannot work.

        Raises:
            UserError: one sentence that names the flag, the value and what would be right.
        """
        super().check()
        able = (name for name, task in TASKS.items() if task.tiles)
        check_tile(self.tile, self.train_mode, able)
        if self.min_size > self.max_size:
            raise UserError(
                f"--min_size {self.min_size} is above --max_size {self.max_size}; "
                "the coarsest scale must be the smaller one."
            )
        if self.ker_size % 2 == 0:
            raise UserError(f"--ker_size {self.ker_size} must be odd, for example 3.")
        if self.min_size < self.architecture.smallest_image:
            raise UserError(
                f"--min_size {self.min_size} is smaller than the patches that the discriminator "
                f"looks at; use {self.architecture.smallest_image} or more."
            )
        if not all(self.architecture.at_scale(4 * k).is_consistent for k in range(3)):
            raise UserError(
                f"--nfc {self.nfc} does not halve evenly down to --min_nfc {self.min_nfc}; "
                "use powers of two, or the same number for both."
            )
