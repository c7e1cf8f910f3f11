"""The one rule by which samples are judged, whoever asks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from report_cases import judgement, scene
from small_models import SIZES, model

from consingan.methods.registry import METHODS
from consingan.metrics.reconstruction import Reconstruction
from consingan.outputs import large
from consingan.outputs.requests import SamplesRequest
from consingan.outputs.samples import begin
from consingan.report.compare import Entry, entry, rows, warnings_of
from consingan.report.judging import SIZES_DIFFER
from consingan.report.write import Extras, judged
from consingan.runs.load import LoadedRun


def with_pictures(made: Any) -> Any:
    """The same model with another image, which it does not give back."""
    anchors = [replace(a, real=scene(k, *SIZES[k])) for k, a in enumerate(made.anchors)]
    return replace(made, anchors=anchors)


@pytest.mark.parametrize("kind", ["large", "sketched"])
def test_a_comparison_judges_as_an_evaluation_does(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {} if kind == "large" else {"finish": 0.5, "layout": 20}
    if kind == "large":
        monkeypatch.setattr(large, "LARGE", 1200)
        monkeypatch.setattr(large, "SIDE", 10)
    run = LoadedRun(tmp_path, METHODS["consingan"], with_pictures(model(**settings)), {})
    request = SamplesRequest(num_samples=3, one_size=True)
    made = begin(run.model, request).write(tmp_path, lambda _: None)
    evaluated = judged(run, made, Extras()).judgement
    compared = entry(0, run, 3, 0, lambda _: None).judgement
    assert compared == evaluated
    assert compared is not None
    assert compared.reconstruction is not None
    assert compared.reconstruction.size == (None if kind == "large" else SIZES[0])


def test_where_a_reconstruction_was_judged_stands_beside_its_figures(tmp_path: Path) -> None:
    run = LoadedRun(tmp_path, METHODS["consingan"], model(), {})
    qualities = (Reconstruction(30.0, 0.9, (12, 16)), Reconstruction(20.0, 0.8))
    entries = [
        Entry(
            "A",
            entry(0, run, 0, 0, lambda _: None).material,
            replace(judgement(), reconstruction=q),
        )
        for q in qualities
    ]
    found = {row.title: row.cells for row in rows(entries)}
    assert found["reconstruction PSNR dB ↑"] == ("30.0 at 16x12 px", "20.0")
    assert SIZES_DIFFER in warnings_of(entries)
    assert SIZES_DIFFER not in warnings_of(entries[:1])
