"""Training on windows: where they lie, that engines agree, that a run goes on, what it costs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_cases import Case, twins, weights_with_effect
from helpers import (
    StopAt,
    assert_same,
    execution,
    make_job,
    new_folder,
    outcome,
    picture,
    resume_to_end,
    train_folder,
)
from torch import Tensor

from consingan.errors import InterruptedRunError, UserError
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.crops import Crops, crops_of
from consingan.methods.consingan.draws import Draws
from consingan.methods.consingan.engine import PlainEngine, StageTask
from consingan.methods.consingan.fast_engine import FastEngine
from consingan.methods.consingan.windows import part_of
from consingan.nn.architecture import WRAPPED
from consingan.nn.noise import gaussian, stream
from consingan.nn.noise_field import NoiseField
from consingan.nn.regions import EVERYTHING, Around
from consingan.runs.folder import RunFolder
from consingan.settings.tiles import TILES
from consingan.training.loop import Trainer
from consingan.training.prepare import prepare
from consingan.training.records import StageRecord
from consingan.training.session import Session

SETTINGS: dict[str, Any] = {
    "image": picture(30, 40), "crop": 12, "max_size": 40, "niter": 2, "nfc": 4, "train_stages": 2,
}  # fmt: skip


def crops(side: int, *sizes: tuple[int, int], **settings: Any) -> Crops:
    return Crops(ConSinGANConfig(crop=side, **settings), sizes)


@pytest.mark.parametrize("size", [(75, 100), (16, 200), (33, 32), (64, 48), (34, 44)])
def test_every_round_sees_every_pixel(size: tuple[int, int]) -> None:
    windows = crops(16, (4, 5), size)
    visits = torch.zeros(size)
    rounds = 12
    for number in range(rounds * windows.windows_in_a_round):
        (top, bottom), (left, right) = windows.window(number)
        assert (bottom - top, right - left) == (16, 16)
        assert top >= 0 <= left
        assert bottom <= size[0]
        assert right <= size[1]
        visits[top:bottom, left:right] += 1
        if (number + 1) % windows.windows_in_a_round == 0:
            assert int(visits.min()) >= (number + 1) // windows.windows_in_a_round
    assert float(visits.max()) <= 5 * rounds
    assert float(visits.std() / visits.mean()) < 0.4


@pytest.mark.parametrize("size", [(29, 37), (17, 55)])
def test_no_window_goes_beyond_the_picture(size: tuple[int, int]) -> None:
    windows = crops(16, (4, 5), size)
    for number in range(40 * windows.windows_in_a_round):
        for (first, last), length in zip(windows.window(number), size, strict=True):
            assert 0 <= first < last <= length


def test_edges_of_windows_are_not_always_the_same() -> None:
    windows = crops(16, (4, 5), (75, 100))
    edges = {windows.window(number)[0][0] for number in range(1000)}
    assert len(edges) > 40


def test_small_stages_are_trained_whole() -> None:
    config = ConSinGANConfig(crop=16)
    assert crops_of(config, [(8, 8), (32, 32)]) is None
    assert crops_of(config, [(8, 8), (33, 32)]) is not None
    assert crops_of(ConSinGANConfig(), [(8, 8), (900, 900)]) is None


def seen(task: StageTask, windows: Crops, number: int, real: Tensor) -> Draws:
    """What an engine is given of a stage whose noises are `task.fixed_noises`."""
    sight = windows.sight(task.generator, real, task.fixed_noises, number, task.region)
    rng = stream("draws", number)
    noises = [gaussian(shape, rng).double() for shape in windows.shapes(sight)]  # type: ignore[arg-type]
    noises = windows.spread(noises, sight)
    mixing = torch.rand(task.recipe.d_steps, generator=rng).double()
    return Draws(noises, mixing, sight=sight)


def hole_of(size: tuple[int, int], *box: int) -> Around:
    hole = torch.zeros(1, 1, *size)
    hole[..., box[0] : box[1], box[2] : box[3]] = 1
    return Around.of(hole, ConSinGANConfig(nfc=5).architecture)


@pytest.mark.parametrize("hole", [None, (8, 20, 5, 17)])
@pytest.mark.parametrize("border", ["noise", "zero", "wrap", "wrap_horizontal"])
def test_engines_agree_on_windows(border: str, hole: tuple[int, ...] | None) -> None:
    mode = "retarget" if border == "zero" else "generation"
    tile = next((t for t, wraps in TILES.items() if WRAPPED.get(wraps) == border), "none")
    case = Case(border, sizes=((12, 14), (18, 21), (36, 42)))
    windows = crops(16, *case.sizes, nfc=5, train_mode=mode, tile=tile)
    region = hole_of(case.sizes[-1], *hole) if hole else EVERYTHING
    tasks = [replace(task, region=region) for task in twins(case.task())]
    losses = []
    for task, engine_of in zip(tasks, (PlainEngine, FastEngine), strict=True):
        box = windows.window(0)
        of_window = StageTask(
            task.generator, task.discriminator, part_of(task.real, box), [], task.amplitudes,
            task.recipe, region, windowed=True,
        )  # fmt: skip
        engine = engine_of(of_window)
        steps = (engine.step(seen(task, windows, k, task.real), k) for k in range(3))
        losses.append(torch.stack(list(steps)))
    torch.testing.assert_close(losses[1], losses[0], rtol=1e-9, atol=1e-10)
    plain, fast = map(weights_with_effect, tasks)
    for key, value in plain.items():
        torch.testing.assert_close(fast[key], value, rtol=1e-8, atol=1e-9, msg=key)


def test_a_window_without_anything_known_is_left_out() -> None:
    case = Case(sizes=((12, 14), (18, 21), (36, 42)))
    windows, region = crops(12, *case.sizes, nfc=5), hole_of((36, 42), 0, 20, 0, 42)
    task = replace(case.task(), region=region)
    for number in range(windows.windows_in_a_round):
        part = seen(task, windows, number, task.real).sight.region
        assert part is EVERYTHING or len(part.seen) > 0


@pytest.mark.parametrize("hole", [None, (3, 8, 5, 17)])
def test_a_window_of_everything_trains_as_the_whole_does(hole: tuple[int, ...] | None) -> None:
    case = Case(sizes=((12, 14), (18, 21), (22, 27)))
    windows = crops(64, *case.sizes, nfc=5)
    region = hole_of(case.sizes[-1], *hole) if hole else EVERYTHING
    whole, part = (replace(task, region=region) for task in twins(case.task()))
    steps = []
    for task, given in ((whole, False), (part, True)):
        engine, drawn = FastEngine(task), seen(task, windows, 0, task.real)
        steps.append(engine.step(drawn if given else Draws(drawn.noises, drawn.mixing), 0))
    torch.testing.assert_close(steps[1], steps[0], rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("tile", ["both", "horizontal"])
def test_a_window_of_a_whole_tile_trains_as_the_whole_does(tile: str) -> None:
    sizes = ((12, 14), (18, 21), (22, 27))
    windows = crops(64, *sizes, nfc=5, tile=tile)
    case = Case(windows.config.border, sizes=sizes)
    whole, part = twins(case.task())
    sight = windows.sight(part.generator, part.real, part.fixed_noises, 0)
    rng, needed = stream("whole"), windows.parts(windows.window(0))
    z = [gaussian(fixed.shape, rng).double() for fixed in whole.fixed_noises]
    seen_of_it = [part_of(noise, p.noise) for noise, p in zip(z[1:], needed[1:], strict=True)]
    mixing = torch.rand(whole.recipe.d_steps, generator=rng).double()
    steps = [
        FastEngine(whole).step(Draws(z, mixing), 0),
        FastEngine(part).step(Draws([z[0], *seen_of_it], mixing, sight=sight), 0),
    ]
    torch.testing.assert_close(steps[1], steps[0], rtol=1e-9, atol=1e-10)


def test_noise_goes_around_where_a_window_sees_more_than_the_ring() -> None:
    sizes = ((8, 8), (16, 10), (40, 12))
    windows = crops(12, *sizes, nfc=5, tile="both")
    case = Case("wrap", sizes=sizes)
    task = case.task()
    sight = windows.sight(task.generator, task.real, task.fixed_noises, 0)
    shapes = windows.shapes(sight)
    assert shapes[1][3] == 10 < sight.fixed[1].shape[3]
    drawn = [gaussian(shape, stream("z", k)) for k, shape in enumerate(shapes)]
    spread = windows.spread(drawn, sight)
    assert [z.shape for z in spread] == [z.shape for z in sight.fixed]
    more = sight.fixed[1].shape[3] - 10
    assert torch.equal(spread[1][..., 10:], spread[1][..., :more])


def test_a_run_stopped_at_any_record_goes_on(tmp_path: Path) -> None:
    whole = train_folder(tmp_path, **SETTINGS)
    for at in range(3, 7):
        job = make_job(**SETTINGS)
        folder = new_folder(tmp_path, job)
        with pytest.raises(InterruptedRunError):
            Session(Trainer(job.training), folder, [StopAt(at)]).run()
        resume_to_end(folder.path)
        assert_same(outcome(folder.path), outcome(whole.path))


def test_fixed_noise_is_never_stored(tmp_path: Path) -> None:
    job = make_job(**SETTINGS)
    folder = new_folder(tmp_path, job)
    Session(Trainer(job.training), folder).run()
    trained = job.training.model
    assert isinstance(trained.anchors[-1].noise, NoiseField)
    loaded = folder.method.load().restore(folder.config, folder.tensors(None), execution())
    assert loaded.anchors[-1].noise == trained.anchors[-1].noise
    assert folder.tensors(None)["anchor.1.noise"].numel() == 4
    torch.testing.assert_close(loaded.reconstruction(), trained.reconstruction())
    assert loaded.sample([0, 1]).shape == (2, 3, *loaded.sizes[-1])
    assert RunFolder.open(folder.path).stages == 2


def test_a_large_picture_is_trained_on_windows() -> None:
    job = make_job(image=picture(450, 600), max_size=600)
    config = job.chosen.config
    assert config.crop == 128
    assert job.training.sizes[-1] == (450, 600)
    assert job.training.crops_of(config.train_stages - 1) is not None
    assert any("windows of 128 px" in note for note in job.notes)


@pytest.mark.parametrize("settings", [{"crop": 0}, {"batch_norm": True}])
def test_it_is_trained_whole_where_that_is_asked_for(settings: dict[str, Any]) -> None:
    job = make_job(image=picture(450, 600), max_size=600, **settings)
    assert job.chosen.config.crop == 0
    assert job.training.crops_of(job.chosen.config.train_stages - 1) is None


def test_what_windows_cannot_have_is_refused() -> None:
    with pytest.raises(UserError, match="--crop 12 does not go with --batch_norm"):
        make_job(crop=12, batch_norm=True)


def test_windows_without_room_for_the_critics_patch_are_refused() -> None:
    for side in (1, 10):
        with pytest.raises(UserError, match=f"--crop {side} is smaller .* use 11 or more, or 0"):
            make_job(**SETTINGS | {"crop": side})
    job = make_job(**SETTINGS | {"crop": 11, "niter": 1})
    assert [type(record) for record in Trainer(job.training).run()][-1] is StageRecord


def test_a_run_that_never_came_to_its_tiny_windows_is_still_read() -> None:
    assert ConSinGANConfig.from_json({"crop": 5}).crop == 5


def test_windows_nobody_asked_for_are_large_enough_for_the_critic() -> None:
    job = make_job(image=picture(450, 600), max_size=600, min_size=160, ker_size=31)
    assert job.chosen.config.crop == 151
    assert any("windows of 151 px" in note for note in job.notes)


@pytest.mark.parametrize("settings", [{"tile": "both"}, {"tile": "vertical"}])
def test_a_large_tile_is_trained_on_windows(settings: dict[str, Any]) -> None:
    config = make_job(image=picture(450, 600), max_size=600, **settings).chosen.config
    assert config.crop == 128


def test_recommended_normalization_is_left_out() -> None:
    typed = {"train_mode": "harmonization", "max_size": 600, "niter": 1}
    job = prepare(typed, execution(), picture(450, 600))
    assert not job.chosen.config.batch_norm
    assert job.chosen.config.train_stages > 3


def test_memory_and_time_do_not_grow_with_the_picture() -> None:
    found = []
    for factor in (1, 2):
        image = picture(200 * factor, 250 * factor)
        job = make_job(image=image, max_size=250 * factor, crop=32, train_stages=5)
        last = job.training.stages - 1
        found.append((job.training.cost(last), job.training.peak_memory()))
    (cost, memory), (later_cost, later_memory) = found
    assert later_cost < 1.2 * cost
    assert later_memory < memory + 300 * 150_000
