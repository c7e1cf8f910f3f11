"""The notebook is run from top to bottom, with settings so small that it takes seconds."""

from __future__ import annotations

import base64
import copy
import io
import itertools
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import numpy as np
import pytest
from commands import HEIGHT, TRAINED, WIDTH, naive_scene, pixels_of, save, scene
from helpers import REPOSITORY, all_finite, litter
from nbclient import NotebookClient
from PIL import Image

from consingan.images.io import read_image
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.notebook.inputs import find_picture
from consingan.runs.folder import RunFolder

NOTEBOOK = REPOSITORY / "notebooks" / "ConSinGAN_Colab.ipynb"
FIELD = re.compile(r"^(\w+) = (.+?)  # @param (\[.*?\])? ?(\{.*\})?$", re.M)
TINY = {
    "max_size": max(TRAINED),
    "min_size": 16,
    "niter": 2,
    "train_stages": 2,
    "preset": "paper",
}

Fields = dict[str, dict[str, Any]]


def notebook() -> Any:
    return nbformat.read(NOTEBOOK, 4)


def code_cells() -> list[Any]:
    return [cell for cell in notebook().cells if cell.cell_type == "code"]


def filled_in(cells: list[Any], fields: Fields) -> list[Any]:
    """The cells with other values in their form fields."""
    filled = copy.deepcopy(cells)
    of_id = {cell.id: cell for cell in filled}
    for name, values in fields.items():
        for field, value in values.items():
            text = f"{field} = {value!r}"
            pattern = rf"^{field} = .+?(?=  # @param)"
            source, count = re.subn(pattern, lambda _, t=text: t, of_id[name].source, flags=re.M)
            assert count == 1, f"the cell {name} has no field {field}"
            of_id[name].source = source
    return filled


@pytest.fixture
def run_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[Any]], list[Any]]:
    """Runs cells in a Jupyter kernel of their own, in `tmp_path`, and checks that none failed."""
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR"):
        place = tmp_path / ".jupyter" / name
        place.mkdir(parents=True)
        monkeypatch.setenv(name, str(place))

    def run(cells: list[Any]) -> list[Any]:
        made = notebook()
        made.cells = cells
        where = {"metadata": {"path": str(tmp_path)}}
        NotebookClient(
            made, timeout=None, startup_timeout=3600, kernel_name="python3", resources=where
        ).execute()
        outputs = [output for cell in cells for output in cell.outputs]
        assert not [o for o in outputs if o.output_type == "error"]
        assert not [o.text for o in outputs if o.get("name") == "stderr"]
        return cells

    return run


def said(cell: Any) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


def shown(cell: Any) -> list[Image.Image]:
    """The pictures in the output of a cell."""
    pages = "".join(o.data.get("text/html", "") for o in cell.outputs if "data" in o)
    found = re.findall(r'src="data:image/\w+;base64,([^"]+)"', pages)
    return [Image.open(io.BytesIO(base64.b64decode(text))) for text in found]


def sizes_shown(cell: Any) -> list[tuple[int, int]]:
    return [picture.size for picture in shown(cell)]


def the_run(root: Path) -> Path:
    (manifest,) = root.glob("TrainedModels/*/*/manifest.json")
    return manifest.parent


def test_generation_and_every_cell_again(
    tmp_path: Path, run_cells: Callable[[list[Any]], list[Any]]
) -> None:
    """All cells, then all of them once more, as a user would who changed a field."""
    save(tmp_path / "my scene.png", scene())
    fields: Fields = {
        "picture": {"image": "my scene.png"},
        "training": {"train_mode": "generation", **TINY},
        "samples": {"number": 3},
        "sizes": {"sizes": "60x20, 24x48", "number": 2},
        "animation": {"frames": 4},
    }
    first = filled_in(code_cells(), fields)
    second = filled_in(first, {"samples": {"seed": 5}})
    cells = run_cells([*first, *second])
    once, again = ({c.id: c for c in half} for half in (cells[: len(first)], cells[len(first) :]))

    run = the_run(tmp_path)
    assert run.parent.name == "my scene"
    folder = RunFolder.open(run)
    assert folder.manifest["status"] == "finished"
    assert (folder.config.niter, folder.config.train_stages, folder.config.manual_seed) == (2, 2, 1)
    assert all_finite(run)
    assert not litter(tmp_path)
    assert "A new training" in said(once["training"])
    assert "Trained already" in said(again["training"])

    assert sizes_shown(once["picture"]) == [(WIDTH, HEIGHT)]
    assert len(shown(once["training"])) == 3  # samples of two stages, curves
    bars = [o.data["text/html"] for o in once["training"].outputs if "data" in o]
    assert re.search(r"100%.*spent, 0?0:00 left", bars[0])
    trained = TRAINED[::-1]
    assert sizes_shown(once["samples"]) == [trained] * 3
    pictures = [*shown(once["samples"]), *shown(again["samples"])]
    assert len({picture.tobytes() for picture in pictures}) == 6
    assert sizes_shown(once["sizes"]) == [(60, 20)] * 2 + [(24, 48)] * 2
    (film,) = shown(once["animation"])
    assert (film.format, film.size, film.n_frames) == ("GIF", trained, 4)
    frames = [(film.seek(k), np.asarray(film.convert("RGB")))[1] for k in range(4)]
    assert not np.array_equal(frames[0], frames[3])

    names = {str(p.relative_to(run / "Notebook")) for p in run.glob("Notebook/**/*.*")}
    assert {"samples_32x23_seed_0/sample_3.png", "samples_32x23_seed_5/sample_1.png"} <= names
    assert pixels_of(run / "Notebook/samples_60x20_seed_0/sample_2.png").shape == (20, 60, 3)
    for name in ("naive", "mask", "result"):
        assert "skipped, for this model was trained for generation" in said(once[name])
        assert "with train_mode harmonization, editing to use this" in said(once[name])
    with zipfile.ZipFile(run.with_name(f"{run.name}.zip")) as archive:
        kept = set(archive.namelist())
    assert f"{run.name}/Notebook/samples_24x48_seed_0/sample_1.png" in kept
    assert f"{run.name}/1/weights.safetensors" in kept
    assert f"{run.name}.zip" in said(once["download"])


def test_harmonization(tmp_path: Path, run_cells: Callable[[list[Any]], list[Any]]) -> None:
    save(tmp_path / "scene.png", scene())
    naive = naive_scene(2 * HEIGHT, 2 * WIDTH)
    save(tmp_path / "scene_naive.png", naive)
    fields: Fields = {
        "picture": {"image": "scene.png"},
        "training": {"train_mode": "harmonization", **TINY},
        "mask": {"mask": "draw", "shape": "75,0 100,100"},
        "result": {"mask_dilation": 0},
    }
    cells = {cell.id: cell for cell in run_cells(filled_in(code_cells(), fields))}
    for name in ("samples", "sizes", "animation"):
        assert "skipped, for this model was trained for harmonization" in said(cells[name])
        assert "with train_mode generation, retarget, animation to use" in said(cells[name])
    assert sizes_shown(cells["naive"]) == [(2 * WIDTH, 2 * HEIGHT)]
    assert "painting needs Google Colab" in said(cells["mask"])
    (overlay,) = (np.asarray(picture) for picture in shown(cells["mask"]))
    assert np.array_equal(overlay[:, :80], naive[:, :80])
    assert not np.array_equal(overlay[:, 90:], naive[:, 90:])
    before, after = (np.asarray(picture) for picture in shown(cells["result"]))
    assert np.array_equal(before, naive)
    assert np.array_equal(after[:, :10], naive[:, :10])  # far from the mask's soft edge
    assert np.abs(after[:, 100:].astype(int) - naive[:, 100:]).mean() > 10
    results = the_run(tmp_path) / "Notebook"
    assert np.array_equal(pixels_of(results / "harmonized_w_mask_full_size.png"), after)
    mask = pixels_of(results / "scene_naive_mask.png")
    assert mask[:, 90:].min() == 255
    assert mask[:, :80].max() == 0


def test_in_git_it_is_valid_and_without_outputs() -> None:
    nbformat.validate(notebook())
    raw = json.loads(NOTEBOOK.read_text("utf-8"))
    assert set(raw["metadata"]) == {"accelerator", "kernelspec", "language_info"}
    assert raw["metadata"]["language_info"] == {"name": "python"}
    for cell in raw["cells"]:
        assert cell["metadata"] == {}
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


def test_every_code_cell_is_short_and_explained() -> None:
    cells = notebook().cells
    for before, cell in itertools.pairwise(cells):
        if cell.cell_type == "code":
            assert before.cell_type == "markdown", cell.id
            assert cell.source.startswith("# @title "), cell.id
            assert len(cell.source.splitlines()) <= 40, cell.id


def test_form_fields_offer_their_own_default() -> None:
    fields = [match for cell in code_cells() for match in FIELD.findall(cell.source)]
    assert len(fields) == sum(cell.source.count("# @param") for cell in code_cells()) > 25
    for name, value, choices, _ in fields:
        if choices:
            assert json.loads(value) in json.loads(choices), name


def test_every_picture_of_the_list_is_there() -> None:
    (cell,) = (cell for cell in code_cells() if cell.id == "picture")
    ((_, _, choices, _),) = (match for match in FIELD.findall(cell.source) if match[0] == "image")
    offered = json.loads(choices)
    assert all(read_image(find_picture(name)).shape[1] == 3 for name in offered)
    found = [p for p in REPOSITORY.glob("Images/*/*.jpg") if not p.stem.endswith("_naive")]
    others = ("Translation", "Inpainting")  # for other sections and methods
    drawn = {p.stem for p in found if p.parent.name not in others}
    assert drawn == {name for name in offered if ":" not in name}


def test_what_a_preset_takes_is_what_its_help_says() -> None:
    lines = [line for cell in notebook().cells for line in cell.source.splitlines()]
    (told,) = (line for line in lines if line.startswith("| `preset` |"))
    texts = (told, ConSinGANConfig.__dataclass_fields__["preset"].metadata["help"])
    here, there = (re.findall(r"\ban? (\w+th)\b", text) for text in texts)
    assert here == there != []


# Installation


class Machine:
    """Stands for a machine without the package: keeps the commands instead of running them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, uploaded: str = "") -> None:
        self.commands: list[list[str]] = []
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        monkeypatch.setattr(subprocess, "run", self.run)
        if uploaded:
            files = SimpleNamespace(upload=lambda: {uploaded: b""})
            monkeypatch.setitem(sys.modules, "google", SimpleNamespace())
            monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace(files=files))

    def run(self, words: list[str], check: bool) -> None:
        assert check
        self.commands.append(words)
        if words[0] == "git":
            if "nobody" in words[-2]:
                raise subprocess.CalledProcessError(128, words)
            Path(words[-1]).mkdir()
            (Path(words[-1]) / "pyproject.toml").touch()

    def install(self, repository: str) -> list[list[str]]:
        cells = filled_in(code_cells(), {"install": {"REPOSITORY": repository}})
        exec(cells[0].source, {})
        return self.commands


def pip_install(folder: Path) -> list[str]:
    """Neither torch nor any version is named, so that what is installed stays.

    The path is a whole one: a bare name would be looked for on PyPI.
    """
    return [sys.executable, "-m", "pip", "install", "-q", str(folder.resolve())]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The present folder, with nothing in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_installed_already(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    assert machine.install("https://example.org/any.git") == []


def test_install_from_an_address(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = "https://example.org/somebody/ConSinGAN.git"
    clone = ["git", "clone", "--depth", "1", address, "ConSinGAN"]
    again = Machine(monkeypatch).install(address)
    assert again == [clone, pip_install(place / "ConSinGAN")]
    assert Machine(monkeypatch).install(address) == [pip_install(place / "ConSinGAN")]


def test_install_from_the_repository_around_it(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("consingan", "notebooks"):
        (place / folder).mkdir()
    (place / "pyproject.toml").touch()
    monkeypatch.chdir(place / "notebooks")
    assert Machine(monkeypatch).install("") == [pip_install(place)]


def test_install_from_a_zip(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile("code.zip", "w") as archive:
        archive.writestr("ConSinGAN-main/pyproject.toml", "")
    expected = [pip_install(place / "ConSinGAN" / "ConSinGAN-main")]
    assert Machine(monkeypatch, uploaded="code.zip").install("") == expected
    assert Machine(monkeypatch).install("code.zip") == expected


@pytest.mark.parametrize("source", ["https://example.org/nobody.git", "consingan", "no.zip"])
def test_a_source_that_does_not_work(
    place: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    machine = Machine(monkeypatch)
    with pytest.raises(RuntimeError, match="Check REPOSITORY"):
        machine.install(source)
    assert not [words for words in machine.commands if "pip" in words]


def test_nothing_to_install_from(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match="address into the field"):
        Machine(monkeypatch).install("")
