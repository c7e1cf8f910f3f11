"""Films: closed ones, and what is said of their speed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from helpers import picture
from small_models import model

from consingan.errors import UserError
from consingan.machine import memory
from consingan.methods.contract import Walk
from consingan.methods.patches.config import PatchesConfig
from consingan.methods.patches.model import PatchDiffusion
from consingan.outputs import composite, film
from consingan.outputs.requests import CompositeRequest, FilmRequest


@pytest.mark.parametrize("count", [2, 3, 10, 25])
@pytest.mark.parametrize(("alpha", "beta"), [(0.1, 0.9), (0.0, 0.95), (0.5, 0.0), (1.0, 0.9)])
@pytest.mark.parametrize("start_stage", [0, 1])
def test_a_closed_film_leads_back_to_its_first_frame(
    alpha: float, beta: float, start_stage: int, count: int
) -> None:
    walk = Walk(alpha, beta, start_stage, loop=True)
    frames = list(model(train_mode="animation").frames(count, walk))
    steps = [
        float((b - a).square().mean().sqrt())
        for a, b in zip(frames, [*frames[1:], frames[0]], strict=True)
    ]
    assert len(frames) == count
    assert steps[-1] <= sum(steps) / len(steps) + 1e-6


def made(folder: Path, **options: object) -> list[str]:
    said: list[str] = []
    request = FilmRequest(frames=3, betas=(0.9,), start_stages=(0,), **options)  # type: ignore[arg-type]
    film.begin(model(train_mode="animation"), request).write(folder, said.append)
    return said


def test_a_speed_that_a_gif_cannot_have_is_said_once(tmp_path: Path) -> None:
    notes = [line for line in made(tmp_path, fps=30.0) if line.startswith("Note")]
    assert len(notes) == 1
    assert "33.33 frames a second, not 30" in notes[0]


def test_other_formats_have_any_speed(tmp_path: Path) -> None:
    assert not any("Note" in line for line in made(tmp_path, fps=30.0, video_format="webp"))


@pytest.mark.parametrize("task", ["animation", "harmonization"])
def test_where_there_is_one_start_choosing_is_said_to_do_nothing(task: str) -> None:
    begin, request = {
        "animation": (film.begin, FilmRequest(start_stages=("all",))),
        "harmonization": (composite.begin, CompositeRequest()),
    }[task]
    config = PatchesConfig(train_mode=task)
    works = [begin(m, request) for m in (model(), PatchDiffusion(config, picture(24, 32)))]  # type: ignore[operator]
    assert ["start_stages" in dict(work.idle()) for work in works] == [False, True]


def test_of_a_film_that_is_closed_in_any_case_loop_is_said_to_do_nothing() -> None:
    config = PatchesConfig(method="patches", train_mode="animation")
    others, patches = model(train_mode="animation"), PatchDiffusion(config, picture(24, 32))
    idle = [dict(film.begin(m, FilmRequest(loop=True)).idle()) for m in (others, patches)]
    assert "loop" not in idle[0]
    assert idle[1]["loop"] == "for --method patches, whose films are always closed"


def test_frames_for_a_page_are_made_where_there_is_one(tmp_path: Path) -> None:
    request = FilmRequest(frames=3, betas=(0.9,), start_stages=(0,))
    work = film.begin(model(train_mode="animation"), request)
    made = work.write(tmp_path, lambda _: None)
    assert not made.frames
    assert len(work.examine(made, tmp_path, lambda _: None).frames) == 3


@pytest.mark.parametrize("loop", [False, True])
def test_a_page_shows_the_beginning_of_the_very_film(
    loop: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(film, "SHOWN_FRAMES", 4)
    made = model(train_mode="animation")
    work = film.begin(made, FilmRequest(frames=9, betas=(0.9,), start_stages=(0,), loop=loop))
    shown = work.examine(film.Film((), 10), tmp_path, lambda _: None).frames
    written = [*film.frames_of(made, 9, work.walks[0][1])]
    assert len(shown) == 4
    assert all(torch.equal(a, b) for a, b in zip(shown, written, strict=False))


def test_a_film_that_does_not_fit_is_refused_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda _: 10**9)
    request = FilmRequest(sizes=[(3000, 4000)])
    with pytest.raises(UserError, match=r"Films of 4000x3000 take about .* GB"):
        film.begin(model(train_mode="animation"), request)
