"""A run in words and tables, whatever it holds shown as text; pictures made with it."""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
from pathlib import Path

import pytest
from commands import copy_of_run, evaluate_model, pixels_of
from report_cases import judgement

from consingan.errors import UserError
from consingan.machine.files import write_json
from consingan.outputs.ownership import RECORD
from consingan.report.gather import gather
from consingan.report.write import METRICS_FILE, metrics_record
from consingan.runs.files import EVALUATION
from consingan.runs.folder import RunFolder
from consingan.runs.load import load_run
from consingan.web.cards import card_of, cards, facts, framed, said_of_report, thumbnail
from consingan.web.making import first_value, make_with, rows_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    copy_of_run("generation", tmp_path / "runs" / "scene")
    return tmp_path / "runs"


def test_a_run_is_told_by_picture_method_and_task(root):
    (card,) = cards(root)
    assert card.title.startswith("scene: ConSinGAN, generation, ")
    assert card.learns
    assert card_of(root, card.name) == card


def test_settings_are_called_as_on_the_rest_of_the_page(root):
    (card,) = cards(root)
    assert "Longer side" in facts(card)
    assert "max_size" not in facts(card)


def test_a_run_that_is_gone_or_was_never_chosen_is_said(root):
    with pytest.raises(UserError, match="is gone"):
        card_of(root, "../scene")
    with pytest.raises(UserError, match="Choose a run first"):
        card_of(root, None)


def test_what_is_damaged_is_left_out(root):
    (card,) = cards(root)
    (card.path / "config.json").write_text("{")
    assert cards(root) == []


def test_settings_that_hold_html_are_shown_as_text(root):
    (card,) = cards(root)
    file = card.path / "config.json"
    values = json.loads(file.read_text()) | {"naive_img": "<img src=x onerror=alert(1)>"}
    file.write_text(json.dumps(values))
    assert "&lt;img src=x" in facts(card_of(root, card.name))
    assert "<img" not in facts(card_of(root, card.name))


@pytest.mark.parametrize("start", [0, 1])
def test_figures_of_samples_that_began_late_are_not_shown_as_the_runs(root, start):
    (card,) = cards(root)
    material = dataclasses.replace(gather(load_run(card.path)), judgement=judgement(swd=77.0))
    record = metrics_record(material, 0) | ({"start_stage": start} if start else {})
    (card.path / EVALUATION).mkdir()
    write_json(card.path / EVALUATION / METRICS_FILE, record)
    assert ("SWD" in facts(card)) == (start == 0)


def test_figures_are_shown_of_the_run_as_it_is_alone(root):
    (card,) = cards(root)
    run = load_run(card.path)
    material = dataclasses.replace(gather(run), judgement=judgement(swd=77.0))
    (card.path / EVALUATION).mkdir(exist_ok=True)
    write_json(card.path / EVALUATION / METRICS_FILE, metrics_record(material, 0))
    assert "SWD" in facts(card)
    assert said_of_report(card) == ()
    (card.path / RunFolder.open(card.path).last_weights).write_bytes(b"others")
    assert "SWD" not in facts(card)
    assert said_of_report(card) != ()


def test_a_page_inside_the_page_can_run_nothing():
    shown = framed('<script>alert(1)</script>"', "Report")
    assert 'sandbox=""' in shown
    assert "<script>" not in shown
    assert shown.count('"') % 2 == 0


def test_the_thumbnail_is_of_the_training_image(root, tmp_path):
    (card,) = cards(root)
    assert pixels_of(thumbnail(card, tmp_path)).shape == (23, 32, 3)


def test_a_thumbnail_is_small_and_waits_for_no_disk(root, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: pytest.fail("hundreds are made in a row"))
    assert thumbnail(cards(root)[0], tmp_path).read_bytes().startswith(b"\xff\xd8")  # a JPEG


def test_pictures_of_the_size_that_was_asked_for_are_made(root):
    (card,) = cards(root)
    first, rest = rows_of(card)
    filled = {row.name: first_value(row) for row in (*first, *rest)}
    filled |= {"num_samples": 1, "sizes": "20x18"}
    files = make_with(card, filled, False, lambda _: None)
    (wanted,) = [file for file in files if file.parent.name == "random_samples_20x18"]
    assert pixels_of(wanted).shape == (18, 20, 3)


def test_the_command_that_is_kept_makes_the_same_pictures(root):
    (card,) = cards(root)
    make_with(card, {"num_samples": 1, "sizes": "20x18 9x9"}, False, lambda _: None)
    record = json.loads((card.path / EVALUATION / RECORD).read_text())
    words = shlex.split(record["command"])
    again = evaluate_model(*words[words.index("--model_dir") :])
    assert again.exit_code == 0, again.output
    made = json.loads((card.path / EVALUATION / RECORD).read_text())
    assert (made["request"], made["files"]) == (record["request"], record["files"])
