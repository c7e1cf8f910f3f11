"""What the notebook's cells call, in this process; Google Colab is a stand-in."""

from __future__ import annotations

import base64
import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from helpers import (
    SETTINGS,
    StopAt,
    assert_same,
    make_job,
    new_folder,
    outcome,
    picture,
    save_picture,
)
from PIL import Image

from consingan.api import train as training
from consingan.api.trained import TrainedModel, load
from consingan.errors import DivergedError, InterruptedRunError, UserError
from consingan.images.io import read_image, write_image
from consingan.images.mask_files import read_mask
from consingan.machine.execution import Wanted, choose_execution
from consingan.notebook import canvas, colab, inputs, shapes, show
from consingan.notebook.messages import CellError, explained
from consingan.notebook.pairs import pictures_named
from consingan.notebook.studio import Studio
from consingan.outputs import composite
from consingan.outputs.requests import CompositeRequest
from consingan.runs.earlier import earlier_run_of
from consingan.runs.folder import RunFolder
from consingan.training.loop import Trainer
from consingan.training.prepare import prepare
from consingan.training.session import Session

TINY = {k: v for k, v in SETTINGS.items() if k != "input_name"}
TWO_STAGES = {**TINY, "train_stages": 2}


@pytest.fixture(autouse=True)
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The HTML that is displayed, in place of IPython; what is filled anew is added, too."""
    pages: list[str] = []

    def display(page: str, display_id: bool = False) -> Any:
        pages.append(page)
        return SimpleNamespace(update=pages.append)

    monkeypatch.setattr(show, "ipython", SimpleNamespace(HTML=str, display=display))
    return pages


@dataclass
class Colab:
    """Stands for the modules of google.colab."""

    root: Path
    uploads: dict[str, bytes] = field(default_factory=dict)
    drawn: Any = None
    refused: bool = False
    asked: list[str] = field(default_factory=list)
    downloaded: list[str] = field(default_factory=list)

    def upload(self) -> dict[str, bytes]:
        for name, content in self.uploads.items():
            Path(name).write_bytes(content)  # as the real one does
        return self.uploads

    def mount(self, place: str) -> None:
        if self.refused:
            raise ValueError("mount failed")
        (Path(place) / "MyDrive").mkdir(parents=True, exist_ok=True)

    def eval_js(self, code: str) -> Any:
        self.asked.append(code)
        return self.drawn


@pytest.fixture
def on_colab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Colab:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(colab, "DRIVE", tmp_path / "drive")
    made = Colab(tmp_path)
    parts = {
        "files": SimpleNamespace(upload=made.upload, download=made.downloaded.append),
        "drive": SimpleNamespace(mount=made.mount),
        "output": SimpleNamespace(eval_js=made.eval_js),
    }
    monkeypatch.setitem(sys.modules, "google", SimpleNamespace(__path__=[]))
    monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace(__path__=[], **parts))
    for name, part in parts.items():
        monkeypatch.setitem(sys.modules, f"google.colab.{name}", part)
    return made


def png(mask: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(mask).convert("RGBA").save(buffer, format="PNG")
    return canvas.PNG_URL + base64.b64encode(buffer.getvalue()).decode()


# Train, resume or load


class View:
    """Watches with an observer, if any, and notes that it was closed."""

    def __init__(self, observer: Any = None) -> None:
        self.observers = [observer] if observer else []
        self.made, self.closed = 0, 0

    @contextlib.contextmanager
    def __call__(self, _: training.Run) -> Iterator[Sequence[Any]]:
        self.made += 1
        try:
            yield self.observers
        finally:
            self.closed += 1


@dataclass(frozen=True)
class Done:
    """How a training came to its model."""

    how: str
    model: TrainedModel


def train(
    root: Path, image: Path, observer: Any = None, anew: bool = False, settings: Any = None
) -> Done:
    """Train, go on with a run that was begun before, or load one that is finished."""
    typed = {"manual_seed": 0, **TWO_STAGES, **(settings or {}), "input_name": str(image)}
    wanted = Wanted(device="cpu", precision="float32", engine="fast")
    job = prepare(typed, choose_execution(wanted))
    earlier = None if anew else earlier_run_of(job.training, root, any_seed=False)
    view = View(observer)
    try:
        outcome = training.train_or_resume(job, earlier, root, Wanted(device="cpu"), view)
    finally:
        assert view.made == view.closed
    return Done(outcome.how, load(outcome.folder.path, device="cpu", precision="float32"))


def test_a_resumed_training_equals_an_uninterrupted_training(
    tmp_path: Path, image_file: Path
) -> None:
    whole = train(tmp_path / "whole", image_file)
    assert whole.how == "trained"
    assert whole.model.folder is not None
    expected = outcome(whole.model.folder)
    for at in (0, 2, 5, 8):  # set up, in a stage, between two, in the last iteration
        root = tmp_path / f"stopped {at}"
        with pytest.raises(InterruptedRunError):
            train(root, image_file, StopAt(at))
        again = train(root, image_file)
        assert again.how == "resumed"
        assert again.model.folder is not None
        assert len(list(root.glob("*/*/manifest.json"))) == 1
        assert_same(outcome(again.model.folder), expected)
        assert torch.equal(again.model.sample(2, seed=3), whole.model.sample(2, seed=3))


def test_a_finished_training_is_loaded(tmp_path: Path, image_file: Path) -> None:
    first = train(tmp_path, image_file)
    again = train(tmp_path, image_file)
    assert (first.how, again.how) == ("trained", "finished before")
    assert again.model.folder == first.model.folder
    assert torch.allclose(again.model.sample(), first.model.sample(), rtol=0, atol=1e-5)
    anew = train(tmp_path, image_file, anew=True)
    assert anew.how == "trained"
    assert anew.model.folder != first.model.folder


def test_only_the_same_picture_and_settings_are_taken_up(tmp_path: Path, image_file: Path) -> None:
    train(tmp_path, image_file)
    others = [{"manual_seed": 8}, {"niter": 4}, {"train_mode": "retarget"}, {"max_size": 25}]
    for settings in others:
        assert train(tmp_path, image_file, settings=settings).how == "trained", settings
    moved = tmp_path / "elsewhere" / image_file.name
    moved.parent.mkdir()
    shutil.copy(image_file, moved)
    assert train(tmp_path, moved).how == "finished before"
    save_picture(moved, seed=1)
    assert train(tmp_path, moved).how == "trained"


def test_the_finished_of_several_is_taken(tmp_path: Path, image_file: Path) -> None:
    with pytest.raises(InterruptedRunError):
        train(tmp_path, image_file, StopAt(6))
    finished = train(tmp_path, image_file, anew=True)
    with pytest.raises(InterruptedRunError):
        train(tmp_path, image_file, StopAt(7), anew=True)
    again = train(tmp_path, image_file)
    assert (again.how, again.model.folder) == ("finished before", finished.model.folder)


def test_a_damaged_run_is_left_alone(tmp_path: Path, image_file: Path) -> None:
    with pytest.raises(InterruptedRunError):
        train(tmp_path, image_file, StopAt(2))
    (pyramid,) = tmp_path.glob("*/*/pyramid.safetensors")
    pyramid.write_bytes(b"half")
    assert train(tmp_path, image_file).how == "trained"
    assert pyramid.read_bytes() == b"half"


@pytest.mark.parametrize(
    "before",
    [{"device": "cuda:0", "precision": "tf32"}, {"device": "cpu", "precision": "tf32"}, {}],
)
def test_resumed_on_a_machine_that_cannot_compute_as_before(
    tmp_path: Path, image_file: Path, before: dict[str, str]
) -> None:
    with pytest.raises(InterruptedRunError):
        train(tmp_path, image_file, StopAt(2))
    (manifest,) = tmp_path.glob("*/*/manifest.json")
    RunFolder(manifest.parent).note(execution=before)
    assert train(tmp_path, image_file).how == "resumed"


# Cells


def test_resumes_from_drive_after_a_disconnect(
    on_colab: Colab, image_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """Colab keeps nothing but Drive: another session with the same fields goes on."""
    whole = Studio("whole")
    whole.choose(str(image_file))
    whole.train(**TWO_STAGES)

    class Disconnected(show.LiveView):
        def observe(self, record: Any, trainer: Any) -> None:
            super().observe(record, trainer)
            stop.observe(record, trainer)

    stop = StopAt(6)
    with monkeypatch.context() as patch:
        patch.setattr(show, "LiveView", Disconnected)
        first = Studio("ConSinGAN", keep_on_drive=True)
        first.choose(str(image_file))
        with pytest.raises(CellError, match="a training goes on where it was"):
            first.train(**TWO_STAGES)
    with pytest.raises(CellError, match="run the training cell first"):
        first.samples()
    capsys.readouterr()

    second = Studio("ConSinGAN", keep_on_drive=True)
    second.choose(str(image_file))
    second.train(**TWO_STAGES)
    assert "Going on at stage 2, iteration 1" in capsys.readouterr().out
    drive = on_colab.root / "drive" / "MyDrive" / "ConSinGAN"
    (run,) = drive.glob("*/*/")
    (uninterrupted,) = on_colab.root.glob("whole/*/*/")
    assert_same(outcome(run), outcome(uninterrupted))

    third = Studio("ConSinGAN", keep_on_drive=True)
    third.choose(str(image_file))
    third.train(**TWO_STAGES)
    assert "Trained already" in capsys.readouterr().out


def test_drive_refused(on_colab: Colab) -> None:
    on_colab.refused = True
    with pytest.raises(CellError, match="untick keep_on_drive"):
        Studio("ConSinGAN", keep_on_drive=True)


def test_a_mask_painted_on_colab_is_used(
    on_colab: Colab, harmonization_run: Path, shown: list[str]
) -> None:
    image = save_picture(on_colab.root / "scene.png")
    naive = picture(44, 52, seed=4)
    write_image(on_colab.root / "scene_naive.png", naive)
    kept = RunFolder(harmonization_run).config
    settings = {name: getattr(kept, name) for name in [*TINY, "train_mode"]}
    studio = Studio()
    studio.choose(str(image))
    studio.train(**settings)
    studio.choose_naive()
    size = canvas.canvas_size((44, 52))
    painted = np.zeros(size, np.uint8)
    painted[:, : size[1] // 4] = 255
    on_colab.drawn = png(painted)
    studio.choose_mask("draw")
    assert on_colab.asked == [canvas.DRAWN]
    assert any(f"window.{canvas.DRAWN}" in page for page in shown)
    studio.compose(mask_dilation=0)
    (results,) = on_colab.root.glob("TrainedModels/*/*/Notebook")
    before = read_image(on_colab.root / "scene_naive.png")
    after = read_image(results / "harmonized_w_mask_full_size.png")
    model = load(results.parent)
    mask = torch.zeros(1, 1, 44, 52)
    mask[..., :13] = 1
    expected = composite.compose(model.model, before, mask, CompositeRequest(mask_dilation=0))
    assert (after - expected.full_blended).abs().max() < 0.02
    assert (after - before)[..., :10].abs().mean() > 0.1
    assert torch.equal(after[..., 45:], before[..., 45:])
    studio.choose_mask("none")
    studio.compose()
    everywhere = read_image(results / "harmonized_wo_mask_full_size.png")
    assert (everywhere - before)[..., 45:].abs().mean() > 0.1

    studio.download()
    (archive,) = on_colab.downloaded
    assert Path(archive).name == f"{results.parent.name}.zip"


def test_uploads_are_kept_beside_the_runs(on_colab: Colab, image_file: Path, capsys: Any) -> None:
    on_colab.uploads = {"photo.png": image_file.read_bytes()}
    studio = Studio()
    studio.choose("", upload=True)
    (kept,) = (on_colab.root / "TrainedModels" / "uploads").glob("*/photo.png")
    assert kept.read_bytes() == image_file.read_bytes()
    assert not (on_colab.root / "photo.png").exists()
    assert str(kept) in capsys.readouterr().out
    on_colab.uploads = {}
    with pytest.raises(CellError, match="No file was chosen"):
        studio.choose("", upload=True)


def test_a_second_upload_of_the_same_name_leaves_the_training_image_alone(
    on_colab: Colab, image_file: Path
) -> None:
    on_colab.uploads = {"photo.png": image_file.read_bytes()}
    studio = Studio()
    studio.choose("", upload=True)
    on_colab.uploads = {"photo.png": b"another"}
    assert Path(studio._uploaded("naive_img")).read_bytes() == b"another"
    assert Path(studio._image).read_bytes() == image_file.read_bytes()


def test_every_cell_says_which_cell_must_come_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image_file: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    studio = Studio()
    with pytest.raises(CellError, match="chooses one first"):
        studio.train(**TINY)
    for cell in (studio.samples, studio.animation, studio.choose_naive, studio.choose_mask,
                 studio.compose, studio.download):  # fmt: skip
        with pytest.raises(CellError, match="run the training cell first"):
            cell()
    studio.choose(str(image_file))
    studio.train(**{**TWO_STAGES, "niter": 1, "train_mode": "harmonization"})
    for cell in (studio.choose_mask, studio.compose):
        with pytest.raises(CellError, match="run the cell that chooses it"):
            cell()
    with pytest.raises(CellError, match="tick upload"):
        studio.choose_naive()
    studio.choose_naive(str(image_file))
    with pytest.raises(CellError, match="No mask is chosen yet"):
        studio.compose()
    with pytest.raises(CellError, match="no picture_mask beside"):
        studio.choose_mask("beside")
    with pytest.raises(CellError, match="no picture_mask beside"):
        studio.choose_mask("draw", shape="")  # nothing of an example's is taken for this picture
    with pytest.raises(CellError, match="is not understood"):
        studio.choose_mask("draw", shape="5")
    with pytest.raises(CellError, match="field mask instead"):
        studio.choose_mask("upload")


def test_a_film_without_speed_is_refused(tmp_path: Path, image_file: Path) -> None:
    studio = Studio(str(tmp_path / "runs"))
    studio.choose(str(image_file))
    studio.train(**{**TWO_STAGES, "niter": 1})
    with pytest.raises(CellError, match=r"fps 0 must be 0\.1 or more"):
        studio.animation(fps=0)


def test_zero_means_as_recommended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image_file: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    taken: list[Any] = []

    def stop(typed: dict[str, Any], *_: Any) -> None:
        taken.append({name: value for name, value in typed.items() if name != "input_name"})
        raise UserError("--niter 0 is enough")

    monkeypatch.setattr("consingan.notebook.learning.prepare", stop)
    studio = Studio()
    studio.choose(str(image_file))
    with pytest.raises(CellError, match=r"^niter 0 is enough$"):
        studio.train(niter=0, min_size=0, train_stages=0, manual_seed=0, max_size=26)
    with pytest.raises(CellError):
        studio.train(niter=50, preset="draft")
    assert taken == [
        {"manual_seed": 0, "max_size": 26},
        {"manual_seed": 0, "niter": 50, "preset": "draft"},
    ]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (UserError("use --max_size 30 -- or --fit crop."), "^use max_size 30 -- or fit crop.$"),
        (KeyboardInterrupt(), "Run the cell again"),
        (DivergedError(1, 2, "a loss"), "a loss is not finite.*smaller lr_scale"),
        (RuntimeError("CUDA out of memory. Tried to"), "smaller max_size"),
        (MemoryError(), "smaller max_size"),
        (
            RuntimeError("CUDA error: unknown error\nSearch"),
            r"unknown error\). Restart the session",
        ),
        (OSError(28, "No space left on device", "a/b"), "a/b cannot be .*No space left"),
    ],
)
def test_a_failed_cell_says_what_to_do(error: BaseException, sentence: str) -> None:
    @explained
    def cell() -> None:
        raise error

    with pytest.raises(CellError, match=sentence) as caught:
        cell()
    (line,) = caught.value._render_traceback_()
    assert str(caught.value) in line


@pytest.mark.parametrize("error", [ValueError("a bug"), RuntimeError("a bug"), OSError("a bug")])
def test_a_bug_stays_a_bug(error: Exception) -> None:
    with pytest.raises(type(error), match=r"^a bug$"):
        explained(lambda: (_ for _ in ()).throw(error).__next__())()


def test_ipython_shows_the_sentence_alone(capsys: Any) -> None:
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    try:
        shell.history_manager.enabled = False
        shell.run_cell("from consingan.notebook import Studio; Studio().train()")
    finally:
        shell.history_manager.end_session()
        InteractiveShell.clear_instance()
    text = re.sub(r"\x1b\[\d+m", "", capsys.readouterr().out)
    assert "No picture is chosen yet; run the cell that chooses one first." in text
    assert "Traceback" not in text


# Fields


def test_pictures_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert inputs.find_picture("aurora").endswith("aurora.jpg")
    assert inputs.find_picture("stones_on_sand_naive_mask.png").endswith("naive_mask.png")
    assert inputs.find_picture("skimage:coffee") == "skimage:coffee"
    with pytest.raises(UserError, match="no picture 'nothing'"):
        inputs.find_picture("nothing")
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    mine = save_picture(tmp_path / "mine.png")
    (tmp_path / "Images").mkdir()
    monkeypatch.chdir(notebooks)  # relative paths are meant from the repository
    assert Path(inputs.find_picture("mine.png")) == mine


def test_every_path_is_meant_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the repository, in its notebooks, too; without spaces at the ends; ~ is the user's."""
    for folder in ("notebooks", "Images", "user/mine"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "user"))
    monkeypatch.chdir(tmp_path / "notebooks")
    mine = save_picture(tmp_path / "Images" / "a.png")
    own = save_picture(tmp_path / "user" / "mine" / "b.png")
    assert [Path(name) for name in pictures_named(" Images ")] == [mine]
    assert [Path(name) for name in pictures_named("~/mine/")] == [own]
    assert [Path(name) for name in pictures_named(" ~/mine/b.png")] == [own]
    assert inputs.find_picture(" skimage:coffee") == "skimage:coffee"
    assert Studio(" runs ").output_dir == tmp_path / "runs"
    assert Studio("~/runs").output_dir == tmp_path / "user" / "runs"


def test_a_naive_picture_beside_one_whose_name_has_brackets(tmp_path: Path) -> None:
    image, naive = (save_picture(tmp_path / f"IMG [1]{end}.png") for end in ("", "_naive"))
    (tmp_path / "IMG [1]_naive").mkdir()
    (tmp_path / "IMG [1]_naive.txt").write_text("notes", encoding="utf-8")
    studio = Studio(str(tmp_path / "runs"))
    studio.choose(str(image))
    assert studio._naive_beside() == naive


def test_without_the_repository_a_photograph_stands_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(inputs.consingan, "__file__", str(tmp_path / "lib" / "x" / "__init__.py"))
    assert inputs.find_picture("aurora") == inputs.STAND_IN
    assert "Images of the repository is not here" in capsys.readouterr().out
    with pytest.raises(UserError, match=r"no picture 'mine\.png'"):
        inputs.find_picture("mine.png")
    unpacked = tmp_path / "ConSinGAN" / "ConSinGAN-main" / "Images" / "Generation"
    unpacked.mkdir(parents=True)
    there = save_picture(unpacked / "aurora.jpg")
    assert Path(inputs.find_picture("aurora")) == there


def test_sizes() -> None:
    assert inputs.parse_sizes(" 400x160, 16X40;5x6") == [(160, 400), (40, 16), (6, 5)]
    for text in ("", "400", "400x", "axb", "400x160x2"):
        with pytest.raises(UserError, match="write them as 400x160"):
            inputs.parse_sizes(text)


def test_shapes(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "mask.png"
    shapes.save_shape(shapes.parse_shape("25,0 75,50"), (41, 81), path)
    mask = read_mask(path)[0, 0]
    assert mask.shape == (41, 81)
    expected = torch.zeros(41, 81)
    expected[:21, 20:61] = 1
    assert torch.equal(mask, expected)
    shapes.save_shape(shapes.parse_shape("0,0; 100,0; 0,100"), (50, 50), path)
    triangle = read_mask(path)[0, 0]
    assert triangle[5, 5] == triangle[2, 40] == triangle[40, 2] == 1
    assert triangle[45, 45] == triangle[10, 45] == 0


@pytest.mark.parametrize("text", ["", "1,2", "1,2 3", "1,2 nan,4", "0,0 120,50", "5,5 5,50", "-1"])
def test_shapes_that_are_none(text: str) -> None:
    with pytest.raises(UserError, match="for example"):
        shapes.parse_shape(text)


# The canvas


def test_canvas_sizes() -> None:
    assert canvas.canvas_size((250, 500)) == (320, 640)
    assert canvas.canvas_size((4000, 1000)) == (640, 160)
    assert canvas.canvas_size((30, 40)) == (120, 160)
    assert canvas.canvas_size((1, 5000)) == (1, 640)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (None, "sent no mask"),
        ("data:text/html;base64,AAAA", "sent no mask"),
        (canvas.PNG_URL + "%%%", "arrived damaged"),
        (canvas.PNG_URL + "AAAA", "not a picture"),
        (png(np.zeros((8, 8), np.uint8)), "Nothing was painted"),
    ],
)
def test_answers_of_the_browser_that_are_no_mask(
    tmp_path: Path, answer: object, sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        canvas.save_drawing(answer, tmp_path / "mask.png")


BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
DRAG = """
<script>
const canvas = document.querySelector("canvas"), box = canvas.getBoundingClientRect();
function drag(kind, ...points) {
  const names = ["pointerdown", ...points.slice(1).map(() => "pointermove"), "pointerup"];
  [...points, points.at(-1)].forEach(([x, y], k) => canvas.dispatchEvent(new PointerEvent(
    names[k], {clientX: box.left + x * box.width, clientY: box.top + y * box.height,
               pointerId: 1, pointerType: kind, bubbles: true})));
}
const press = (selector) => document.querySelector(selector).click();
drag("mouse", [.8, .8], [.9, .9]);
press("[name=clear]");
document.querySelector("[type=range]").value = 32;
drag("mouse", [.2, .5], [.5, .5]);
drag("touch", [.5, .5], [.5, .8]);
press("[type=checkbox]");
drag("pen", [.3, .3], [.3, .7]);
press("[name=done]");
consinganMask.then((url) => { document.body.textContent = url; });
</script>
"""


@pytest.mark.skipif(not BROWSER, reason="needs Chromium")
@pytest.mark.parametrize("width", [800, 200])
def test_painting_in_a_browser(tmp_path: Path, width: int) -> None:
    """Brush, clear, erase and Done, on a canvas shown whole and on one that is scaled down."""
    page = tmp_path / "page.html"
    start = f"<!doctype html><body style='margin:20px;width:{width}px'>"
    page.write_text(start + canvas.page(picture(60, 80)) + DRAG)
    words = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             f"--user-data-dir={tmp_path / 'profile'}", "--window-size=900,800",
             "--virtual-time-budget=5000", "--dump-dom", page.as_uri()]  # fmt: skip
    environment = {**os.environ, "HOME": str(tmp_path)}
    made = subprocess.run(words, capture_output=True, text=True, env=environment)
    found = re.search(r"data:image/png;base64,[^<\s]+", made.stdout.split("<body")[-1])
    assert found, made.stdout[-500:]
    canvas.save_drawing(found.group(), tmp_path / "mask.png")
    mask = np.asarray(Image.open(tmp_path / "mask.png").convert("L"))
    assert mask.shape == canvas.canvas_size((60, 80)) == (240, 320)
    y, x = np.mgrid[:240, :320] + 0.5
    lines = [(0.2, 0.5, 0.5, 0.5), (0.5, 0.5, 0.5, 0.8), (0.3, 0.3, 0.3, 0.7)]
    across, down, erased = (_distance(x, y, *np.multiply(e, [320, 240] * 2)) for e in lines)
    radius = 16
    painted = np.minimum(across, down)
    inside = (painted < radius - 1.5) & (erased > radius + 1.5)
    outside = (painted > radius + 1.5) | (erased < radius - 1.5)
    assert inside.sum() > 4000
    assert (mask[inside] == 255).all()
    assert (mask[outside] == 0).all()


def _distance(x: Any, y: Any, x1: float, y1: float, x2: float, y2: float) -> Any:
    """Distance of every pixel from a line."""
    length = (x2 - x1) ** 2 + (y2 - y1) ** 2
    along = np.clip(((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / length, 0, 1)
    return np.hypot(x - x1 - along * (x2 - x1), y - y1 - along * (y2 - y1))


# Progress


def test_the_bar_says_how_much_time_is_left(tmp_path: Path, shown: list[str]) -> None:
    job = make_job()
    folder = new_folder(tmp_path, job)
    trainer = Trainer(job.training)
    view = show.LiveView(trainer, folder)
    Session(trainer, folder, [view]).run()
    view.close()
    bars = [page for page in shown if page.startswith("<pre")]
    assert re.search(r"100%.*\d\d:\d\d spent, 00:00 left", bars[-1])
    figures = [page for page in shown if "<figure" in page]
    assert sum("Stage" in page for page in figures) == 3
    assert sum("Losses so far" in page for page in figures) == 3
    assert "Losses so far" in figures[0]  # the place that is filled anew is above the samples
