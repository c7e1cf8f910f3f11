"""The report: words from figures, and a page that holds everything it needs."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from report_cases import (
    Page,
    assert_self_contained,
    judgement,
    scene,
    tiny_run,
)
from torch import Tensor

import consingan
from consingan.cli import main
from consingan.cli.evaluating import evaluate
from consingan.cli.training import train
from consingan.images.hole import emptied, emptied_by_1_2
from consingan.images.io import unit, write_image
from consingan.methods import holes
from consingan.methods.choose import choose_settings
from consingan.methods.command import training_command
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.method import CONSINGAN
from consingan.methods.consingan.tasks import TASKS
from consingan.methods.contract import Method
from consingan.methods.dcgan.method import DCGAN
from consingan.methods.holes import Smooth
from consingan.methods.registry import method_of
from consingan.methods.singan.config import SinGANConfig
from consingan.methods.singan.method import SINGAN
from consingan.metrics.judge import Judgement
from consingan.metrics.reconstruction import Reconstruction
from consingan.metrics.swd import sliced_wasserstein
from consingan.outputs.composed import Composite
from consingan.outputs.film import Film
from consingan.outputs.requests import FilmRequest, SamplesRequest
from consingan.outputs.samples import RandomSamples
from consingan.report import figures, kinds, verdicts
from consingan.report.advice import higher_start, livelier, lower_start
from consingan.report.gather import gather, settings
from consingan.report.judging import given_back
from consingan.report.material import Facts, Region
from consingan.report.page import report
from consingan.report.region import flat_distance, judge_region
from consingan.report.style import number
from consingan.report.verdicts import falling
from consingan.report.write import Extras
from consingan.report.write import write_report as write
from consingan.runs.load import LoadedRun, load_run
from consingan.settings.config import Config
from consingan.settings.layers import choose

ALIEN = 'a <b> & "c"'


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> LoadedRun:
    return load_run(tiny_run(tmp_path_factory.mktemp("report"), ALIEN))


def facts(psnr: float = 32.0, **changes: Any) -> Facts:
    quality = Reconstruction(psnr, 0.9)
    usual = Facts(
        ConSinGANConfig(),
        judgement=judgement(),
        quality=quality,
        contrast=0.2,
        stages=6,
        finished=6,
    )
    return dataclasses.replace(usual, **changes)


def said(given: Facts) -> list[tuple[str, str]]:
    return [(verdict.level, verdict.text) for verdict in kinds.verdicts(given)]


def test_good_run_has_only_good_news() -> None:
    found = said(facts())
    assert [level for level, _ in found] == ["good", "good", "good"]
    assert any("differ from the image and from each other" in text for _, text in found)
    assert any("converged" in text for _, text in found)


def test_copies_are_called_copies_whatever_else_is_fine() -> None:
    worst = kinds.verdicts(facts(judgement=judgement(piece=0.9, swd=0.1, diversity=0.05)))[0]
    assert (worst.level, "nearly copies" in worst.text) == ("bad", True)
    assert "--train_stages (now 6)" in worst.advice
    assert not any("differ" in text for _, text in said(facts(judgement=judgement(piece=0.9))))


@pytest.mark.parametrize(
    ("config", "advice"),
    [
        (
            ConSinGANConfig(lr_scale=0.5, train_stages=4),
            "Lower --lr_scale (now 0.5; 0.1 varies more).",
        ),
        (ConSinGANConfig(train_stages=3, min_size=14), "Raise --min_size (now 14)."),
        (
            ConSinGANConfig(train_stages=5, min_size=14),
            "Lower --train_stages (now 5), or raise --min_size (now 14).",
        ),
        (ConSinGANConfig(train_stages=3, min_size=60), "Lower --alpha (now 10)."),
        (ConSinGANConfig(train_stages=3), "Lower --alpha (now 10)."),
    ],
)
def test_advice_names_what_still_holds_samples_to_the_image(
    config: ConSinGANConfig, advice: str
) -> None:
    assert CONSINGAN.remedy("copies", config) == advice


@pytest.mark.parametrize("method", [CONSINGAN, SINGAN])
@pytest.mark.parametrize("symptom", ["copies", "alike"])
def test_a_coarsest_stage_nearer_to_the_critics_patches_is_never_advised_for_variety(
    method: Method, symptom: str
) -> None:
    """The patches are 11 px: the smaller the stage, the more of the layout each of them sees."""
    advice = method.remedy(symptom, method.config(input_name="a.png", min_size=14)).lower()
    assert re.search(r"(raise|larger) --min_size \(now 14\)", advice)
    (told,) = (f for f in dataclasses.fields(method.config) if f.name == "min_size")
    assert "smaller keeps the layout" in told.metadata["help"]


def test_poor_reconstruction_is_not_converged() -> None:
    worst = kinds.verdicts(facts(psnr=20.0, config=ConSinGANConfig(niter=50)))[0]
    assert "did not converge" in worst.text
    assert worst.advice == "Go on with --resume and a larger --niter (now 50)."
    cut = ConSinGANConfig(niter=50, fine_niter=20)
    assert "--fine_niter (now 20)" in CONSINGAN.remedy("longer", cut)
    assert "--niter (now 50)" in CONSINGAN.remedy("longer", cut.replace(train_stages=1))
    both = "a larger --niter and --fine_niter (now 50)"  # neither alone makes a stage longer
    assert both in CONSINGAN.remedy("longer", cut.replace(fine_niter=50))
    assert "--niter (now 50)" in CONSINGAN.remedy("longer", cut.replace(fine_niter=80))


@pytest.mark.parametrize("symptom", ["longer", "texture", "misfits"])
def test_a_learning_rate_gone_wrong_is_not_told_as_too_few_iterations(symptom: str) -> None:
    advice = CONSINGAN.remedy(symptom, ConSinGANConfig(niter=50, lr_g=0.02))
    assert advice == "Train anew with a smaller --lr_g (now 0.02), or with --batch_norm."


@pytest.mark.parametrize(
    ("symptom", "config", "flag"),
    [
        ("copies", SinGANConfig(alpha=0.0), "--alpha"),
        ("flat", ConSinGANConfig(batch_norm=True), "--batch_norm"),
        ("diverged", ConSinGANConfig(lr_scale=0.0), "--lr_scale"),
        ("flat", ConSinGANConfig(train_stages=1), "--lr_scale"),
        ("copies", ConSinGANConfig(alpha=0.0, train_stages=3), "--alpha"),
        ("alike", ConSinGANConfig(train_stages=3), "--train_stages"),
        ("fits", ConSinGANConfig(fine_tune=True), "--fine_tune"),
    ],
)
def test_advice_leaves_out_what_is_there_already(symptom: str, config: Config, flag: str) -> None:
    assert flag not in method_of(config.method).remedy(symptom, config)


def test_advice_on_an_evaluation_names_what_can_still_be_changed() -> None:
    still = facts(kind="film", judgement=judgement(diversity=0.001))
    for request, start, advice in (
        (FilmRequest(), 0, "Lower --alpha (now 0.1) or --beta (now 0.9)."),
        (FilmRequest(alpha=0.0, betas=(0.0,)), 2, "Lower --start_stage (now 2)."),
        (FilmRequest(alpha=0.0, betas=(0.0,)), 0, ""),
    ):
        made = Film((), 10.0, start)
        for method in (CONSINGAN, DCGAN):
            given = dataclasses.replace(still, method=method, request=request, made=made)
            assert livelier(given) == advice


@pytest.mark.parametrize("start", range(1, 6))
def test_advice_on_a_composite_names_the_start_stages_that_there_are(start: int) -> None:
    picture = scene()
    made = Composite(picture, picture, None, picture, picture, sheet=[(start, picture)])
    tuned = ConSinGANConfig(fine_tune=True)
    given = facts(kind="composite", config=tuned, made=made, starts=range(1, 6))
    assert (f"lower --start_stage (now {start})" in lower_start(given)) == (start > 1)
    assert (f"higher --start_stage (now {start})" in higher_start(given)) == (start < 5)


def test_samples_that_began_late_vary_more_from_an_earlier_stage_on() -> None:
    late = RandomSamples([], start=3)
    for some in (judgement(diversity=0.01), judgement(piece=0.9), judgement(piece=0.7)):
        found = kinds.verdicts(facts(judgement=some, made=late))
        assert "Evaluate with a lower --start_stage (now 3)." in [v.advice for v in found]


def test_worse_than_a_flat_color_is_a_collapse_after_a_while() -> None:
    curves = [np.full(500, 56.0)]
    worst = kinds.verdicts(facts(psnr=8.5, reconstruction=curves))[0]
    assert worst.text.startswith("Training collapsed: one flat color would be closer")
    assert "--lr_scale" in worst.advice
    short_last_stage = [*curves, np.full(30, 56.0)]
    worst = kinds.verdicts(facts(psnr=8.5, reconstruction=short_last_stage))[0]
    assert worst.text.startswith("Training collapsed")
    begun = [np.full(20, 56.0)] * 6
    assert "did not converge" in kinds.verdicts(facts(psnr=8.5, reconstruction=begun))[0].text


def test_convergence_is_relative_to_contrast() -> None:
    assert said(facts(psnr=32.0, contrast=0.2))[0][0] == "good"
    assert "did not converge" in said(facts(psnr=32.0, contrast=0.02))[0][1]


def test_the_distance_between_the_means_of_channels_is_no_contrast(run: LoadedRun) -> None:
    colors = torch.tensor([0.8, 0.0, -0.8])[None, :, None, None]
    real = colors + 0.1 * scene()
    flat = real.mean((2, 3), keepdim=True).expand_as(real).contiguous()
    material = dataclasses.replace(gather(run), real=real, reconstruction=flat, curves={})
    material = dataclasses.replace(material, quality=given_back(material))
    assert "did not converge" in said(kinds.facts_of(material))[0][1]


def test_whether_the_critic_won_is_told_by_the_curves(run: LoadedRun) -> None:
    curves = {0: {name: np.full(200, 0.001) for name in DCGAN.losses}}
    material = dataclasses.replace(gather(run), config=DCGAN.config(), curves=curves)
    assert kinds.facts_of(material).beaten
    assert not kinds.facts_of(dataclasses.replace(material, curves={})).beaten


@pytest.mark.parametrize(("asked", "said"), [(5, "the first 2 of 5 frames"), (2, ", 2 frames")])
def test_a_page_says_how_much_of_a_film_it_shows(run: LoadedRun, asked: int, said: str) -> None:
    frames = [scene(0), scene(1)]
    material = dataclasses.replace(
        gather(run), samples=frames, made=Film(frames, 10.0), request=FilmRequest(frames=asked)
    )
    assert said in kinds.KINDS["film"].look(material)


def test_noise_is_no_variety() -> None:
    found = said(facts(judgement=judgement(swd=26.0, diversity=0.9)))
    assert found[0] == (
        "bad", "Samples do not look like the image (SWD 26.0).",
    )  # fmt: skip
    assert not any("differ" in text for _, text in found)


def test_new_texture_does_not_look_like_the_image() -> None:
    found = said(facts(judgement=judgement(new_texture=0.3)))
    assert found[0][0] == "bad"
    assert "30% of the area unlike anything in it" in found[0][1]


def test_some_new_texture_is_rough_not_bad() -> None:
    found = said(facts(judgement=judgement(new_texture=0.11)))
    assert found[0][0] == "fair"
    assert found[0][1].startswith("Samples are rough in places")


@pytest.mark.parametrize(
    ("swd", "level"), [(200.0, "bad"), (68.0, "bad"), (50.0, "fair"), (20.0, "good")]
)
def test_a_tiny_picture_is_measured_by_one_flat_color(swd: float, level: str) -> None:
    given = facts(judgement=judgement(swd=swd, new_texture=1.0), short_side=40, flat=90.0)
    found = said(given)
    assert [grade for grade, text in found if "one flat color has 90.0" in text] == [level]
    assert any("differ from the image" in text for _, text in found) == (level == "good")


def test_where_texture_cannot_be_judged_no_success_is_claimed() -> None:
    found = said(facts(judgement=judgement(swd=200.0), short_side=40))
    assert found == [("good", "Training converged: the image is given back (PSNR 32.0 dB).")]


@pytest.mark.parametrize(
    ("kept", "distance", "alien"),
    [(0.08, 0.34, True), (0.0, 1.5, True), (0.87, 0.21, False), (0.0, 0.2, False)],
)
def test_a_picture_that_has_nothing_to_do_with_the_image_is_said(
    kept: float, distance: float, alien: bool
) -> None:
    region = Region({"swd": 30.0}, {"swd": 20.0}, kept=kept, distance=distance)
    found = said(facts(kind="composite", region=region))
    assert any("nothing to do with the training image" in text for _, text in found) == alien


def test_other_colors_are_told_from_a_rearranged_image() -> None:
    """By arithmetic alone: the shares that the thresholds are compared with."""
    real = unit(scene(0, 48, 60))
    base = flat_distance(real)
    mirrored = torch.roll(real.flip(-1), (7, 11), (-2, -1))
    assert float(sliced_wasserstein(real, mirrored)[0]) / base < verdicts.OWN_TEXTURE
    assert float(sliced_wasserstein(real, real.square())[0]) / base > verdicts.OWN_TEXTURE
    assert float(sliced_wasserstein(real, 1 - real * 0.5)[0]) / base > verdicts.NO_TEXTURE
    assert float(sliced_wasserstein(real, real)[0]) == pytest.approx(0, abs=1e-6)


def test_equal_samples_are_alike_even_if_they_are_no_copies() -> None:
    assert "all alike" in said(facts(judgement=judgement(diversity=0.01)))[0][1]


def test_what_has_not_learned_the_image_is_not_told_to_vary_more() -> None:
    def advice(**metrics: float) -> str:
        found = kinds.verdicts(facts(judgement=judgement(diversity=0.0, **metrics)))
        (alike,) = (verdict for verdict in found if "all alike" in verdict.text)
        return alike.advice

    assert advice(swd=100.0) == ""
    assert advice(swd=3.0).startswith("Lower")


def test_large_copies_are_mentioned_but_not_many_small_ones() -> None:
    level, text = said(facts(judgement=judgement(piece=0.7, copied=0.8)))[0]
    assert (level, "70% of each is one piece" in text) == ("fair", True)
    assert said(facts(judgement=judgement(copied=0.95))) == said(facts())
    before = judgement()
    del before.metrics["piece"]  # of releases before 1.19
    assert said(facts(judgement=before)) == said(facts())


def test_one_sample_is_not_compared_with_others() -> None:
    alone = judgement()
    del alone.metrics["diversity"]
    assert ("good", "Samples differ from the image.") in said(facts(judgement=alone))


def test_unfinished_and_diverged_runs_say_so() -> None:
    assert said(facts(finished=4))[0] == (
        "fair", "Training is not finished: 4 of 6 stages are here.",
    )  # fmt: skip
    assert said(facts(finished=4, status="diverged"))[0] == ("bad", "Training diverged.")


def test_of_an_unfinished_run_nothing_is_advised_but_to_go_on() -> None:
    rough = judgement(swd=40.0, diversity=0.05)
    found = kinds.verdicts(facts(20.0, judgement=rough, finished=4, status="interrupted"))
    assert len(found) == 4
    assert {verdict.advice for verdict in found} == {"", "Go on with --resume."}
    foreign = kinds.verdicts(facts(finished=4))  # of the authors' program, which keeps no state
    assert not any(verdict.advice for verdict in foreign)
    collapsed = facts(5.0, finished=4, reconstruction=[np.ones(200)] * 4)
    assert "Train anew with a smaller" in kinds.verdicts(collapsed)[0].advice


@pytest.mark.parametrize(
    ("after", "level"), [(20.0, "good"), (30.1, "fair"), (29.9, "fair"), (40.0, "bad")]
)
def test_composite_is_judged_by_its_region(after: float, level: str) -> None:
    region = Region({"swd": 30.0}, {"swd": after})
    found = said(facts(kind="composite", region=region))
    assert (level, True) in [(grade, "changed region" in text) for grade, text in found]


def test_frames_that_stand_still_are_mentioned() -> None:
    still = facts(kind="film", judgement=judgement(diversity=0.001, piece=1.0))
    assert said(still)[0] == ("fair", "The frames hardly move.")
    moving = facts(kind="film", judgement=judgement(diversity=0.1, piece=1.0))
    assert {level for level, _ in said(moving)} == {"good"}


def curve(values: Any) -> list[np.ndarray[Any, Any]]:
    return [np.asarray(values, dtype=np.float64)]


def test_falling_curve_is_told_from_a_level_one_with_spikes() -> None:
    steps = np.arange(1000)
    level = np.where(steps % 100 == 0, 5.0, 0.1)
    assert falling(curve(level)) == pytest.approx(0.0)
    assert falling(curve(np.exp(-steps / 300))) > verdicts.FALLING  # type: ignore[operator]
    assert falling(curve(np.ones(10))) is None
    assert falling([]) is None


def test_run_that_still_falls_was_cut_short() -> None:
    still = curve(np.exp(-np.arange(1000) / 300))
    assert any("cut short" in text for _, text in said(facts(psnr=30.0, reconstruction=still)))
    assert not any("cut short" in text for _, text in said(facts(psnr=45.0, reconstruction=still)))


# Pictures


def decoded(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


def test_small_picture_travels_without_loss() -> None:
    picture = scene()
    image = decoded(figures.data_uri(picture))
    assert image.format == "PNG"
    back = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None] / 127.5 - 1
    assert (back - picture).abs().max() <= 1 / 255 + 1e-6


def test_large_picture_becomes_a_small_jpeg() -> None:
    grain = torch.rand(1, 3, 900, 1200, generator=torch.Generator().manual_seed(0)) * 2 - 1
    image = decoded(figures.data_uri(grain))
    assert (image.format, image.size) == ("JPEG", (512, 384))


def test_animation_keeps_its_frames() -> None:
    image = decoded(figures.moving_uri([scene(n) for n in range(5)], 10.0))
    assert (image.format, getattr(image, "n_frames", 1)) == ("WEBP", 5)


def test_thinned_curve_keeps_its_course() -> None:
    steps, values = figures.thinned(np.arange(1000.0), points=10)
    assert len(values) == 10
    assert values == pytest.approx(steps)
    steps, values = figures.thinned(np.array([3.0, 1.0]))
    assert values.tolist() == [3.0, 1.0]


def test_numbers_have_three_digits_and_no_powers() -> None:
    assert [number(x) for x in (0.0, 24.0, 123.4, 0.01234, 0.0000123)] == [
        "0", "24.0", "123", "0.0123", "0.000012",
    ]  # fmt: skip


# Settings and commands


def test_command_gives_back_the_settings(run: LoadedRun) -> None:
    words = shlex.split(training_command(gather(run).config))
    assert words[:2] == ["python", "main_train.py"]
    context = train.make_context("train", words[2:])
    names = {field.name for field in dataclasses.fields(ConSinGANConfig)}
    typed = {name: value for name, value in context.params.items() if name in names}
    layers = {"task": TASKS[run.model.config.train_mode].overrides, "typed": typed}
    assert choose(ConSinGANConfig, layers).config == run.model.config


@pytest.mark.parametrize(("rule", "repeated"), [(emptied, "main_train.py"),
                                                (emptied_by_1_2, "replay")])  # fmt: skip
def test_around_a_hole_as_another_release_filled_it_only_the_run_itself_repeats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: Smooth, repeated: str
) -> None:
    hole = tmp_path / "hole.png"
    pixels = np.zeros((24, 30, 3), np.uint8)
    pixels[8:13, 10:15] = 255
    write_image(hole, pixels)
    monkeypatch.setattr(holes, "emptied", rule)
    folder = tiny_run(tmp_path / "run", train_mode="inpainting", mask=hole, min_size=20)
    kept = re.findall("<pre>(.*?)</pre>", report(gather(load_run(folder))))
    assert len(kept) == 2
    assert repeated in kept[0]
    assert str(folder if repeated == "replay" else hole) in kept[0]


@pytest.mark.parametrize("mode", ["generation", "editing"])
@pytest.mark.parametrize(
    "typed",
    [
        {"preset": "fast"},
        {"preset": "fast", "fine_niter": 0},
        {"preset": "fast", "fine_d_steps": 0, "niter": 100},
        {"preset": "draft", "niter": 2000},
        {"preset": "draft", "niter": 1000, "lr_scale": 0.5},
        {"lr_scale": 0.5, "batch_norm": True},
    ],
)
def test_command_gives_back_what_was_typed_over_a_preset(
    run: LoadedRun, mode: str, typed: dict[str, Any]
) -> None:
    asked = {"train_mode": mode, "input_name": "a.png", **typed}
    config = choose_settings(asked).config
    words = shlex.split(training_command(config))
    params = train.make_context("train", words[2:]).params
    names = {field.name for field in dataclasses.fields(ConSinGANConfig)}
    again = {k: v for k, v in params.items() if k in names and v is not None}
    assert choose_settings(again).config == config


def test_run_on_a_tensor_is_repeated_from_python(run: LoadedRun) -> None:
    over = {"preset": "draft", "niter": 2000, "lr_scale": 0.1, "fine_niter": 0, "fine_d_steps": 0}
    config = run.model.config.replace(input_name="image", manual_seed=5, **over)
    command = training_command(config)
    assert command.startswith("consingan.train(image, ")
    called = eval(command, {"consingan": type("Api", (), {"train": dict}), "image": {}})
    assert choose_settings(called).config == config.replace(input_name="")


def test_settings_that_differ_come_first() -> None:
    config = ConSinGANConfig(train_mode="harmonization", **TASKS["harmonization"].overrides)
    found = settings(config.replace(input_name="a.png", lr_scale=0.5))
    assert [s.flag for s in found if s.changed] == ["--input_name", "--train_mode", "--lr_scale"]
    assert [s.changed for s in found] == sorted((s.changed for s in found), reverse=True)


# The changed part of a picture


def composite(result: Tensor, naive: Tensor, mask: Tensor | None) -> Composite:
    return Composite(naive, naive, mask, result, result)


def test_region_that_becomes_like_the_image_is_nearer_to_it() -> None:
    real = scene(0, 40, 60)
    mask = torch.zeros(1, 1, 40, 60)
    mask[..., 10:30, 20:40] = 1
    naive = torch.where(mask > 0, -real, real)
    region = judge_region(unit(real), composite(real, naive, mask))
    assert not region.whole
    assert region.after["coherence"] < region.before["coherence"] / 10
    assert region.after["swd"] < region.before["swd"]


def test_a_faint_mask_is_a_region_too() -> None:
    real = scene(0, 40, 60)
    mask = torch.zeros(1, 1, 40, 60)
    mask[..., 16:24, 24:40] = 0.3
    region = judge_region(unit(real), composite(real, -real, mask))
    assert not region.whole


def test_a_picture_of_another_shape_is_no_changed_training_image() -> None:
    real, own = scene(0, 40, 60), scene(0, 60, 40)
    region = judge_region(unit(real), composite(own, own, None))
    assert region.kept == 0


def test_no_mask_means_the_whole_picture() -> None:
    real = scene(0, 40, 60)
    empty = torch.zeros(1, 1, 40, 60)
    for mask in (None, empty):
        region = judge_region(unit(real), composite(real, -real, mask))
        assert region.whole
        assert region.after["swd"] == pytest.approx(0, abs=1e-4)


# The page


def test_page_holds_everything_it_needs(run: LoadedRun, tmp_path: Path) -> None:
    model = consingan.load(run.path, device="cpu")
    samples = list(model.sample(4).split(1))
    heard: list[str] = []
    material = write(
        run,
        tmp_path,
        RandomSamples(samples),
        SamplesRequest(num_samples=4),
        Extras(say=heard.append),
    )
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    page = assert_self_contained(html)
    alternatives = [image["alt"] for image in page.all("img")]
    assert alternatives.count("training image") == 1
    assert alternatives.count("reconstruction") == 1
    assert "sample 3" in alternatives
    assert "novelty map 3" in alternatives
    assert len(page.all("svg")) == 2
    for text in ("diversity", "↑ higher", "--niter", "main_train.py", *page_texts(material)):
        assert text in page.text
    record = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert Judgement.from_dict(record) == material.judgement
    assert [v["text"] for v in record["verdicts"]] == page_texts(material)
    assert any("report.html" in line for line in heard)


def page_texts(material: Any) -> list[str]:
    return [verdict.text for verdict in kinds.verdicts(kinds.facts_of(material))]


def test_names_cannot_break_the_page(run: LoadedRun) -> None:
    html = report(gather(run))
    page = assert_self_contained(html)
    assert "<b>" not in html
    assert ALIEN in page.text


def test_page_says_how_many_iterations_there_were(run: LoadedRun) -> None:
    same = gather(run)
    assert "2 stages × 2 iterations" in Page(report(same)).text
    longer = {name: np.concatenate([losses] * 4) for name, losses in same.curves[0].items()}
    cut = dataclasses.replace(same, curves={0: longer, 1: same.curves[1]})
    assert "2 stages × 2 to 8 iterations" in Page(report(cut)).text


def test_a_page_says_from_where_on_a_run_was_computed_otherwise(run: LoadedRun) -> None:
    """Its commands cannot: they train it all in one way."""
    whole = gather(run)
    now = {name: whole.manifest[name] for name in ("versions", "machine", "execution")}
    now["execution"] = {**now["execution"], "threads": 1 + now["execution"]["threads"]}
    resumed = [{"stage": 1, "iteration": 1, **now}]
    other = dataclasses.replace(whole, manifest={**whole.manifest, "resumed": resumed})
    assert "From iteration 2 of stage 2 on it was trained with threads" in report(other)
    assert "From iteration" not in report(whole)


def test_a_fine_tuning_is_told_as_one_of_the_last_stage(run: LoadedRun) -> None:
    """Its time is noted as the first one, whichever stage was trained."""
    whole = gather(run)
    tuned = dataclasses.replace(
        whole,
        config=whole.config.replace(fine_tune=True),
        curves={1: whole.curves[1]},
        manifest={**whole.manifest, "seconds_per_stage": [70.0]},
    )
    html = report(tuned)
    assert "1 of 2 stages × 2 iterations · trained in 70 s" in Page(html).text
    rows = re.findall(r"<tr><td>(\d)</td>.*?([^<>]+)</td></tr>", html)
    assert rows == [("1", "–"), ("2", "70 s")]


def test_page_of_a_run_without_history_has_no_curves(run: LoadedRun) -> None:
    bare = dataclasses.replace(gather(run), manifest={}, curves={})
    page = assert_self_contained(report(bare))
    assert not page.all("svg")


# The command


def call(*arguments: object) -> Any:
    words = [*map(str, arguments), "--device", "cpu", "--num_samples", "2", "--scale_h", "1"]
    return CliRunner().invoke(evaluate, ["--model_dir", *words])


def test_evaluation_leaves_metrics_and_report(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path)
    assert call(folder, "--no_metrics").exit_code == 0
    assert not (folder / "Evaluation" / "report.html").exists()
    assert not (folder / "Evaluation" / "metrics.json").exists()
    result = call(folder)
    assert result.exit_code == 0, result.output
    page = assert_self_contained(
        (folder / "Evaluation" / "report.html").read_text(encoding="utf-8")
    )
    typed = (
        f"python evaluate_model.py --model_dir {folder} --device cpu --num_samples 2 --scale_h 1"
    )
    assert typed in page.text  # the command that makes the same again
    record = json.loads((folder / "Evaluation" / "metrics.json").read_text(encoding="utf-8"))
    assert (record["count"], record["stages"]) == (2, 2)
    assert record["reconstruction"]["psnr"] > 0


def test_animation_has_its_frames_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rates, moving = [], figures.moving_uri
    monkeypatch.setattr(
        figures, "moving_uri", lambda frames, fps: (rates.append(fps), moving(frames, fps))[1]
    )
    folder = tiny_run(tmp_path, train_mode="animation")
    result = call(folder, "--frames", "9", "--fps", "25", "--beta", "0.9", "--start_stage", "0")
    assert result.exit_code == 0, result.output
    html = (folder / "Evaluation" / "report.html").read_text(encoding="utf-8")
    page = assert_self_contained(html)
    assert any(image["src"].startswith("data:image/webp") for image in page.all("img"))
    assert rates == [25]
    record = json.loads((folder / "Evaluation" / "metrics.json").read_text(encoding="utf-8"))
    assert record["count"] == 3


def test_harmonization_is_judged_before_and_after(tmp_path: Path) -> None:
    naive, mask = scene(), torch.full((24, 30), 0, dtype=torch.uint8)
    naive[..., 8:16, 10:20] = 1
    mask[8:16, 10:20] = 255
    write_image(tmp_path / "naive.png", naive)
    write_image(tmp_path / "naive_mask.png", mask.numpy())
    folder = tiny_run(tmp_path, train_mode="harmonization", batch_norm=False)
    result = call(folder, "--naive_img", tmp_path / "naive.png")
    assert result.exit_code == 0, result.output
    html = (folder / "Evaluation" / "report.html").read_text(encoding="utf-8")
    page = assert_self_contained(html)
    alternatives = [image["alt"] for image in page.all("img")]
    assert {"naive image", "mask", "result of harmonization"} <= set(alternatives)
    record = json.loads((folder / "Evaluation" / "metrics.json").read_text(encoding="utf-8"))
    assert record["region"]["before"].keys() == {"swd", "coherence"}
    assert "sample" not in alternatives


def test_unusable_weights_are_found_before_the_work(tmp_path: Path) -> None:
    folder = tiny_run(tmp_path)
    result = call(folder, "--inception_weights", tmp_path / "none.pth")
    assert result.exit_code == 2
    assert not (folder / "Evaluation").exists()


def test_commands_are_listed() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert all(word in result.output for word in ("metrics", "compare"))
