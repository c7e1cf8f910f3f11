"""Samples that are finished with the image's own patches."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from commands import copy_of_run, evaluate_model, pixels_of, save, scene, trained
from report_cases import judgement

import consingan
from consingan.errors import UserError
from consingan.images.io import read_image, unit
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.method import CONSINGAN
from consingan.metrics.bidirectional import bidirectional
from consingan.outputs.finish import Degree, finish_of
from consingan.outputs.finisher import tile_of
from consingan.outputs.requests import SamplesRequest
from consingan.outputs.samples import RandomSamples, begin, random_samples
from consingan.outputs.tiles import seam_of
from consingan.report.kinds import KINDS
from consingan.report.material import Facts
from consingan.report.verdicts import other_finish
from consingan.runs.load import load_run
from consingan.settings.tiles import TILES

SIZE = (32, 40)  # px of the image


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> torch.Tensor:
    return read_image(save(tmp_path_factory.mktemp("finish") / "scene.png", scene(*SIZE)))


class Blotches:
    """Makes the image with blotches, at any size; what a finish needs of a model."""

    device = torch.device("cpu")
    least_size = (9, 9)

    def __init__(self, image: torch.Tensor, **settings: Any) -> None:
        self.real = image
        self.sizes = [(image.shape[-2], image.shape[-1])]
        self.config = ConSinGANConfig(**settings)

    def at_a_time(self, size: Any) -> int:
        return 2

    def sample(self, indices: Any, size: Any, seed: int) -> torch.Tensor:
        height, width = size or self.sizes[0]
        made = []
        for index in indices:
            rng = torch.Generator().manual_seed(100 * seed + index)
            tall = self.real.repeat(1, 1, 2, 2)[..., :height, :width]
            made.append(tall + 0.3 * torch.randn(1, tall.shape[1], height, width, generator=rng))
        return torch.cat(made).clamp(-1, 1)


def samples(model: Any, level: float | None, size: Any = None) -> torch.Tensor:
    made = random_samples(model, 3, size, 5, finish=finish_of(model, level, 5, size))
    return torch.cat(list(made))


def test_finished_samples_are_made_of_the_images_patches(image: torch.Tensor) -> None:
    model = Blotches(image)
    before, after = samples(model, 0), samples(model, 0.5)
    assert after.shape == before.shape
    far, near = (
        float(bidirectional(unit(image), unit(s)).coherence.mean()) for s in (before, after)
    )
    assert near < 0.5 * far
    assert (after - image).abs().mean() < 0.5 * (before - image).abs().mean()


def test_without_a_finish_nothing_changes(image: torch.Tensor) -> None:
    model = Blotches(image)
    assert finish_of(model, None, 0) is None
    assert torch.equal(samples(model, None), model.sample(range(3), None, 5))


def test_a_sample_depends_on_its_number_and_seed_alone(image: torch.Tensor) -> None:
    model = Blotches(image)
    finish = finish_of(model, 0.6, 5)
    one = list(random_samples(model, 3, None, 5, 1, finish))
    assert torch.equal(torch.cat(one), samples(model, 0.6))
    assert not torch.equal(one[0], one[1])


@pytest.mark.parametrize("size", [(32, 80), (20, 26), (64, 40), (20, 60)])
def test_any_size_is_finished(image: torch.Tensor, size: tuple[int, int]) -> None:
    made = samples(Blotches(image), 0.5, size)
    assert made.shape == (3, 3, *size)
    assert made.abs().max() <= 1


def test_the_models_own_level_holds_where_nobody_says(image: torch.Tensor) -> None:
    model = Blotches(image, finish=0.5)
    assert torch.equal(samples(model, None), samples(model, 0.5))
    assert torch.equal(samples(model, 0), Blotches(image).sample(range(3), None, 5))


def test_the_models_own_limit_holds_where_nobody_says_a_number(image: torch.Tensor) -> None:
    model = Blotches(image, finish=0.8, finish_within=0.01)
    free, held = samples(model, 0.8), samples(model, None)
    assert torch.equal(held, samples(model, 0.8 * 0.8))
    assert not torch.equal(held, free)
    for level, within, made in ((0.8, 0.01, held), (None, 0, free)):
        finish = finish_of(model, level, 5, None, within)
        assert torch.equal(next(random_samples(model, 1, None, 5, finish=finish)), made[:1])


def test_the_patches_of_a_finish_can_be_typed(image: torch.Tensor, tmp_path: Any) -> None:
    model = Blotches(image, finish=0.5)
    made = {
        patch: next(
            random_samples(model, 1, None, 5, finish=finish_of(model, None, 5, patch=patch))
        )
        for patch in (None, 9, 13)
    }
    assert torch.equal(made[None], made[9])
    assert not torch.equal(made[9], made[13])
    request = SamplesRequest(num_samples=1, one_size=True, finish_patch=13)
    assert begin(model, request).write(tmp_path, lambda _: None).finish_patch == 13
    for patch, words in ((12, "--finish_patch 12 must be odd, for example 13"),
                         (41, "patches of 41 px.*use a smaller --finish_patch")):  # fmt: skip
        with pytest.raises(UserError, match=words):
            begin(model, replace(request, finish_patch=patch))


def test_which_finish_is_a_models_own(image: torch.Tensor) -> None:
    own = finish_of(Blotches(image, finish=0.4, finish_within=0.2), None, 0)
    assert [
        degree.is_of(own)
        for degree in (Degree(0.4, 0.2), Degree(0.4, 0.2, 9), Degree(0.4, 0.2, 13), Degree(0.4))
    ] == [True, True, False, False]
    assert [degree.is_of(None) for degree in (Degree(), Degree(0.4))] == [True, False]


def test_a_limit_is_said_and_what_it_does_not_do(image: torch.Tensor, tmp_path: Any) -> None:
    model = Blotches(image, finish=0.4, finish_within=0.2)
    for within, words in ((None, "--finish 0.4 --finish_within 0.2"), (0.0, "--finish 0.4,")):
        said: list[str] = []
        request = SamplesRequest(num_samples=1, one_size=True, finish_within=within)
        made = begin(model, request).write(tmp_path, said.append)
        assert words in " ".join(said)
        assert (made.finish, made.finish_within) == (0.4, 0.2 if within is None else 0)
    idle = [
        "finish_within" in dict(begin(model, SamplesRequest(num_samples=1, finish=f)).idle())
        for f in (None, 0.0, 0.3)
    ]
    assert idle == [False, True, False]
    unfinished = begin(model, SamplesRequest(num_samples=1, finish=0.0, finish_patch=13))
    assert "finish_patch" in dict(unfinished.idle())
    settings = ConSinGANConfig(finish_within=0.2)
    assert dict(CONSINGAN.idle(settings))["finish_within"] == "without --finish"
    assert ConSinGANConfig(finish=0.5, finish_within=0.2, mask="m.png").finished_within == 0


def test_ends_that_meet_still_do(image: torch.Tensor) -> None:
    mirrored = torch.cat([image, image.flip(3)], 3)
    tile = torch.cat([mirrored, mirrored.flip(2)], 2)
    model = Blotches(tile, tile="both")
    seams = [seam_of(made[None], (True, True)) for made in samples(model, 0.5)]
    assert max(seams) < 1.3
    assert [tile_of(ends) for ends in TILES.values()] == list(TILES)


def test_gray_stays_gray(image: torch.Tensor) -> None:
    gray = image.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    made = samples(Blotches(gray), 0.5)
    assert torch.equal(made[:, 0], made[:, 2])


@pytest.mark.parametrize("channels", [1, 4, 5])
def test_all_channels_are_finished(image: torch.Tensor, channels: int) -> None:
    """One of a gray image, opacity, bands."""
    bands = torch.cat([image, -image], 1)[:, :channels]
    made = samples(Blotches(bands), 0.5)
    assert made.shape == (3, channels, *SIZE)
    assert (made - bands).abs().mean() < 0.2


def test_what_a_mask_left_out_does_not_come_back(image: torch.Tensor) -> None:
    model = Blotches(image, mask="mask.png", finish=0.5)
    assert finish_of(model, None, 0) is None
    with pytest.raises(UserError, match="--mask left out"):
        finish_of(model, 0.5, 0)


def test_too_little_memory_is_said_before_anything_is_made(
    image: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consingan.machine.memory.free_memory", lambda _: 2**20)
    with pytest.raises(UserError, match="or --finish 0"):
        finish_of(Blotches(image), 0.5, 0)


def test_large_samples_are_finished_where_that_was_asked_for(
    image: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consingan.outputs.finish.UNASKED", 3 * 32 * 40)
    model = Blotches(image, finish=0.4)
    sizes = [None, (32, 80), (32, 81)]
    assert [bool(finish_of(model, None, 0, size)) for size in sizes] == [True, True, False]
    assert all(finish_of(model, 0.4, 0, size) for size in sizes)


def test_that_large_samples_are_left_as_they_are_is_said(
    image: torch.Tensor, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr("consingan.outputs.finish.UNASKED", 3 * 32 * 40)
    for sizes, count in (((), 0), (((40, 80),), 1)):
        said: list[str] = []
        request = SamplesRequest(num_samples=1, one_size=not sizes, sizes=sizes)
        begin(Blotches(image, finish=0.4), request).write(tmp_path, said.append)
        assert sum("Large samples" in line for line in said) == count, said
        assert sum("(--finish 0.4, as in training)" in line for line in said) == 1, said


def test_nothing_is_said_of_a_finish_where_no_sample_is_made(
    image: torch.Tensor, tmp_path: Any
) -> None:
    said: list[str] = []
    begin(Blotches(image, finish=0.4), SamplesRequest(num_samples=0)).write(tmp_path, said.append)
    assert not any("inish" in line for line in said)


def test_samples_without_a_patch_are_left_as_they_are_and_that_is_said(
    image: torch.Tensor, tmp_path: Any
) -> None:
    model, size = Blotches(image, finish=0.4), (8, 40)
    model.least_size = (8, 8)
    assert finish_of(model, None, 0, size) is None
    assert finish_of(Blotches(image[..., :8, :], finish=0.4), None, 0, (40, 40)) is None
    said: list[str] = []
    begin(model, SamplesRequest(num_samples=1, sizes=(size,))).write(tmp_path, said.append)
    assert sum("40x8 px (WxH) are written as the model makes them" in line for line in said) == 1


def test_a_finish_of_samples_without_a_patch_is_refused_before_anything_is_made(
    image: torch.Tensor,
) -> None:
    model = Blotches(image)
    model.least_size = (8, 8)
    with pytest.raises(UserError, match="patches of 9 px, and samples of 40x8 px"):
        begin(model, SamplesRequest(num_samples=1, finish=0.5, sizes=((8, 40),)))


def test_the_command_finishes_and_the_report_says_so(tmp_path: Any) -> None:
    run = copy_of_run("generation", tmp_path)
    what = ("--model_dir", run, "--num_samples", 2, "--one_size", "--no_baseline")
    raw = evaluate_model(*what, "--no_metrics")
    first = pixels_of(run / "Evaluation" / "random_samples" / "gen_sample_0.png")
    done = evaluate_model(*what, "--finish", 0.5, "--finish_within", 0.3)
    assert (raw.exit_code, done.exit_code) == (0, 0), done.output
    assert (pixels_of(run / "Evaluation" / "random_samples" / "gen_sample_0.png") != first).any()
    page = (run / "Evaluation" / "report.html").read_text("utf-8")
    assert "--finish 0.5 --finish_within 0.3" in page
    assert "patches of the image, 9 px" in page
    record = json.loads((run / "Evaluation" / "metrics.json").read_text("utf-8"))
    assert (record["finish"], record["finish_within"], record["finish_patch"]) == (0.5, 0.3, 9)
    assert not any("copies" in verdict["text"] for verdict in record["verdicts"])
    refused = evaluate_model(*what, "--finish", 1.5)
    assert refused.exit_code == 2


def test_python_takes_the_same_number() -> None:
    model = consingan.load(trained("generation"))
    finished = model.sample(1, seed=1, finish=0.5)
    assert not torch.equal(finished, model.sample(1, seed=1))
    assert torch.equal(finished, model.sample(1, seed=1, finish=np.float32(0.5)))
    limited = model.sample(1, seed=1, finish=0.5, finish_within=1e-6)
    assert torch.equal(limited, model.sample(1, seed=1, finish=0.4))
    larger = model.sample(1, seed=1, finish=0.5, finish_patch=11)
    assert not torch.equal(larger, finished)
    with pytest.raises(UserError, match="finish_patch="):
        model.sample(1, finish=0.5, finish_patch=2)
    for wrong in (-0.1, 2, float("nan"), "much"):
        for name in ("finish", "finish_within"):
            with pytest.raises(UserError, match=f"{name}="):
                model.sample(1, **{name: wrong})  # type: ignore[arg-type]


def test_where_it_changes_nothing_is_said() -> None:
    typed = {
        mode: dict(CONSINGAN.idle(ConSinGANConfig(train_mode=mode, finish=0.5))).get("finish")
        for mode in ("generation", "retarget", "animation", "editing")
    }
    assert typed["generation"] is typed["retarget"] is None
    assert "animation" in str(typed["animation"])
    assert "editing" in str(typed["editing"])


def test_runs_from_before_have_none() -> None:
    run = load_run(trained("generation"))
    assert run.model.config.finished == 0
    values = run.model.config.to_json()
    del values["finish"]
    assert ConSinGANConfig.from_json(values) == run.model.config


def test_more_variety_takes_another_finish_of_finished_samples() -> None:
    for finish in (0.0, 0.5):
        facts = Facts(ConSinGANConfig(), judgement=judgement(),
                      made=RandomSamples([], finish=finish))  # fmt: skip
        alike = replace(facts, judgement=judgement(diversity=0.01))
        advice = [v.advice for v in KINDS["samples"].verdicts(alike) if "alike" in v.text]
        assert ("--finish 0.6" in advice[0]) == (finish > 0), advice
        assert (other_finish(facts.made, False) == advice[0]) == (finish > 0)
    limited = RandomSamples([], finish=0.625, finish_within=0.3)
    assert "--finish 0.625, which makes more anew" in other_finish(limited, True)
    for patch, words in ((0, ""), (7, ""), (9, "7 (now 9)"), (13, "9 (now 13)")):
        advice = other_finish(replace(limited, finish_patch=patch), True)
        smaller = f"--finish_patch {words}, or " if words else ""
        assert advice.startswith(f"Evaluate with {smaller}--finish 0.625")
