"""Options that commands share."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from consingan.cli import main


@pytest.mark.parametrize(
    "words",
    [
        ("metrics", "absent.png", "absent.png", "--json", "x.json"),
        ("compare", "absent", "away", "--output", "x.html"),
        ("compare", "absent", "away"),
    ],
)
def test_a_folder_that_cannot_be_written_to_is_refused_before_the_work(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.access", lambda *_: False)
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    name = words[-1] if "." in words[-1] else "compare.html"
    assert f"{name} cannot be written into the folder {tmp_path}; choose" in result.output
