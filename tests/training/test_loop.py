from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from helpers import ENGINES, SETTINGS, assert_same, final_state, make_trainer, picture, trainer_on
from torch import Tensor

from consingan.errors import DivergedError
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.fast_engine import FastEngine
from consingan.methods.consingan.method import LOSSES
from consingan.methods.consingan.model import measure_amplitude
from consingan.methods.consingan.training import learning_rate_factor
from consingan.training.loop import Trainer
from consingan.training.records import Record, StageRecord, StageStarted, StepRecord


def trained(engine: str, **settings: Any) -> Trainer:
    trainer = make_trainer(engine, **settings)
    for _ in trainer.run():
        pass
    return trainer


@pytest.mark.parametrize("engine", ENGINES)
def test_the_seed_alone_decides(engine: str) -> None:
    first = final_state(trained(engine))
    torch.manual_seed(99)  # the global random state plays no part
    assert_same(final_state(trained(engine)), first)
    other = final_state(trained(engine, manual_seed=8))
    names = [n for n in first if n.startswith(("g.", "d.", "noise.")) and n != "noise.0"]
    assert not any(torch.equal(first[n], other[n]) for n in names)


def test_order_and_numbers_of_records() -> None:
    expected: list[tuple[type[Record], int, int | None]] = []
    for stage in range(3):
        expected.append((StageStarted, stage, None))
        expected += [(StepRecord, stage, k) for k in range(3)]
        expected.append((StageRecord, stage, None))
    trainer = make_trainer()
    seen = [(type(r), r.stage, getattr(r, "iteration", None)) for r in trainer.run()]
    assert seen == expected
    assert trainer.stage == 3


def test_a_stages_curves_are_its_steps_losses() -> None:
    steps: list[Tensor] = []
    for record in make_trainer().run():
        if isinstance(record, StepRecord):
            assert record.losses.shape == (len(LOSSES),)
            steps.append(record.losses)
        elif isinstance(record, StageRecord):
            assert torch.equal(record.losses, torch.stack(steps))
            steps = []


@pytest.mark.parametrize(("iterations", "drop"), [(5, 4), (10, 8), (3, 3), (7, 6), (2000, 1600)])
def test_learning_rate_drops_at_four_fifths(iterations: int, drop: int) -> None:
    factors = [learning_rate_factor(i, iterations, 0.1) for i in range(iterations)]
    assert factors == [1.0] * drop + [0.1] * (iterations - drop)


@pytest.mark.parametrize("engine", ENGINES)
def test_rates_of_every_parameter_at_every_iteration(engine: str) -> None:
    """Stage k of the newest two gets lr * scale^(d - k), the head lr * scale^d while d < 2."""
    trainer = make_trainer(engine, train_stages=4, niter=5, lr_scale=0.5, lr_g=1e-3, lr_d=2e-3)
    generator = trainer.model.generator
    looked = 0
    for record in trainer.run():
        if not isinstance(record, StepRecord):
            continue
        d, factor = record.stage, 0.1 if record.iteration >= 4 else 1.0
        assert trainer.training.engine is not None
        rates = {
            id(p): float(g["lr"])
            for g in trainer.training.engine.optimizer_g.param_groups
            for p in g["params"]
        }
        expected: dict[int, float] = {id(p): 1e-3 * factor for p in generator.tail.parameters()}
        for k in range(max(d - 1, 0), d + 1):
            expected |= {
                id(p): 1e-3 * 0.5 ** (d - k) * factor for p in generator.body[k].parameters()
            }
        if d < 2:
            expected |= {id(p): 1e-3 * 0.5**d * factor for p in generator.head.parameters()}
        assert rates == pytest.approx(expected)
        for group in trainer.training.engine.optimizer_d.param_groups:
            assert float(group["lr"]) == pytest.approx(2e-3 * factor)
        looked += 1
    assert looked == 20


@pytest.mark.parametrize("engine", ENGINES)
def test_only_the_newest_stages_change(engine: str) -> None:
    trainer = make_trainer(engine, train_stages=4)
    generator = trainer.model.generator
    before: dict[str, Tensor] = {}
    for record in trainer.run():
        if isinstance(record, StageStarted):
            before = {k: v.clone() for k, v in generator.state_dict().items()}
        elif isinstance(record, StageRecord):
            d = record.stage
            for name, value in generator.state_dict().items():
                part = name.split(".")
                frozen = int(part[1]) < d - 1 if part[0] == "body" else part[0] == "head" and d >= 2
                assert torch.equal(value, before[name]) == frozen, (d, name)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_new_stage_is_a_copy_and_the_discriminator_goes_on(engine: str) -> None:
    trainer = make_trainer(engine)
    generator = trainer.model.generator
    judged: dict[str, Tensor] = {}
    for record in trainer.run():
        if isinstance(record, StageRecord):
            judged = {k: v.clone() for k, v in trainer.training.discriminator.state_dict().items()}
        elif isinstance(record, StageStarted) and record.stage:
            new, last = generator.body[record.stage], generator.body[record.stage - 1]
            assert_same(new.state_dict(), last.state_dict())
            shared = {p.data_ptr() for p in new.parameters()} & {
                p.data_ptr() for p in last.parameters()
            }
            assert not shared
            assert_same(trainer.training.discriminator.state_dict(), judged)


@pytest.mark.parametrize("engine", ENGINES)
def test_anchors_are_measured_once_and_kept(engine: str) -> None:
    trainer = make_trainer(engine, noise_amp=0.3)
    model = trainer.model
    kept: list[tuple[Tensor, float]] = []
    for record in trainer.run():
        if isinstance(record, StageStarted):
            anchor = model.anchors[record.stage]
            kept.append((anchor.noise.clone(), anchor.amplitude))
            if record.stage == 0:
                assert anchor.amplitude == 1.0
                assert torch.equal(anchor.noise, trainer.training.reals[0])
            else:
                before = model.amplitudes[: record.stage]
                args = (model.fixed_noises, before, anchor.real)
                measured = measure_amplitude(model.generator, *args, 0.3)
                assert anchor.amplitude == pytest.approx(measured, rel=1e-5)
                assert measured > 0
    for anchor, (noise, amplitude) in zip(model.anchors, kept, strict=True):
        assert torch.equal(anchor.noise, noise)
        assert anchor.amplitude == amplitude
    assert len(kept) == 3


def test_an_animations_first_fixed_noise_is_noise() -> None:
    trainer = trained("fast", train_mode="animation")
    first = trainer.model.anchors[0].noise
    assert first.shape == trainer.training.reals[0].shape
    assert not torch.equal(first, trainer.training.reals[0])
    assert first.abs().max() > 1  # no picture in [-1, 1]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("at", range(8))
def test_state_is_given_back_whole(engine: str, at: int) -> None:
    """A trainer that took up a state gives the same state, and goes on in the same way."""
    settings = {"train_stages": 2, "niter": 2}
    one, other = make_trainer(engine, **settings), make_trainer(engine, manual_seed=7, **settings)
    running = one.run()
    for _ in range(at + 1):
        record: Record = next(running)
    state = {k: v.clone() for k, v in one.state().items()}
    anchors = [one.training.anchor(stage) for stage in range(len(one.model.anchors))]
    other.load_state({k: v for kept in (state, *anchors) for k, v in kept.items()})
    rest = other.run()
    assert next(rest) == StageStarted(record.stage)
    assert_same(other.state(), state)
    for _ in running:
        pass
    for _ in rest:
        pass
    assert_same(final_state(other), final_state(one))


class Poisoned(FastEngine):
    """Gives losses that are not finite at one place."""

    place = (1, 1, 2)  # stage, iteration, loss
    value = math.nan

    def step(self, draws: Any, iteration: int) -> Tensor:
        losses = super().step(draws, iteration)
        stage, at, column = self.place
        if (len(draws.noises) - 1, iteration) == (stage, at):
            losses[column] = self.value
        return losses


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(("stage", "iteration", "column"), [(0, 0, 0), (1, 2, 4), (2, 1, 3)])
def test_a_loss_that_is_not_finite_stops_at_once(
    value: float, stage: int, iteration: int, column: int
) -> None:
    class Engine(Poisoned):
        place = (stage, iteration, column)

    Engine.value = value
    config = ConSinGANConfig(**SETTINGS)
    trainer = trainer_on(config, [picture(16, 18), picture(18, 21), picture()], Engine)
    last = None
    with pytest.raises(DivergedError) as caught:  # noqa: PT012
        for record in trainer.run():
            last = record
    error = caught.value
    assert (error.stage, error.iteration) == (stage, iteration + 1)
    assert error.what == f"the loss {LOSSES[column]}"
    assert (
        str(error) == f"{error.what} is not finite at stage {stage + 1}, iteration {iteration + 1}"
    )
    if iteration:
        assert isinstance(last, StepRecord)
        assert last.iteration == iteration - 1


def test_losses_looked_at_late_are_placed_rightly() -> None:
    """Where the losses are looked at only now and then, the iteration named is still the first."""
    trainer = make_trainer(niter=9)
    for record in trainer.run():
        if isinstance(record, StepRecord) and record.iteration == 6:
            break
    trainer.curves[4] = torch.full((5,), math.nan)
    with pytest.raises(DivergedError, match="d_real is not finite at stage 1, iteration 5"):
        trainer.check_finite()


@pytest.mark.parametrize("network", ["generator", "discriminator"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_weight_that_is_not_finite_is_found_before_a_save(network: str, value: float) -> None:
    trainer = make_trainer()
    for record in trainer.run():
        if isinstance(record, StepRecord):
            break
    trainer.check_finite()
    nets = {"generator": trainer.model.generator, "discriminator": trainer.training.discriminator}
    with torch.no_grad():
        next(nets[network].parameters())[0, 0, 0, 0] = value
    with pytest.raises(DivergedError, match=f"a weight of the {network} .* iteration 1"):
        trainer.check_finite()


@pytest.mark.parametrize("engine", ENGINES)
def test_poisoned_weights_never_finish_a_stage(engine: str) -> None:
    trainer = make_trainer(engine)
    with pytest.raises(DivergedError) as caught:  # noqa: PT012
        for record in trainer.run():
            assert not (isinstance(record, StageRecord) and record.stage == 1)
            if isinstance(record, StepRecord) and (record.stage, record.iteration) == (1, 2):
                with torch.no_grad():  # the last iteration: no loss will tell
                    trainer.model.generator.tail.weight.fill_(math.nan)
    assert caught.value.what == "a weight of the generator"
    assert caught.value.stage == 1


def test_an_amplitude_that_is_not_finite_stops() -> None:
    trainer = make_trainer()
    with pytest.raises(  # noqa: PT012
        DivergedError, match="noise amplitude is not finite at stage 2, iteration 0"
    ):
        for record in trainer.run():
            if isinstance(record, StageRecord):
                trainer.training.reals[1] = torch.full_like(trainer.training.reals[1], math.inf)
