"""How long each stage is trained: what decides on the layout in full, the rest less or hardly."""

from __future__ import annotations

from collections.abc import Sequence

from consingan.methods.consingan.config import ConSinGANConfig

Size = tuple[int, int]

BEGUN = 10  # iterations of a stage whose detail is made anew anyway


def at_stage(config: ConSinGANConfig, stage: int, pixels: Sequence[int]) -> ConSinGANConfig:
    """The settings of one stage, whose `niter` and `d_steps` are its own.

    With `fine_niter` the finest stage gets that many iterations, the others more in proportion to
    their fewer pixels, so that each costs about as much, and none more than `niter`. The first
    third of the stages, which decides on the layout, is trained in full. Where samples are
    finished and `layout` says so, all stages up to there are, and finer ones only begun.

    Args:
        config: of the training.
        stage: its number, from 0.
        pixels: h * w of every stage.
    """
    whole = sketching(config, pixels)
    if stage < (whole or -(-len(pixels) // 3)):
        return config
    iterations = round(config.fine_niter * pixels[-1] / pixels[stage]) or config.niter
    return config.replace(
        niter=min(BEGUN if whole else iterations, config.niter),
        d_steps=config.fine_d_steps or config.d_steps,
    )


def sketching(config: ConSinGANConfig, pixels: Sequence[int]) -> int:
    """How many stages are trained where the finer ones are only begun; 0: where none is."""
    if not (config.finished and config.layout):
        return 0
    whole = max(sum(some <= config.layout**2 for some in pixels), 1)
    return whole if whole < len(pixels) else 0


def sketched(config: ConSinGANConfig, sizes: Sequence[Size]) -> Size | None:
    """Size (h, w) of the last stage that is trained where finer ones are only begun.

    Args:
        config: of the training.
        sizes: of the stages that are there.
    """
    whole = sketching(config, [h * w for h, w in sizes])
    return sizes[whole - 1] if whole else None
