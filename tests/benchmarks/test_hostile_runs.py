"""A shorter run of the damaged run folders, with those that were hard once."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.hostile_runs import damaged, make_runs, summary, try_batch

HARD = (12, 17, 45, 63, 73, 163)  # shapes, a link, tables, types, numbers


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    make_runs(folder)
    return folder


def test_damaged_run_folders_are_used_or_refused_in_a_sentence(runs: Path) -> None:
    outcomes = try_batch(runs, [*range(4), *HARD])
    assert len(outcomes) == 4 + len(HARD)
    assert [outcome for outcome in outcomes if outcome["failure"]] == []
    assert summary(outcomes).endswith("failures: 0")


def test_a_run_folder_is_damaged_alike_in_every_run(runs: Path, tmp_path: Path) -> None:
    words = [damaged(runs, tmp_path / str(k), 3) for k in range(2)]
    assert words[0] == words[1]
