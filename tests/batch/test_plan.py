"""The plan of a study: what cannot be computed is refused, what mixes is said, before it begins."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from studies import tiny_study

from consingan.batch import estimate
from consingan.batch.estimate import Estimate
from consingan.batch.ledger import Ledger
from consingan.batch.orders import asked_of, orders_of, picture_facts
from consingan.batch.plan import Plan, planned
from consingan.errors import UserError
from consingan.machine.execution import Execution


@pytest.fixture
def executions(monkeypatch: pytest.MonkeyPatch) -> list[Execution]:
    """How each training would be executed whose time is told."""
    seen: list[Execution] = []

    def told(order: Any, execution: Execution) -> Estimate:
        seen.append(execution)
        return Estimate(1.0, 1)

    monkeypatch.setattr(estimate, "_estimate", told)
    return seen


def plan_of(root: Path, elsewhere: bool = False, **machine: Any) -> Plan:
    study = tiny_study(root, pictures=1, seeds=1)
    study = dataclasses.replace(study, machine={"device": "cpu", **machine})
    return planned(study, root / "study", elsewhere=elsewhere)


@pytest.mark.parametrize(
    ("machine", "sentence"),
    [
        ({"engine": "warp"}, "--engine warp is unknown to --method consingan"),
        ({"precision": "float99"}, "--precision float99 is unknown"),
        ({"device": "abacus"}, "--device abacus is unknown"),
    ],
)
@pytest.mark.parametrize("elsewhere", [False, True])
def test_what_cannot_be_computed_is_refused(
    tmp_path: Path, machine: dict[str, str], sentence: str, elsewhere: bool
) -> None:
    with pytest.raises(UserError, match=sentence):
        plan_of(tmp_path, elsewhere, **machine)


def test_a_precision_that_only_other_machines_have_is_for_them(
    tmp_path: Path, executions: list[Execution]
) -> None:
    with pytest.raises(UserError, match="--precision tf32 needs an NVIDIA GPU"):
        plan_of(tmp_path, precision="tf32")
    assert plan_of(tmp_path, elsewhere=True, precision="tf32").study.machine["precision"] == "tf32"


def test_it_is_reckoned_for_the_machine_as_it_is_asked_for(
    tmp_path: Path, executions: list[Execution]
) -> None:
    plan_of(tmp_path, precision="bf16", engine="plain", checkpointing=True)
    how = executions[0]
    assert (how.arithmetic.name, how.engine, how.checkpointing) == ("bf16", "plain", True)


@pytest.mark.usefixtures("executions")
def test_what_was_computed_otherwise_is_said_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = plan_of(tmp_path).orders
    Ledger(tmp_path / "study" / first.name).note(
        status="failed", hopeless=True, asked=asked_of(first),
        picture=picture_facts(first.picture), execution={"precision": "float32", "engine": "fast"},
    )  # fmt: skip

    def notes(**machine: str) -> list[str]:
        lines = list(plan_of(tmp_path, **machine).introduction())
        assert "1 done before, 1 left" in lines
        return [line for line in lines if line.startswith("Note: 1 of those done")]

    assert notes(precision="float32", engine="fast") == []
    (note,) = notes(precision="float32", engine="plain")
    assert "with --engine fast, what is asked for now is plain; they stay as they are" in note
    assert len(notes(precision="bf16", engine="plain")) == 2


def test_what_is_too_large_for_memory_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consingan.training.plan.free_memory", lambda _: 10 * 2**20)
    plan = planned(tiny_study(tmp_path, pictures=1, seeds=1, lr_scale=(0.1,)), tmp_path / "runs")
    (estimate,) = plan.found.values()
    assert (estimate.seconds, estimate.fits) == (0.0, False)
    (note,) = (line for line in plan.introduction() if line.startswith("Note: "))
    assert note.startswith("Note: 1 for more memory than is free here, and so not timed, ")


def test_a_picture_in_a_closed_folder_is_left_out_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = tiny_study(tmp_path, pictures=2, seeds=1, lr_scale=(0.1,))
    closed = Path(study.pictures[0])

    def forbidden(ask: Any) -> Any:
        def asked(self: Path, *args: Any, **how: Any) -> Any:
            if self == closed:
                raise PermissionError(13, "Permission denied", str(self))
            return ask(self, *args, **how)

        return asked

    for name in ("stat", "is_file", "open"):
        monkeypatch.setattr(Path, name, forbidden(getattr(Path, name)))
    lines = list(planned(study, tmp_path / "study").introduction())
    assert lines[-1] == f"Note: 1 cannot be begun as it seems, {closed.name}, seed 0 first."


def test_what_is_trained_anew_as_its_run_was_trained_longer_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (order,) = orders_of(tiny_study(tmp_path, pictures=1, seeds=1, lr_scale=(0.1,)))
    plan = Plan(tiny_study(tmp_path, pictures=1), tmp_path, (order,), (order,), {})
    before = list(plan.introduction())
    monkeypatch.setattr("consingan.batch.plan.is_longer", lambda *_: True)
    (said,) = set(plan.introduction()) - set(before)
    assert said.startswith(f"Note: 1 trained anew, {order.words} first: ")
