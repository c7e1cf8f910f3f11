"""Translations: files for each new A, and the test with bent pairs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import picture
from PIL import Image
from torch import Tensor

from consingan.errors import UserError
from consingan.images.conditions import made_from
from consingan.images.io import read_image, write_image
from consingan.methods.contract import Task, Translates
from consingan.methods.pairs import PairConfig
from consingan.methods.registry import method_of
from consingan.metrics.reconstruction import Reconstruction
from consingan.outputs.held_out import agreement, held_out
from consingan.outputs.requests import TranslationRequest
from consingan.outputs.translation import Translation, begin
from consingan.report.kinds import verdicts
from consingan.report.material import Facts
from consingan.report.translation import on_translation

IMAGE = picture(32, 36)


@dataclass
class Known:
    """Knows its pair by heart, or copies A."""

    by_heart: bool
    condition: Tensor = field(default_factory=lambda: made_from(IMAGE, "blur"))
    real: Tensor = IMAGE
    labels: bool = False
    task: Task = field(default_factory=lambda: Task("translation", takes=("naive",)))
    sizes: tuple[tuple[int, int], ...] = ((32, 36),)
    config: PairConfig = field(default_factory=PairConfig)

    def render(self, condition: Tensor) -> Tensor:
        return self.real if self.by_heart else condition

    def translate(self, condition: Tensor) -> Tensor:
        return condition

    def notes_on(self, condition: Tensor) -> list[str]:
        if condition.min() > 0.9:
            raise UserError("it is white.")
        return []


def test_who_knows_the_pair_by_heart_fails_when_it_is_bent() -> None:
    model = Known(by_heart=True)
    assert isinstance(model, Translates)
    test = held_out(model, IMAGE)
    assert test.trained.l1 == 0
    assert test.bent.l1 > 0.03
    assert len(test.pictures) == 8


def test_who_does_the_same_everywhere_passes() -> None:
    copies = Known(by_heart=False, condition=IMAGE)
    test = held_out(copies, IMAGE)
    assert test.bent.l1 == test.trained.l1 == 0
    assert test.bent.ssim == pytest.approx(1.0)


def test_a_picture_agrees_with_itself() -> None:
    found = agreement(IMAGE, IMAGE)
    assert (found.l1, found.ssim, found.swd) == (0.0, pytest.approx(1.0), 0.0)


def examined(model: Known, folder: Path) -> Translation:
    work = begin(model, TranslationRequest())
    return work.examine(work.write(folder, lambda _: None), folder, lambda _: None)


def test_bent_pairs_are_tried_for_a_report_alone(tmp_path: Path) -> None:
    said: list[str] = []
    made = begin(Known(by_heart=True), TranslationRequest()).write(tmp_path, said.append)
    assert made.test is None
    assert [path.name for path in tmp_path.iterdir()] == ["condition.png"]
    assert said == ["No --naive_img: there is only the pair itself to be looked at."]
    assert examined(Known(by_heart=True), tmp_path).test is not None
    assert (tmp_path / "held_out.png").is_file()


def words(by_heart: bool, tmp_path: Path) -> list[str]:
    made = examined(Known(by_heart), tmp_path)
    return [verdict.text for verdict in on_translation(Facts(config=None, made=made))]  # type: ignore[arg-type]


def test_the_report_says_who_knows_it_by_heart(tmp_path: Path) -> None:
    (text,) = words(True, tmp_path)
    assert "learned by heart" in text
    assert "learned by heart" not in words(False, tmp_path)[0]


def test_what_is_looked_up_was_not_learned_by_heart(tmp_path: Path) -> None:
    made = examined(Known(by_heart=True), tmp_path)
    facts = Facts(config=None, method=method_of("patches"), made=made)  # type: ignore[arg-type]
    (verdict,) = on_translation(facts)
    assert verdict.text.startswith("Looked up, not learned")


def test_a_pair_that_is_not_given_back_in_detail_is_no_fault(tmp_path: Path) -> None:
    made = examined(Known(by_heart=False), tmp_path)
    far = Reconstruction(psnr=12.0, ssim=0.3)
    facts = Facts(config=None, kind="translation", made=made, quality=far)  # type: ignore[arg-type]
    assert not [verdict for verdict in verdicts(facts) if "converge" in verdict.text]


def test_each_new_a_of_a_folder_is_translated_and_becomes_a_frame(tmp_path: Path) -> None:
    news = tmp_path / "news"
    news.mkdir()
    for number in range(3):
        write_image(news / f"new_{number}.png", picture(20, 30, seed=number))
    request = TranslationRequest(naive_img=str(news))
    begin(Known(False), request).write(tmp_path, lambda _: None)
    written = sorted(path.name for path in (tmp_path / "translations").iterdir())
    assert written == ["new_0.png", "new_1.png", "new_2.png"]
    for name in ("translations.gif", "translation_sheet.png", "condition.png"):
        assert (tmp_path / name).is_file()


def test_new_as_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    news = tmp_path / "news"
    news.mkdir()
    for seed, name in enumerate(("X.jpg", "x.png", "x.tif", "x_2.png")):
        write_image(news / name, picture(20, 30, seed=seed))
    request = TranslationRequest(naive_img=str(news))
    begin(Known(False), request).write(tmp_path, lambda _: None)
    written = {path.stem: read_image(path) for path in (tmp_path / "translations").iterdir()}
    assert len({name.casefold() for name in written}) == len(written) == 4
    assert {"X", "x_2"} <= set(written)
    assert torch.equal(written["x_2"], read_image(news / "x_2.png"))


def test_an_a_that_does_not_fit_is_refused_by_name_before_anything_is_made(tmp_path: Path) -> None:
    write_image(tmp_path / "blank.png", torch.ones(1, 3, 20, 20))
    with pytest.raises(UserError, match="blank: it is white"):
        begin(Known(False), TranslationRequest(naive_img=str(tmp_path / "blank.png")))


def test_all_new_as_that_do_not_fit_are_named_at_once(tmp_path: Path) -> None:
    for number in range(7):
        write_image(tmp_path / f"blank_{number}.png", torch.ones(1, 3, 8, 8))
    write_image(tmp_path / "fits.png", picture(8, 8))
    with pytest.raises(UserError) as refused:
        begin(Known(False), TranslationRequest(naive_img=str(tmp_path)))
    lines = str(refused.value).splitlines()
    assert lines == [f"blank_{n}: it is white." for n in range(5)] + ["2 more are refused."]


def test_what_there_is_to_say_of_a_new_a_is_said_once_and_names_what_can_be_done(
    tmp_path: Path,
) -> None:
    dark = tmp_path / "dark.png"
    Image.fromarray(np.arange(30 * 20, dtype=np.uint16).reshape(20, 30)).save(dark)
    with pytest.warns(UserWarning, match="a copy with 8 bit is taken as it is") as said:
        begin(Known(False), TranslationRequest(naive_img=str(dark))).write(tmp_path, lambda _: None)
    assert len(said) == 1


def test_without_a_folder_options_of_films_are_idle() -> None:
    work = begin(Known(False), TranslationRequest())
    assert [name for name, _ in work.idle()] == ["seed", "fps", "video_format"]
