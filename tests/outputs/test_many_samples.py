"""Many samples: what is kept of them does not grow with their number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_models import model

from consingan.errors import UserError
from consingan.outputs import samples
from consingan.outputs.requests import SamplesRequest


@pytest.mark.parametrize(("count", "kept"), [(3, 3), (4, 4), (7, 4)])
def test_no_more_are_kept_than_are_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, kept: int
) -> None:
    monkeypatch.setattr(samples, "JUDGED", 4)
    said: list[str] = []
    request = SamplesRequest(num_samples=count, sizes=[(60, 60)])
    work = samples.begin(model(), request)
    made = work.write(tmp_path, said.append)
    assert len(made.pictures) == kept
    assert len(list((tmp_path / "random_samples").iterdir())) == count
    assert f"{count} random samples" in said[0]
    assert not any("judged" in line for line in said)  # nobody has asked for that yet
    work.examine(made, tmp_path, said.append)
    assert any("first 4 samples are judged" in line for line in said) == (count > kept)


def test_of_large_pictures_fewer_are_kept_and_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = model()
    monkeypatch.setattr(samples, "JUDGED_PIXELS", 2 * 90 * 37)
    monkeypatch.setattr(samples, "PREVIEWED_PIXELS", 1)
    request = SamplesRequest(num_samples=3, one_size=True)
    assert len(samples.begin(large, request).write(tmp_path, lambda _: None).pictures) == 2
    assert len(samples.preview(large, None)) == 1


def test_where_memory_is_short_fewer_are_made_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a GPU that others share a whole batch may not fit, which nobody asked for."""
    small, together = model(), list[int]()
    monkeypatch.setattr(type(small), "at_a_time", lambda *_: 24)
    free = 5 * small.picture_memory(None, 1)
    monkeypatch.setattr("consingan.machine.memory.free_memory", lambda _: free)
    make = small.sample

    def noted(indices: range, *more: Any) -> Any:
        together.append(len(indices))
        return make(indices, *more)

    monkeypatch.setattr(small, "sample", noted)
    assert len(list(samples.random_samples(small, 7))) == 7
    assert together == [4, 3]
    with pytest.raises(UserError, match="use a smaller --batch_size"):
        list(samples.random_samples(small, 7, batch_size=6))
