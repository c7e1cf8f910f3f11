"""The mode table: what its rows promise."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from helpers import trainer_on

from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.tasks import TASKS, fine_tuned, gaussian, noisy, unchanged
from consingan.nn.noise import stream

IMAGE = torch.linspace(-1, 1, 3 * 40 * 50).view(1, 3, 40, 50)


@pytest.mark.parametrize("name", TASKS)
def test_sources_depend_on_the_stream_alone_and_leave_the_image(name: str) -> None:
    mode = TASKS[name]
    for source in (mode.anchor, mode.source, mode.entry):
        before = IMAGE.clone()
        first = source(IMAGE, stream(1))
        assert first.shape == IMAGE.shape
        assert torch.equal(first, source(IMAGE, stream(1)))
        assert torch.equal(IMAGE, before)


@pytest.mark.parametrize("name", ["generation", "retarget", "harmonization"])
def test_the_real_image_is_the_anchor(name: str) -> None:
    assert torch.equal(TASKS[name].anchor(IMAGE, stream(1)), IMAGE)


def test_animation_starts_from_noise() -> None:
    anchor = TASKS["animation"].anchor(torch.zeros(1, 3, 100, 100), stream(1))
    assert abs(anchor.mean()) < 0.03
    assert abs(anchor.std() - 1) < 0.03


def test_editing_adds_a_tenth_of_noise_to_its_anchor_and_entry() -> None:
    image = torch.zeros(1, 3, 100, 100)
    for source in (TASKS["editing"].anchor, TASKS["editing"].entry):
        assert abs(source(image, stream(2)).std() - 0.1) < 0.003


def test_editing_moves_tiles() -> None:
    image = 2 * torch.rand(IMAGE.shape, generator=stream(4)) - 1
    moved = (TASKS["editing"].source(image, stream(3)) - image).abs() > 0.6
    assert 0.01 < moved.float().mean() < 0.5


def test_harmonization_recolors_or_cuts_out_nearly_always() -> None:
    source = TASKS["harmonization"].source
    changed = [not torch.equal(source(IMAGE, stream(k)), IMAGE) for k in range(200)]
    assert 0.85 < sum(changed) / 200 < 0.98  # 1 - 0.75 * 0.1 = 0.925


def test_fine_tuning_changes_the_source_alone() -> None:
    for mode in TASKS.values():
        tuned = fine_tuned(mode)
        assert tuned.source is mode.entry
        assert dataclasses.replace(tuned, source=mode.source) == mode


def test_a_new_mode_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop trains a mode that it has never heard of."""
    row = dataclasses.replace(TASKS["generation"], anchor=noisy, source=gaussian, entry=unchanged)
    monkeypatch.setitem(TASKS, "denoising", row)
    config = ConSinGANConfig(train_mode="denoising", train_stages=2, niter=2, nfc=4, min_size=16)
    small = torch.nn.functional.interpolate(IMAGE, size=(16, 20))
    trainer = trainer_on(config, [small, IMAGE])
    assert len(list(trainer.run())) == 2 * (1 + 2 + 1)
    assert not torch.equal(trainer.model.anchors[0].noise, small)
