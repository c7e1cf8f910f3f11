"""Named sets of settings: how much time to give to a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Settings = Mapping[str, Any]

# Larger first weights learn a layout in a third of the iterations, and one step of the critic with
# a penalty every fourth time is enough for them. With Adam's usual memory of gradients some such
# trainings ended in one flat color; with the shorter one none has. What is left of the variety that
# fewer iterations bring pays for a closer fit: older stages follow more, and the reconstruction
# weighs more. Samples are finished with the image's own patches, which are sharper than any short
# training: the coarse stages must get the layout right, finer ones are only begun. What is not
# finished (films, composites, samples beyond all memory) is trained on at the fine stages, too.
# benchmarks/README.md has the figures, of what did not help, too.
CLOSE: Settings = {
    "init": "he", "beta2": 0.99, "d_steps": 1, "penalty_every": 4, "sw_weight": 3.0,
    "lr_scale": 0.3, "alpha": 30.0,
}  # fmt: skip

LAYOUT = 34  # px of the shorter side: of finer detail a finish leaves next to nothing
DRAFTED = 29  # a stage less, for longer: nearer to the image than a shorter training of all three

# Pictures with one of each thing and much that is bare come apart at a level that others need for
# their variety, and of those not every sample does: each is finished as far as its layout bears.
BEARS = 0.3  # spreads of the image, seen from afar

PRESETS: dict[str, Settings] = {
    "paper": {},
    "best": {
        **CLOSE,
        "niter": 2000,
        "fine_niter": 180,
        "finish": 0.65,
        "finish_within": BEARS,
        "layout": LAYOUT,
    },
    "fast": {
        **CLOSE,
        "niter": 1000,
        "fine_niter": 180,
        "finish": 0.625,
        "finish_within": BEARS,
        "layout": LAYOUT,
    },
    "draft": {**CLOSE, "niter": 600, "fine_niter": 45, "finish": 0.5, "layout": DRAFTED},
}

# A composite asks for the layout that is there. Fine stages start as copies of trained ones; 200
# iterations of them do nearly what 500 do, and one step of the critic what three do.
COMPOSING: dict[str, Settings] = {
    "best": {},
    "fast": {"fine_niter": 180, "fine_d_steps": 1},
    "draft": {"niter": 600, "fine_niter": 30, "fine_d_steps": 1},
}
"""The same names for tasks that change a picture instead of making others."""
