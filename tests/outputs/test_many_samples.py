"""Many samples: what is kept of them does not grow with their number."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_models import model

from consingan.outputs import samples
from consingan.outputs.requests import SamplesRequest


@pytest.mark.parametrize(("count", "kept"), [(3, 3), (4, 4), (7, 4)])
def test_no_more_are_kept_than_are_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, kept: int
) -> None:
    monkeypatch.setattr(samples, "JUDGED", 4)
    said: list[str] = []
    request = SamplesRequest(num_samples=count, sizes=[(60, 60)])
    made = samples.begin(model(), request).write(tmp_path, said.append)
    assert len(made.pictures) == kept
    assert len(list((tmp_path / "random_samples").iterdir())) == count
    assert f"{count} random samples" in said[0]
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
