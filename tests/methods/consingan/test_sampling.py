from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import (
    StopAt,
    assert_same,
    final_state,
    make_job,
    make_trainer,
    model_of,
    new_folder,
    picture,
    resume_to_end,
    train_folder,
)
from torch import Tensor

from consingan.errors import InterruptedRunError
from consingan.machine.precision import Arithmetic
from consingan.methods.consingan import sampling
from consingan.methods.consingan.model import ConSinGAN
from consingan.methods.contract import Walk
from consingan.nn.blocks import SampleNorm
from consingan.nn.noise import stream
from consingan.outputs.samples import random_samples
from consingan.runs.folder import RunFolder
from consingan.runs.load import load_run
from consingan.training.loop import Trainer
from consingan.training.session import Session

VARIANTS: dict[str, dict[str, Any]] = {
    "generation": {},
    "normalization": {"batch_norm": True},
    "retarget": {"train_mode": "retarget"},
    "animation": {"train_mode": "animation"},
    "prelu": {"activation": "prelu"},
    "selu": {"activation": "selu"},
}


@pytest.fixture(scope="module", params=VARIANTS)
def model(request: pytest.FixtureRequest) -> ConSinGAN:
    trainer = make_trainer(niter=2, noise_amp=1.0, **VARIANTS[request.param])
    for _ in trainer.run():
        pass
    return trainer.model


BF16 = Arithmetic("bf16", "bf16")


def sampled(model: ConSinGAN, count: int, **options: Any) -> list[Tensor]:
    return list(random_samples(model, count, **options))


def in_bfloat16(model: ConSinGAN) -> ConSinGAN:
    return dataclasses.replace(model, arithmetic=BF16)


def assert_equal(actual: list[Tensor], expected: list[Tensor]) -> None:
    assert len(actual) == len(expected) > 0
    for a, b in zip(actual, expected, strict=True):
        assert torch.equal(a, b), (a - b).abs().max()


def assert_alike(actual: list[Tensor], expected: list[Tensor]) -> None:
    """Up to the rounding of kernels that a processor chooses by the shape of a batch."""
    assert len(actual) == len(expected) > 0
    for a, b in zip(actual, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [None, (21, 37)])
@pytest.mark.parametrize("batch_size", [2, 3, 7, 50])
def test_the_batch_size_changes_nothing_but_rounding(
    model: ConSinGAN, batch_size: int, size: tuple[int, int] | None
) -> None:
    expected = sampled(model, 7, seed=5, size=size, batch_size=1)
    assert_alike(sampled(model, 7, seed=5, size=size, batch_size=batch_size), expected)


def test_the_same_call_gives_the_same_bits(model: ConSinGAN) -> None:
    first = sampled(model, 5, seed=5, batch_size=2)
    torch.manual_seed(0)
    assert_equal(sampled(model, 5, seed=5, batch_size=2), first)


def test_a_sample_depends_on_its_seed_and_number_alone(model: ConSinGAN) -> None:
    ten = sampled(model, 10, seed=3)
    for count in (1, 4, 9):
        assert_alike(sampled(model, count, seed=3), ten[:count])
    other = sampled(model, 10, seed=4)
    pictures = ten + other
    for i, one in enumerate(pictures):
        assert all((one - two).abs().max() > 1e-4 for two in pictures[i + 1 :])


def test_samples_are_pictures(model: ConSinGAN) -> None:
    for sample in sampled(model, 3):
        assert sample.shape == model.real.shape
        assert sample.dtype == torch.float32
        assert sample.device.type == "cpu"
        assert not sample.requires_grad
        assert sample.abs().max() <= 1


def test_bfloat16_samples_do_not_depend_on_the_batch_either(model: ConSinGAN) -> None:
    rounded = in_bfloat16(model)
    alone = sampled(rounded, 5, batch_size=1)
    together = sampled(rounded, 5, batch_size=5)
    for a, b, exact in zip(alone, together, sampled(model, 5), strict=True):
        rounding = (a - exact).abs().mean()
        assert rounding < 0.02
        assert (a - b).abs().mean() <= 2 * rounding


@pytest.mark.parametrize(
    "size", [(44, 52), (22, 52), (44, 26), (23, 27), (37, 61), (15, 17), (11, 90), (8, 8)]
)
def test_any_size(model: ConSinGAN, size: tuple[int, int]) -> None:
    for sample in sampled(model, 2, size=size):
        assert sample.shape == (1, 3, *size)
        assert sample.std() > 0


@pytest.mark.parametrize("factor", [0.5, 2.0, 3.0])
def test_all_stages_are_scaled_alike(model: ConSinGAN, factor: float) -> None:
    height, width = model.sizes[-1]
    size = (round(height * factor), round(width * factor))
    sizes = sampling.output_sizes(model, size)
    assert sizes[-1] == size
    for (h, w), (own_h, own_w) in zip(sizes, model.sizes, strict=True):
        assert abs(h - factor * own_h) <= 0.5
        assert abs(w - factor * own_w) <= 0.5
    noises = sampling.random_noises(model, size, 0, 0)
    frame = model.generator.frame
    for stage, ((h, w), noise) in enumerate(zip(sizes, noises, strict=True)):
        more = 2 * frame if stage else 0
        assert noise.shape[-2:] == (h + more, w + more)


def test_the_training_size_is_the_default(model: ConSinGAN) -> None:
    assert sampling.output_sizes(model) == model.sizes
    assert_equal(sampled(model, 2, size=model.sizes[-1]), sampled(model, 2))


def test_normalization_looks_at_each_picture_alone() -> None:
    torch.manual_seed(0)
    x = torch.randn(4, 5, 9, 7) * torch.tensor([1.0, 5.0, 0.1, 2.0]).view(4, 1, 1, 1) + 3
    norm = SampleNorm(5)
    together = norm(x)
    alone = torch.cat([norm(one) for one in x.split(1)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
    torch.testing.assert_close(together.mean((2, 3)), torch.zeros(4, 5), atol=1e-5, rtol=0)
    torch.testing.assert_close(
        together.var((2, 3), correction=0), torch.ones(4, 5), atol=2e-3, rtol=0
    )


@pytest.mark.parametrize("engine", ["plain", "fast"])
@pytest.mark.parametrize("settings", [{}, {"batch_norm": True}])
def test_a_loaded_model_makes_the_same_pictures(
    tmp_path: Path, engine: str, settings: dict[str, Any]
) -> None:
    job = make_job(engine, **settings)
    folder = new_folder(tmp_path, job)
    Session(Trainer(job.training), folder).run()
    one, two = (load_run(folder.path).model for _ in range(2))
    assert torch.equal(one.reconstruction(), two.reconstruction())
    assert_equal(sampled(one, 3), sampled(two, 3))
    # In the trainer weights may lie otherwise in memory, so sums are rounded otherwise.
    close = {"rtol": 0.0, "atol": 1e-5}
    torch.testing.assert_close(one.reconstruction(), job.training.model.reconstruction(), **close)
    for a, b in zip(sampled(one, 3), sampled(job.training.model, 3), strict=True):
        torch.testing.assert_close(a, b, **close)


def test_sampling_leaves_the_model_alone(model: ConSinGAN) -> None:
    before = {k: v.clone() for k, v in model.generator.state_dict().items()}
    trained = [p.requires_grad for p in model.generator.parameters()]
    sampled(in_bfloat16(model), 2)
    list(sampling.animation_frames(model, 2, Walk()))
    assert_same(model.generator.state_dict(), before)
    assert [p.requires_grad for p in model.generator.parameters()] == trained


# A run that is not finished


@pytest.mark.parametrize(("at", "finished"), [(6, 1), (9, 2), (12, 2)])
def test_an_unfinished_run_samples_from_its_last_finished_stage(
    tmp_path: Path, at: int, finished: int
) -> None:
    job = make_job()
    folder = new_folder(tmp_path, job)
    with pytest.raises(InterruptedRunError):
        Session(Trainer(job.training), folder, [StopAt(at)]).run()
    run = load_run(folder.path)
    assert run.notes == (f"The run is not finished: using stage {finished} of 3.",)
    assert len(run.model.anchors) == run.model.generator.stages == finished
    samples = sampled(run.model, 2)
    assert samples[0].shape == job.training.reals[finished - 1].shape
    resume_to_end(folder.path)
    assert_equal(sampled(model_of(folder, stages=finished), 2), samples)
    assert load_run(folder.path).notes == ()


def test_evaluation_of_an_unfinished_run_says_so(tmp_path: Path, finished_run: Path) -> None:
    from click.testing import CliRunner

    from consingan.cli.evaluating import evaluate

    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    RunFolder(run).note(status="interrupted", finished_stages=2)
    shutil.rmtree(run / "2")
    arguments = ["--model_dir", str(run), "--num_samples", "2", "--size", "30x20", "--not_cuda"]
    result = CliRunner().invoke(evaluate, arguments)
    assert result.exit_code == 0, result.output
    assert "using stage 2 of 3" in result.output
    assert len(list((run / "Evaluation" / "random_samples").iterdir())) == 2


# Animation


@pytest.fixture(scope="module")
def animated(tmp_path_factory: pytest.TempPathFactory) -> ConSinGAN:
    folder = train_folder(tmp_path_factory.mktemp("animated"), train_mode="animation")
    return load_run(folder.path).model


def test_frames_follow_from_the_seed(animated: ConSinGAN) -> None:
    five = list(sampling.animation_frames(animated, 5, Walk(seed=2)))
    assert_equal(list(sampling.animation_frames(animated, 3, Walk(seed=2))), five[:3])
    other = list(sampling.animation_frames(animated, 5, Walk(seed=3)))
    assert not any(torch.equal(a, b) for a, b in zip(five, other, strict=True))
    assert all(f.shape == animated.real.shape and f.abs().max() <= 1 for f in five)


@pytest.mark.parametrize("start", [0, 1, 2])
def test_coarse_stages_stand_still(animated: ConSinGAN, start: int) -> None:
    fixed, rng = animated.fixed_noises, stream(1)
    walk = sampling.animation_walk(
        fixed, lambda: [torch.randn(f.shape, generator=rng) for f in fixed], start_stage=start
    )
    earlier: list[Tensor] | None = None
    for _ in range(3):
        frame = next(walk)
        for stage, (z, f) in enumerate(zip(frame, fixed, strict=True)):
            assert torch.equal(z, f) == (stage < start)
            if earlier is not None:
                assert torch.equal(z, earlier[stage]) == (stage < start)
        earlier = frame


def test_a_later_start_moves_less(animated: ConSinGAN) -> None:
    def movement(start: int) -> float:
        frames = torch.cat(list(sampling.animation_frames(animated, 4, Walk(start_stage=start))))
        return float(frames.diff(dim=0).abs().mean())

    assert movement(0) > movement(2) > 0


def test_alpha_one_is_the_reconstruction(animated: ConSinGAN) -> None:
    for frame in sampling.animation_frames(animated, 2, Walk(alpha=1.0)):
        torch.testing.assert_close(frame, animated.reconstruction(), rtol=0, atol=1e-5)


def test_frames_of_another_size(animated: ConSinGAN) -> None:
    for frame in sampling.animation_frames(animated, 2, Walk(size=(31, 45))):
        assert frame.shape == (1, 3, 31, 45)


# The user's own picture


@pytest.mark.parametrize("start", [0, 1, 2])
def test_the_own_picture_enters_at_any_stage(harmonization_run: Path, start: int) -> None:
    model = load_run(harmonization_run).model
    made = sampling.from_image(model, picture(50, 60, seed=9), stream(0), start)
    assert made.shape == model.real.shape
    other = sampling.from_image(model, picture(50, 60, seed=8), stream(0), start)
    assert not torch.equal(made, other)


def test_the_training_image_itself_gives_the_reconstruction(harmonization_run: Path) -> None:
    """Its z_0 is the real image at stage 0, which the fixed noise begins with."""
    model = load_run(harmonization_run).model
    made = sampling.from_image(model, model.anchors[0].real, stream(0))
    torch.testing.assert_close(made, model.reconstruction(), rtol=0, atol=1e-5)


def test_state_is_untouched_by_grids(finished_run: Path) -> None:
    """What a training shows in between does not change what it learns."""
    trainer = make_trainer()
    for record in trainer.run():
        if hasattr(record, "iteration"):
            sampled(in_bfloat16(trainer.model), 1)
    model = load_run(finished_run).model
    learned = {k: v for k, v in final_state(trainer).items() if k.startswith("g.")}
    assert_same(learned, {f"g.{k}": v for k, v in model.generator.state_dict().items()})
