"""Samples that keep the layout of the coarsest stages, of every size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from commands import files_below, pixels_of, scene
from PIL import Image

from consingan.api.train import train
from consingan.outputs import finisher, samples
from consingan.outputs.requests import SamplesRequest

SIZES: dict[str, Any] = {"sizes": [(30, 44)], "scale_h": (1,), "scale_w": (2,)}
NAMES = ("", "_44x30", "_scale_h_1_scale_w_2")


@pytest.fixture(scope="module")
def model() -> Any:
    """A model of three scales that learned nothing yet, whose samples differ all the same."""
    return train(
        Image.fromarray(scene()), method="singan", max_size=24, min_size=12, scale_factor=0.7,
        niter=1, nfc=4, min_nfc=4, device="cpu", precision="float32",
    ).model  # fmt: skip


def made(model: Any, folder: Path, *stages: int) -> dict[str, list[int]]:
    """Pixels of every sample by its file."""
    request = SamplesRequest(num_samples=1, start_stages=stages, image_format="png", **SIZES)
    folder.mkdir()
    samples.begin(model, request).write(folder, lambda _: None)
    names = [name for name in files_below(folder) if "gen_sample" in name]
    return {name: pixels_of(folder / name).tolist() for name in names}


def test_every_size_begins_at_each_stage(model: Any, tmp_path: Path) -> None:
    found = made(model, tmp_path / "begun", 0, 2)
    assert set(found) == {
        f"random_samples_start_stage_{stage}{name}/gen_sample_0.png"
        for stage in (0, 2)
        for name in NAMES
    }
    for name in NAMES:
        first, last = (
            found[f"random_samples_start_stage_{stage}{name}/gen_sample_0.png"] for stage in (0, 2)
        )
        assert first != last, name


@pytest.mark.parametrize(("typed", "start"), [((), 0), ((2, 0), 2), (("all",), 0)])
def test_it_is_known_where_those_that_are_judged_began(
    model: Any, tmp_path: Path, typed: tuple[Any, ...], start: int
) -> None:
    request = SamplesRequest(num_samples=1, one_size=True, start_stages=typed, image_format="png")
    assert samples.begin(model, request).write(tmp_path, lambda _: None).start == start


def test_from_the_coarsest_stage_on_they_are_the_usual_ones(model: Any, tmp_path: Path) -> None:
    found, usual = made(model, tmp_path / "begun", 0), made(model, tmp_path / "usual")
    assert set(usual) == {f"random_samples{name}/gen_sample_0.png" for name in NAMES}
    for name, pixels in usual.items():
        assert pixels == found[name.replace("samples", "samples_start_stage_0", 1)], name


def test_samples_begun_at_a_stage_choose_the_patches_of_their_finish_once(
    model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(finisher, "_choice", lambda model: asked.append(model.start) or 11)
    request = SamplesRequest(
        num_samples=1, start_stages=(2, 1), finish=0.6, image_format="png", **SIZES
    )
    made = samples.begin(model, request).write(tmp_path, lambda _: None)
    assert made.finish_patch == 11
    assert asked == [2, 1]
