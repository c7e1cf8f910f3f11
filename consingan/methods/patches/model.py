"""A picture as a model: what the outputs ask for (`contract.Samples`, `Walks`, `Enters`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.images.fit import beside
from consingan.images.resize import resize_to
from consingan.machine.memory import refuse_beyond_free
from consingan.machine.progress import counted, untold
from consingan.methods.contract import Task, Walk
from consingan.methods.holes import Holed
from consingan.methods.patches.analogy import inverted
from consingan.methods.patches.config import PatchesConfig
from consingan.methods.patches.engines import MEANS, ClosedFormEngine, FastEngine, engine_for
from consingan.methods.patches.entry import Door, enter, with_own_shapes
from consingan.methods.patches.finishing import Limit, Prepared, begun, finished
from consingan.methods.patches.footprint import footprint
from consingan.methods.patches.inpainting import FLOOR, Filling, known, unlike
from consingan.methods.patches.layout import laid_around, opened
from consingan.methods.patches.method import level_advice
from consingan.methods.patches.pyramid import NO_WRAP, Size, build_pyramid, size_of
from consingan.methods.patches.recipe import PAPER, Recipe, at, hastened
from consingan.methods.patches.sampling import Canvas, Entry, Noise, SeededNoise, on_layout, sample
from consingan.methods.patches.shares import Shares
from consingan.methods.patches.source import WITHIN, Source, canvas_sizes, scales_for, source_of
from consingan.methods.patches.tasks import TASKS
from consingan.methods.patches.walk import WALK_SCALE, TurnedNoise, smoothed, turns
from consingan.nn.noise import stream


@dataclass
class PatchDiffusion:
    """A picture whose patches make others.

    Attributes:
        config: settings.
        real: (1, C, H, W) in [-1, 1].
        engine: auto, exact, fused or fast.
        done: called after every step of a sample.
        holed: the picture at its own size with a hole that is to be filled.
    """

    config: PatchesConfig
    real: Tensor
    engine: str = "auto"
    done: Callable[[], None] = untold
    stages: int = 0
    holed: Holed | None = None
    saw_known = False
    always_closed = True  # its films
    _sources: dict[tuple[int, int], Source] = field(default_factory=dict)

    @property
    def task(self) -> Task:
        """What is made."""
        task = TASKS[self.config.train_mode]
        return task if self.holed is None else task.with_hole()

    @property
    def device(self) -> torch.device:
        """Where it is computed."""
        return self.real.device

    @property
    def sizes(self) -> list[Size]:
        """(h, w) of the picture."""
        return [size_of(self.real)]

    @property
    def finite(self) -> bool:
        """Whether the picture is."""
        return bool(torch.isfinite(self.real).all())

    @property
    def starts(self) -> range:
        """There is one door; how much is made anew is `level`."""
        return range(1)

    @property
    def first_start(self) -> int:
        """Where a picture of the user's own enters."""
        return 0

    @property
    def least_size(self) -> Size:
        """The smallest (h, w): a patch."""
        return self.config.patch, self.config.patch

    def weights(self) -> dict[str, Tensor]:
        """None: nothing is learned."""
        return {}

    def at_a_time(self, size: Size | None = None) -> int:  # noqa: ARG002
        """One: a sample fills the machine by itself."""
        return 1

    def chosen_engine(self, size: Size) -> str:
        """The engine for what is made at `size` (h, w)."""
        if self.engine != "auto":
            return self.engine
        return engine_for(max(size, self.sizes[0], key=lambda s: s[0] * s[1]))

    def facts(self, size: Size | None = None) -> Iterator[str]:
        """Lines that say what is made at `size` (h, w) and how."""
        what = "The output" if size else "The picture"
        size = size or self.sizes[0]
        recipe = self.recipe(self.chosen_engine(size))
        scales = scales_for([self.sizes[0], size], recipe)
        coarsest = canvas_sizes(size, scales, recipe, what)[-1]
        yield (
            f"{counted(scales, 'scale')} from {coarsest[1]}x{coarsest[0]} (WxH), patches of "
            f"{recipe.patch} px, engine {self.chosen_engine(size)}; nothing is trained"
        )
        if scales == 1 and self.config.keeps_layout:
            yield (
                f"Note: up to {recipe.floor} px on the shorter side there is one scale, so that "
                "the stretched picture itself comes out; use larger sizes, or --loosen."
            )

    def check(self) -> None:
        """Refuse a picture without a patch.

        Raises:
            UserError: it is smaller than one.
        """
        recipe = self.recipe("exact")
        canvas_sizes(self.sizes[0], scales_for(self.sizes, recipe), recipe, WITHIN)

    def recipe(self, engine: str) -> Recipe:
        """The numbers for this task and engine."""
        config = self.config
        row = config.train_mode
        tile, symmetric = config.formed
        if tile != "none":
            row = "tile"
        elif symmetric != "none":
            row = "symmetric"
        recipe = PAPER.get(row, PAPER["generation"])
        floor = config.min_side or recipe.floor
        floor = max(floor, config.patch) if floor else None
        recipe = replace(recipe, patch=config.patch, floor=floor)
        return hastened(recipe) if engine == "fast" else recipe

    def steps(self, size: Size | None = None) -> int:
        """How many steps one sample of `size` (h, w) takes: so often is `done` called."""
        size = size or self.sizes[0]
        recipe = self.recipe(self.chosen_engine(size))
        scales = scales_for([self.sizes[0], size], recipe)
        made = scales - self.config.keeps_layout
        return sum(at(recipe.steps, scale, scales) for scale in range(made))

    def memory(self, size: Size) -> int:
        """Bytes that a picture of `size` (h, w) takes beside the program."""
        engine = self.chosen_engine(size)
        return footprint(self.real, size, self.recipe(engine), self.config, engine == "fast")

    def sample(self, indices: Sequence[int], size: Size | None = None, seed: int = 0) -> Tensor:
        """See `contract.Samples`."""
        return torch.stack([self._one(index, size or self.sizes[0], seed) for index in indices])

    @torch.no_grad()
    def _one(self, index: int, size: Size, seed: int) -> Tensor:
        canvas, engine = self.prepared(size, stream(seed, "patches", index, "candidates"))
        noise = SeededNoise(seed, index, canvas.sizes, self.real[0])
        canvas, entry = self._beginning(canvas, noise)
        made = sample(canvas, engine, noise, entry).clamp(-1, 1).cpu()
        return opened(made, canvas.wrap)

    def prepared(
        self, size: Size, rng: torch.Generator, engine: str = ""
    ) -> tuple[Canvas, ClosedFormEngine | FastEngine]:
        """What is made at `size` (h, w), and the engine for one sample of it.

        Raises:
            UserError: it is smaller than a patch, or too large for the memory.
        """
        what, less = f"Pictures of {size[1]}x{size[0]}", "a smaller --size or --max_size"
        needed = self.memory(size) - sum(source.held for source in self._sources.values())
        refuse_beyond_free(needed, self.device, what, less)
        name = engine or self.chosen_engine(size)
        recipe = self.recipe(name)
        scales = scales_for([self.sizes[0], size], recipe)
        sizes = canvas_sizes(size, scales, recipe, "The output")
        source = self._source(scales, recipe)
        ends = self.config.wraps
        wrap, seamless = (ends, NO_WRAP) if name == "fast" else (NO_WRAP, ends)
        around = laid_around(self.config.formed[1], seamless)
        canvas = Canvas(sizes, recipe, wrap, around, self.done)
        shares = Shares.of(self.config, recipe, rng)
        if name == "fast":
            return canvas, FastEngine(source, recipe, rng, shares, wrap)
        return canvas, ClosedFormEngine(source, recipe, MEANS[name], shares)

    def _source(self, scales: int, recipe: Recipe) -> Source:
        key = scales, recipe.patch
        if key not in self._sources:
            self._sources = {key: source_of(self.real[0], scales, recipe)}
        return self._sources[key]

    def _beginning(self, canvas: Canvas, noise: Noise) -> tuple[Canvas, Entry | None]:
        """Of a sample: pure noise, or the picture stretched to the output's size."""
        if not TASKS[self.config.train_mode].stretched:
            return canvas, None
        wide = resize_to(self.real, canvas.sizes[0])[0]
        return on_layout(canvas, build_pyramid(wide, canvas.sizes)[-1], noise, self.config.loosen)

    def check_start(self, stage: int) -> None:
        """Refuse a start stage: there is one door."""
        if stage != 0:
            raise UserError(
                f"--start_stage {stage} is not there, only 0. {level_advice(self.config)}".rstrip()
            )

    @torch.no_grad()
    def enter(self, image: Tensor, stage: int = 0, seed: int = 0) -> Tensor:
        """See `contract.Enters`; without a mask a hole is where `image` differs from `real`."""
        self.check_start(stage)
        size = beside(size_of(image), self.sizes[0]) if self.task.own_shape else self.sizes[0]
        own = resize_to(image.to(self.real), size).clamp(-1, 1)
        if self.config.train_mode == "inpainting":
            return self.fill(image, unlike(own.cpu(), self.real.cpu()), seed)
        make = self._analogous if self.config.train_mode == "analogy" else self._entered
        return make(own[0], seed).clamp(-1, 1).cpu()[None]

    @torch.no_grad()
    def fill(self, image: Tensor, mask: Tensor, seed: int = 0) -> Tensor:
        """See `contract.Fills`."""
        own, hole = known(image.to(self.real), mask, self.sizes[0])
        if not hole.any():
            return own.cpu()
        filling = Filling.of(own[0], hole, self.config.patch, self.config.min_side or FLOOR)
        return filling.fill(seed).clamp(-1, 1).cpu()[None]

    def _entered(self, own: Tensor, seed: int) -> Tensor:
        canvas, engine = self.prepared(size_of(own), stream(seed, "patches", 0, "entry"))
        noise = SeededNoise(seed, 0, canvas.sizes, own)
        door = Door(0, self.config.level)
        made = enter(canvas, engine, noise, build_pyramid(own, canvas.sizes, canvas.wrap), door)
        return with_own_shapes(made, own, self.config.keep)

    @torch.no_grad()
    def finish(
        self, picture: Tensor, level: float, seed: int = 0, index: int = 0, within: float = 0.0
    ) -> Tensor:
        """See `contract.Finishes`; means of all patches, as exact ones are, would be blurred."""
        own = picture.to(self.real)[0]
        limit = Limit(within, own, self.real[0], self.config.wraps) if within else None
        made = finished(self._entry(own, seed, index), own, (seed, index), level, limit)
        return made.clamp(-1, 1).cpu()[None]

    @torch.no_grad()
    def begun(self, picture: Tensor, level: float, seed: int = 0, index: int = 0) -> Tensor:
        """See `contract.Finishes`."""
        own = picture.to(self.real)[0]
        return next(begun(self._entry(own, seed, index), own, (seed, index), level)).cpu()[None]

    def _entry(self, own: Tensor, seed: int, index: int) -> Prepared:
        return lambda: self.prepared(size_of(own), stream(seed, "patches", index, "entry"), "fast")

    def _analogous(self, own: Tensor, seed: int) -> Tensor:
        """The picture's patches on the layout of `own` (C, h, w), from its inversion."""
        canvas, engine = self.prepared(size_of(own), stream(seed, "patches", 0, "analogy"))
        last = canvas.scales - 1
        layout = source_of(own, canvas.scales, canvas.recipe)
        denoise = ClosedFormEngine(layout, canvas.recipe, MEANS["exact"]).denoiser(
            last, canvas.sizes[-1], None
        )
        noise = SeededNoise(seed, 0, canvas.sizes, own)
        drawn = SeededNoise(seed, 1, canvas.sizes, own).start(last)
        level = self.config.level
        levels = canvas.levels(last)
        entry = inverted(layout.pyramid[-1], last, levels, denoise, drawn, level)
        return sample(canvas, engine, noise, entry)

    def frames(self, count: int, walk: Walk) -> Iterator[Tensor]:
        """See `contract.Walks`: a closed walk, smoothed over time."""
        self.check_start(walk.start_stage)
        made = (self._frame(n, count, walk) for n in range(count))
        yield from smoothed(made, count)

    @torch.no_grad()
    def _frame(self, number: int, count: int, walk: Walk) -> Tensor:
        size = walk.size or self.sizes[0]
        canvas, engine = self.prepared(size, stream(walk.seed, "patches", 0, "walk"))
        noise: Noise = TurnedNoise(
            SeededNoise(walk.seed, 0, canvas.sizes, self.real[0]),
            SeededNoise(walk.seed, 1, canvas.sizes, self.real[0]),
            turns(walk.beta, count) * number / count,
        )
        wide = resize_to(self.real, size)[0]
        level = min(1.0, max(1e-3, self.config.level * (1.1 - walk.alpha)))
        door = Door(max(0, canvas.scales - WALK_SCALE), level)
        made = enter(canvas, engine, noise, build_pyramid(wide, canvas.sizes), door)
        return made.clamp(-1, 1).cpu()[None]
