"""Presets: laid over a mode's settings, they shorten a training and never lengthen it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from helpers import trainer_on

from consingan.methods.choose import choose_settings
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.effort import BEGUN, at_stage, layout_stages, sketched
from consingan.methods.consingan.method import idle
from consingan.methods.consingan.presets import PRESETS
from consingan.methods.consingan.remedies import REMEDIES
from consingan.methods.consingan.setup import fitted
from consingan.training.loop import Trainer
from consingan.training.records import StageRecord, StepRecord

FAST = PRESETS["fast"]
SIZES = [(25, 38), (31, 47), (41, 61), (60, 89), (115, 171), (167, 250)]  # of a default training
DEFAULT = [h * w for h, w in SIZES]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({}, {"niter": FAST["niter"], "fine_niter": FAST["fine_niter"], "init": "he"}),
        ({"train_mode": "editing"}, {"niter": 1000, "fine_d_steps": 1, "init": "published"}),
        ({"niter": 5000}, {"niter": 5000, "fine_niter": FAST["fine_niter"]}),
        ({"niter": 50}, {"niter": 50, "fine_niter": 50}),
        ({"niter": 50, "fine_niter": 80}, {"niter": 50, "fine_niter": 80}),
    ],
)
def test_iterations(typed: dict[str, Any], expected: dict[str, int]) -> None:
    chosen = choose_settings({"preset": "fast", **typed})
    settings = chosen.config.to_json()
    assert {name: settings[name] for name in expected} == expected
    assert chosen.origin["fine_niter"] == ("typed" if "fine_niter" in typed else "preset")


def test_paper_is_the_published_method() -> None:
    assert choose_settings({"preset": "paper"}).config == ConSinGANConfig()


def test_each_is_shorter_than_the_one_before() -> None:
    chosen = [choose_settings({"preset": name}).config for name in ("paper", "fast", "draft")]
    for paper, fast, draft in zip(*map(critic_steps, chosen), strict=True):
        assert paper > fast >= draft


def test_best_takes_longer_than_fast_and_far_less_than_paper() -> None:
    paper, best, fast = (
        sum(critic_steps(choose_settings({"preset": name}).config))
        for name in ("paper", "best", "fast")
    )
    assert fast < best < paper / 4


def test_all_but_paper_finish_their_samples() -> None:
    levels = {name: choose_settings({"preset": name}).config.finished for name in PRESETS}
    assert levels.pop("paper") == 0
    assert len(levels) == 3
    assert all(0.4 <= level <= 0.65 for level in levels.values())


def test_a_composite_at_its_best_is_the_published_one() -> None:
    for task in ("harmonization", "editing", "inpainting"):
        best, paper = (
            choose_settings({"preset": name, "train_mode": task}).config
            for name in ("best", "paper")
        )
        assert best.replace(preset="paper") == paper


def test_a_composite_asks_for_the_layout_that_is_there() -> None:
    chosen = [choose_settings({"preset": name, "train_mode": "editing"}).config
              for name in ("paper", "fast", "draft")]  # fmt: skip
    for stage, (paper, fast, draft) in enumerate(zip(*map(critic_steps, chosen), strict=True)):
        assert paper == fast > draft if stage < 2 else paper > fast > draft


@pytest.mark.parametrize(
    ("typed", "size", "layout"),
    [({}, (800, 1000), "preset"), ({}, (1500, 2000), "picture"),
     ({"layout": 30}, (1500, 2000), "typed")],
)  # fmt: skip
def test_samples_too_large_for_a_finish_unasked_are_trained_for(
    typed: dict[str, Any], size: tuple[int, int], layout: str
) -> None:
    chosen, notes = fitted(choose_settings({"preset": "fast", "max_size": 2000, **typed}), size)
    assert chosen.origin["layout"] == layout
    assert bool(chosen.config.layout) == (layout != "picture")
    assert any("all stages are trained" in note for note in notes) == (layout == "picture")


@pytest.mark.parametrize("typed", [{}, {"layout": 34}])
def test_where_no_stage_is_finer_than_a_layout_the_iterations_of_fine_stages_count(
    typed: dict[str, Any],
) -> None:
    chosen, notes = fitted(choose_settings({"preset": "fast", "max_size": 40, **typed}), (90, 120))
    assert (chosen.config.layout, chosen.origin["layout"]) == (0, "picture")
    assert notes == ["No stage is finer than the layout (--layout 34): all stages are trained."]
    assert "fine_niter" not in dict(idle(chosen.config))
    assert "--resume and a larger --fine_niter (now 180)" in REMEDIES["longer"](chosen.config)


def critic_steps(config: ConSinGANConfig) -> list[int]:
    """Steps of the discriminator by stage, in a default training of 250 px."""
    whole = layout_stages(config, SIZES)
    stages = [at_stage(config, stage, DEFAULT, whole) for stage in range(len(DEFAULT))]
    return [own.niter * own.d_steps for own in stages]


def test_each_cut_stage_costs_the_same() -> None:
    config = ConSinGANConfig(niter=100, fine_niter=30, fine_d_steps=2)
    stages = [at_stage(config, stage, [100, 250, 300, 500, 1000]) for stage in range(5)]
    found = [(own.niter, own.d_steps) for own in stages]
    assert found == [(100, 3), (100, 3), (100, 2), (60, 2), (30, 2)]


@pytest.mark.parametrize("fine_niter", [1, 30, 200])
def test_a_stage_seen_whole_gets_no_fewer_than_the_windows_of_the_finest(fine_niter: int) -> None:
    config = ConSinGANConfig(niter=100, fine_niter=fine_niter)
    stages = [at_stage(config, stage, [100, 4000, 2000, 1000]) for stage in range(4)]
    assert [own.niter for own in stages[2:]] == [min(fine_niter, 100)] * 2


@pytest.mark.parametrize(("stages", "whole"), [(1, 1), (2, 1), (3, 1), (4, 2), (6, 2), (7, 3)])
def test_the_first_third_is_never_cut(stages: int, whole: int) -> None:
    config = ConSinGANConfig(niter=7, fine_niter=3, fine_d_steps=1)
    found = [at_stage(config, stage, [900] * stages).niter for stage in range(stages)]
    assert found == [7] * whole + [3] * (stages - whole)


def test_nothing_is_cut_unless_asked() -> None:
    assert [at_stage(ConSinGANConfig(), stage, DEFAULT) for stage in range(6)] == [
        ConSinGANConfig()
    ] * 6
    assert at_stage(ConSinGANConfig(niter=50, fine_niter=80), 5, DEFAULT).niter == 50
    fewer_steps = [at_stage(ConSinGANConfig(fine_d_steps=1), stage, DEFAULT) for stage in range(6)]
    assert [(own.niter, own.d_steps) for own in fewer_steps] == [(2000, 3)] * 2 + [(2000, 1)] * 4


def test_where_samples_are_finished_stages_beyond_the_layout_are_only_begun() -> None:
    config = ConSinGANConfig(finish=0.5, layout=34, niter=100, fine_niter=50, fine_d_steps=1)
    whole = layout_stages(config, SIZES)
    stages = [at_stage(config, stage, DEFAULT, whole) for stage in range(6)]
    assert [(own.niter, own.d_steps) for own in stages] == [(100, 3)] * 3 + [(BEGUN, 1)] * 3
    assert [sketched(config, SIZES[:n]) for n in range(1, 7)] == [None] * 3 + [(41, 61)] * 3


def test_the_first_stage_is_trained_however_small_the_layout() -> None:
    assert layout_stages(ConSinGANConfig(finish=0.5, layout=1), SIZES) == 1


@pytest.mark.parametrize(
    "settings",
    [{"finish": 0.0}, {"mask": "m.png"}, {"train_mode": "animation"}, {"layout": 0},
     {"layout": 300}],
)  # fmt: skip
def test_what_is_not_finished_is_trained_to_its_end(settings: dict[str, Any]) -> None:
    config = ConSinGANConfig(**{"finish": 0.5, "layout": 34, "niter": 100, **settings})
    assert layout_stages(config, SIZES) == 0
    assert sketched(config, SIZES) is None


def test_fewer_iterations_never_cost_more() -> None:
    costs = [
        sum(critic_steps(choose_settings({"preset": "fast", "niter": niter}).config))
        for niter in range(1, 400)
    ]
    assert all(fewer <= more for fewer, more in itertools.pairwise(costs))


def test_a_fine_stage_is_trained_with_its_own_steps() -> None:
    config = ConSinGANConfig(
        niter=3, fine_niter=2, fine_d_steps=1, train_stages=2, nfc=4, max_size=40
    )
    reals = [torch.zeros(1, 3, 25, 25), torch.zeros(1, 3, 40, 40)]
    trainer = trainer_on(config, reals)
    assert [trainer.training.iterations(stage) for stage in (0, 1)] == [3, 2]
    steps = []
    for record in trainer.run():
        if isinstance(record, StepRecord):
            assert trainer.training.engine is not None
            steps.append((record.stage, trainer.training.engine.task.recipe.d_steps))
    assert steps == [(0, 3)] * 3 + [(1, 1)] * 2


def test_cheaper_iterations_count_less_in_the_time_left() -> None:
    reals = [torch.zeros(1, 3, side, side) for side in (25, 30, 40)]
    config = ConSinGANConfig(train_stages=3, niter=9, nfc=4)
    whole = stage_costs(config, reals)
    cut = stage_costs(config.replace(fine_niter=2, fine_d_steps=1), reals)
    assert cut[0] == whole[0]
    assert [cut[k] / whole[k] for k in (1, 2)] == pytest.approx([0.62, 0.62], rel=1e-3)


def stage_costs(config: ConSinGANConfig, reals: list[torch.Tensor]) -> list[float]:
    training = trainer_on(config, reals).training
    return [training.cost(stage) for stage in range(training.stages)]


def test_stages_that_are_not_cut_are_trained_as_without() -> None:
    rng = torch.Generator().manual_seed(0)
    reals = [torch.rand(1, 3, side, side, generator=rng) * 2 - 1 for side in (25, 28, 36, 40)]
    config = ConSinGANConfig(train_stages=4, niter=2, nfc=4)
    assert torch.equal(*(weights_after(1, trainer_on(own, reals)) for own in both(config)))
    assert not torch.equal(*(weights_after(2, trainer_on(own, reals)) for own in both(config)))


def both(config: ConSinGANConfig) -> tuple[ConSinGANConfig, ConSinGANConfig]:
    return config, config.replace(fine_niter=1, fine_d_steps=1)


def weights_after(stage: int, trainer: Trainer) -> torch.Tensor:
    """All weights of the generator when a stage is finished."""
    for record in trainer.run():
        if isinstance(record, StageRecord) and record.stage == stage:
            break
    parameters = trainer.model.generator.parameters()
    return torch.cat([p.detach().reshape(-1) for p in parameters])
