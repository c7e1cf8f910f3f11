"""What trainings take is measured once for all that are alike."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import save_picture
from studies import tiny_study

from consingan.batch import estimate as module
from consingan.batch.estimate import Estimate, estimates, left_of, longest_first
from consingan.batch.orders import asked_of, orders_of, picture_facts
from consingan.batch.plan import planned
from consingan.batch.study import Study
from consingan.errors import UserError
from consingan.machine.execution import Execution
from consingan.machine.files import make_folder, write_json

HERE = Execution(torch.device("cpu"))


def test_seeds_and_pictures_of_one_size_are_measured_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = orders_of(tiny_study(tmp_path))
    measured = []

    def once(order: Any, execution: Any) -> Estimate:
        measured.append(order)
        return Estimate(len(measured), 5)

    monkeypatch.setattr(module, "_estimate", once)
    found = estimates(orders, HERE)
    assert len(orders) == 16
    assert len(measured) == 2  # two settings
    assert found.keys() == {order.name for order in orders}


def test_a_picture_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    study = tiny_study(tmp_path, pictures=2, seeds=1, lr_scale=(0.1,))
    Path(study.pictures[0]).write_text("no picture")
    broken, whole = orders_of(study)
    assert estimates([broken, whole], HERE).keys() == {whole.name}


@pytest.mark.parametrize("damaged", [0, 1])
def test_a_damaged_picture_leaves_out_none_of_the_same_size(tmp_path: Path, damaged: int) -> None:
    study = tiny_study(tmp_path, pictures=3, seeds=2, lr_scale=(0.1,))
    file = Path(study.pictures[damaged])
    file.write_bytes(file.read_bytes()[:200])  # its head tells the size all the same
    orders = orders_of(study)
    found = estimates(orders, HERE)
    tried = [o.picture for o in orders if o.name not in found]
    assert tried == ([str(file)] * 2 if damaged == 0 else [])  # the first one is tried alone
    assert found.keys() >= {o.name for o in orders if o.picture != str(file)}


def test_where_nothing_can_be_begun_it_is_said_why(tmp_path: Path) -> None:
    study = tiny_study(tmp_path, pictures=1, seeds=1, lr_scale=(0.1,))
    Path(study.pictures[0]).write_text("no picture")
    with pytest.raises(UserError, match="not a picture") as raised:
        estimates(orders_of(study), HERE)
    assert raised.value.__context__ is None  # nothing of the work is kept
    assert estimates(orders_of(study), HERE, anew=False) == {}


def test_where_nothing_is_trained_nothing_is_saved(tmp_path: Path) -> None:
    picture = tiny_study(tmp_path, pictures=1).pictures
    for methods, said in ((("patches",), 1), (("patches", "consingan"), 0)):
        study = Study(picture, methods, seeds=(0, 1), settings={"max_size": (32,)})
        lines = list(planned(study, tmp_path / "study", save_every=3).introduction())
        assert sum("--save_every does nothing" in line for line in lines) == said


def test_what_is_done_counts(tmp_path: Path) -> None:
    first, second, *_ = orders_of(tiny_study(tmp_path))
    done = {"share": 0.75, "asked": asked_of(first), "picture": picture_facts(first.picture)}
    write_json(make_folder(tmp_path / first.name) / "job.json", done)
    assert left_of(first, tmp_path, Estimate(80.0, 0)) == pytest.approx(20.0)
    judged = dataclasses.replace(first, samples=7)  # what is trained is trained
    assert left_of(judged, tmp_path, Estimate(80.0, 0)) == pytest.approx(20.0)
    known = {first.name: Estimate(80.0, 0), second.name: Estimate(30.0, 0)}
    assert longest_first([first, second], tmp_path, known) == [second, first]


@pytest.mark.parametrize("other", ["settings", "picture", "no picture", "longer"])
def test_what_is_done_of_another_training_does_not_count(
    tmp_path: Path, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, *_ = orders_of(tiny_study(tmp_path))
    asked = {**asked_of(order), **({"niter": 99} if other == "settings" else {})}
    done = {"share": 1.0, "asked": asked, "picture": picture_facts(order.picture)}
    write_json(make_folder(tmp_path / order.name) / "job.json", done)
    if other == "picture":
        save_picture(Path(order.picture), seed=77)
    elif other == "longer":
        monkeypatch.setattr(module, "is_longer", lambda *_: True)
    elif other == "no picture":
        Path(order.picture).unlink()
    assert left_of(order, tmp_path, Estimate(80.0, 0)) == pytest.approx(80.0)
