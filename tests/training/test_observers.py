"""The warning that a stage gives one flat color, and the notes of how far a training is."""

from __future__ import annotations

import os
import warnings
from types import SimpleNamespace

import pytest
import torch
from commands import pixels_of
from helpers import make_job, new_folder, picture, trainer_on

from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.method import LOSSES
from consingan.methods.consingan.saturation import ENOUGH, SEEN
from consingan.outputs.registry import sheet_of
from consingan.runs.progress import PROGRESS
from consingan.training import observers
from consingan.training.loop import Trainer
from consingan.training.observers import Pictures, ProgressNotes, Saturation, Sheets, TensorBoard
from consingan.training.records import StageRecord, StageStarted, StepRecord
from consingan.training.session import Session

REAL = torch.linspace(-0.8, 0.8, 12 * 16).view(1, 1, 12, 16).expand(1, 3, 12, 16)
FLAT = 10 * REAL.var((2, 3)).mean().item()  # the reconstruction loss of its mean color


def watch(loss, niter=2 * ENOUGH, alpha=10.0, iterations=None, real=REAL):
    """Show a stage with a constant loss, by default an uncut one, to the observer."""
    iterations = iterations or niter
    losses = torch.zeros(iterations, len(LOSSES))
    losses[:, LOSSES.index("g_reconstruction")] = loss
    config = ConSinGANConfig(alpha=alpha, niter=niter, train_stages=2, nfc=4)
    trainer = trainer_on(config, [real, real])
    Saturation().observe(StageRecord(1, losses), trainer)


def test_worse_than_the_mean_color_is_said():
    with pytest.warns(UserWarning, match="stage 2 gives the image back no better than one flat"):
        watch(1.1 * FLAT)


def test_a_stage_that_is_cut_short_has_learned_before():
    with pytest.warns(UserWarning, match="stage 2 gives the image back no better than one flat"):
        watch(1.1 * FLAT, iterations=ENOUGH // 4)


@pytest.mark.parametrize(
    ("loss", "niter", "alpha"),
    [(0.9 * FLAT, 2 * ENOUGH, 10.0), (9 * FLAT, ENOUGH - 1, 10.0), (9 * FLAT, 2 * ENOUGH, 0.0)],
)
def test_else_nothing_is_said(loss, niter, alpha):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        watch(loss, niter, alpha)
        Saturation().observe(StageStarted(0), SimpleNamespace())


def test_of_an_image_of_one_color_nothing_is_said():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        watch(9.0, real=torch.full_like(REAL, 0.3))


def test_what_is_hardly_worse_than_the_mean_color_is_not_said():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        watch(FLAT + 10 * SEEN / 2)


class Notes:
    """What was noted down, in place of a file."""

    def __init__(self, monkeypatch):
        self.found = []
        monkeypatch.setattr(observers, "write_progress", lambda _, note: self.found.append(note))


def trainer_at(stage, iteration, first=0):
    training = SimpleNamespace(
        first=first, stages=2, cost=lambda k: (1.0, 3.0)[k], iterations=lambda k: 100, losses=()
    )
    return SimpleNamespace(
        training=training, stage=stage, stages=2, iteration=iteration, iterations=100
    )


def test_progress_counts_iterations_by_what_they_cost(monkeypatch, tmp_path):
    noted = Notes(monkeypatch)
    watcher = ProgressNotes(tmp_path)
    watcher.observe(StageStarted(0), trainer_at(0, 0))
    watcher.observe(StageStarted(1), trainer_at(1, 0))
    assert [note.done for note in noted.found] == [0, 0.25]
    assert noted.found[0].left is None
    assert noted.found[1].left > 0
    assert (noted.found[1].stage, noted.found[1].iterations) == (2, 100)


def test_a_fine_tuning_begins_at_nothing(monkeypatch, tmp_path):
    noted = Notes(monkeypatch)
    watcher = ProgressNotes(tmp_path)
    watcher.observe(StageStarted(1), trainer_at(1, 0, first=1))
    watcher.observe(StageStarted(1), trainer_at(1, 50, first=1))
    assert [note.done for note in noted.found] == [0, 0.5]


def test_between_stages_progress_is_noted_every_few_seconds_only(monkeypatch, tmp_path):
    noted = Notes(monkeypatch)
    clock = iter([0.0, 0.5, 1.0, 2.5])
    monkeypatch.setattr(observers.time, "perf_counter", lambda: next(clock))
    watcher = ProgressNotes(tmp_path, begun=0.0)
    watcher.observe(StageStarted(0), trainer_at(0, 0))
    for iteration in (1, 2, 3):
        watcher.observe(StepRecord(0, iteration, torch.zeros(1)), trainer_at(0, iteration))
    assert [note.iteration for note in noted.found] == [0, 3]


def test_the_notes_are_gone_when_the_training_ends(tmp_path):
    watcher = ProgressNotes(tmp_path)
    watcher.observe(StageStarted(0), trainer_at(0, 0))
    assert (tmp_path / PROGRESS).is_file()
    watcher.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("layout", "drawn"), [(20, {0, 3}), (0, {0, 1, 2, 3})])
def test_stages_that_are_only_begun_are_not_drawn(tmp_path, layout, drawn):
    """Their samples are those before them, finished anew at great expense; the last one shows."""
    settings = {"finish": 0.5, "layout": layout, "train_stages": 4, "min_size": 20, "max_size": 40}
    job = make_job(image=picture(40, 40), **settings)
    folder = new_folder(tmp_path, job)
    Session(Trainer(job.training), folder, [Sheets(folder.path)]).run()
    assert {int(path.parent.name) for path in folder.path.glob("*/samples.png")} == drawn


def test_curves_are_drawn_where_a_stage_has_learned(tmp_path, monkeypatch):
    settings = {"finish": 0.5, "layout": 20, "train_stages": 4, "min_size": 20, "max_size": 40}
    job, drawn = make_job(image=picture(40, 40), **settings), []
    folder = new_folder(tmp_path, job)
    monkeypatch.setattr(observers, "save_curves", lambda *_: drawn.append(trainer.stage))
    trainer = Trainer(job.training)
    Session(trainer, folder, [Pictures(folder.path)]).run()
    assert drawn == [0, 3]


def test_a_grid_is_drawn_once_for_all_who_show_it(tmp_path, monkeypatch):
    job, drawn = make_job(), []

    def draw(model, naive):
        drawn.append(model)
        return sheet_of(model, naive)

    monkeypatch.setattr(observers, "sheet_of", draw)
    folder = new_folder(tmp_path, job)
    sheets = Sheets(folder.path)
    board = TensorBoard(folder.path, sheets)
    images = []
    monkeypatch.setattr(
        board.writer, "add_image", lambda name, image, *_, **__: images.append(image)
    )
    Session(Trainer(job.training), folder, [sheets, board]).run()
    board.close()
    assert len(drawn) == len(images) == 3
    kept = pixels_of(folder.path / "2" / "samples.png")
    assert (images[-1].numpy() == kept).all()


def test_where_tensorboard_does_not_take_the_path_the_training_goes_on_without(tmp_path):
    folder = tmp_path / os.fsdecode(b"l\xfcft")  # in Latin-1
    try:
        folder.mkdir()
    except (OSError, UnicodeError):
        pytest.skip("no such names here")
    with pytest.warns(UserWarning, match=r"cannot be written \(the path is not UTF-8\)"):
        board = TensorBoard(folder, Sheets(folder))
    assert board.writer is None
    board.close()


def test_where_tensorboard_cannot_write_the_training_goes_on(tmp_path, monkeypatch, capfd):
    from tensorboard.summary.writer.record_writer import RecordWriter

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RecordWriter, "write", full)
    job = make_job(train_stages=2)
    folder = new_folder(tmp_path, job)

    def train():
        board = TensorBoard(folder.path, Sheets(folder.path))
        Session(Trainer(job.training), folder, [board]).run()
        board.close()

    with pytest.warns(UserWarning, match=r"cannot be written \(No space left on device\)") as said:
        train()
    assert len(said) == 1
    assert folder.manifest["status"] == "finished"
    assert "Traceback" not in capfd.readouterr().err
