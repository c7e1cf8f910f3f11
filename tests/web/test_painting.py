"""What is painted becomes pictures and masks; a model makes them one at once, or after training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from commands import pixels_of, save, scene

from consingan.errors import UserError
from consingan.images.paste import Placed
from consingan.methods.contract import Task
from consingan.methods.registry import METHODS
from consingan.web import painting
from consingan.web.orders import prepared, settings_of, shown_rows
from consingan.web.painting import Painted, painted, strokes_of

HOLE = Task(output="composite", takes=("naive",), fills=True)
BLEND = Task(output="composite", takes=("naive",))


def layer(color: tuple[int, int, int, int]) -> np.ndarray:
    """(12, 16, 4) with a square in the middle."""
    pixels = np.zeros((12, 16, 4), np.uint8)
    pixels[4:8, 6:10] = color
    return pixels


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return save(tmp_path / "beach.png", scene(48, 64))


def test_every_task_that_takes_a_picture_of_ones_own_is_offered_and_holes_come_first():
    found = painting.tasks()
    blended = {
        name for m in METHODS.values() for name, row in m.tasks.items()
        if row.takes_naive and row.output == HOLE.output
    }  # fmt: skip
    assert blended <= set(found)
    assert not any(row.takes_naive or row.needs for name, row in found.items() if not
                   painting.is_hole(row) and name not in blended)  # fmt: skip
    holes = [painting.is_hole(row) for row in found.values()]
    assert holes == sorted(holes, reverse=True)
    assert any(holes)


def test_methods_that_need_no_training_come_first():
    for task in painting.tasks():
        trained = [painting.learns(method) for method in painting.methods_for(task)]
        assert trained == sorted(trained)


def test_nothing_painted_is_no_stroke():
    assert strokes_of(None) is None
    assert strokes_of([np.zeros((4, 4, 4), np.uint8)]) is None


def test_a_hole_is_black_and_white_at_the_pictures_size_and_the_picture_stays(picture, tmp_path):
    made = painted(picture, strokes_of([layer((255, 32, 96, 255))]), None, HOLE, tmp_path)
    assert made.naive == made.picture == picture
    mask = pixels_of(made.mask)[:, :, 0]
    assert mask.shape == (48, 64)
    assert set(np.unique(mask)) == {0, 255}
    assert mask[16:32, 24:40].mean() > 240
    assert not mask[:12].any()


def test_a_hole_must_be_marked(picture, tmp_path):
    with pytest.raises(UserError, match="Paint over what is to be filled"):
        painted(picture, None, None, HOLE, tmp_path)


def test_color_and_object_come_into_the_picture_and_into_the_mask(picture, tmp_path):
    dot = save(tmp_path / "dot.png", np.full((6, 6, 3), (9, 200, 9), np.uint8))
    strokes = strokes_of([layer((255, 255, 255, 255))])
    made = painted(picture, strokes, (dot, Placed(0.1, 0.1, 0.1)), BLEND, tmp_path)
    naive, mask = pixels_of(made.naive), pixels_of(made.mask)[:, :, 0]
    assert (naive[20:28, 28:36] > 250).all()
    assert (naive[4, 6] == (9, 200, 9)).all()
    assert mask[24, 32] == mask[4, 6] == 255
    untouched = mask == 0
    assert (naive[untouched] == pixels_of(picture)[untouched]).all()


@pytest.mark.parametrize("side", [12, 48, 300])
@pytest.mark.parametrize(("stroke", "background"), [(255, 255), (255, 128), (40, 200)])
def test_an_edge_lies_between_stroke_and_background_whatever_the_pictures_size(
    tmp_path, side, stroke, background
):
    drawn = np.zeros((64, 64, 4), np.uint8)
    far = np.hypot(*(np.mgrid[:64, :64] - 31.5))
    drawn[..., 3] = np.clip((20 - far) * 128, 0, 255)  # with a soft edge, as an editor draws it
    drawn[drawn[..., 3] > 0, :3] = stroke
    nothing = np.zeros_like(drawn)
    picture = save(tmp_path / "plain.png", np.full((side, side, 3), background, np.uint8))
    made = painted(picture, strokes_of([nothing, drawn, nothing]), None, BLEND, tmp_path)
    naive = pixels_of(made.naive)
    assert (naive[side // 2, side // 2] == stroke).all()
    assert (naive[0, 0] == background).all()
    assert naive.min() == min(stroke, background)
    assert naive.max() == max(stroke, background)


def test_without_strokes_and_object_the_picture_is_taken_as_it_is(picture, tmp_path):
    assert painted(picture, None, None, BLEND, tmp_path) == Painted(picture, picture, None)


@pytest.fixture
def kept(picture, tmp_path) -> Painted:
    return painted(picture, strokes_of([layer((255, 32, 96, 255))]), None, HOLE, tmp_path)


def settings(method: str, task: str, kept: Painted, **more: object) -> dict:
    chosen = {"method": method, "train_mode": task, "preset": "paper", "max_size": 64}
    return settings_of(chosen, more) | painting.told_of(
        kept, METHODS[method], METHODS[method].tasks[task]
    )


def test_where_nothing_is_learned_the_result_is_there_at_once_and_the_run_is_kept(kept, tmp_path):
    job = prepared(settings("patches", "inpainting", kept))
    result = painting.made_at_once(job, kept, {}, tmp_path / "runs")
    changed = (pixels_of(result) != pixels_of(kept.picture)).any(axis=2)
    assert 0 < changed.mean() < 0.9
    again = painting.made_at_once(job, kept, {}, tmp_path / "runs")
    assert again == result
    assert len(list((tmp_path / "runs").glob("*/*/manifest.json"))) == 1


def test_where_a_training_comes_first_there_are_two_commands(kept, tmp_path):
    chosen = settings("consingan", "harmonization", kept, niter=3, train_stages=2, nfc=4)
    assert painting.made_at_once(prepared(chosen), kept, {}, tmp_path / "runs") is None
    assert not (tmp_path / "runs").exists()
    train, evaluate = painting.commands(chosen, kept, {"seed": 3}, tmp_path)
    assert train[:2] == ("train", "--method")
    assert evaluate == (
        "evaluate", "--model_dir", "{run}", "--naive_img", str(kept.naive),
        "--mask", str(kept.mask), "--seed", "3", "--no_metrics",
    )  # fmt: skip


@pytest.mark.parametrize("method", [m for m in painting.methods_for("inpainting")
                                    if painting.learns(m)], ids=lambda m: m.name)  # fmt: skip
def test_a_method_that_is_trained_around_a_hole_is_told_of_it(kept, tmp_path, method):
    chosen = settings(method.name, "inpainting", kept)
    train, evaluate = painting.commands(chosen, kept, {}, tmp_path)
    assert train[train.index("--mask") + 1] == str(kept.mask)
    assert evaluate[3:] == ("--num_samples", "1", "--hidden_copies", "0", "--no_metrics")


def test_nothing_is_asked_that_what_is_painted_or_the_result_would_pass_over(kept):
    for name in painting.tasks():
        for method in painting.methods_for(name):
            row = method.tasks[name]
            shown = {r.name for r in shown_rows(method)} - {*painting.painted_settings(row)}
            assert not shown & {"naive_img", *painting.told_of(kept, method, row)}
            asked = {r.name for r in painting.asked_of_result(row)}
            assert asked == ({"seed"} if row.output == "fill" else {*painting.OF_RESULT})


def test_how_long_a_training_takes_can_be_told_before_anything_is_painted(picture, tmp_path):
    for name, row in painting.tasks().items():
        kept = painting.yet_unpainted(picture, row, tmp_path)
        for method in filter(painting.learns, painting.methods_for(name)):
            assert prepared(settings(method.name, name, kept)).training.stages
