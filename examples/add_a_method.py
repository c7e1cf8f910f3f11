"""A method of one's own, a texture quilt: patches of the image laid side by side where they fit.

python examples/add_a_method.py train --method quilt --input_name PICTURE
python examples/add_a_method.py evaluate --model_dir RUN --size 400x300
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from consingan.errors import UserError
from consingan.images.resize import resize, training_scale
from consingan.methods.contract import Method, Task
from consingan.methods.registry import METHODS
from consingan.nn.noise import stream
from consingan.settings.config import Config
from consingan.settings.option import option

TRIES = 64  # places that are looked at for each patch


@dataclass(frozen=True, kw_only=True)
class QuiltConfig(Config):
    """The shared settings and the quilt's own."""

    method: str = option("quilt", "How: see `consingan methods`.")
    patch: int = option(12, "Side of a patch (px): larger keeps larger things whole.", minimum=6)


@dataclass(frozen=True)
class Quilt:
    """The image is all there is: it can make samples (`contract.Samples`) and no more."""

    config: QuiltConfig
    real: torch.Tensor
    stages = 0

    task = property(lambda self: METHODS["quilt"].tasks[self.config.train_mode])
    device = property(lambda self: self.real.device)
    sizes = property(lambda self: [tuple(self.real.shape[-2:])])
    finite = property(lambda self: bool(self.real.isfinite().all()))
    least_size = property(lambda self: (self.config.patch, self.config.patch))

    def weights(self) -> dict[str, torch.Tensor]:
        """Nothing was learned."""
        return {}

    def at_a_time(self, size: Any) -> int:  # noqa: ARG002
        """One picture after the other."""
        return 1

    def sample(self, indices: Any, size: Any = None, seed: int = 0) -> torch.Tensor:
        """Efros and Freeman 2001, section 2, with straight seams; (n, 3, h, w) in [-1, 1]."""
        made = [self._quilt(size or self.sizes[0], stream(seed, "quilt", i)) for i in indices]
        return torch.cat(made).cpu()

    def _quilt(self, size: tuple[int, int], rng: torch.Generator) -> torch.Tensor:
        side, step = self.config.patch, 2 * self.config.patch // 3
        rows, columns = (-(-(n - side) // step) for n in size)
        canvas = self.real.new_zeros(1, 3, rows * step + side, columns * step + side)
        laid = torch.zeros_like(canvas[:, :1])
        for top in range(0, rows * step + 1, step):
            for left in range(0, columns * step + 1, step):
                place = (..., slice(top, top + side), slice(left, left + side))
                old, known = canvas[place], laid[place]
                new = self._best(old, known, rng)
                canvas[place] = torch.where(known > 0, old, new)
                laid[place] = 1
        return canvas[..., : size[0], : size[1]]

    def _best(self, old: Any, known: Any, rng: torch.Generator) -> torch.Tensor:
        """Of some places of the image, the one that fits best to what is laid already."""
        side, (height, width) = self.config.patch, self.sizes[0]
        tops = torch.randint(height - side + 1, (TRIES,), generator=rng).tolist()
        lefts = torch.randint(width - side + 1, (TRIES,), generator=rng).tolist()
        pieces = [
            self.real[..., t : t + side, x : x + side] for t, x in zip(tops, lefts, strict=True)
        ]
        errors = ((torch.cat(pieces) - old).square() * known).sum((1, 2, 3))
        return pieces[int(errors.argmin())]


@dataclass(frozen=True)
class QuiltTraining:
    """Nothing is trained: no stage, no step, only what is kept (`contract.Training`)."""

    model: Quilt
    losses = ()
    stages = first = 0

    config = property(lambda self: self.model.config)
    sizes = property(lambda self: self.model.sizes)

    def fixed(self) -> dict[str, torch.Tensor]:
        """The image is what a run keeps."""
        return {"real.0": self.model.real}

    def start(self) -> dict[str, torch.Tensor]:
        """It is no fine-tuning."""
        return {}

    def state(self) -> dict[str, torch.Tensor]:
        """There is no middle to be stopped in."""
        return {}

    def facts(self) -> Any:
        """What is printed before it begins."""
        yield f"patches of {self.config.patch} px; nothing is trained"

    def peak_memory(self, checkpointing: bool | None = None) -> None:  # noqa: ARG002
        """Not worth a word."""
        return


def fitted(chosen: Any, size: Any) -> Any:  # noqa: ARG001
    """Nothing depends on the size of the picture."""
    return chosen, []


def begin(config: QuiltConfig, inputs: Any, execution: Any, base: Any = None) -> QuiltTraining:  # noqa: ARG001
    """Bring the image to the training size and keep it."""
    scale = training_scale(tuple(inputs.image.shape[-2:]), config.max_size)
    real = resize(inputs.image, scale).clamp(-1, 1) if scale < 1 else inputs.image
    if min(real.shape[-2:]) < config.patch:
        raise UserError(f"The image is smaller than a patch; use --patch {min(real.shape[-2:])}.")
    return QuiltTraining(Quilt(config, real.to(execution.device)))


def take_up(config: QuiltConfig, tensors: Any, execution: Any) -> QuiltTraining:
    """A run that was killed before it was finished."""
    return QuiltTraining(restore(config, tensors, execution))


def restore(config: QuiltConfig, tensors: Any, execution: Any) -> Quilt:
    """The model that a run has kept."""
    return Quilt(config, tensors["real.0"].to(execution.device))


METHODS["quilt"] = Method(
    name="quilt",
    title="Image quilting",
    paper="Efros, Freeman: Image Quilting for Texture Synthesis and Transfer, SIGGRAPH 2001",
    summary="patches of the image laid side by side where they fit",
    config=QuiltConfig,
    tasks={"generation": Task(output="samples", summary="textures of any size")},
    presets={"paper": {}},
    label=lambda config: f"quilt_patch_{config.patch}",
    code=__name__,
)

if __name__ == "__main__":
    from consingan.cli import main

    main()
