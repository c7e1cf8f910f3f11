"""Notice a training whose generator gives one flat color, before hours are spent on it."""

from __future__ import annotations

import warnings

from consingan.engine import LOSSES
from consingan.saturation import ENOUGH, flat_loss
from consingan.trainer import ATTEMPTS, Record, StageRecord, StageRestarted, Trainer

COLLAPSE_ADVICE = "Train anew with a smaller --lr_scale, --lr_g and --lr_d, or with --batch_norm."


class Collapse:
    """Warns after a stage that gives the image back no better than one flat color does.

    So ends a training whose steps are too large: the generator's last activation saturates, and
    with it all gradients vanish. The stages above would be wasted.
    """

    def observe(self, record: Record, trainer: Trainer) -> None:
        """Look at the reconstruction of a stage that has had the time to learn it."""
        if isinstance(record, StageRestarted):
            warnings.warn(
                f"stage {record.stage + 1} ended in one flat color after {record.iterations} "
                "iterations, as happens now and then; it begins anew with other random numbers "
                f"(attempt {record.attempt + 1} of {ATTEMPTS}).",
                stacklevel=2,
            )
        if not isinstance(record, StageRecord) or trainer.config.alpha == 0:
            return
        curve = record.losses[:, LOSSES.index("g_reconstruction")]
        if trainer.config.niter < ENOUGH:  # the first stage's count, which no later one exceeds
            return
        flat = flat_loss(trainer.reals[record.stage], trainer.config.alpha)
        if curve[-len(curve) // 10 :].median().item() > flat:
            warnings.warn(
                f"stage {record.stage + 1} gives the image back no better than one flat color. "
                f"{COLLAPSE_ADVICE}",
                stacklevel=2,
            )
