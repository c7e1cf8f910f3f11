"""How long each stage is trained: what decides on the layout in full, the rest less or hardly."""

from __future__ import annotations

from collections.abc import Sequence

from consingan.methods.consingan.config import ConSinGANConfig

Size = tuple[int, int]

BEGUN = 1  # iterations of a stage whose detail is made anew anyway, at which nothing is learned


def at_stage(
    config: ConSinGANConfig, stage: int, pixels: Sequence[int], whole: int = 0
) -> ConSinGANConfig:
    """The settings of one stage, whose `niter` and `d_steps` are its own.

    With `fine_niter` the finest stage gets that many iterations, the others more in proportion to
    their fewer pixels, so that each costs about as much, and none more than `niter`. None gets
    fewer: a stage that is seen whole may have more pixels than the window of a finer one. The first
    third of the stages, which decides on the layout, is trained in full.

    Args:
        config: of the training.
        stage: its number, from 0.
        pixels: that an iteration of each stage sees.
        whole: how many stages are trained in full, finer ones only begun, see `layout_stages`;
            0: as above.
    """
    if stage < (whole or -(-len(pixels) // 3)):
        return config
    if whole:  # a few steps of a new stage would only disturb those before it (measured)
        return config.replace(niter=BEGUN, d_steps=1, g_steps=1, lr_g=0.0, lr_d=0.0)
    least = config.fine_niter or config.niter
    iterations = max(least, round(least * pixels[-1] / pixels[stage]))
    return config.replace(
        niter=min(iterations, config.niter), d_steps=config.fine_d_steps or config.d_steps
    )


def layout_stages(config: ConSinGANConfig, sizes: Sequence[Size]) -> int:
    """How many stages are trained in full where finer ones are only begun; 0: none is.

    Where samples are finished that is up to the first stage whose shorter side is at least
    `layout` px: of what is finer than that a finish leaves nothing.

    Args:
        config: of the training.
        sizes: (h, w) in px of the stages.
    """
    if not (config.finished and config.layout):
        return 0
    whole = 1 + sum(min(size) < config.layout for size in sizes)
    return whole if whole < len(sizes) else 0


def sketched(config: ConSinGANConfig, sizes: Sequence[Size]) -> Size | None:
    """Size (h, w) of the last stage that is trained in full where finer ones are only begun."""
    whole = layout_stages(config, sizes)
    return sizes[whole - 1] if whole else None
