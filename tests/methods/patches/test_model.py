"""A picture as a model."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch

from consingan.errors import UserError
from consingan.images import masks
from consingan.images.hole import hole_at
from consingan.images.resize import resize_to
from consingan.methods.patches import inpainting
from consingan.methods.patches.config import PatchesConfig
from consingan.methods.patches.denoiser import BUDGET
from consingan.methods.patches.footprint import BYTES_PER_PIXEL
from consingan.methods.patches.inpainting import known
from consingan.methods.patches.layout import Shifted
from consingan.methods.patches.model import PatchDiffusion
from consingan.methods.patches.pyramid import NO_WRAP
from consingan.methods.patches.sampling import Noise, SeededNoise, sample
from consingan.outputs.composite import compose
from consingan.outputs.requests import CompositeRequest


def model(
    engine: str = "fast", size: tuple[int, int] = (40, 48), **settings: object
) -> PatchDiffusion:
    rng = torch.Generator().manual_seed(0)
    image = torch.rand(1, 3, *size, generator=rng) * 2 - 1
    return PatchDiffusion(PatchesConfig(**{"patch": 7, **settings}), image, engine)  # type: ignore[arg-type]


@pytest.mark.parametrize("engine", ["exact", "fused", "fast"])
def test_a_sample_depends_on_seed_and_number_alone(engine: str) -> None:
    small = (24, 28)
    both = model(engine, small).sample([3, 4], (20, 23), 5)
    assert torch.equal(model(engine, small).sample([4], (20, 23), 5), both[1:])
    assert not torch.equal(both[0], both[1])
    assert both.shape == (2, 3, 20, 23)


@pytest.mark.parametrize("engine", ["exact", "fast"])
def test_a_mirrored_sample_is_its_own_mirror_image(engine: str) -> None:
    made = model(engine, (24, 28), symmetric="top").sample([0])
    assert torch.equal(made, made.flip(2))


def test_a_tile_is_made_of_patches_that_go_on_at_the_other_end() -> None:
    from consingan.methods.patches.windows import cut

    made = model(tile="both", balance=0)
    tile = made.sample([0])[0]
    around = torch.cat([tile[:, :, -3:], tile[:, :, :4]], 2)  # across the seam
    inside = cut(made.real[0], 7)
    rows = cut(around, 7)
    near = torch.cdist(rows, inside).amin(1).mean()
    within = torch.cdist(cut(tile, 7), inside).amin(1).mean()
    assert float(near) < 1.3 * float(within)


@pytest.mark.parametrize("engine", ["exact", "fused", "fast"])
def test_a_tile_is_rolled_as_by_its_authors_or_has_no_ends(engine: str) -> None:
    canvas, _ = model(engine, tile="both").prepared((40, 48), torch.Generator())
    rolled = isinstance(canvas.around(0, lambda x, *_: x), Shifted)
    assert (rolled, canvas.wrap) == ((False, (True, True)) if engine == "fast" else (True, NO_WRAP))


def test_retargeting_begins_with_the_stretched_picture() -> None:
    wide = torch.linspace(-1, 1, 48).expand(1, 3, 40, 48).clone()
    made = PatchDiffusion(PatchesConfig(patch=7, train_mode="retarget"), wide, "fast")
    sample = made.sample([0], (40, 80))[0]
    columns = sample.mean((0, 1))
    assert float((columns[1:] - columns[:-1]).clamp_max(0).abs().max()) < 0.2
    assert float(columns[-8:].mean() - columns[:8].mean()) > 1.4


def test_a_loosened_layout_is_followed_less_and_made_of_more_whole_patches() -> None:
    from commands import scene

    from consingan.methods.patches.windows import cut

    real = torch.from_numpy(scene(28, 34)).permute(2, 0, 1)[None] / 127.5 - 1

    def made(loosen: float) -> tuple[float, float]:
        config = PatchesConfig(patch=7, train_mode="retarget", loosen=loosen)
        model_ = PatchDiffusion(config, real, "exact")
        sample = model_.sample([0], (28, 68))
        layout = (resize_to(sample, (4, 10)) - resize_to(model_.real, (4, 10))).square().mean()
        whole = torch.cdist(cut(sample[0], 7), cut(model_.real[0], 7)).amin(1).mean()
        return float(layout), float(whole)

    published, loosened = made(0.0), made(0.6)
    assert loosened[0] > published[0]
    assert loosened[1] < published[1]


def test_steps_are_counted_as_they_are_made() -> None:
    for settings in ({}, {"loosen": 0.5}, {"train_mode": "generation"}):
        config = PatchesConfig(**{"patch": 7, "train_mode": "retarget", **settings})
        counted: list[None] = []
        model_ = PatchDiffusion(config, model().real, "fast", lambda c=counted: c.append(None))
        model_.sample([0], (40, 60))
        assert len(counted) == model_.steps((40, 60))


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ((12, 40), r"^Within --max_size the picture of 40x12 px .* smaller than a patch of 15 px"),
        ((14, 14), "use a larger one, or train with .* a smaller --patch"),
        ((2, 40), r"use a larger one\.$"),  # no patch is as small
    ],
)
def test_a_picture_smaller_than_a_patch_is_refused(size: tuple[int, int], words: str) -> None:
    with pytest.raises(UserError, match=words):
        model(size=size, patch=15).check()


def test_one_scale_is_no_scales() -> None:
    (line,) = model(size=(14, 16), patch=13).facts()
    assert line.startswith("1 scale from 16x14 (WxH)")


def test_what_is_told_is_of_the_size_that_is_made() -> None:
    made = model("auto", (40, 48))
    lines = [next(made.facts(size)) for size in (None, (20, 30), (80, 96))]
    assert ["engine fast" in line for line in lines] == [False, False, True]
    assert "from 30x20 (WxH)" in lines[1]


def test_where_only_the_stretched_picture_would_come_out_that_is_said() -> None:
    def notes(size: tuple[int, int], **settings: object) -> list[str]:
        lines = model("exact", train_mode="retarget", **settings).facts(size)
        return [line for line in lines if line.startswith("Note:")]

    (note,) = notes((15, 60))
    assert "up to 15 px on the shorter side there is one scale" in note
    assert notes((16, 60)) == notes((15, 60), loosen=0.3) == []
    assert notes((40, 60), min_side=40) != []


def test_whole_patches_of_the_coarsest_scale_count_as_memory() -> None:
    def more(engine: str, size: tuple[int, int]) -> int:
        made = model(engine, (120, 160))
        return made.memory(size) - BYTES_PER_PIXEL * (120 * 160 + size[0] * size[1]) - 2 * BUDGET

    patch = 4 * 3 * 7 * 7  # bytes
    assert more("fast", (24, 24)) == (120 - 6) * (160 - 6) * patch  # one scale
    assert more("fast", (48, 48)) == (60 - 6) * (80 - 6) * patch
    assert more("exact", (48, 48)) == more("fast", (24, 24)) + more("fast", (48, 48))


@pytest.mark.parametrize(
    ("task", "size", "made"),
    [
        ({"train_mode": "retarget"}, (24, 48), False),
        ({"train_mode": "retarget", "loosen": 0.3}, (24, 48), True),
        ({"train_mode": "generation"}, (40, 48), True),
        ({"train_mode": "harmonization"}, (40, 48), False),
    ],
)
def test_patches_that_are_never_made_count_as_no_memory(
    task: dict[str, object], size: tuple[int, int], made: bool
) -> None:
    maker = model("fast", **task)
    if task["train_mode"] == "harmonization":
        maker.enter(maker.real)
    else:
        maker.sample([0], size)
    (source,) = maker._sources.values()
    pixels = 40 * 48 + size[0] * size[1]
    assert maker.memory(size) - BYTES_PER_PIXEL * pixels - 2 * BUDGET == source.held
    assert (source.held > 0) == made


def test_patches_that_are_kept_count_once(monkeypatch: pytest.MonkeyPatch) -> None:
    maker = model("fast")
    total = maker.memory((40, 48)) + 100

    def free(device: torch.device) -> int:
        return total - sum(source.held for source in maker._sources.values())

    monkeypatch.setattr("consingan.machine.memory.free_memory", free)
    made = [maker.sample([0]) for _ in range(2)]
    assert next(iter(maker._sources.values())).held > 100
    assert torch.equal(*made)


def test_an_output_smaller_than_a_patch_is_refused() -> None:
    with pytest.raises(UserError, match="The output of 9x5 px"):
        model().sample([0], (5, 9))


def test_more_than_the_memory_is_refused() -> None:
    with pytest.raises(UserError, match="are free; use a smaller --size"):
        model().sample([0], (10**5, 10**5))


def test_the_steps_that_are_announced_are_taken() -> None:
    taken: list[int] = []
    made = model()
    made.done = lambda: taken.append(1)
    made.sample([0])
    assert len(taken) == made.steps()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"patch": 8}, "--patch 8 must be odd"),
        ({"min_side": 5}, "smaller than --patch 15"),
        ({"tile": "both", "symmetric": "left"}, "do not go together"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(UserError, match=words):
        PatchesConfig(**settings).check()  # type: ignore[arg-type]


@dataclass(frozen=True)
class Rolled:
    """Noise that begins some px farther on; scale 0 is the finest of two."""

    noise: Noise
    px: int

    def start(self, scale: int) -> torch.Tensor:
        return self.noise.start(scale).roll(self.px >> scale, 2)

    def fresh(self, scale: int, t: int) -> torch.Tensor:
        return self.noise.fresh(scale, t).roll(self.px >> scale, 2)


def test_no_place_of_an_endless_canvas_is_special(monkeypatch: pytest.MonkeyPatch) -> None:
    first = torch.zeros((), dtype=torch.long)  # candidates at random would depend on the place
    monkeypatch.setattr(torch, "randint", lambda *args, **_: first.expand(args[-1]))
    made = model(tile="both", min_side=20, sw_steps=0)  # whose rounding would choose other patches
    noise = SeededNoise(0, 0, [(40, 48), (20, 24)], made.real[0])
    tiles = []
    for px in (0, 16):
        canvas, engine = made.prepared((40, 48), torch.Generator())
        assert canvas.scales == 2
        tiles.append(sample(canvas, engine, Rolled(noise, px)))
    torch.testing.assert_close(tiles[1], tiles[0].roll(16, 2), rtol=0, atol=1e-3)


def test_only_the_smallest_pictures_ask_every_patch() -> None:
    made = model("auto")
    assert made.chosen_engine((64, 64)) == "exact"
    assert made.chosen_engine((65, 64)) == "fast"


def with_hole(rows: slice, columns: slice) -> tuple[torch.Tensor, torch.Tensor]:
    """A picture of 120x144 px, and a mask that is white there."""
    mask = torch.zeros(1, 1, 120, 144)
    mask[..., rows, columns] = 1
    return resize_to(model().real, (120, 144)).clamp(-1, 1), mask


HOLES = [
    (slice(50, 80), slice(61, 92)),
    (slice(59, 60), slice(0, 144)),  # a wire thinner than a pixel of the training
    (slice(61, 62), slice(70, 71)),
]


@pytest.mark.parametrize("hole", HOLES, ids=["square", "wire", "dot"])
def test_what_lies_in_the_hole_of_a_large_picture_changes_nothing(
    hole: tuple[slice, slice],
) -> None:
    image, mask = with_hole(*hole)
    filler = model(train_mode="inpainting")
    made = [filler.fill(torch.where(mask > 0, level, image), mask) for level in (-1.0, 1.0)]
    assert torch.equal(*made)
    request = CompositeRequest(mask_dilation=0)
    composites = [
        compose(filler, torch.where(mask > 0, level, image), mask, request) for level in (-1.0, 1.0)
    ]
    for name in ("result", "blended", "full", "full_blended"):
        assert torch.equal(*(getattr(made, name) for made in composites))


def test_a_faint_noise_in_a_mask_is_no_hole() -> None:
    image, mask = with_hole(*HOLES[0])
    filler = model(train_mode="inpainting")
    assert torch.equal(filler.fill(image, mask), filler.fill(image, mask.clamp_min(1 / 255)))


def soft_brush() -> torch.Tensor:
    """White to 6 px from the middle of a picture of 40x48 px, black beyond 16."""
    rows, columns = torch.meshgrid(torch.arange(40.0), torch.arange(48.0), indexing="ij")
    away = torch.hypot(rows - 20, columns - 24)
    return ((16 - away) / 10).clamp(0, 1)[None, None]


@pytest.mark.parametrize("feather", [0.0, 2.0])
def test_a_soft_edge_of_a_mask_shows_the_users_own_picture(feather: float) -> None:
    filler, mask = model(train_mode="inpainting"), soft_brush()
    request = CompositeRequest(mask_dilation=0, mask_feather=feather)
    made = compose(filler, filler.real, mask, request)
    faint = (mask < 0.2).expand_as(filler.real)
    assert int((mask[faint[:, :1]] > 0.02).sum()) > 100
    for name in ("result", "blended", "full_blended"):
        change = (getattr(made, name) - filler.real)[faint].abs()
        assert float(change.max()) < 1e-5
    half = ((mask >= 0.25) & (mask < 0.5)).expand_as(filler.real)
    seen = masks.composite(filler.real, made.result, mask)[half]
    assert feather or torch.allclose(made.full_blended[half], seen)


def test_the_picture_that_is_shown_beside_a_fill_is_the_one_that_was_given() -> None:
    image, mask = with_hole(*HOLES[0])
    filler = model(train_mode="inpainting")
    made = compose(filler, image, mask)
    assert torch.equal(made.naive, image)
    assert torch.equal(made.small, resize_to(image, (40, 48)).clamp(-1, 1))


def test_a_mask_of_another_size_than_the_picture_marks_the_same_place() -> None:
    filler = model(train_mode="inpainting")
    image, mask = with_hole(*HOLES[0])
    whole = hole_at(mask, (40, 48))
    assert torch.equal(filler.fill(filler.real, mask), filler.fill(filler.real, whole))
    assert filler.fill(image, whole).shape == filler.real.shape


def test_a_hole_is_made_smaller_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not every torch can on an Apple GPU."""
    seen: list[str] = []

    def spied(hole: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        seen.append(hole.device.type)
        return hole_at(hole, size)

    def given(image: torch.Tensor, mask: torch.Tensor, size: tuple[int, int]) -> tuple[object, ...]:
        around, hole = known(image, mask, size)
        assert around.device.type == hole.device.type == "meta"
        return torch.zeros(1, 3, *size), torch.zeros(size)

    monkeypatch.setattr(inpainting, "hole_at", spied)
    monkeypatch.setattr(inpainting, "emptied", lambda image, _: image)
    monkeypatch.setattr("consingan.methods.patches.model.known", given)
    image, mask = with_hole(*HOLES[0])
    elsewhere = PatchDiffusion(
        PatchesConfig(patch=7, train_mode="inpainting"), model().real.to("meta")
    )
    elsewhere.fill(image, mask)
    assert set(seen) == {"cpu"}


def test_without_a_mask_what_differs_is_taken_out_at_the_pictures_own_size() -> None:
    image, mask = with_hole(*HOLES[0])
    gray = image.mean(1, keepdim=True).expand_as(image) / 4
    small = resize_to(gray, (40, 48))
    filler = PatchDiffusion(PatchesConfig(patch=7, train_mode="inpainting"), small, "fast")
    red = torch.where(mask > 0, torch.tensor([1.0, -1, -1]).view(1, 3, 1, 1), gray)
    made = filler.enter(red)
    assert float((made[:, 0] - made[:, 1]).abs().max()) < 0.01


def test_a_start_that_is_not_there_is_refused_with_what_changes_as_much() -> None:
    with pytest.raises(UserError, match=r"only 0\. .* the training's --level \(now 0\.5\)"):
        model(train_mode="editing", level=0.5).check_start(1)
    with pytest.raises(UserError, match=r"is not there, only 0\.$"):
        model(train_mode="inpainting").check_start(1)
