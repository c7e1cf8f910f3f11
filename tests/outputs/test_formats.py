"""The format of results follows what was trained."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from consingan.outputs.formats import chosen_format, for_eyes, said_of_range


def config(channels: str = "auto", value_range: str = "auto", method: str = "consingan"):
    return SimpleNamespace(channels=channels, value_range=value_range, method=method)


@pytest.mark.parametrize(
    ("trained", "form"),
    [
        (config(), "png"),
        (config("gray"), "png"),
        (config("gray", "0,65535"), "png16"),
        (config("rgba", "0,4095"), "png16"),
        (config("auto", "0,65535", "singan"), "png"),
        (config("auto", "full"), "png16"),
        (config("auto", "full,8"), "png"),  # as release 1.0, whatever the image
        (config("bands"), "tiff"),
        (config("bands", "0,10000"), "tiff16"),
    ],
)
def test_auto_is_as_deep_and_as_many_as_the_image(trained, form):
    assert chosen_format("auto", trained) == form


def test_what_is_asked_for_counts():
    assert chosen_format("jpg", config("gray", "0,65535")) == "jpg"


@pytest.mark.parametrize(
    ("form", "kept", "said"),
    [("png16", "-60,1740", "-60 and 1740"),
     ("png16", "0,4294967295", " 4294967295 of"), ("png16", "0,65535", ""), ("png", "0,4095", ""),
     ("png16", "auto", "")],
)  # fmt: skip
def test_numbers_that_are_not_the_images_own_are_explained(form, kept, said):
    assert said in said_of_range(form, config(value_range=kept))
    assert bool(said_of_range(form, config(value_range=kept))) == bool(said)


def test_a_white_image_with_opacity_is_not_shown_blank():
    real = torch.linspace(-1, 1, 64).view(1, 1, 8, 8).expand(-1, 4, -1, -1)  # white, as light
    model = SimpleNamespace(real=real, config=config("rgba"))
    (shown,) = for_eyes(model, [real.flip(3)])
    assert torch.equal(shown, real.flip(3)[:, :3])
