"""What a visitor chose becomes settings, a command and what it takes."""

from __future__ import annotations

import pytest
from commands import save, scene

from consingan import cli
from consingan.errors import UserError
from consingan.methods.registry import METHODS
from consingan.web.orders import (
    checked_words,
    cost_of,
    default_preset,
    names_picture,
    prepared,
    settings_of,
    shown_rows,
    suggested_preset,
    takes_words,
    train_words,
)

CHOSEN = {"method": "consingan", "train_mode": "generation", "preset": "paper", "max_size": 32}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_every_setting_has_a_place_on_the_page(method):
    rows = {row.name for row in shown_rows(method)}
    others = set(method.config.__dataclass_fields__) - rows
    assert others - {"vgg_weights"} == {  # weights are no picture, and too large to be sent
        "method", "train_mode", "preset", "max_size", "input_name", "fine_tune",
    }  # fmt: skip


def test_a_first_training_is_a_quick_one_where_there_is_one():
    assert suggested_preset(METHODS["consingan"]) == "fast"
    assert suggested_preset(METHODS["patches"]) == default_preset(METHODS["patches"])


def test_the_command_trains_with_what_was_filled_in(tmp_path):
    picture = save(tmp_path / "beach.png", scene(48, 64))
    settings = settings_of(CHOSEN, {"niter": 7, "nfc": 4, "batch_norm": True, "min_size": 16})
    words = train_words(settings | {"input_name": str(picture)}, tmp_path / "runs")
    assert words[:2] == ("train", "--method")
    parsed = cli.main.commands["train"].make_context("train", list(words[1:])).params
    told = settings | {"input_name": str(picture)}
    assert {name: parsed[name] for name in told} == told
    assert parsed["output_dir"] == tmp_path / "runs"


def test_what_cannot_work_is_refused_before_anything_is_written():
    with pytest.raises(UserError, match="--niter 0 must be 1 or more"):
        settings_of(CHOSEN, {"niter": 0})


def test_a_file_is_brought_and_never_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edges").touch()
    row = next(r for r in shown_rows(METHODS["pix2pix"]) if takes_words(r))
    assert names_picture(row)
    assert checked_words(row, " colors:8 ") == "colors:8"
    for path in ("/etc/passwd", "../x.png", "skimage:cat.png", "edges"):
        with pytest.raises(UserError, match="bring a picture"):
            checked_words(row, path)


def test_what_a_training_takes_is_told_in_words(tmp_path):
    picture = save(tmp_path / "beach.png", scene(48, 64))
    untrained = {**CHOSEN, "method": "patches", "preset": default_preset(METHODS["patches"])}
    job = prepared(settings_of(untrained, {}) | {"input_name": str(picture)})
    assert cost_of(job).in_words().startswith("32 x 24 px, nothing to be trained, about ")


def test_what_does_not_fit_into_memory_is_not_timed(tmp_path, monkeypatch):
    monkeypatch.setattr("consingan.training.plan.free_memory", lambda _: 2**20)
    picture = save(tmp_path / "beach.png", scene(48, 64))
    chosen = {**CHOSEN, "max_size": 64}
    cost = cost_of(prepared(settings_of(chosen, {}) | {"input_name": str(picture)}))
    assert cost.in_words().startswith("64 x 48 px, too large for the memory that is free, about ")
