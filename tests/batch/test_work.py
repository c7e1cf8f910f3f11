"""One training of a study: its ledger tells of this training alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from helpers import save_picture
from report_cases import judgement
from studies import tiny_study

from consingan.batch import ledger
from consingan.batch.orders import Order, orders_of
from consingan.batch.work import perform
from consingan.machine.files import write_json
from consingan.report.gather import gather
from consingan.report.write import METRICS_FILE, metrics_record
from consingan.runs.files import EVALUATION
from consingan.runs.folder import RunFolder
from consingan.runs.load import load_run
from consingan.runs.weights import weights_digest


@pytest.fixture
def order(tmp_path: Path) -> Order:
    """A tiny one, that is trained."""
    (order,) = orders_of(tiny_study(tmp_path, pictures=1, seeds=1, lr_scale=(0.1,)))
    assert perform(order, tmp_path / "study").status == ledger.FINISHED
    return order


def first_note(order: Order, study: Path) -> dict[str, Any]:
    """What the ledger says when the order is begun again."""
    notes: list[dict[str, Any]] = []
    perform(order, study, lambda folder: notes.append(ledger.read(folder)))
    return notes[0]


def test_of_a_picture_that_was_replaced_nothing_is_left(order: Order, tmp_path: Path) -> None:
    save_picture(Path(order.picture), seed=77)
    begun = first_note(order, tmp_path / "study")
    assert begun.keys() == {"status", "asked", "picture", "process", "host"}


def test_what_is_only_judged_anew_stays_trained(order: Order, tmp_path: Path) -> None:
    before = ledger.read(tmp_path / "study" / order.name)
    begun = first_note(dataclasses.replace(order, samples=1), tmp_path / "study")
    assert (begun["run"], begun["share"]) == (before["run"], 1.0)
    assert "judgement" not in begun


def test_a_training_that_was_evaluated_by_hand_is_judged_like_the_others(
    order: Order, tmp_path: Path
) -> None:
    study = tmp_path / "study"
    entry = ledger.read(study / order.name)
    run = load_run(study / order.name / entry["run"])
    by_hand = dataclasses.replace(gather(run), judgement=judgement())
    (run.path / EVALUATION).mkdir()
    write_json(run.path / EVALUATION / METRICS_FILE, metrics_record(by_hand, 5))
    assert perform(dataclasses.replace(order, samples=2), study).status == ledger.FINISHED
    assert ledger.read(study / order.name)["judgement"]["count"] == 2 != judgement().count


def test_a_run_that_was_trained_longer_by_hand_is_not_judged_as_the_orders(
    order: Order, tmp_path: Path
) -> None:
    study = tmp_path / "study"
    before = ledger.read(study / order.name)
    run = RunFolder.open(study / order.name / before["run"])
    assert before["weights"] == weights_digest(run.path / run.last_weights)
    counts = {name: getattr(run.config, name) for name in run.method.counts}
    run.note(lengthened=[{"before": counts, "counts": {**counts, "niter": 60}}])
    other = dataclasses.replace(order, samples=1)
    assert "run" not in first_note(other, study)
    after = ledger.read(study / order.name)
    assert (after["status"], after["weights"]) == (ledger.FINISHED, before["weights"])
    assert after["run"] != before["run"]
