"""What is said of settings that do not go together."""

from __future__ import annotations

import pytest

from consingan.methods.choose import choose_settings, no_naive_image


@pytest.mark.parametrize(
    ("method", "task", "said"),
    [
        ("consingan", "animation", "trained with --train_mode harmonization or editing."),
        ("consingan", "inpainting", "fills the hole of the picture that it was trained on; for"),
        ("patches", "inpainting", "train without --mask to fill the holes of other pictures."),
        ("patches", "translation", "with --train_mode harmonization or editing or inpainting"),
        ("dcgan", "generation", "does not go with --train_mode generation; it needs a model"),
        ("singan", "super_resolution", "for another one train anew, with that as --input_name."),
        ("partial_conv", "inpainting", "for another one train anew, with that as --input_name."),
        (
            "dcgan",
            "animation",
            "or editing or paint2image or inpainting or translation or analogy.",
        ),
    ],
)
def test_a_task_that_takes_no_picture_names_what_does(method: str, task: str, said: str) -> None:
    hole = {"mask": "hole.png"} if task == "inpainting" else {}
    config = choose_settings({"method": method, "train_mode": task, **hole}).config
    assert said in str(no_naive_image(config))
