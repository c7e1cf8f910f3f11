"""Every method with every of its tasks does what the contract says, see contract_cases.py."""

from __future__ import annotations

from pathlib import Path

import contract_cases
import pytest
from contract_cases import Case

from consingan.methods.registry import METHODS


@pytest.fixture(scope="module", params=contract_cases.cases(), ids="-".join)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    method, task = request.param
    return Case(METHODS[method], task, tmp_path_factory.mktemp(f"{method}-{task}"))


def test_stopped_at_any_record_it_goes_on_to_the_same_end(case: Case) -> None:
    contract_cases.check_resuming(case)


def test_what_is_loaded_makes_the_same_pictures(case: Case) -> None:
    contract_cases.check_loading(case)


def test_a_model_can_be_sent_to_another_process(case: Case) -> None:
    contract_cases.check_travelling(case)


def test_what_surrounds_a_call_is_neither_felt_nor_changed(case: Case) -> None:
    contract_cases.check_surroundings(case)


def test_a_finished_state_is_taken_up(case: Case) -> None:
    contract_cases.check_state(case)


def test_it_makes_its_output_and_a_report(case: Case) -> None:
    contract_cases.check_output(case)


def test_what_it_does_not_know_is_refused(case: Case) -> None:
    contract_cases.check_refusals(case)


@pytest.mark.parametrize("method", list(METHODS))
def test_a_setting_of_another_method_is_refused_by_name(method: str, tmp_path: Path) -> None:
    for other in METHODS.values():
        contract_cases.check_foreign_setting(METHODS[method], other, tmp_path)


@pytest.mark.parametrize("method", list(METHODS))
def test_a_row_names_what_there_is(method: str) -> None:
    contract_cases.check_row(METHODS[method])
