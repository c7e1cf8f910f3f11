"""Which trainings of a study count as done."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from studies import tiny_study

from consingan.batch.done import is_done, is_longer, tells_of_order
from consingan.batch.ledger import Ledger
from consingan.batch.orders import Order, asked_of, orders_of, picture_facts


@pytest.fixture
def order(tmp_path: Path) -> Order:
    """One that asks for no samples."""
    (order,) = orders_of(tiny_study(tmp_path, pictures=1, seeds=1, lr_scale=(0.1,)))
    return order


def note(order: Order, study: Path, **changes: Any) -> Ledger:
    """Leave a ledger of it."""
    book = Ledger(study / order.name)
    book.note(asked=asked_of(order), picture=picture_facts(order.picture), **changes)
    return book


def judged(order: Order, samples: int, weights: str = "") -> Order:
    return dataclasses.replace(order, samples=samples, inception=weights)


def test_a_training_that_diverged_is_done_however_it_would_be_judged(
    order: Order, tmp_path: Path
) -> None:
    book = note(order, tmp_path, status="failed", hopeless=True)
    assert is_done(judged(order, 7, "weights.pth"), tmp_path)
    longer = dataclasses.replace(order, typed={**order.typed, "niter": 7})
    assert not is_done(longer, tmp_path)
    book.note(hopeless=None)
    assert not is_done(order, tmp_path)


def test_a_finished_one_is_done_when_it_is_judged_as_asked(
    order: Order, tmp_path: Path, finished_run: Path
) -> None:
    note(judged(order, 7, "/here/w.pth"), tmp_path, status="finished", run=str(finished_run))
    assert is_done(judged(order, 7, "/there/w.pth"), tmp_path)
    assert not is_done(judged(order, 6, "/here/w.pth"), tmp_path)
    assert not is_done(judged(order, 7), tmp_path)


@pytest.mark.parametrize("others", [{}, {"sifid": 0.1}])
def test_sifid_of_pooled_features_alone_is_judged_again(
    order: Order, tmp_path: Path, finished_run: Path, others: dict[str, float]
) -> None:
    asked = judged(order, 7, "/here/w.pth")
    figures = {"count": 7, "metrics": {"sifid_64": 0.2, **others}}
    note(asked, tmp_path, status="finished", run=str(finished_run), judgement=figures)
    assert is_done(asked, tmp_path) == bool(others)


@pytest.mark.parametrize("count", [0, 3, 7])
def test_figures_of_another_number_of_samples_are_not_those_that_are_asked_for(
    order: Order, tmp_path: Path, finished_run: Path, count: int
) -> None:
    """Earlier releases took them from an evaluation by hand; some outputs have none to judge."""
    asked = judged(order, 7)
    figures = {"count": count}
    note(asked, tmp_path, status="finished", run=str(finished_run), judgement=figures)
    assert is_done(asked, tmp_path) == (count != 3)


@pytest.fixture
def longer(finished_run: Path, tmp_path: Path) -> Path:
    """A run that was trained longer."""
    run = Path(shutil.copytree(finished_run, tmp_path / "longer"))
    manifest = json.loads((run / "manifest.json").read_text())
    entry = {"before": {"niter": 1}, "counts": {"niter": 9}}
    (run / "manifest.json").write_text(json.dumps({**manifest, "lengthened": [entry]}))
    return run


def test_a_run_that_was_trained_longer_leaves_its_order_the_figures_that_it_had(
    order: Order, tmp_path: Path, longer: Path
) -> None:
    book = note(order, tmp_path, status="finished", run=str(longer), weights="before")
    assert is_longer(book.folder, book.entry)
    assert is_done(order, tmp_path)
    assert not is_done(judged(order, 7), tmp_path)


@pytest.mark.parametrize("later", [-1, 1])
def test_figures_of_an_earlier_release_made_after_a_run_was_trained_longer_are_not_its_orders(
    order: Order, tmp_path: Path, longer: Path, later: int
) -> None:
    book = note(order, tmp_path, status="finished", run=str(longer))
    noted = (book.folder / "job.json").stat().st_mtime_ns
    for weights in longer.glob("*/weights.safetensors"):
        os.utime(weights, ns=(0, noted + later * 10**9))
    assert tells_of_order(book.folder, book.entry) == is_done(order, tmp_path) == (later > 0)


@pytest.mark.parametrize("share", [0.5, 1])
@pytest.mark.parametrize("later", [-1, 1])
def test_by_how_long_a_run_was_trained_its_figures_are_known_whatever_the_times_of_files(
    order: Order, tmp_path: Path, longer: Path, share: float, later: int
) -> None:
    seconds = sum(json.loads((longer / "manifest.json").read_text())["seconds_per_stage"])
    book = note(order, tmp_path, status="finished", run=str(longer), seconds=share * seconds)
    noted = (book.folder / "job.json").stat().st_mtime_ns
    for weights in longer.glob("*/weights.safetensors"):
        os.utime(weights, ns=(0, noted + later * 10**9))
    assert tells_of_order(book.folder, book.entry) == is_done(order, tmp_path) == (share < 1)


def test_a_picture_that_cannot_be_looked_at_leaves_the_others_alone(
    order: Order, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note(order, tmp_path, status="failed", hopeless=True)

    def forbidden(*_: Any) -> bool:
        raise PermissionError(13, "Permission denied", order.picture)

    monkeypatch.setattr("consingan.batch.orders.is_same_file", forbidden)
    assert not is_done(order, tmp_path)
