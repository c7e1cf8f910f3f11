"""Models that make but a sketch of their samples, which a finish makes a picture of."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import main_train, only_run, save, scene
from helpers import make_job
from safetensors.torch import load_file
from small_models import SIZES, model

from consingan.errors import UserError
from consingan.images.resize import resize_to
from consingan.metrics.judge import Judgement
from consingan.metrics.reconstruction import Reconstruction
from consingan.outputs.finish import ROUGH, finish_of, sketched_of
from consingan.outputs.requests import SamplesRequest
from consingan.outputs.samples import RandomSamples, begin, preview
from consingan.outputs.sizes import other_sizes
from consingan.report.large import quality_of
from consingan.report.material import Facts
from consingan.report.verdicts import more_variety, on_training


def sketching(**settings: Any) -> Any:
    """Its image is gray all over, so that finished samples are."""
    return model(**{"finish": 0.5, "layout": 20, **settings})


def test_a_model_says_up_to_where_its_pictures_are_right() -> None:
    assert sketched_of(sketching()) == SIZES[0]
    assert sketched_of(sketching(layout=0)) is None
    assert sketched_of(object()) is None


def test_previews_are_finished_where_the_model_makes_but_a_sketch() -> None:
    assert all(not made.any() for made in preview(sketching(), None))
    assert all(made.any() for made in preview(sketching(layout=0), None))


def test_a_sketch_is_finished_however_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consingan.outputs.finish.UNASKED", 100)
    assert finish_of(sketching(), None, 0, (120, 90)) is not None
    assert finish_of(sketching(layout=0), None, 0, (120, 90)) is None


def test_a_size_beyond_a_sketch_names_the_training_that_can_make_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = SamplesRequest(sizes=[(10000, 20000)])
    with pytest.raises(UserError, match=r"89 million pixels, or .* --layout 0, .* in strips"):
        begin(sketching(), request)
    assert [size for _, size in other_sizes(sketching(layout=0), request)] == [(10000, 20000)]
    monkeypatch.setattr("consingan.machine.memory.free_memory", lambda _: 2**20)
    with pytest.raises(UserError, match=r"--finish 0 \(blurred\), or .* --layout 0"):
        finish_of(sketching(), None, 0)


@pytest.mark.parametrize(("level", "rough"), [(None, False), (0.5, False), (0.0, True)])
def test_that_samples_are_rough_without_a_finish_is_said(
    tmp_path: Path, level: float | None, rough: bool
) -> None:
    said: list[str] = []
    request = SamplesRequest(num_samples=1, one_size=True, finish=level)
    begin(sketching(), request).write(tmp_path, said.append)
    assert (ROUGH in said) == rough


def test_the_reconstruction_is_judged_as_a_sketch() -> None:
    rng = torch.Generator().manual_seed(0)
    real = torch.rand(1, 3, 12, 16, generator=rng).repeat_interleave(4, 2).repeat_interleave(4, 3)
    noisy = (real + 0.1 * torch.randn(real.shape, generator=rng)).clamp(0, 1)
    sketch = (2 * real[..., ::4, ::4] - 1, 2 * real[..., ::4, ::4] - 1.01)
    whole, small = quality_of(real, noisy), quality_of(real, noisy, sketch)
    assert whole.size is None
    assert small.size == (12, 16)
    assert small.psnr > whole.psnr + 6
    (verdict,) = on_training(Facts(sketching().config, quality=small))
    assert verdict.level == "good"
    assert "at 16x12 px" in verdict.text


def test_where_the_reconstruction_was_judged_is_kept() -> None:
    judgement = Judgement(0, {}, {}, Reconstruction(30.0, 0.9, (12, 16)))
    assert Judgement.from_dict(json.loads(judgement.to_json())) == judgement


def test_a_sketch_that_did_not_succeed_is_to_be_trained_anew() -> None:
    facts = Facts(sketching(niter=70).config, quality=Reconstruction(12.0, 0.2, (12, 16)))
    (verdict,) = on_training(facts)
    assert "Train anew with a larger --niter (now 70)" in verdict.advice


def test_the_command_trains_a_layout_and_begins_the_rest(tmp_path: Path) -> None:
    picture = save(tmp_path / "scene.png", scene(30, 42))
    words = ("--input_name", picture, "--preset", "draft", "--niter", 12, "--layout", 16,
             "--train_stages", 3, "--min_size", 18, "--max_size", 42, "--nfc", 4,
             "--fine_niter", 11, "--output_dir", tmp_path / "runs")  # fmt: skip
    done = main_train(*words)
    assert done.exit_code == 0, done.output
    assert "--fine_niter does nothing with --layout 16" in done.output
    run = only_run(tmp_path / "runs")
    lengths = [len(path.read_text("utf-8").splitlines()) - 1
               for path in sorted(run.glob("*/losses.csv"))]  # fmt: skip
    assert lengths == [12, 1, 1]
    learned, kept = (load_file(run / f"{stage}" / "weights.safetensors") for stage in (0, 2))
    assert all(torch.equal(kept[name], learned[name]) for name in learned if "generator" in name)


def test_a_sample_is_that_of_the_trained_stages_enlarged() -> None:
    sketch = sketching()
    part = replace(sketch, anchors=sketch.anchors[:1])
    small = part.sample([3], None, 5)
    assert torch.equal(sketch.sample([3], None, 5), resize_to(small, SIZES[-1]).clamp(-1, 1))
    assert sketch.sample([0, 1], (180, 74), 5).shape == (2, 3, 180, 74)
    assert sketch.reconstruction().shape == (1, 3, *SIZES[-1])
    assert not sketch.unrolls((4000, 4000))
    assert (
        0 < sketch.picture_memory((900, 370), 2) < sketching(layout=0).picture_memory((900, 370), 2)
    )


def test_advice_for_variety_names_no_rough_samples() -> None:
    config, quality = sketching().config, Reconstruction(30.0, 0.9, (12, 16))
    said = [more_variety(Facts(config, made=RandomSamples([], finish=0.5), quality=own))
            for own in (quality, None)]  # fmt: skip
    assert said[0] == "Evaluate with --finish 0.6, which makes more anew."
    assert said[1].endswith("or --finish 0.")


def test_a_stage_that_was_only_begun_is_not_called_flat() -> None:
    job = make_job(input_name="skimage:coffee", max_size=56, train_stages=3, nfc=4, niter=200,
                   finish=0.5, layout=9)  # fmt: skip
    poor = torch.full((200, len(job.training.losses)), 100.0)
    assert [job.training.flat(stage, poor) for stage in range(3)] == [True, False, False]


def test_a_sketch_that_goes_around_is_enlarged_around() -> None:
    sketch = model(finish=0.5, layout=20, tile="both")
    made = sketch.sample([0], None, 5)
    inside = (made[..., 1:, :] - made[..., :-1, :]).abs().mean()
    assert (made[..., 0, :] - made[..., -1, :]).abs().mean() < 1.5 * inside


def test_no_memory_for_a_preview_stops_no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise UserError("There is not enough memory.")

    monkeypatch.setattr("consingan.outputs.finish.refuse_beyond_free", refuse)
    assert all(made.any() for made in preview(sketching(), None))
