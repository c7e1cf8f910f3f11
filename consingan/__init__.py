"""ConSinGAN: learn a generative model from one image (Hinz et al. 2021).

import consingan
model = consingan.train("photo.jpg", max_size=128, niter=500)
pictures = model.sample(4, size=(200, 300), seed=1)    # (4, 3, 200, 300) in [-1, 1]
model = consingan.load("TrainedModels/photo/...")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consingan._version import __version__
from consingan.errors import UserError

if TYPE_CHECKING:
    from consingan.api.train import train
    from consingan.api.trained import TrainedModel, load

__all__ = ["TrainedModel", "UserError", "__version__", "load", "train"]


def __getattr__(name: str) -> Any:
    """Import the API, and torch with it, only when it is used: --help must start at once."""
    if name in ("TrainedModel", "load", "train"):
        from consingan.api import train, trained

        return getattr(train if name == "train" else trained, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
