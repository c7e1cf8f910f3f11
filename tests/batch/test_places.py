"""Where a study is worked on: whatever becomes of a worker, the ledgers say how its work ended."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from studies import tiny_study

from consingan.batch import ledger, places
from consingan.batch.ledger import FAILED, TRAINING, Ended, Ledger
from consingan.batch.orders import orders_of
from consingan.batch.places import work_on
from consingan.batch.plan import Plan
from consingan.errors import UserError
from consingan.machine import device


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """Of one training."""
    study = tiny_study(tmp_path, pictures=1, seeds=1, lr_scale=(0.1,))
    orders = tuple(orders_of(study))
    return Plan(study, tmp_path / "study", orders, orders, {})


def ending_with(ended: Ended, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have a worker that ends so; what is appended when it is stopped."""
    stopped: list[str] = []

    def run(*_: Any) -> Generator[list[Ended], None, None]:
        try:
            yield [ended]
            yield []
        finally:
            stopped.append(ended.name)

    monkeypatch.setattr(places, "run_here", run)
    return stopped


def test_a_worker_that_died_is_noted_down(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    (order,) = plan.orders
    Ledger(plan.folder / order.name).note(status=TRAINING, left=7.0, share=0.5)
    ending_with(Ended(order.name, FAILED, "its process died"), monkeypatch)
    every = work_on(plan, "here").begin()
    assert [one.name for some in every for one in some] == [order.name]
    entry = ledger.read(plan.folder / order.name)
    assert entry == {"status": FAILED, "error": "its process died", "share": 0.5}


def test_what_a_worker_noted_itself_stays(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    (order,) = plan.orders
    said = {"status": FAILED, "error": "it diverged", "hopeless": True, "traceback": "..."}
    Ledger(plan.folder / order.name).note(**said)
    ending_with(Ended(order.name, FAILED, "it diverged"), monkeypatch)
    list(work_on(plan, "here").begin())
    assert ledger.read(plan.folder / order.name) == said


def test_who_stops_looking_stops_the_workers(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    plan.folder.mkdir()
    (plan.folder / plan.orders[0].name).write_text("in the way")  # nothing can be noted
    stopped = ending_with(Ended(plan.orders[0].name, FAILED, "no folder"), monkeypatch)
    ending = work_on(plan, "here").begin()
    next(ending)
    ending.close()
    assert stopped == [plan.orders[0].name]


def test_on_a_cluster_no_gpu_can_be_named_by_its_number(plan: Plan) -> None:
    """Of those that Ray gives a training each is cuda:0 there, and no other one is seen."""
    second = replace(plan, study=replace(plan.study, machine={"device": "cuda:1"}))
    with pytest.raises(UserError, match=r"--device cuda:1: Ray .* use --device cuda,"):
        work_on(second, "ray")


def test_a_gpu_that_does_not_compute_is_told(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(device, "_unusable", lambda _: "busy")
    anywhere = replace(plan, study=replace(plan.study, machine={}))
    said = work_on(anywhere, "here").summary
    assert "cuda:0 does not work (busy), going on with the CPU." in said
