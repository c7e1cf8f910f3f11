"""Large pictures: what is kept of them, and that they are written as they are made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from small_models import model

from consingan.errors import UserError
from consingan.machine import memory
from consingan.methods.consingan import rows, strips
from consingan.outputs import large, samples, sizes
from consingan.outputs.large import Watcher, look_at, other_places, places, reduced, reduction
from consingan.outputs.requests import SamplesRequest

SIZES = [(750, 1000), (1000, 750), (40, 9000), (3000, 4000), (512, 513)]


def picture(height: int = 61, width: int = 47) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_what_is_small_is_kept_as_it_is() -> None:
    image = picture()
    assert reduction((61, 47)) == 1
    assert reduced(image) is image
    assert look_at(image).picture is image
    assert len(look_at(picture()).windows) == 0
    assert places((512, 512)) == []


@pytest.mark.parametrize("size", SIZES)
def test_windows_lie_inside_and_apart(size: tuple[int, int]) -> None:
    side, found = min(large.SIDE, *size), places(size)
    for top, left in [*found, *other_places(size)]:
        assert 0 <= top <= size[0] - side
        assert 0 <= left <= size[1] - side
    for n, (top, left) in enumerate(found):
        assert all(abs(top - t) >= side or abs(left - x) >= side for t, x in found[:n])


@pytest.mark.parametrize("rows_of_a_strip", [1, 7, 61])
def test_a_picture_that_comes_in_strips_leaves_what_a_whole_one_does(
    monkeypatch: pytest.MonkeyPatch, rows_of_a_strip: int
) -> None:
    monkeypatch.setattr(large, "LARGE", 500)
    monkeypatch.setattr(large, "SIDE", 13)
    whole, watcher = look_at(picture()), Watcher((61, 47))
    passed = list(watcher.passing(picture().split(rows_of_a_strip, 2)))
    assert torch.equal(torch.cat(passed, 2), picture())
    assert whole.windows.shape == (6, 3, 13, 13)
    assert torch.equal(watcher.look().windows, whole.windows)
    torch.testing.assert_close(watcher.look().picture, whole.picture)


@pytest.fixture
def in_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "STRIP", 1)  # 16 rows
    monkeypatch.setattr(strips, "WHOLE", 1)


def written(folder: Path, **settings: Any) -> dict[str, np.ndarray[Any, Any]]:
    request = SamplesRequest(num_samples=2, sizes=[(77, 41)], **settings)
    made = samples.begin(model(), request).write(folder, lambda _: None)
    assert len(made.pictures) == 2
    return {
        path.relative_to(folder).as_posix(): np.asarray(Image.open(path)).astype(int)
        for path in sorted(folder.glob("random_samples*/*"))
    }


@pytest.mark.parametrize("form", ["png", "tiff"])
def test_samples_written_as_they_are_made_are_those_made_whole(
    tmp_path: Path, request: pytest.FixtureRequest, form: str
) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "strips").mkdir()
    whole = written(tmp_path / "whole", image_format=form)
    request.getfixturevalue("in_strips")
    made = written(tmp_path / "strips", image_format=form)
    assert made.keys() == whole.keys()
    assert len(made) == 4
    assert all(np.abs(made[name] - whole[name]).max() <= 1 for name in made)


@pytest.mark.usefixtures("in_strips")
def test_a_whole_picture_is_never_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strips.Strips, "picture", None)
    taken: list[int] = []

    class Noting(Watcher):
        def passing(self, strips: Any) -> Any:
            for strip in super().passing(strips):
                taken.append(strip.shape[2])
                yield strip

    monkeypatch.setattr(samples, "Watcher", Noting)
    written(tmp_path)
    assert max(taken) <= 16
    assert sum(taken) == 2 * (90 + 77)


@pytest.mark.usefixtures("in_strips")
def test_a_stopped_writing_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = strips._through
    calls = iter(range(10**6))

    def stopped(*given: Any) -> Any:
        if next(calls) == 8:
            raise KeyboardInterrupt
        return made(*given)

    monkeypatch.setattr(strips, "_through", stopped)
    with pytest.raises(KeyboardInterrupt):
        written(tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.usefixtures("in_strips")
def test_memory_of_what_is_written_so_does_not_grow_with_its_height(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, wide = model(), 2000
    assert made.strip_memory((60000, wide)) == made.strip_memory((30000, wide))
    monkeypatch.setattr(memory, "free_memory", lambda _: made.strip_memory((60000, wide)) - 1)
    with pytest.raises(UserError, match="a smaller --size"):
        samples.begin(made, SamplesRequest(num_samples=1, sizes=[(60000, wide)]))


def test_more_pixels_than_can_be_held_are_refused_where_they_would_be_held() -> None:
    made, request = model(), SamplesRequest(num_samples=1, sizes=[(10**4, 10**4)])
    assert [size for _, size in sizes.other_sizes(made, request)] == [(10**4, 10**4)]
    tiled = model(tile="both", batch_norm=True)
    with pytest.raises(UserError, match="stay below 89 million pixels"):
        sizes.other_sizes(tiled, request)
