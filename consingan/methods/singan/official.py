"""Read runs of the authors' program: lists of tensors and the state dicts in numbered folders.

Everything through `weights_only`; `Gs.pth`, pickled whole modules, is never touched. What the
program does not write down (the exact ratio of the scales, widths, depth) is found from the sizes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.methods.singan.architecture import Architecture
from consingan.methods.singan.chain import Scale
from consingan.methods.singan.method import LISTS
from consingan.methods.singan.networks import Generator
from consingan.methods.singan.pyramid import Pyramid, enlargement_in_steps_of
from consingan.methods.singan.resize import Size, resized
from consingan.methods.singan.tasks import TASKS

NOISE_TO_BORDER = re.compile(r"scale_factor=(?P<factor>[\d.]+)_noise_padding$")
PADDED = re.compile(r"scale_factor=(?P<factor>[\d.]+),alpha=(?P<alpha>\d+)$")
ENLARGING = TASKS["super_resolution"].overrides  # which SR.py trains with, whatever is typed


@dataclass(frozen=True)
class OfficialRun:
    """What a folder of the authors holds.

    Attributes:
        scales: trained ones, coarsest first.
        reals: (1, 3, h, w) in [-1, 1], the training image at every scale, trained or not.
        pyramid: sizes and ratio.
        min_size: px, as the training must have had it.
        scale_factor: as typed, None where the folder's name does not say it.
        alpha: weight of the reconstruction, as typed, likewise.
        animated: trained with noise to the border.
        sr_factor: of a super-resolution; None of another training.
    """

    scales: list[Scale]
    reals: list[Tensor]
    pyramid: Pyramid
    min_size: int
    scale_factor: float | None
    alpha: float | None
    animated: bool
    sr_factor: float | None = None

    @property
    def task(self) -> str:
        """What it was trained for; what was trained plainly serves several."""
        if self.sr_factor is not None:
            return "super_resolution"
        return "animation" if self.animated else "generation"


def load_official(path: Path) -> OfficialRun:
    """Read the folder `path`, see `find_official`.

    Raises:
        UserError: a file is missing, damaged, or of no such run.
    """
    fixed, reals, amplitudes = (_tensors(path / name) for name in LISTS)
    _refuse_shapes(path, fixed, reals, amplitudes)
    count = min(len(fixed), len(reals), len(amplitudes), _finished(path))
    sizes = [(r.shape[-2], r.shape[-1]) for r in reals]
    animated = NOISE_TO_BORDER.search(path.name)
    named = animated or PADDED.search(path.name)
    given = named.groupdict() if named else {}
    sr_factor = _sr_factor(given, sizes)
    likely = () if sr_factor is None else (ENLARGING["min_size"],)
    pyramid, min_size = find_pyramid(sizes, path, likely)
    scales = [
        Scale(
            _generator(path / str(n) / "netG.pth"),
            reals[n].float(),
            fixed[n].float().expand(-1, 3, -1, -1),
            float(amplitudes[n]),
        )
        for n in range(count)
    ]
    return OfficialRun(
        scales,
        [real.float() for real in reals],
        pyramid,
        min_size,
        float(given["factor"]) if "factor" in given else None,
        float(given["alpha"]) if "alpha" in given else None,
        _reaches_border(fixed[0]) if named is None else animated is not None,
        sr_factor,
    )


def _sr_factor(given: Mapping[str, str], sizes: Sequence[Size]) -> float | None:
    """Of a run that SR.py left: with its alpha, its min_size and a ratio that a factor gives."""
    if float(given.get("alpha", 0)) != ENLARGING["alpha"]:
        return None
    if _ratio(sizes, ENLARGING["min_size"]) is None:
        return None
    if given["factor"].endswith("0000"):
        return None  # as somebody types it: a training like any other, with this alpha and min_size
    return enlargement_in_steps_of(float(given["factor"]))


def find_pyramid(sizes: Sequence[Size], path: Path, likely: Sequence[int]) -> tuple[Pyramid, int]:
    """The ratio that gives `sizes` back, and the min_size behind it, `likely` ones first.

    The coarsest scale's shorter side is min_size or, by rounding, one px more.

    Raises:
        UserError: no ratio gives these sizes.
    """
    for min_size in (*likely, min(sizes[0]), min(sizes[0]) - 1):
        ratio = _ratio(sizes, min_size)
        if ratio is not None:
            return Pyramid(1.0, ratio, tuple(sizes)), min_size
    raise UserError(
        f"{path} does not hold the pyramid of a SinGAN training (its sizes do not fit)."
    )


def _ratio(sizes: Sequence[Size], min_size: int) -> float | None:
    """The ratio of the pyramid that begins at `min_size`; None where it has not these sizes."""
    last, finest = len(sizes) - 1, sizes[-1]
    ratio = (min_size / min(finest)) ** (1 / last) if last else 1.0
    again = [resized(finest, ratio ** (last - n)) for n in range(last + 1)]
    return ratio if again == list(sizes) else None


def _reaches_border(fixed: Tensor) -> bool:
    return bool((fixed[..., 0, :] != 0).any())


def _finished(path: Path) -> int:
    scales = 0
    while (path / str(scales) / "netG.pth").is_file():
        scales += 1
    return scales


def _generator(path: Path) -> Generator:
    state = _state(path)
    generator = Generator(_architecture_of(state, path))
    _fill(generator, state, path)
    return generator.eval()


def _architecture_of(state: dict[str, Tensor], path: Path) -> Architecture:
    """Widths, depth and kernel that weights named as the authors' have."""
    try:
        channels, image_channels, kernel, _ = state["head.conv.weight"].shape
        narrowest = state["tail.0.weight"].shape[1]
    except (KeyError, ValueError, IndexError):
        raise _unfit(path, "it has no head or no tail") from None
    blocks = sum(k.startswith("body.block") and k.endswith("conv.weight") for k in state)
    return Architecture(channels, narrowest, blocks + 2, kernel, image_channels)


def _fill(network: torch.nn.Module, state: dict[str, Tensor], path: Path) -> None:
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise _unfit(path, str(error)) from None


def _refuse_shapes(
    path: Path, fixed: list[Tensor], reals: list[Tensor], amplitudes: list[Tensor]
) -> None:
    """Noise must be (1, 1 or 3, h, w), pictures (1, 3, h, w), amplitudes single numbers.

    Raises:
        UserError: one is of another shape.
    """
    for name, tensors, channels in ((LISTS[0], fixed, (1, 3)), (LISTS[1], reals, (3,))):
        for found in tensors:
            usual = found.dim() == 4 and found.shape[0] == 1 and found.shape[1] in channels
            if not usual or not found.numel() or not _is_plain(found):
                raise _unfit(path / name, f"it holds a tensor {tuple(found.shape)}")
    for noise, real in zip(fixed, reals, strict=False):
        if any(n < r for n, r in zip(noise.shape[-2:], real.shape[-2:], strict=True)):
            raise _unfit(path / LISTS[0], "its noise is smaller than the pictures")
    if not all(found.numel() == 1 and _is_plain(found) for found in amplitudes):
        raise _unfit(path / LISTS[2], "it holds more than one number for a scale")


def _is_plain(found: Tensor) -> bool:
    return found.layout == torch.strided and not found.is_complex()


def _state(path: Path) -> dict[str, Tensor]:
    state = _load(path)
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise _unfit(path, "no state dict")
    return state


def _tensors(path: Path) -> list[Tensor]:
    values = _load(path)
    if not isinstance(values, list) or not values:
        raise _unfit(path, f"a {type(values).__name__} instead of a list")
    try:
        return [torch.as_tensor(value) for value in values]
    except (TypeError, ValueError, RuntimeError):
        raise _unfit(path, "it holds something else than numbers") from None


def _load(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch's unpickler raises anything on damaged files
        raise _unfit(path, str(error)) from None


def _unfit(path: Path, reason: str) -> UserError:
    first = (reason.splitlines() or ["unreadable"])[0]
    return UserError(f"{path} is damaged or not of a SinGAN run ({first[:200]}).")
