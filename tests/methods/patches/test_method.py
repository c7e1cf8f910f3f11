"""What the method advises."""

from __future__ import annotations

import pytest

from consingan.methods.patches.config import PatchesConfig
from consingan.methods.patches.method import PATCHES


def advice(symptom: str, **settings: object) -> str:
    return PATCHES.remedy(symptom, PatchesConfig(input_name="a.png", **settings))  # type: ignore[arg-type]


@pytest.mark.parametrize("symptom", ["fits", "misfits"])
def test_the_level_is_advised_where_it_does_something(symptom: str) -> None:
    assert advice(symptom, train_mode="inpainting") == ""
    assert "--level, now 0.5" in advice(symptom, train_mode="editing", level=0.5)


def test_no_more_than_all_is_made_anew() -> None:
    assert advice("still", train_mode="animation", level=1.0) == ""


@pytest.mark.parametrize("symptom", ["copies", "alike"])
@pytest.mark.parametrize(
    ("settings", "ways"),
    [
        ({}, "raise --loosen (now 0)."),
        ({"min_side": 40}, "raise --loosen (now 0) or lower --min_side (now 40)."),
        ({"min_side": 15}, "raise --loosen (now 0)."),
        ({"min_side": 40, "loosen": 0.3}, "raise --loosen (now 0.3)."),
        ({"min_side": 40, "loosen": 1.0}, "raise --min_side (now 40)"),
    ],
)
def test_in_retarget_less_is_copied_where_less_of_the_layout_is_kept(
    symptom: str, settings: dict[str, object], ways: str
) -> None:
    assert ways in advice(symptom, train_mode="retarget", **settings).lower()


def test_the_help_of_what_never_counts_says_so() -> None:
    idle = (dict(PATCHES.idle(PatchesConfig(train_mode=task))) for task in PATCHES.tasks)
    assert all("niter" in names for names in idle)
    told = PatchesConfig.__dataclass_fields__["niter"].metadata
    assert (told["help"], told["shown"]) == ("Does nothing here: nothing is trained.", "none")
