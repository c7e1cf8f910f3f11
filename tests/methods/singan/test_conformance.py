"""Agreement with numbers that the authors' program computed; tolerances as they are recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from singan_cases import (
    BYTE_FLIPS,
    FOLDER,
    MARGIN,
    Replay,
    byte_errors,
    fill,
    load,
    load_json,
    model,
    part,
    picture,
    sequence,
    trained_generator,
)
from torch import Tensor

from consingan.errors import UserError
from consingan.images.masks import soften
from consingan.methods.singan import sampling
from consingan.methods.singan.architecture import Architecture
from consingan.methods.singan.chain import Scale, climb, handed_up
from consingan.methods.singan.engine import (
    Draws,
    PlainEngine,
    Recipe,
    ScaleTask,
    counts_a_picture,
    learning_rate_factor,
)
from consingan.methods.singan.enlarging import enlarge_picture
from consingan.methods.singan.injection import entered, entered_quantized, fit_reference
from consingan.methods.singan.networks import Discriminator, Generator, frame
from consingan.methods.singan.official import load_official
from consingan.methods.singan.pyramid import plan_enlargement, plan_enlarging_pyramid, plan_pyramid
from consingan.methods.singan.quantization import Palette, find_palette
from consingan.methods.singan.resize import (
    crop,
    resample,
    resize,
    resize_to,
    resized,
    to_unit_bytes,
)
from consingan.methods.singan.tasks import TASKS
from consingan.methods.singan.walk import frame_noises
from consingan.nn import losses

TRACES = ["training_train", "training_growth", "training_animation"]


def close(actual: Tensor, expected: Tensor, atol: float) -> None:
    torch.testing.assert_close(actual.detach(), expected, rtol=0, atol=atol, check_dtype=False)


def case_name(case: dict[str, Any]) -> str:
    names = ("mode", "width", "height", "min_size", "scale_factor")
    return "-".join(str(case[name]) for name in names)


@pytest.mark.parametrize("case", load_json("pyramid"), ids=case_name)
def test_pyramid(case: dict[str, Any]) -> None:
    size, limits = (case["height"], case["width"]), (case["min_size"], case["max_size"])
    if "error" in case:
        with pytest.raises(UserError, match="too small for a pyramid"):
            plan_pyramid(size, case["scale_factor"], *limits)
        return
    if case["mode"] == "SR":
        plan = plan_enlargement(case["sr_factor"])
        assert plan.step == pytest.approx(case["sr_step"], rel=1e-12)
        assert plan.steps == case["sr_steps"]
        pyramid = plan_enlarging_pyramid(size, plan.step, *limits)
        assert [list(s) for s in plan.sizes(pyramid.sizes[-1])] == case["sr_sizes"]
        assert list(plan.output(pyramid.sizes[-1])) == case["sr_output"]
    else:
        pyramid = plan_pyramid(size, case["scale_factor"], *limits)
    assert pyramid.last == case["stop_scale"]
    assert pyramid.first == pytest.approx(case["scale1"], rel=1e-12)
    assert pyramid.ratio == pytest.approx(case["adjusted_scale_factor"], rel=1e-12)
    assert list(resized(size, pyramid.first)) == case["image"]
    assert [list(s) for s in pyramid.sizes] == case["sizes"]
    grown = [list(resized(s, 1 / pyramid.ratio)) for s in pyramid.sizes[:-1]]
    assert grown == case["enlarged"]


def test_schedule() -> None:
    for iteration, rate in load_json("schedule")["lr"].items():
        assert 5e-4 * learning_rate_factor(int(iteration), 0.1) == pytest.approx(rate, abs=1e-12)


def test_cubic_resize_with_borders() -> None:
    arrays, _ = load("resize")
    image = arrays["image"].permute(2, 0, 1)[None].double()
    size = (image.shape[-2], image.shape[-1])
    for key, expected in part(arrays, "raw").items():
        if "x" in key:
            height, width = (int(n) for n in key.split("x"))
            output = resample(image, (height, width), (height / size[0], width / size[1]))
        else:
            output = resample(image, resized(size, float(key)), (float(key), float(key)))
        close(output[0].permute(1, 2, 0), expected, 1e-3)


def test_resize_through_bytes() -> None:
    arrays, _ = load("resize")
    assert torch.equal(to_unit_bytes(arrays["x"])[0].permute(1, 2, 0).byte(), arrays["x_uint8"])
    for key, expected in part(arrays, "y").items():
        if "x" in key:
            height, width = (int(n) for n in key.split("x"))
            output = resize_to(arrays["x"], (height, width))
        else:
            output = resize(arrays["x"], float(key))
        close(output, expected, 1e-5)


def widths(arrays: dict[str, Tensor]) -> list[tuple[str, Architecture]]:
    names = {key.split(".")[0] for key in arrays}
    assert names
    return [(n, Architecture(*(int(w[3:]) for w in n.split("_")))) for n in sorted(names)]


def test_generator_in_both_modes() -> None:
    arrays, _ = load("generator")
    for name, architecture in widths(arrays):
        case = part(arrays, name)
        generator = fill(Generator(architecture), part(case, "weights"))
        close(generator.eval()(case["x"], case["y"]), case["output_eval"], 2e-5)
        close(generator.train()(case["x"], case["y"]), case["output_train"], 2e-5)
        for key, expected in part(case, "stats_after").items():
            if "running_" in key:
                close(generator.state_dict()[key], expected, 2e-5)


def test_discriminator_scores() -> None:
    arrays, _ = load("discriminator")
    for name, architecture in widths(arrays):
        case = part(arrays, name)
        critic = fill(Discriminator(architecture), part(case, "weights"))
        close(critic(case["real"]), case["score_train"], 2e-5)


def test_gradient_penalty() -> None:
    arrays, _ = load("penalty")
    for name, architecture in widths(arrays):
        case = part(arrays, name)
        critic = fill(Discriminator(architecture), part(case, "weights"))
        penalty = losses.gradient_penalty(critic, case["real"], case["fake"], case["alpha"])
        penalty = case["lambda_grad"] * penalty
        close(penalty, case["penalty"], 1e-5)
        penalty.backward()
        gradients = {n: p.grad for n, p in critic.named_parameters()}
        for key, expected in part(case, "grad").items():
            gradient = gradients[key]
            close(torch.zeros_like(expected) if gradient is None else gradient, expected, 1e-5)


@pytest.mark.parametrize("name", TRACES)
def test_training_trace(name: str) -> None:
    errors = Replay(name).run()
    assert errors.pop("weights") < 2e-5
    assert errors.pop("statistics") < 5e-6
    assert all(error < 5e-5 for error in errors.values()), errors


@pytest.mark.parametrize(
    ("change", "kind", "least"),
    [("recompute_fake", "losses", 0.02)],
)
def test_neighbors_of_the_method_are_told_apart(change: str, kind: str, least: float) -> None:
    assert Replay("training_train", changes={change: True}).run()[kind] > least


def test_reals_of_a_training() -> None:
    arrays, meta = load("training_train")
    image = picture(arrays["image"])
    limits = (meta["scale_factor"], meta["min_size"], meta["max_size"])
    pyramid = plan_pyramid((image.shape[-2], image.shape[-1]), *limits)
    trained = resize(image, pyramid.first)
    for n in range(pyramid.last + 1):
        close(resize(trained, pyramid.factor(n)), arrays[f"real.{n}"], 1e-5)


def test_quantized_paint_training() -> None:
    """Scale n of model.npz trained anew, with few colors in what comes from below."""
    arrays, meta = load("training_paint")
    scales, pyramid = model()
    n, margin = meta["start_scale"], MARGIN
    factor = 1 / pyramid.ratio
    palette = Palette(arrays["centers"])
    below = scales[:n]
    fixed = [s.fixed for s in below]
    like = frame(scales[n].real, margin)
    blank = torch.zeros_like(scales[0].real)
    rec = handed_up(climb(below, fixed, blank, factor), factor, like, margin)
    amplitude = meta["noise_amp"] * float((scales[n].real - rec).square().mean().sqrt())
    assert amplitude == pytest.approx(float(arrays["scale1.amp"]), abs=5e-5)
    quantized = palette.quantize(frame(rec, margin))
    for step in sequence(arrays, "z_prev_quantized"):
        assert byte_errors(quantized, step) <= BYTE_FLIPS
    architecture = Architecture(meta["scales"][0]["nfc"], meta["scales"][0]["min_nfc"])
    generator = fill(Generator(architecture), part(arrays, f"scale{n}.G_before")).train()
    critic = fill(Discriminator(architecture), part(arrays, f"scale{n}.D_before"))
    names = ("lr_g", "lr_d", "beta1", "Gsteps", "Dsteps", "lambda_grad", "alpha")
    recipe = Recipe(*(meta[name] for name in names))
    task = ScaleTask(generator, critic, scales[n].real, quantized, amplitude, recipe)  # type: ignore[arg-type]
    engine = PlainEngine(task)
    for t in range(meta["niter"]):
        previous = []
        for j in range(meta["Dsteps"]):
            zs = [arrays[f"scale{n}.prev_noise.{t}.{j}.{k}"] for k in range(n)]
            zs = [frame(z, margin).expand(-1, 3, -1, -1) for z in zs]
            up = handed_up(climb(below, zs, blank, factor), factor, like, margin)
            quantized_up = palette.quantize(frame(up, margin))
            inner = quantized_up[..., margin:-margin, margin:-margin]
            assert byte_errors(inner, arrays[f"scale{n}.prev.{t}.{j}"]) <= 0.01
            inner.copy_(arrays[f"scale{n}.prev.{t}.{j}"])
            previous.append(quantized_up)
            if t == j == 0:
                assert byte_errors(quantized_up, arrays["prev_padded.0.0"]) <= BYTE_FLIPS
        noise = frame(arrays[f"scale{n}.noise.{t}"], margin)
        still = torch.zeros_like(noise)
        draws = Draws(noise, still, torch.cat(previous), arrays[f"scale{n}.alpha"][t])
        made = engine.step(draws)
        close(made.critic[:, 2], arrays[f"scale{n}.penalty"][t], 5e-5)
        close(made.generator[:, 0], arrays[f"scale{n}.errG"][t], 5e-5)
        close(made.generator[:, 1], arrays[f"scale{n}.rec"][t], 5e-5)
        if counts_a_picture(t, meta["niter"]):
            engine.reconstruct(still)
    state = generator.state_dict()
    for key, value in part(arrays, f"scale{n}.G_after").items():
        if "num_batches" not in key:
            close(state[key], value, 5e-6 if "running_" in key else 2e-5)
    trained = Scale(generator.eval(), scales[n].real, still, amplitude)  # type: ignore[arg-type]
    noises = [frame(z, margin) for z in sequence(arrays, "noise_after")]
    image = climb([trained, *scales[n + 1 :]], noises, arrays["in_s"], factor)
    assert byte_errors(image, arrays["generated"]) <= 0.01


def test_reconstruction_of_the_model() -> None:
    arrays, _ = load("model")
    scales, pyramid = model()
    for n in range(1, len(scales)):
        made = sampling.reconstruct(scales[:n], 1 / pyramid.ratio)
        grown = crop(resize(made, 1 / pyramid.ratio), scales[n].size)
        assert byte_errors(grown, arrays[f"rec_enlarged.{n}"]) <= BYTE_FLIPS
    close(sampling.reconstruct(scales, 1 / pyramid.ratio), arrays["reconstruction"], 1e-4)


@pytest.mark.parametrize("job", range(len(load("samples")[1])))
def test_samples(job: int) -> None:
    arrays, jobs = load("samples")
    settings, (scales, pyramid) = jobs[job], model()
    count, start = settings["num_samples"], settings.get("gen_start_scale", 0)
    drawn = list(sequence(arrays, f"job{job}.noise"))
    noises = []
    for n, scale in enumerate(scales):
        noise = torch.cat(drawn[n * count : (n + 1) * count])
        factors = (settings.get("scale_v", 1), settings.get("scale_h", 1))
        size = tuple(round(s * f) for s, f in zip(scale.size, factors, strict=True))
        assert noise.shape[-2:] == size
        noises.append(frame(noise, MARGIN).expand(-1, 3, -1, -1))
    for n in range(start, len(scales)):
        made = sampling.sample(scales[: n + 1], noises[: n + 1], 1 / pyramid.ratio, start)
        expected = torch.cat(list(sequence(arrays, f"job{job}.image.{n}")))
        close(made, expected, 1e-4)


def test_super_resolution() -> None:
    arrays, meta = load("sr")
    plan = plan_enlargement(meta["sr_factor"])
    assert (plan.steps, plan.step) == (meta["steps"], pytest.approx(meta["step"], rel=1e-12))
    generator = trained_generator(Architecture(6, 6), arrays, "G")
    real = arrays["real_last"]
    finest = Scale(generator, real, torch.zeros_like(real), float(arrays["amp"]))
    close(resize(real, plan.step), arrays["in_s"], 1e-4)
    noises = list(sequence(arrays, "noise"))
    made = enlarge_picture(finest, real, plan, lambda step, shape: noises[step])
    assert byte_errors(made, arrays["output"]) <= 0.01
    tiled = enlarge_picture(finest, real, plan, lambda step, shape: noises[step], tile=16)
    assert byte_errors(tiled, made) <= 0.01


@pytest.mark.parametrize("task", ["paint", "harmonization", "editing"])
def test_injection(task: str) -> None:
    arrays, meta = load("injection")
    scales, pyramid = model()
    start, given = meta[task]["start_scale"], arrays["paint" if task == "paint" else "ref"]
    image = entered(fit_reference(picture(given), pyramid), pyramid, start)
    close(image, arrays[f"{task}.in_s"], 1e-4)
    noises = [frame(z, MARGIN) for z in sequence(arrays, f"{task}.noise")]
    made = climb(scales[start:], noises, arrays[f"{task}.in_s"], 1 / pyramid.ratio)
    close(made, arrays[f"{task}.generated"], 1e-4)
    if task == "paint":
        return
    white = to_unit_bytes(fit_reference(picture(arrays["mask"]), pyramid)[:, :1]) > 0
    mask = soften(white.float(), TASKS[task].mask_dilation)
    if arrays[f"{task}.mask_dilated"].isnan().all():  # theirs divides by zero; ours is all white
        assert bool((mask == 1).all())
        return
    close(mask.expand(-1, 3, -1, -1), arrays[f"{task}.mask_dilated"], 1e-5)
    real = resize(picture(load("model")[0]["image"]), 27 / 54)
    close(real, arrays[f"{task}.real"], 1e-4)
    close((1 - mask) * real + mask * made, arrays[f"{task}.output"], 1e-4)


@pytest.mark.parametrize("task", ["harmonization", "editing"])
def test_mask_dilation(task: str) -> None:
    arrays, _ = load("mask_dilation")
    for number, mask in enumerate(sequence(arrays, "mask")):
        white = (mask[..., 0] > 0).float()[None, None]
        close(soften(white, TASKS[task].mask_dilation), arrays[f"{task}.{number}"], 1e-5)


def test_quantization() -> None:
    arrays, meta = load("quantization")
    for number, kind in enumerate(meta["kinds"]):
        x, centers = arrays[f"{number}.input"], arrays[f"{number}.centers"]
        expected = arrays[f"{number}.output"]
        if kind == "quant2centers":
            assert byte_errors(Palette(centers).quantize(x), expected) <= 1e-3
            continue
        found = find_palette(x, torch.Generator().manual_seed(0))
        rows = x.double().reshape(-1, 3)
        errors = [
            float(torch.cdist(rows, c).amin(1).square().sum()) for c in (found.centers, centers)
        ]
        assert errors[0] <= 1.01 * errors[1]


def test_quantized_paint_enters() -> None:
    arrays, meta = load("training_paint")
    _, pyramid = model()
    paint = picture(load("injection")[0]["paint"])
    palette = Palette(arrays["centers"])
    image = palette.quantize(fit_reference(paint, pyramid))
    image = entered_quantized(image, pyramid, meta["start_scale"])
    assert byte_errors(image, arrays["in_s"]) <= 0.01


@pytest.mark.parametrize("number", [0, 1])
def test_animation(number: int) -> None:
    arrays, meta = load("animation")
    walk = meta["walks"][number]
    trained, recipe = load("training_animation")
    scales = [
        Scale(
            trained_generator(Architecture(w["nfc"], w["min_nfc"]), trained, f"scale{n}.G_after"),
            trained[f"real.{n}"],
            trained[f"scale{n}.z_opt"],
            float(trained[f"scale{n}.amp"]) if n else 1.0,
        )
        for n, w in enumerate(recipe["scales"])
    ]
    drawn = list(sequence(arrays, f"walk{number}.noise"))
    each = len(drawn) // len(scales)
    noises = [iter(drawn[n * each : (n + 1) * each]) for n in range(len(scales))]
    frames = frame_noises(
        [s.fixed for s in scales], noises, walk["alpha"], walk["beta"], walk["start_scale"]
    )
    made = 0
    for t, zs in enumerate(frames):
        zs = [z.expand(-1, 3, -1, -1) for z in zs]
        factor = 1 / meta["adjusted_scale_factor"]
        image = climb(scales, zs, torch.zeros_like(scales[0].real), factor)
        expected = arrays[f"walk{number}.frame.{t}"].float()
        close(to_unit_bytes(image)[0].permute(1, 2, 0), expected, 1)
        made += 1
    assert made == walk["frames"]


@pytest.mark.parametrize("name", ["official_run", "official_run_torch14"])
def test_official_run(name: str) -> None:
    (path,) = (FOLDER / name / "TrainedModels" / "image").iterdir()
    run = load_official(Path(path))
    expected, _ = load(name)
    assert run.pyramid.ratio == pytest.approx(float(expected["adjusted_scale_factor"]), rel=1e-12)
    close(torch.tensor([s.amplitude for s in run.scales]), expected["amp"], 1e-6)
    made = sampling.reconstruct(run.scales, 1 / run.pyramid.ratio)
    close(made, expected["reconstruction"], 1e-4)
    assert (run.scale_factor, run.alpha, run.animated) == (0.5, 10.0, False)
