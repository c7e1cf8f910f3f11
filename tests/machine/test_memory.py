"""What is free, by the system's word and a container's."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from consingan.errors import UserError
from consingan.machine import memory
from consingan.machine.groups import processors

CPU = torch.device("cpu")


def group(folder: Path, limit: str, usage: int, cached: int, names: tuple[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{usage}\n")
    (folder / "memory.stat").write_text(f"anon 5\ninactive_file {cached}\nactive_file 9\n")


def test_the_narrowest_group_counts(tmp_path: Path) -> None:
    names = ("memory.max", "memory.current")
    group(tmp_path / "a", "1000", 400, 50, names)
    group(tmp_path / "a" / "b", "max", 300, 0, names)
    membership = tmp_path / "cgroup"
    membership.write_text("0::/a/b\n")
    assert list(memory._left_in_groups(tmp_path, membership)) == [650]


def test_groups_of_the_first_version(tmp_path: Path) -> None:
    group(tmp_path / "memory", "1000", 1200, 0, memory._FIRST_VERSION)
    membership = tmp_path / "cgroup"
    membership.write_text("4:cpu,memory:/of/the/host\n1:cpu:/\n0::/\n")
    assert list(memory._left_in_groups(tmp_path, membership)) == [0]


def test_no_groups_no_limit(tmp_path: Path) -> None:
    assert list(memory._left_in_groups(tmp_path, tmp_path / "cgroup")) == []


def test_processors_of_a_container(tmp_path: Path) -> None:
    """The second version's file, and the first's two; no limit is "max" or -1."""
    membership = tmp_path / "cgroup"
    membership.write_text("0::/pod/box\n3:cpu,cpuacct:/one\n")
    assert processors(tmp_path, membership) is None
    files = {"cpu.max": "max 100000", "pod/cpu.max": "250000 100000", "pod/box/cpu.max": "max 1000",
             "cpu/one/cpu.cfs_quota_us": "-1", "cpu/one/cpu.cfs_period_us": "100000"}  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n")
    assert processors(tmp_path, membership) == 2.5
    (tmp_path / "cpu/one/cpu.cfs_quota_us").write_text("150000\n")
    assert processors(tmp_path, membership) == 1.5
    assert processors(tmp_path, tmp_path / "nowhere") is None


def test_what_is_not_free_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda _: 10**9)
    memory.refuse_beyond_free(10**9, CPU, "Films", "fewer")
    with pytest.raises(UserError, match=r"Films take about 2\.0 GB .* 1\.0 GB are free; use fewer"):
        memory.refuse_beyond_free(2 * 10**9, CPU, "Films", "fewer")


def test_what_cannot_be_known_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda _: None)
    memory.refuse_beyond_free(10**18, CPU, "Films", "fewer")


def test_large_matrices_are_worth_keeping_on_a_gpu_alone() -> None:
    assert memory.worth_keeping(1448, 1448, CPU)
    assert not memory.worth_keeping(1449, 1449, CPU)
    assert memory.worth_keeping(4000, 3000, torch.device("cuda"))
