"""Agreement with numbers that the authors' program computed, for the engines exact and fused.

The folder named by CONFORMANCE_PATCHES_DIR is read, else the project's own copy. Sizes, settings
and noise are taken from the files, so that other files of the same kind can be put through.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.images.resize import resize_to
from consingan.methods.patches.analogy import inverted
from consingan.methods.patches.denoiser import ClosedForm, Denoiser
from consingan.methods.patches.engines import MEANS, ClosedFormEngine
from consingan.methods.patches.layout import Mirrored, Shifted
from consingan.methods.patches.levels import Levels, flow_linear, nearest_index
from consingan.methods.patches.pyramid import (
    blend,
    build_pyramid,
    scale_count,
    scale_sizes,
    size_of,
)
from consingan.methods.patches.recipe import Recipe
from consingan.methods.patches.sampler import Descent, step
from consingan.methods.patches.sampling import Canvas, Entry, sample
from consingan.methods.patches.source import source_of
from consingan.methods.patches.windows import Windows, cut

FOLDER = Path(
    os.environ.get(
        "CONFORMANCE_PATCHES_DIR",
        Path(__file__).parents[2] / "data" / "conformance_patches",
    )
)
WHOLE = ("uncond", "retarget", "tileable", "symmetric", "analogy")
ENGINES = ("exact", "fused")
SCHEDULE, RESIZE, DENOISED, FORCED, FORCED_STEEP = 1e-6, 2e-6, 1e-4, 1e-4, 1e-3
FAR, SHARE = 1e-3, 0.01  # float32 breaks near-ties between patches: so many values may be so far

Arrays = dict[str, Tensor]


def load(name: str) -> Arrays:
    path = FOLDER / f"{name}.npz"
    assert path.is_file(), f"{path} is missing"
    with np.load(path) as file:
        return {key: torch.from_numpy(np.asarray(file[key])) for key in file.files}


def families(prefix: str) -> list[str]:
    """Names of the recorded samples of a kind: uncond.npz, uncond_2.npz, ..."""
    found = sorted(path.stem for path in FOLDER.glob(f"{prefix}*.npz"))
    return found or [prefix]  # a missing file fails in its test


SAMPLES = [name for prefix in WHOLE for name in families(prefix)]


def assert_near(ours: Tensor, theirs: Tensor, tolerance: float) -> None:
    assert ours.shape == theirs.shape
    assert float((ours - theirs).abs().max()) <= tolerance


def assert_mostly(ours: Tensor, theirs: Tensor) -> None:
    """Equal but for near-ties between patches."""
    assert ours.shape == theirs.shape
    assert float(((ours - theirs).abs() > FAR).float().mean()) <= SHARE


def test_number_and_sizes_of_scales() -> None:
    for row in load("shapes")["table"].tolist():
        height, width, patch, floor, asked, used, *sides = row
        scales = asked or scale_count([(height, width)], floor or None, patch)
        if not used:
            with pytest.raises(UserError):
                scale_sizes((height, width), scales, floor or None)
            continue
        pairs = list(zip(sides[::2], sides[1::2], strict=True))[:used]
        assert scales == used
        assert scale_sizes((height, width), scales, floor or None) == pairs


def test_pyramids_and_blends() -> None:
    arrays = load("pyramid_blend")
    image = arrays["image"]
    for case in (key for key in arrays if key.startswith("case") and "_" not in key):
        scales, floor = (int(v) for v in arrays[case])
        sizes = scale_sizes(size_of(image), scales, floor or None)
        for i, level in enumerate(build_pyramid(image, sizes)):
            assert_near(level, arrays[f"{case}_level{i}"], RESIZE)
        for i in range(scales - 1):
            fine, coarse = arrays[f"{case}_fine{i}"], arrays[f"{case}_coarse{i}"]
            assert_near(blend(fine, coarse, floor or None), arrays[f"{case}_blend{i}"], RESIZE)


def test_noise_levels() -> None:
    arrays = load("denoiser")
    flow = flow_linear(10, 1e-4, 1.0)
    assert_near(torch.tensor(flow.alpha), arrays["sched_flow10_alpha"], SCHEDULE)
    assert_near(torch.tensor(flow.sigma), arrays["sched_flow10_sigma"], SCHEDULE)


def test_the_level_nearest_to_a_noise_level() -> None:
    levels = flow_linear(50, 0.01, 1.0)
    for level, index in load("denoiser")["noise_index"].tolist():
        assert nearest_index(levels, level) == index


@pytest.mark.parametrize("engine", ENGINES)
def test_the_denoiser(engine: str) -> None:
    arrays = load("denoiser")
    for name in (key for key in arrays if key.startswith("case") and "_" not in key):
        patch, rho, stride, every, *_ = arrays[name].tolist()
        patches = cut(arrays["image"], int(patch), int(every))
        for key in (k for k in arrays if k.startswith(f"{name}_") and k.endswith("_xt")):
            x, case = arrays[key], key.removesuffix("_xt")
            windows = Windows(size_of(x), int(patch), int(stride), rho, whole=False)
            alpha, sigma = arrays[f"{case}_alpha_sigma"].tolist()
            ours = ClosedForm(patches, windows, MEANS[engine])(x, alpha, sigma)
            assert_near(ours, arrays[f"{case}_xhat"], DENOISED)


@dataclass(frozen=True)
class Case:
    """A recorded sample: its settings, and a canvas and an engine that make it."""

    kind: str
    arrays: Arrays
    engine: str

    @property
    def recipe(self) -> Recipe:
        patch, floor, scales, eta, _, rho, stride, sigma_min, _, _ = self.arrays["params"].tolist()
        steps = self.arrays["steps"].flip(0).tolist()
        return Recipe(
            int(patch), int(floor) or None, int(scales), steps, (int(stride),), eta, sigma_min,
            rho=rho,
        )  # fmt: skip

    @property
    def canvas(self) -> Canvas:
        return Canvas([(h, w) for h, w in self.arrays["shapes"].tolist()], self.recipe,
                      around=self._around)  # fmt: skip

    def _around(self, scale: int, denoise: Denoiser) -> Denoiser:
        if self.kind == "symmetric":
            return Mirrored(denoise, "left")
        if self.kind == "tileable":
            return Shifted(denoise, shifts=int(self.arrays["params"][9]))
        return denoise

    @property
    def closed_form(self) -> ClosedFormEngine:
        image = self.arrays["style" if self.kind == "analogy" else "image"]
        source = source_of(image, self.canvas.scales, self.recipe)
        return ClosedFormEngine(source, self.recipe, MEANS[self.engine], whole=False)

    def entry(self) -> Entry | None:
        last = self.canvas.scales - 1
        if self.kind == "retarget":
            return Entry(last, stretched(self), 0)
        if self.kind == "analogy":
            return inversion(self)
        return None

    def noises(self) -> Recorded:
        return Recorded(self)

    def states(self) -> Iterator[tuple[int, int]]:
        """(scale, t) of every step that was recorded."""
        for scale in range(self.canvas.scales):
            for t in range(1, self.canvas.levels(scale).last + 1):
                if f"x_s{scale}_t{t:02d}" in self.arrays:
                    yield scale, t


class Recorded:
    """The recorded noise: starts (finest first), then fresh ones as they occurred."""

    def __init__(self, case: Case) -> None:
        drawn = [case.arrays[k] for k in sorted(case.arrays) if k.startswith("noise_")]
        first = 1 if case.kind == "analogy" else 0
        starts = case.canvas.scales - (case.kind == "retarget")
        self.starts, rest = drawn[first : first + starts], iter(drawn[first + starts :])
        self.later = {}
        if case.recipe.eta > 0:
            for scale in range(starts - 1, -1, -1):
                for t in range(case.canvas.levels(scale).last, 1, -1):
                    self.later[scale, t] = next(rest)

    def start(self, scale: int) -> Tensor:
        return self.starts[scale]

    def fresh(self, scale: int, t: int) -> Tensor:
        return self.later[scale, t]


def stretched(case: Case) -> Tensor:
    """The reference stretched to the output's size, at its coarsest scale."""
    sizes = case.canvas.sizes
    wide = resize_to(case.arrays["image"][None], sizes[0])[0]
    return build_pyramid(wide, sizes)[-1]


def inversion(case: Case) -> Entry:
    image, last = case.arrays["image"], case.canvas.scales - 1
    own = source_of(image, case.canvas.scales, case.recipe)
    denoise = ClosedFormEngine(own, case.recipe, MEANS[case.engine], whole=False)
    return inverted(
        own.pyramid[-1], last, case.canvas.levels(last),
        denoise.denoiser(last, case.canvas.sizes[-1], None), case.arrays["noise_000"],
        float(case.arrays["params"][8]),
    )  # fmt: skip


def case_of(name: str, engine: str) -> Case:
    kind = next(prefix for prefix in WHOLE if name.startswith(prefix))
    return Case(kind, load(name), engine)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", SAMPLES)
def test_each_step_from_the_recorded_state(name: str, engine: str) -> None:
    case = case_of(name, engine)
    tolerance = FORCED_STEEP if case.kind == "analogy" else FORCED
    noises, canvas, built = case.noises(), case.canvas, case.closed_form
    for scale, t in case.states():
        before = state_before(case, noises, scale, t)
        if before is None:
            continue
        coarse = coarser(case, scale)
        denoise = canvas.around(scale, built.denoiser(scale, canvas.sizes[scale], coarse))
        floor = case.recipe.floor
        descent = Descent(
            canvas.levels(scale), denoise,
            None if coarse is None else partial(blend, coarse=coarse, floor=floor),
            case.recipe.eta, partial(noises.fresh, scale),
        )  # fmt: skip
        ours, theirs = step(before, t, descent), case.arrays[f"x_s{scale}_t{t:02d}"]
        if t > 1:
            assert_near(ours, theirs, tolerance)
        else:
            assert_mostly(ours, theirs)


def state_before(case: Case, noises: Recorded, scale: int, t: int) -> Tensor | None:
    """The state that step t of a scale started from."""
    recorded = case.arrays.get(f"x_s{scale}_t{t + 1:02d}")
    levels: Levels = case.canvas.levels(scale)
    if recorded is not None:
        return recorded
    if case.kind == "analogy" and scale == case.canvas.scales - 1:
        return case.arrays["inverted"] if f"x_s{scale}_t{t + 1:02d}" not in case.arrays else None
    return levels.sigma[-1] * noises.start(scale) if t == levels.last else None


def coarser(case: Case, scale: int) -> Tensor | None:
    """The finished canvas of the next coarser scale."""
    if scale == case.canvas.scales - 1:
        return None
    if f"x_s{scale + 1}_t01" in case.arrays:
        return case.arrays[f"x_s{scale + 1}_t01"]
    return case.arrays["coarsest"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", SAMPLES)
def test_a_whole_sample_from_the_recorded_noise(name: str, engine: str) -> None:
    case = case_of(name, engine)
    ours = sample(case.canvas, case.closed_form, case.noises(), case.entry())
    assert_mostly((ours + 1) / 2, case.arrays["output"])


@pytest.mark.parametrize("name", families("retarget"))
def test_the_fixed_coarsest_scale_of_a_retarget(name: str) -> None:
    case = case_of(name, "exact")
    assert_near(stretched(case), case.arrays["coarsest"], RESIZE)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", families("analogy"))
def test_the_inversion_of_an_analogy(name: str, engine: str) -> None:
    case = case_of(name, engine)
    assert_near(inversion(case).state, case.arrays["inverted"], FORCED_STEEP)
