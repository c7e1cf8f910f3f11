"""The notebook's cells for pairs, in this process."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers import picture, save_picture

from consingan.images.io import write_image
from consingan.methods.registry import METHODS
from consingan.notebook import show
from consingan.notebook.messages import CellError
from consingan.notebook.pairs import PairStudio

TRIAL = {**METHODS["pix2pix"].trial, "method": "pix2pix", "manual_seed": 0}


@pytest.fixture(autouse=True)
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The HTML that is displayed, in place of IPython."""
    pages: list[str] = []

    def display(page: str, display_id: bool = False) -> SimpleNamespace:
        pages.append(page)
        return SimpleNamespace(update=pages.append)

    monkeypatch.setattr(show, "ipython", SimpleNamespace(HTML=str, display=display))
    return pages


def test_a_pair_is_learned_once_and_every_new_a_of_a_folder_translated(
    tmp_path: Path, shown: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    image = save_picture(tmp_path / "b.png", height=32, width=36)
    news = tmp_path / "news"
    news.mkdir()
    for number in range(2):
        write_image(news / f"new_{number}.png", picture(32, 36, seed=number + 1))
    studio = PairStudio(tmp_path / "runs")
    settings = {k: v for k, v in TRIAL.items() if k != "condition"}
    for condition, said in ((" blur ", "A new training"), ("blur", "Trained already")):
        studio.train(str(image), condition, **settings)
        assert said in capsys.readouterr().out
    assert "A of the pair" in shown[-1]
    studio.translate(str(news))
    written = (tmp_path / "runs").rglob("Notebook/translations/*.png")
    assert sorted(path.name for path in written) == ["new_0.png", "new_1.png"]
    assert "new A: new_1" in shown[-1]


def test_without_a_picture_the_section_is_skipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    studio = PairStudio(tmp_path)
    studio.train("", "")
    studio.translate("")
    assert capsys.readouterr().out.count("is skipped") == 2
    with pytest.raises(CellError, match="no trained pair yet"):
        studio.translate("a.png")
