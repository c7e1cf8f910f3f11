"""The settings of ConSinGAN: what all methods share, and its own."""

from __future__ import annotations

from dataclasses import dataclass

from consingan.errors import UserError
from consingan.methods.consingan.presets import PRESETS
from consingan.methods.consingan.tasks import TASKS
from consingan.methods.contract import Task
from consingan.nn.architecture import ACTIVATIONS, INITS, WRAPPED, Architecture, Border
from consingan.settings.config import Config
from consingan.settings.hole import mask_option
from consingan.settings.option import option
from consingan.settings.reading import MOST_BANDS
from consingan.settings.tiles import NONE, TILES, check_tile, tile_option

LARGE = 2**18  # px from which on fine stages are trained on windows where nobody says
WINDOW = 128  # px, their side


@dataclass(frozen=True, kw_only=True)
class ConSinGANConfig(Config):
    """All settings that decide what is trained. Sizes are in px; `check` holds them to ranges."""

    train_mode: str = option(
        "generation",
        "What the model is for; decides border, noise and sizes.",
        choices=TASKS.keys(),  # a view: tasks may be added
    )
    preset: str = option(
        "paper",
        "Effort: paper as published; fast in a twentieth of its time, best a tenth; draft a look.",
        choices=PRESETS.keys(),
    )
    train_stages: int = option(
        6,
        "Stages: more keep finer global layout, fewer give more varied samples.",
        minimum=1,
        maximum=100,
    )
    train_depth: int = option(
        3, "Newest stages trained together: more copy the image closer.", minimum=1
    )
    lr_scale: float = option(
        0.1,
        "Learning-rate factor per older stage: 0.5 sticks to the image, 0.1 varies more.",
        minimum=0,
        maximum=1,
    )
    min_size: int = option(
        25, "Shorter side of the coarsest stage (px): smaller keeps the layout.", minimum=3
    )
    crop: int = option(
        0,
        "Side of the windows (px) that fine stages of a large picture are trained on; 0: whole, "
        "else no smaller than the critic's patches "
        f"({Architecture().smallest_image} px by default).",
        minimum=0,
        shown=f"{WINDOW} above 512x512 px, else 0",
    )
    fine_niter: int = option(
        0,
        "Iterations of the finest stage; coarser ones take more, the first third --niter. 0: all.",
        minimum=0,
    )
    finish: float = option(
        0.0,
        "How much of samples is made anew of the image's own patches, when they are made; 0: none.",
        minimum=0,
        maximum=1,
    )
    finish_within: float = option(
        0.0,
        "Finish a sample less where it would go farther than this from what the model laid out, in "
        "spreads of the image, seen at 8 px; 0: wherever it goes.",
        minimum=0,
        maximum=1,
    )
    layout: int = option(
        0,
        "With --finish: shorter side (px) that the last stage which is trained has at least; finer "
        "ones, whose detail is made anew, are only begun. 0: all are trained.",
        minimum=0,
    )
    tile: str = tile_option()
    mask: str = mask_option()
    nfc: int = option(
        Architecture.channels,
        "Channels: fewer are faster and blurrier.",
        minimum=1,
        maximum=4096,
        group="network",
    )
    ker_size: int = option(
        Architecture.kernel,
        "Side of the convolution kernels (odd); larger sees larger patches.",
        minimum=1,
        maximum=101,
        group="network",
    )
    num_layer: int = option(
        Architecture.layers,
        "Layers per stage: more see larger patches.",
        minimum=1,
        maximum=100,
        group="network",
    )
    padd_size: int = option(
        Architecture.padding,
        "Zero-padding inside convolutions (px); 0 as published.",
        minimum=0,
        group="network",
    )
    nc_im: int = option(
        Architecture.image_channels,
        "Channels of the picture; they follow it, see --channels.",
        minimum=1,
        maximum=MOST_BANDS,
        group="network",
    )
    activation: str = option(
        Architecture.activation,
        "Activation function; lrelu as published.",
        choices=ACTIVATIONS,
        group="network",
    )
    lrelu_alpha: float = option(
        Architecture.slope,
        "Slope of lrelu: 0.3 carries color over better (harmonization).",
        minimum=0,
        maximum=1,
        group="network",
    )
    batch_norm: bool = option(
        Architecture.norm,
        "Normalize in the generator: steadier, less varied; large pictures are trained whole.",
        group="network",
    )
    init: str = option(
        "published",
        "First weights; he are larger and learn quicker; they go with --beta2 0.99.",
        choices=INITS,
        group="optimization",
    )
    lr_g: float = option(5e-4, "Learning rate of the generator.", above=0, group="optimization")
    lr_d: float = option(5e-4, "Learning rate of the discriminator.", above=0, group="optimization")
    beta1: float = option(
        0.5, "Adam's first momentum.", minimum=0, maximum=0.9999, group="optimization"
    )
    beta2: float = option(
        0.999,
        "Adam's second momentum: 0.99 keeps sudden large gradients from large steps.",
        minimum=0,
        maximum=0.9999,
        group="optimization",
    )
    gamma: float = option(
        0.1,
        "Factor on the learning rates after 80 % of a stage.",
        minimum=0,
        maximum=1,
        group="optimization",
    )
    g_steps: int = option(
        3,
        "Generator steps per iteration.",
        minimum=1,
        maximum=1000,
        flag="Gsteps",
        group="optimization",
    )
    d_steps: int = option(
        3,
        "Discriminator steps per iteration.",
        minimum=1,
        maximum=1000,
        flag="Dsteps",
        group="optimization",
    )
    fine_d_steps: int = option(
        0,
        "Discriminator steps per iteration after the first third of the stages. 0: as --Dsteps.",
        minimum=0,
        flag="fine_Dsteps",
        group="optimization",
    )
    penalty_every: int = option(
        1,
        "Take the gradient penalty at every Nth discriminator step, N times as strong.",
        minimum=1,
        group="optimization",
    )
    lambda_grad: float = option(
        0.1, "Weight of the gradient penalty.", minimum=0, group="optimization"
    )
    alpha: float = option(
        10.0,
        "Weight of the reconstruction: higher keeps closer to the image.",
        minimum=0,
        group="optimization",
    )
    sw_weight: float = option(
        0.0,
        "Weight of the sliced Wasserstein distance of 7x7 patches: truer colors; 0 as published.",
        minimum=0,
        group="optimization",
    )
    noise_amp: float = option(
        0.1, "Noise at finer stages: higher varies more detail.", minimum=0, group="optimization"
    )

    @property
    def architecture(self) -> Architecture:
        """The numbers that the networks take."""
        return Architecture(
            channels=self.nfc,
            layers=self.num_layer,
            kernel=self.ker_size,
            padding=self.padd_size,
            image_channels=self.nc_im,
            activation=self.activation,  # type: ignore[arg-type]
            slope=self.lrelu_alpha,
            norm=self.batch_norm,
        )

    @property
    def wraps(self) -> tuple[bool, bool]:
        """See `Config.wraps`."""
        return TILES[self.tile]

    @property
    def finished(self) -> float:
        """See `Config.finished`; what --mask left out must not come back in patches."""
        samples = TASKS[self.train_mode].output == Task.output
        return self.finish if samples and not self.mask else 0.0

    @property
    def finished_within(self) -> float:
        """See `Config.finished_within`."""
        return self.finish_within if self.finished else 0.0

    @property
    def border(self) -> Border:
        """What lies around the picture in the generator: the task's, but where ends meet."""
        return WRAPPED.get(self.wraps, TASKS[self.train_mode].border)

    def check(self) -> None:
        """Refuse values that cannot work.

        Raises:
            UserError: one sentence that names the flag, the value and what would be right.
        """
        super().check()
        if self.min_size > self.max_size:
            raise UserError(
                f"--min_size {self.min_size} is above --max_size {self.max_size}; "
                "the coarsest stage must be the smaller one."
            )
        if self.ker_size % 2 == 0:
            raise UserError(f"--ker_size {self.ker_size} must be odd, for example 3.")
        if self.padd_size > (self.ker_size - 1) // 2:
            raise UserError(
                f"--padd_size {self.padd_size} is too large for --ker_size {self.ker_size}; "
                f"use {(self.ker_size - 1) // 2} or less."
            )
        self._check_tile()
        if self.min_size < self.architecture.smallest_image:
            raise UserError(
                f"--min_size {self.min_size} is smaller than the patches that the discriminator "
                f"looks at; use {self.architecture.smallest_image} or more."
            )

    def _check_tile(self) -> None:
        able = (name for name, task in TASKS.items() if task.tiles)
        check_tile(self.tile, self.train_mode, able)
        if self.tile != NONE and self.padd_size:
            raise UserError(
                f"--padd_size {self.padd_size} puts zeros at borders, which --tile has none of; "
                "leave one of them out."
            )

    def with_channels(self, channels: str, count: int) -> ConSinGANConfig:
        """See `Config.with_channels`.

        Raises:
            UserError: `nc_im` says something else.
        """
        if self.nc_im not in (Architecture.image_channels, count):
            raise UserError(
                f"--nc_im {self.nc_im} is not what the picture has, {count}; leave it out, "
                "--channels chooses."
            )
        return self.replace(channels=channels, nc_im=count)
