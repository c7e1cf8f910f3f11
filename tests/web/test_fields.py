"""What was filled in becomes values, checked by the rows that the commands have."""

from __future__ import annotations

import pytest

from consingan.errors import UserError
from consingan.methods.registry import METHODS
from consingan.outputs.requests import (
    EnlargementRequest,
    FillRequest,
    FilmRequest,
    SamplesRequest,
)
from consingan.settings.config import Config
from consingan.web.fields import (
    in_text,
    label_of,
    row_of,
    typed,
    value_of,
    with_labels,
    without_flags,
    words,
)


def test_sizes_are_read_as_they_are_typed_in_commands():
    row = row_of(SamplesRequest, "sizes")
    assert value_of(row, "400x250, 10X20") == ((250, 400), (20, 10))
    assert in_text(value_of(row, "400x250 10x20")) == "400x250 10x20"


@pytest.mark.parametrize(
    ("table", "name", "given", "said"),
    [
        (SamplesRequest, "sizes", "large", "Sizes: write sizes as WIDTHxHEIGHT"),
        (FilmRequest, "betas", "0.9 x", "Betas: write numbers from 0 to 1"),
        (SamplesRequest, "num_samples", -1, "--num_samples -1 must be 0 or more"),
        (SamplesRequest, "batch_size", "many", "Batch size: write a number"),
        (Config, "max_size", float("nan"), "Longer side: write a number"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(table, name, given, said):
    with pytest.raises(UserError, match=said):
        value_of(row_of(table, name), given)


def test_only_what_differs_from_what_is_recommended_is_typed():
    given = {"niter": 7, "max_size": 250, "fit": "crop", "naive_img": ""}
    assert typed(Config, given, Config()) == {"niter": 7, "fit": "crop"}


def test_a_truth_is_called_alike_of_a_hole_and_of_an_enlargement():
    rows = (row_of(table, "truth") for table in (FillRequest, EnlargementRequest))
    assert {label_of(row) for row in rows} == {"Original to compare with"}


def test_words_are_those_of_the_command_line():
    singular = METHODS["consingan"].config
    assert words(singular, {"manual_seed": 3, "batch_norm": True, "fine_tune": False}) == (
        "--manualSeed", "3", "--batch_norm", "--no_fine_tune",
    )  # fmt: skip
    assert words(SamplesRequest, {"sizes": ((250, 400), (20, 10)), "scale_w": ()}) == (
        "--size", "400x250", "--size", "10x20",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("--min_size 30 is above --max_size 20.", '"Min size" 30 is above "Longer side" 20.'),
        ("another --manualSeed, a smaller --size", 'another "Manual seed", a smaller "Sizes"'),
        ("/a/b--size: use --device cpu.", "/a/b--size: use --device cpu."),  # stands on no page
        ("What it sees by, without --vgg_weights.", "What it sees by, without --vgg_weights."),
        (
            "Nothing is trained yet; go on with: python -m consingan train --resume --model_dir /x",
            'Nothing is trained yet; "Go on with it", under Train.',
        ),
    ],
)
def test_sentences_name_what_stands_on_the_page(typed, shown):
    assert with_labels(typed) == shown


def test_a_task_is_shown_without_flags():
    assert without_flags("a hole (--mask) is filled") == "a hole is filled"
