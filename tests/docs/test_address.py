from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from types import ModuleType

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = ("README.md", "pyproject.toml", "notebooks/ConSinGAN_Colab.ipynb")
OPENS = "https://colab.research.google.com/github/{}/blob/main/notebooks/ConSinGAN_Colab.ipynb"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("address", ROOT / ".ci/address.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_address_is_put_everywhere_and_can_be_changed(script: ModuleType, copy: Path) -> None:
    script.configure(copy, "https://github.com/old/one.git")
    once = {name: (copy / name).read_text("utf-8") for name in FILES}
    script.configure(copy, "https://github.com/new/two/")
    for name in FILES:
        text = (copy / name).read_text("utf-8")
        assert "old/one" not in text
        assert text == once[name].replace("old/one", "new/two")
    readme, project, notebook = ((copy / name).read_text("utf-8") for name in FILES)
    assert f"]({OPENS.format('new/two')})" in readme
    assert 'Repository = "https://github.com/new/two"' in project
    cells = ["".join(cell["source"]) for cell in json.loads(notebook)["cells"]]
    assert cells[0].startswith("[![Open in Colab](")
    assert OPENS.format("new/two") in cells[0]
    assert any('REPOSITORY = "https://github.com/new/two"  # @param' in cell for cell in cells)


def test_another_kind_of_address_is_refused(script: ModuleType) -> None:
    with pytest.raises(SystemExit, match="is not of the form"):
        script.colab("git@github.com:a/b")


def test_the_readme_cites_the_program_as_the_citation_file_does() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    entry = (ROOT / "README.md").read_text("utf-8").partition("@software{")[2]
    assert f"title   = {{{cited['title']}}}" in entry
    assert f"version = {{{cited['version']}}}" in entry
    assert f"{{{{{cited['authors'][0]['name']}}}}}" in entry
