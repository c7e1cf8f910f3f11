"""The benchmark of quality: every picture of a folder, whatever happens to one of them."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from benchmark_cases import FLAGS
from click.testing import CliRunner
from fake_jobs import in_this_process
from report_cases import scene

from benchmarks.quality import main
from benchmarks.quality_table import averages, markdown
from consingan.batch import places
from consingan.batch.ledger import Ended
from consingan.batch.orders import Order
from consingan.images.io import write_image


def images(folder: Path) -> Path:
    """Two pictures, and one that cannot be read between them."""
    folder.mkdir()
    write_image(folder / "a.png", scene(1))
    (folder / "b.png").write_bytes(b"no picture")
    write_image(folder / "c.png", scene(2))
    return folder


def call(folder: Path, output: Path, *more: str) -> Any:
    words = [str(folder), *FLAGS, "--samples", "2", "--device", "cpu", "--output", str(output)]
    return CliRunner().invoke(main, [*words, *more])


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Any]:
    root = tmp_path_factory.mktemp("quality")
    folder, output = images(root / "images"), root / "output"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "run_here", in_this_process)
        return folder, output, call(folder, output)


@pytest.fixture
def copy(done: tuple[Path, Path, Any], tmp_path: Path) -> tuple[Path, Path]:
    """The same, to be changed."""
    for name, source in zip(("images", "output"), done, strict=False):
        shutil.copytree(source, tmp_path / name)
    return tmp_path / "images", tmp_path / "output"


def worked_on(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the pictures that are worked on from now on."""
    names: list[str] = []

    def noted(orders: list[Order], *rest: Any) -> Generator[list[Ended], None, None]:
        names.extend(order.label for order in orders)
        yield from in_this_process(orders, *rest)

    monkeypatch.setattr(places, "run_here", noted)
    return names


def test_one_failure_does_not_end_it(done: tuple[Path, Path, Any]) -> None:
    _, output, result = done
    assert result.exit_code == 1, result.output
    table = json.loads((output / "quality.json").read_text(encoding="utf-8"))
    assert [("error" in record) for record in table["images"]] == [False, True, False]
    assert table["average"]["swd"]["images"] == 2
    text = (output / "quality.md").read_text(encoding="utf-8")
    assert re.search("b.png failed: .* is not a picture that can be read", text)
    assert "0.06 ± 0.03" in text


def test_average_is_over_pictures(done: tuple[Path, Path, Any]) -> None:
    table = json.loads((done[1] / "quality.json").read_text(encoding="utf-8"))
    means = [r["metrics"]["swd"]["mean"] for r in table["images"] if "metrics" in r]
    assert averages(table["images"])["swd"]["mean"] == pytest.approx(sum(means) / 2)
    assert all(record["minutes"] > 0 for record in table["images"] if "metrics" in record)


def test_finished_pictures_are_skipped_and_failed_ones_tried_again(
    copy: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, output = copy
    names = worked_on(monkeypatch)
    assert call(folder, output).exit_code == 1
    assert names == ["b.png"]
    write_image(folder / "b.png", scene(3))
    assert call(folder, output).exit_code == 0
    assert names == ["b.png", "b.png"]


def test_other_settings_are_trained_beside(
    copy: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, output = copy
    names = worked_on(monkeypatch)
    call(folder, output, "--nfc", "5")
    assert sorted(names) == ["a.png", "b.png", "c.png"]
    assert len(list(output.glob("a.png*"))) == 2
    table = json.loads((output / "quality.json").read_text(encoding="utf-8"))
    assert table["settings"]["nfc"] == 5
    assert len(table["images"]) == 3


def test_input_name_and_missing_folders_are_refused(tmp_path: Path) -> None:
    assert call(tmp_path / "none", tmp_path / "output").exit_code == 2
    (tmp_path / "empty").mkdir()
    assert call(tmp_path / "empty", tmp_path / "output").exit_code == 2
    assert call(tmp_path / "empty", tmp_path / "output", "--input_name", "a.png").exit_code == 2


def test_settings_are_checked_before_anything_is_written(tmp_path: Path) -> None:
    folder, output = images(tmp_path / "images"), tmp_path / "output"
    for wrong in (("--niter", "0"), ("--device", "tpu"), ("--inception-weights", "none.pth")):
        result = call(folder, output, *wrong)
        assert result.exit_code == 2
        assert not output.exists()


def test_table_without_any_figure_still_shows_the_failures() -> None:
    text = markdown([{"image": "a|b.png", "error": "UserError: broken"}], 5, {"niter": 3})
    assert "a|b.png failed" in text
    assert "niter 3" in text
