"""Numbers that the authors' program computed, and their trainings replayed with our parts.

The folder named by CONFORMANCE_SINGAN_DIR is read, else the project's own copy. Sizes, widths and
settings are taken from the files, so that other files of the same kind can be put through.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from consingan.methods.singan.architecture import Architecture
from consingan.methods.singan.chain import Scale, climb, handed_up
from consingan.methods.singan.engine import (
    Draws,
    Engine,
    PlainEngine,
    Recipe,
    ScaleTask,
    counts_a_picture,
)
from consingan.methods.singan.model import SinGAN
from consingan.methods.singan.networks import Discriminator, Generator, Network, frame
from consingan.methods.singan.pyramid import Pyramid

FOLDER = Path(
    os.environ.get("CONFORMANCE_SINGAN_DIR", Path(__file__).parent / "data" / "conformance_singan")
)
MARGIN = 5
BYTE_FLIPS = 1e-3  # share of values that rounding may put into another byte

Arrays = dict[str, Tensor]


def load(name: str) -> tuple[Arrays, Any]:
    """Arrays of a file, floats as float32, and its settings."""
    path = FOLDER / f"{name}.npz"
    assert path.is_file(), f"{path} is missing"
    with np.load(path) as file:
        arrays = {k: torch.from_numpy(np.asarray(file[k])) for k in file.files if k != "meta"}
        meta = json.loads(str(file["meta"])) if "meta" in file.files else None
    floats = {k: v.float() for k, v in arrays.items() if v.dtype in (torch.float16, torch.float32)}
    return arrays | floats, meta


def load_json(name: str) -> Any:
    """A JSON file of the folder."""
    path = FOLDER / f"{name}.json"
    assert path.is_file(), f"{path} is missing"
    return json.loads(path.read_text())


def part(arrays: Mapping[str, Tensor], prefix: str) -> Arrays:
    """Arrays under `prefix.`, without it."""
    start = f"{prefix}."
    return {k[len(start) :]: v for k, v in arrays.items() if k.startswith(start)}


def fill(network: Network, weights: Arrays) -> Network:
    """Load weights that lack the counter of batches, which nothing reads."""
    missing, unexpected = network.load_state_dict(weights, strict=False)
    assert all(name.endswith("num_batches_tracked") for name in missing)
    assert all("running_" in name or "num_batches" in name for name in unexpected)
    return network


def picture(pixels: Tensor) -> Tensor:
    """Bytes (h, w, 3) as an image (1, 3, h, w) in [-1, 1], as the authors read files."""
    return pixels.permute(2, 0, 1)[None].float().div(255).sub(0.5).mul(2).clamp(-1, 1)


def trained_generator(architecture: Architecture, arrays: Arrays, prefix: str) -> Generator:
    """A generator with recorded weights, in evaluation mode."""
    generator = Generator(architecture)
    fill(generator, part(arrays, prefix))
    return generator.eval()


def model() -> tuple[list[Scale], Pyramid]:
    """The trained model of model.npz."""
    arrays, meta = load("model")
    architecture = Architecture(meta["nfc"], meta["min_nfc"])
    return [
        Scale(
            trained_generator(architecture, arrays, f"G.{n}"),
            arrays[f"real.{n}"],
            arrays[f"z_opt.{n}"],
            float(arrays[f"amp.{n}"]),
        )
        for n in range(meta["scales"])
    ], Pyramid(1.0, meta["adjusted_scale_factor"], tuple(tuple(s) for s in meta["sizes"]))


@dataclass
class Replay:
    """A recorded training, repeated scale by scale; `errors` holds the largest of each kind."""

    name: str
    make_engine: Callable[[ScaleTask], Engine] = PlainEngine
    dtype: torch.dtype = torch.float32
    changes: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.arrays, self.meta = load(self.name)
        self.to_border = "animation" in self.name
        self.scales: list[Scale] = []

    def run(self) -> dict[str, float]:
        """All scales; the errors."""
        networks: tuple[Network, Network] | None = None
        for scale in range(len(self.meta["scales"])):
            networks = self._networks(scale, networks)
            self._run_scale(scale, *networks)  # type: ignore[arg-type]
        return self.errors

    def _networks(self, scale: int, before: Any) -> tuple[Network, Network]:
        """The recorded first weights, or those that the scale before ended with."""
        numbers = self.meta["scales"][scale]
        architecture = Architecture(numbers["nfc"], numbers["min_nfc"])
        pair: tuple[Network, Network] = Generator(architecture), Discriminator(architecture)
        for network, old, letter in zip(pair, before or (None, None), "GD", strict=True):
            recorded = part(self.arrays, f"scale{scale}.{letter}_before")
            fill(network, recorded if recorded else old.state_dict())
            network.to(self.dtype).train()
        return pair

    def _framed(self, noise: Tensor) -> Tensor:
        wide = noise if self.to_border else frame(noise, MARGIN)
        return wide.expand(-1, 3, -1, -1).to(self.dtype)

    def _up(self, scale: int, noises: list[Tensor]) -> Tensor:
        """What the trained scales hand to `scale`, checked elsewhere against what is recorded."""
        factor = 1 / self.meta["adjusted_scale_factor"]
        below = climb(self.scales, noises, torch.zeros_like(self.arrays["real.0"]), factor)
        like = frame(self.arrays[f"real.{scale}"], MARGIN)
        return handed_up(below, factor, like, MARGIN)

    def _run_scale(self, scale: int, generator: Generator, discriminator: Discriminator) -> None:
        arrays, meta, prefix = self.arrays, self.meta, f"scale{scale}."
        real = arrays[f"real.{scale}"].to(self.dtype)
        below = torch.zeros_like(real)
        amplitude = 1.0
        if scale:
            below = arrays[f"{prefix}z_prev"].to(self.dtype)
            self._bytes("z_prev", self._up(scale, [s.fixed for s in self.scales]), below)
            amplitude = meta["noise_amp"] * float((real - below).square().mean().sqrt())
            self._note("amp", amplitude - arrays[f"{prefix}amp"])
        names = ("lr_g", "lr_d", "beta1", "Gsteps", "Dsteps", "lambda_grad", "alpha")
        recipe = Recipe(*(meta[name] for name in names), **self.changes)
        task = ScaleTask(generator, discriminator, real, frame(below, MARGIN), amplitude, recipe)
        engine = self.make_engine(task)
        for t in range(meta["niter"]):
            draws = self._draws(scale, t)
            self._compare_losses(engine.step(draws), prefix, t)
            if counts_a_picture(t, meta["niter"]):
                engine.reconstruct(draws.fixed)
        for letter, network in (("G", generator), ("D", discriminator)):
            self._compare_weights(network, f"{prefix}{letter}_after")
        fixed = arrays[f"{prefix}z_opt"]
        trained = trained_generator(generator.architecture, arrays, f"{prefix}G_after")
        self.scales.append(Scale(trained, real.float(), fixed, amplitude))

    def _draws(self, scale: int, t: int) -> Draws:
        arrays, prefix = self.arrays, f"scale{scale}."
        noise = self._framed(arrays[f"{prefix}noise.{t}"])
        fixed = torch.zeros_like(noise)
        steps = self.meta["Dsteps"]
        if scale == 0:
            fixed = self._framed(arrays[f"{prefix}z_opt.{t}"])
            previous = torch.zeros_like(arrays["real.0"]).expand(steps, -1, -1, -1)
        else:
            previous = torch.cat([arrays[f"{prefix}prev.{t}.{j}"] for j in range(steps)])
            for j in range(steps):
                drawn = [arrays[f"{prefix}prev_noise.{t}.{j}.{k}"] for k in range(scale)]
                mine = self._up(scale, [self._framed(z).float() for z in drawn])
                self._bytes("prev", mine, previous[j : j + 1])
        previous = frame(previous, MARGIN).to(self.dtype)
        return Draws(noise, fixed, previous, arrays[f"{prefix}alpha"][t].to(self.dtype))

    def _compare_losses(self, losses: Any, prefix: str, t: int) -> None:
        recorded = {name: self.arrays[f"{prefix}{name}"][t] for name in
                    ("errD_real", "errD_fake", "penalty", "errG", "rec")}  # fmt: skip
        self._note("losses", losses.critic[:, 0] + recorded["errD_real"])
        self._note("losses", losses.critic[:, 1] - recorded["errD_fake"])
        self._note("losses", losses.critic[:, 2] - recorded["penalty"])
        self._note("losses", losses.generator[:, 0] - recorded["errG"])
        self._note("losses", losses.generator[:, 1] - recorded["rec"])

    def _compare_weights(self, network: Network, prefix: str) -> None:
        state = network.state_dict()
        for name, value in part(self.arrays, prefix).items():
            if "num_batches" not in name and name in state:
                kind = "statistics" if "running_" in name else "weights"
                self._note(kind, state[name] - value)

    def _note(self, kind: str, difference: Tensor) -> None:
        self.errors[kind] = max(self.errors.get(kind, 0.0), float(difference.abs().max()))

    def _bytes(self, kind: str, actual: Tensor, expected: Tensor) -> None:
        assert byte_errors(actual, expected) <= BYTE_FLIPS, kind
        self._note(f"{kind} (bytes aside)", torch.quantile((actual - expected).abs(), 0.99))


def byte_errors(actual: Tensor, expected: Tensor, atol: float = 1e-4) -> float:
    """Share of values that differ, one byte's flip being all that can make them."""
    assert actual.shape == expected.shape
    return float(((actual - expected).abs() > atol).double().mean())


def sequence(arrays: Mapping[str, Tensor], prefix: str) -> Iterator[Tensor]:
    """Arrays `prefix.0`, `prefix.1`, ... as recorded."""
    number = 0
    while f"{prefix}.{number}" in arrays:
        yield arrays[f"{prefix}.{number}"]
        number += 1


def leave_as_authors(model: SinGAN, folder: Path) -> Path:
    """A folder with the files of a run that the authors' program reads and writes."""
    folder.mkdir(parents=True)
    lists = {
        "reals": [real.clone() for real in model.reals],
        "Zs": [scale.fixed.clone() for scale in model.scales],
        "NoiseAmp": [torch.tensor(scale.amplitude) for scale in model.scales],
    }
    for name, values in lists.items():
        torch.save(values, folder / f"{name}.pth")
    for n, scale in enumerate(model.scales):
        (folder / str(n)).mkdir()
        torch.save(scale.generator.state_dict(), folder / str(n) / "netG.pth")
    return folder
