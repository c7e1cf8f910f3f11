"""A pair: its sizes, what is done to both alike, what a new A may not be."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch
from helpers import picture
from torch import Tensor, nn

from consingan.errors import UserError
from consingan.images.conditions import MOST_LABELS, is_drawn, made_from
from consingan.images.resize import resize
from consingan.methods.contract import Inputs
from consingan.methods.pair_draws import drawn
from consingan.methods.pairing import Pair, PairModel, mirrored, pair_from, pair_of
from consingan.methods.pix2pix.config import Pix2PixConfig
from consingan.methods.pix2pix.method import idle
from consingan.methods.pix2pix.tasks import TASKS
from consingan.nn.noise import stream

CONFIG = Pix2PixConfig(condition="colors:4", max_size=48)


@dataclass
class Copy(PairModel):
    """Gives A back."""

    def made(self, condition: Tensor) -> Tensor:
        return condition


def model(pair: Pair) -> Copy:
    return Copy(CONFIG, TASKS, nn.Identity(), pair)


def pair(condition: str = "colors:4") -> Pair:
    return pair_of(replace(CONFIG, condition=condition), Inputs(picture(40, 48)))


def test_a_is_made_from_b_at_the_size_of_the_training() -> None:
    made = pair_of(CONFIG, Inputs(picture(80, 96)))
    assert made.image.shape == made.condition.shape == (1, 3, 40, 48)
    assert len(made.palette) == 4
    assert made.scale == 0.5


def test_a_picture_of_another_shape_is_refused() -> None:
    with pytest.raises(UserError, match="another shape than the image"):
        pair_of(CONFIG, Inputs(picture(40, 48), condition=picture(48, 40)))


def test_a_pair_needs_its_a() -> None:
    with pytest.raises(UserError, match="--condition is missing"):
        pair_of(replace(CONFIG, condition=""), Inputs(picture(40, 48)))


@pytest.mark.parametrize(("condition", "given"), [("edges", False), ("file.png", True)])
def test_an_a_of_one_color_is_said_to_tell_nothing(condition: str, given: bool) -> None:
    smooth = torch.linspace(-0.2, 0.2, 48).expand(1, 3, 40, 48)  # without an edge
    config = replace(CONFIG, condition=condition)
    flat = torch.full((1, 3, 40, 48), 0.3) if given else None
    with pytest.warns(UserWarning, match="A of the pair has only one color"):
        pair_of(config, Inputs(smooth, condition=flat))


def test_a_layout_of_another_resolution_keeps_its_colors() -> None:
    small = pair()
    large = small.condition.repeat_interleave(3, 2).repeat_interleave(3, 3)
    config = replace(CONFIG, condition="file.png")
    read = pair_of(config, Inputs(picture(40, 48), condition=large))
    torch.testing.assert_close(read.condition, small.condition, rtol=0, atol=1e-6)
    assert read.scale == pytest.approx(1 / 3)


def test_both_are_bent_alike() -> None:
    image = picture(40, 48)
    same = Pair(image, image, torch.zeros(0, 3))
    config = replace(CONFIG, cutmix=1.0)
    for iteration in range(4):
        condition, target = drawn(same, stream(0, iteration), config)
        assert torch.equal(condition, target)
        assert not torch.equal(target, image)


def test_a_bent_layout_has_no_colors_between() -> None:
    given = pair()
    condition, _ = drawn(given, stream(1), CONFIG)
    pixels = condition[0].flatten(1).T
    assert float(torch.cdist(pixels, given.palette).min(1).values.max()) < 1e-2


def test_jitter_changes_colors_but_not_names() -> None:
    config = replace(CONFIG, warps=False, flips=False, jitter=1.0)
    layout, drawing = pair(), pair("gray")
    condition, _ = drawn(layout, stream(1), config)
    assert torch.equal(condition, layout.condition)
    condition, image = drawn(drawing, stream(1), config)
    assert not torch.equal(condition, drawing.condition)
    assert torch.equal(image, drawing.image)


@pytest.mark.parametrize(
    ("condition", "said"), [("colors:3", True), ("colors:2", False), ("gray", False), ("", False)]
)
def test_jitter_of_a_layout_is_said_to_do_nothing(condition: str, said: bool) -> None:
    found = dict(idle(replace(CONFIG, condition=condition, jitter=0.5)))
    assert ("jitter" in found) == said


def test_the_result_has_the_size_of_the_new_a() -> None:
    given = pair_of(CONFIG, Inputs(picture(80, 96)))  # half the size in training
    assert model(given).translate(given.condition[..., :30]).shape == (1, 3, 40, 30)


def test_colors_that_the_training_had_not_are_refused_with_their_share() -> None:
    given = pair()
    strange = given.condition.clone()
    strange[..., :24] = torch.tensor([1.0, -1.0, 1.0])[:, None, None]
    with pytest.raises(UserError, match="50% of the new A is in colors"):
        model(given).notes_on(strange)
    assert model(given).notes_on(given.condition) == []


def test_a_drawing_the_other_way_round_is_refused() -> None:
    given = pair("edges")
    with pytest.raises(UserError, match="draw white on black"):
        model(given).notes_on(-given.condition)


def test_a_third_color_is_said_where_the_training_had_two() -> None:
    land = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1).repeat(1, 1, 40, 48)
    land[..., 16:, :] = torch.tensor([-1.0, -1.0, 1.0]).view(1, 3, 1, 1)
    given = pair_of(replace(CONFIG, condition="file.png"), Inputs(picture(40, 48), condition=land))
    assert model(given).notes_on(land.flip(2)) == []
    new = land.clone()
    new[..., :16, :] = torch.tensor([-1.0, 1.0, -1.0]).view(1, 3, 1, 1)
    assert model(given).notes_on(new) == [
        "40% of A is in colors that are not among the training's two."
    ]


def test_a_layout_in_black_and_white_may_have_other_shares() -> None:
    land = -torch.ones(1, 3, 40, 48)
    land[..., 16:, :] = 1
    given = pair_of(replace(CONFIG, condition="file.png"), Inputs(picture(40, 48), condition=land))
    (note,) = model(given).notes_on(-land)
    assert note.startswith("If the new A is a drawing")


def lines(side: int) -> Tensor:
    """A drawing of white lines, 1 px wide and 20 px apart, on black."""
    drawing = -torch.ones(1, 3, side, side)
    drawing[..., 3::20] = 1
    return drawing


@pytest.mark.parametrize("reduced", [False, True])
def test_a_drawing_larger_than_the_training_is_known_for_one(reduced: bool) -> None:
    """Whether the new A comes as it was drawn, or with lines grayed by another program."""
    config = replace(CONFIG, condition="file.png")
    given = pair_of(config, Inputs(picture(160, 160), condition=lines(160)))
    assert not is_drawn(given.condition)  # at the size of the training
    new = resize(lines(160), 0.5).clamp(-1, 1) if reduced else lines(160)
    kept = model(pair_from(given.tensors()))
    assert kept.notes_on(new) == []
    if reduced:  # it may be a photograph at night
        (note,) = kept.notes_on(-new)
        assert "invert it then" in note
        return
    with pytest.raises(UserError, match="draw white on black"):
        kept.notes_on(-new)


def test_a_dithered_photograph_is_no_drawing() -> None:
    config = replace(CONFIG, condition="file.png")
    draws = torch.rand(1, 1, 160, 160, generator=torch.Generator().manual_seed(1))
    dark, light = ((draws < share).float().expand(-1, 3, -1, -1) * 2 - 1 for share in (0.4, 0.6))
    given = pair_of(config, Inputs(picture(160, 160), condition=dark))
    assert is_drawn(dark)
    assert model(given).notes_on(light) == []


def test_a_small_drawing_is_kept_as_every_release_kept_it() -> None:
    """So that a run is the same as one of before, and is found as such."""
    tensors = pair("edges").tensors()
    assert "drawn" not in tensors
    assert pair_from(tensors).drawn


def test_colors_where_the_training_had_gray_are_said() -> None:
    given = pair("gray")
    (note,) = model(given).notes_on(picture(40, 48))
    assert "only the brightness counts" in note


@pytest.mark.parametrize("word", ["gray", "blur"])
def test_few_levels_that_were_not_asked_for_are_no_names(word: str) -> None:
    dark = picture(40, 48).mean(1, keepdim=True).expand(1, 3, 40, 48) * 0.2 - 0.7
    given = pair_of(replace(CONFIG, condition=word), Inputs(dark))
    assert len((given.condition * 127.5).round().unique()) <= MOST_LABELS
    assert not given.labels
    same = model(given).translate(given.condition)
    torch.testing.assert_close(same, given.condition, rtol=0, atol=1e-6)
    assert model(given).notes_on(given.condition + 0.9) == []


def test_a_picture_is_continued_mirrored_as_often_as_need_be() -> None:
    row = torch.arange(3.0).expand(1, 1, 1, 3)
    assert mirrored(row, (1, 9)).flatten().tolist() == [0, 1, 2, 1, 0, 1, 2, 1, 0]
    assert torch.equal(made_from(row.expand(1, 3, 1, 3), "gray")[0, 0], row[0, 0])


def test_a_number_of_colors_that_is_none_is_refused() -> None:
    for word in ("colors", "colors:1", "colors:65", "colors:x"):
        with pytest.raises(UserError, match="must be colors:K"):
            replace(CONFIG, condition=word).check()
