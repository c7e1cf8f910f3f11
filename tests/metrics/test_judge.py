"""All metrics at once, from Python and from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from click.testing import CliRunner
from inception_cases import random_weights
from judged_pictures import REAL, noisy, photo
from PIL import Image
from torch import Tensor

from consingan.cli.judging import metrics_command
from consingan.errors import UserError
from consingan.metrics.diversity import diversity
from consingan.metrics.judge import METRICS, Judgement, judge
from consingan.metrics.sifid import Inception
from consingan.metrics.swd import sliced_wasserstein

SAMPLES = torch.cat([noisy(REAL, 0.05), photo(seed=3), photo(seed=4), REAL])
WITHOUT_WEIGHTS = [name for name in METRICS if not name.startswith("sifid")]


@pytest.fixture(scope="module")
def judgement() -> Judgement:
    return judge(REAL, SAMPLES, reconstruction=noisy(REAL, 0.01))


def test_judgement_holds_the_metrics(judgement: Judgement) -> None:
    assert list(judgement.metrics) == WITHOUT_WEIGHTS
    assert judgement.count == 4
    assert judgement.values["swd"] == pytest.approx(sliced_wasserstein(REAL, SAMPLES).tolist())
    assert judgement.metrics["diversity"].mean == pytest.approx(diversity(REAL, SAMPLES).item())
    assert judgement.values["copied"][3] == 1
    assert judgement.reconstruction is not None
    assert judgement.reconstruction.psnr == pytest.approx(40, abs=1)
    for summary in judgement.metrics.values():
        assert summary.low is not None
        assert summary.high is not None
        assert summary.low <= summary.mean <= summary.high


def test_json_brings_back_the_same_judgement(judgement: Judgement) -> None:
    assert Judgement.from_dict(json.loads(judgement.to_json())) == judgement


def test_judgement_is_repeated_by_the_seed() -> None:
    first, second, other = (judge(REAL, SAMPLES, seed=seed) for seed in (1, 1, 2))
    assert first == second
    assert first.values["swd"] != other.values["swd"]


def test_order_of_samples_changes_no_mean(judgement: Judgement) -> None:
    turned = judge(REAL, SAMPLES.flip(0))
    assert turned.values["coherence"] == pytest.approx(judgement.values["coherence"][::-1])
    for name, summary in judgement.metrics.items():
        assert turned.metrics[name].mean == pytest.approx(summary.mean, abs=1e-6), name


def test_samples_of_different_sizes_are_judged_in_their_order() -> None:
    mixed = [SAMPLES[:1], photo(60, 110, seed=3), SAMPLES[1:2]]
    found = judge(REAL, mixed)
    assert "diversity" not in found.metrics
    assert any("two samples of one size" in note for note in found.notes)
    for position, name in ((0, "swd"), (2, "coherence")):
        alone = judge(REAL, mixed[position]).values[name][0]
        assert found.values[name][position] == pytest.approx(alone, rel=1e-5)


def test_sifid_comes_with_weights_and_a_hint_without(judgement: Judgement) -> None:
    assert sum("--inception_weights" in note for note in judgement.notes) == 1
    found = judge(REAL, SAMPLES[2:], inception_weights=Inception(random_weights()))
    assert list(found.metrics) == list(METRICS)
    assert found.values["sifid"][1] == pytest.approx(0, abs=1e-6)
    assert found.values["sifid"][0] > 1e-3
    assert found.notes == []


def test_tiny_and_flat_pictures_leave_out_what_does_not_fit() -> None:
    flat = torch.full((3, 3, 12, 12), 0.5)
    found = judge(flat[:1], flat, inception_weights=Inception(random_weights()))
    assert "sifid_192" not in found.metrics
    assert any("too small" in note for note in found.notes)
    assert "NaN" not in found.to_json()
    assert found.metrics["swd"].mean == 0


def test_two_equal_samples_have_finite_figures() -> None:
    found = judge(REAL, SAMPLES[3:].repeat(2, 1, 1, 1))
    assert found.metrics["ms_ssim"].mean == pytest.approx(1, abs=1e-4)
    assert found.metrics["diversity"].mean == pytest.approx(0, abs=1e-6)
    found.to_json()


def test_samples_in_minus_one_to_one_are_noticed() -> None:
    with pytest.raises(UserError, match="in \\[0, 1\\]"):
        judge(REAL, 2 * SAMPLES - 1)


def test_no_sample_is_refused() -> None:
    with pytest.raises(UserError, match="no sample"):
        judge(REAL, [])


# Command line


def write(folder: Path, name: str, picture: Tensor) -> str:
    pixels = (255 * picture[0].permute(1, 2, 0)).round().numpy().astype(np.uint8)
    Image.fromarray(pixels).save(folder / name)
    return str(folder / name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "samples").mkdir()
    write(folder, "real.png", REAL)
    for n, sample in enumerate(torch.split(SAMPLES, 1)):
        write(folder / "samples", f"{n}.png", sample)
    torch.save(random_weights(), folder / "weights.pth")
    return folder


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(metrics_command, [str(a) for a in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def test_command_prints_a_line_for_each_metric_and_writes_json(folder: Path) -> None:
    real, samples, out = folder / "real.png", folder / "samples", folder / "out.json"
    code, text = run(real, samples, "--json", out, "--reconstruction", real)
    assert code == 0
    assert all(METRICS[name].title in text for name in WITHOUT_WEIGHTS)
    assert text.count("--inception_weights") == 1
    assert "PSNR 100.00 dB" in text
    plain = json.loads(out.read_text())
    assert [Path(name).name for name in plain["samples"]] == [f"{n}.png" for n in range(4)]
    assert plain["values"]["swd"][3] == 0
    assert f"{plain['metrics']['swd']['mean']:.4g}" in text


def deep(path: Path, picture: Tensor, top: float) -> Path:
    """A picture in [0, 1] as a TIFF of 16 bit whose white is `top`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = (picture[0].permute(1, 2, 0) * top).round().numpy().astype(np.uint16)
    tifffile.imwrite(path, pixels, photometric="rgb")
    return path


def swd_of(real: Path, sample: Path, *more: object) -> float:
    out = sample.with_suffix(".json")
    code, text = run(real, sample, "--json", out, *more)
    assert code == 0, text
    return float(json.loads(out.read_text())["values"]["swd"][0])


def test_deep_pictures_are_judged_in_the_numbers_of_the_real_one(tmp_path: Path) -> None:
    real = deep(tmp_path / "real.tif", REAL, 25500)
    dark = swd_of(real, deep(tmp_path / "dark.tif", REAL / 2, 25500))
    halves = REAL / REAL.max()  # as the real picture is read
    low = REAL.min() / REAL.max()
    plain = sliced_wasserstein((halves - low) / (1 - low), (halves / 2 - low).clamp(0) / (1 - low))
    assert dark == pytest.approx(float(plain[0]), rel=0.05)
    assert dark > 20


@pytest.mark.parametrize("place", ["run/Evaluation", "elsewhere"])
def test_files_of_this_program_are_told_from_the_real_ones(tmp_path: Path, place: str) -> None:
    real = deep(tmp_path / "real.tif", REAL, 25500)
    (tmp_path / "run").mkdir()
    for name in ("manifest.json", "config.json"):
        (tmp_path / "run" / name).write_text("{}")
    kept = (REAL - REAL.min()) / (REAL.max() - REAL.min())
    dimmed = kept * (0.5 if place.startswith("run") else 1)
    found = swd_of(real, deep(tmp_path / place / "sample.tif", dimmed, 65535))
    assert found == pytest.approx(float(sliced_wasserstein(kept, dimmed)[0]), rel=0.05, abs=0.1)


def test_floating_point_numbers_are_not_read_in_whole_ones(tmp_path: Path) -> None:
    real = deep(tmp_path / "real.tif", REAL, 65535)
    tifffile.imwrite(tmp_path / "f.tif", REAL[0].permute(1, 2, 0).numpy(), photometric="rgb")
    assert swd_of(real, tmp_path / "f.tif") < 1


def test_a_range_can_be_typed(tmp_path: Path) -> None:
    real, sample = (deep(tmp_path / f"{x}.tif", REAL / x, 25500) for x in (1, 2))
    wide = swd_of(real, sample, "--range", "0,51000")
    half = sliced_wasserstein(REAL / 2, REAL / 4)
    assert wide == pytest.approx(float(half[0]), rel=0.05)
    code, text = run(real, sample, "--range", "3")
    assert (code, "--range 3 must be two numbers" in text) == (2, True)


def banded(path: Path, levels: Sequence[float], top: int = 40000) -> Path:
    """A TIFF of 16 bit with a band of blobs for each of `levels`, its white, a share of `top`."""
    planes = [(REAL[0, 0] * level * top).round().numpy().astype(np.uint16) for level in levels]
    tifffile.imwrite(path, np.dstack(planes), photometric="minisblack", planarconfig="contig")
    return path


def test_all_bands_are_judged(tmp_path: Path) -> None:
    levels = {"real": (0.2, 0.2, 0.2, 0.2, 1), "other": (0.2, 0.2, 0.2, 0.2, 0.5)}
    files = [banded(tmp_path / f"{name}.tif", whites) for name, whites in levels.items()]
    wanted = sliced_wasserstein(*(
        torch.cat([REAL[:, :1] * white for white in whites], 1) for whites in levels.values()
    ))  # fmt: skip
    assert swd_of(*files, "--range", "0,40000") == pytest.approx(float(wanted[0]), rel=0.05)
    assert float(wanted[0]) > 5


def test_bands_that_this_program_wrote_are_told_from_the_real_ones(tmp_path: Path) -> None:
    levels = (0.0125, 0.0125, 0.0125, 0.0125, 1)  # of which three alone could be the real ones
    real = banded(tmp_path / "real.tif", levels, 30000)
    assert swd_of(real, banded(tmp_path / "ours.tif", levels, 65535)) < 1


def test_of_different_numbers_of_bands_the_first_three_are_judged(tmp_path: Path) -> None:
    real = banded(tmp_path / "real.tif", (1, 1, 1, 1, 0.5))
    other = banded(tmp_path / "other.tif", (1, 1, 1, 0.5))
    assert swd_of(real, other) < 1
    assert "of its 4 bands the first three are taken" in run(real, other)[1]


def logo(path: Path, white: int, *, opaque: bool = False) -> Path:
    """White blobs with opacity, or the same over black without."""
    shape = REAL[0, 0].numpy()
    pixels = np.stack(
        [np.full_like(shape, white), *[np.full_like(shape, white)] * 2, 255 * shape], 2
    )
    if opaque:
        pixels = pixels[..., :3] * pixels[..., 3:] / 255
    Image.fromarray(pixels.round().astype(np.uint8)).save(path)
    return path


def test_a_white_picture_with_opacity_is_near_one_a_little_darker(tmp_path: Path) -> None:
    real = logo(tmp_path / "real.png", 255)
    assert swd_of(real, logo(tmp_path / "darker.png", 252)) < 3
    assert swd_of(real, logo(tmp_path / "over_black.png", 255, opaque=True)) < 1


def test_opacity_is_judged_as_in_an_evaluation(tmp_path: Path) -> None:
    real, other = logo(tmp_path / "real.png", 255), logo(tmp_path / "other.png", 90)
    wanted = sliced_wasserstein(*(
        torch.cat([REAL[:, :1] * level / 255] * 3 + [REAL[:, :1]], 1) for level in (255, 90)
    ))  # fmt: skip
    assert swd_of(real, other) == pytest.approx(float(wanted[0]), rel=0.05)


def test_command_computes_sifid_from_a_weight_file(folder: Path) -> None:
    sample = folder / "samples/1.png"
    code, text = run(folder / "real.png", sample, "--inception_weights", folder / "weights.pth")
    assert code == 0
    assert "SIFID, 64 pooled" in text
    assert "SIFID, 192 pooled" in text


@pytest.mark.parametrize(
    "arguments",
    [
        ["real.png", "absent.png"],
        ["absent.png", "real.png"],
        ["real.png", "weights.pth"],
        ["real.png", "empty"],
        ["real.png", "real.png", "--inception_weights", "real.png"],
        ["real.png", "real.png", "--json", "absent/out.json"],
    ],
)
def test_mistake_is_one_sentence_and_exit_code_two(
    folder: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    (folder / "empty").mkdir(exist_ok=True)
    code, text = run(*arguments)
    assert code == 2
    assert "Traceback" not in text
    assert text.strip().splitlines()[-1].startswith("Error: ")


def test_module_runs_and_loads_torch_only_for_work() -> None:
    script = (
        "import sys; from consingan.cli.judging import metrics_command; "
        "print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
    command = [sys.executable, "-m", "consingan.metrics", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "consingan metrics [OPTIONS] REAL SAMPLE..." in done.stdout
