"""A SinGAN training goes on where it was stopped, bit for bit, whatever it is for."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.machine.execution import Execution
from consingan.methods.contract import Inputs
from consingan.methods.singan import setup
from consingan.methods.singan.architecture import SCALES_OF_A_WIDTH
from consingan.methods.singan.config import SinGANConfig
from consingan.methods.singan.model import SinGAN
from consingan.methods.singan.training import SinGANTraining
from consingan.training.loop import Trainer
from consingan.training.records import StageStarted, StepRecord

SMALL: dict[str, Any] = {
    "min_size": 12, "max_size": 20, "niter": 3, "nfc": 4, "min_nfc": 4, "manual_seed": 3,
}  # fmt: skip
CPU = Execution(torch.device("cpu"))
PLAIN = Execution(torch.device("cpu"), engine="plain")


def image(height: int = 16, width: int = 20) -> Tensor:
    rng = torch.Generator().manual_seed(1)
    coarse = torch.rand(1, 3, 5, 6, generator=rng) * 2 - 1
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")


def trainer(execution: Execution = CPU, **changes: Any) -> Trainer:
    config = SinGANConfig(**{**SMALL, **changes})
    return Trainer(setup.begin(config, Inputs(image()), execution))


def trained(execution: Execution = CPU, **changes: Any) -> Trainer:
    made = trainer(execution, **changes)
    list(made.run())
    return made


def fixed(made: Trainer) -> dict[str, Tensor]:
    training = made.training
    anchors = [training.anchor(stage) for stage in range(training.stages)]
    return {k: v for kept in (training.fixed(), *anchors) for k, v in kept.items()}


def same_to_the_bit(whole: Trainer, made: Trainer) -> bool:
    weights = made.training.weights()
    return all(torch.equal(tensor, weights[k]) for k, tensor in whole.training.weights().items())


def test_the_plain_engine_goes_on_from_every_record_bit_for_bit() -> None:
    """The fast one does so in the contract's test, with every task."""
    whole, states = trainer(PLAIN, scale_factor=0.6, niter=2), []
    for _ in whole.run():
        state = whole.state() | fixed(whole)
        states.append({k: v.clone() for k, v in state.items()})
    for state in states:
        again = Trainer(setup.take_up(whole.config, whole.training.fixed(), PLAIN))
        again.load_state(state)
        list(again.run())
        assert same_to_the_bit(whole, again), state["position"]
    assert len(states) >= 8


def test_goes_on_where_inner_blocks_widen_and_heads_do_not() -> None:
    """From the middle of a scale and from the weights of a finished one, as a run keeps them."""
    changes = {"min_size": 8, "max_size": 13, "scale_factor": 0.93, "niter": 1, "d_steps": 1}
    changes |= {"g_steps": 1, "nfc": 128, "min_nfc": 64, "num_layer": 3}
    whole, states = trainer(PLAIN, **changes), []
    for record in whole.run():
        if record.stage != SCALES_OF_A_WIDTH or isinstance(record, StageStarted):
            continue
        done = {"position": torch.tensor([record.stage + 1, 0])} | whole.training.weights()
        state = (whole.state() if isinstance(record, StepRecord) else done) | fixed(whole)
        states.append({k: v.clone() for k, v in state.items()})
    assert whole.stages == SCALES_OF_A_WIDTH + 2
    for state in states:
        again = Trainer(setup.take_up(whole.config, whole.training.fixed(), PLAIN))
        again.load_state(state)
        list(again.run())
        assert same_to_the_bit(whole, again), state["position"]


def test_equal_seeds_train_equally_and_others_do_not() -> None:
    first, second, other = (trained(manual_seed=seed) for seed in (3, 3, 4))
    weights = [
        made.training.weights()["generator.0.head.conv.weight"] for made in (first, second, other)
    ]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_fast_engine_trains_what_the_plain_one_does() -> None:
    fast, plain = trained(CPU), trained(PLAIN)
    for name, tensor in plain.training.weights().items():
        if name.endswith("num_batches_tracked"):  # a count that nothing reads
            continue
        torch.testing.assert_close(
            fast.training.weights()[name], tensor, rtol=0, atol=2e-3, check_dtype=False
        )


def test_restored_model_samples_as_the_trained_one() -> None:
    made = trained()
    tensors = {**fixed(made), **made.training.weights()}
    again = setup.restore(made.config, tensors, CPU)
    assert torch.equal(again.sample([0, 5], None, 7), made.model.sample([0, 5], None, 7))
    assert torch.equal(again.reconstruction(), made.model.reconstruction())


def test_a_sample_depends_on_its_seed_and_index_alone() -> None:
    model = trained().model
    both = model.sample([0, 1], (17, 23), 5)
    assert both.shape == (2, 3, 17, 23)
    torch.testing.assert_close(model.sample([1], (17, 23), 5)[0], both[1], rtol=0, atol=0.02)
    assert not torch.equal(both[0], both[1])


def test_samples_from_a_later_scale_keep_the_layout() -> None:
    model = trained(niter=6).model
    far, near = (
        model.beginning_at(stage).sample(range(8), None, 0) for stage in (0, model.stages - 1)
    )
    assert near.std(0).mean() < far.std(0).mean()
    wide = model.beginning_at(1).sample([0], (20, 31), 0)
    assert wide.shape == (1, 3, 20, 31)
    with pytest.raises(UserError, match="beyond the model"):
        model.beginning_at(9)


@pytest.mark.parametrize("task", ["harmonization", "editing", "paint2image"])
def test_a_picture_enters_at_every_scale_but_the_first(task: str) -> None:
    model = trained(train_mode=task).model
    for stage in model.starts:
        assert model.enter(image(), stage, 0).shape == model.real.shape
    with pytest.raises(UserError, match="can be started at; use 1 to"):
        model.check_start(0)


def test_enlarges_to_the_pixel() -> None:
    model = trained(train_mode="super_resolution", sr_factor=2.5, min_size=12).model
    height, width = model.sizes[-1]
    assert model.enlarge(0).shape == (1, 3, int(2.5 * height), int(2.5 * width))
    assert model.enlarged_size == (int(2.5 * height), int(2.5 * width))


def test_film_has_moving_frames_of_any_size() -> None:
    from consingan.methods.contract import Walk

    model = trained(train_mode="animation").model
    frames = list(model.frames(3, Walk()))
    assert [f.shape for f in frames] == [model.real.shape] * 3
    assert not torch.equal(frames[0], frames[1])
    (wide,) = model.frames(1, Walk(size=(16, 30)))
    assert wide.shape == (1, 3, 16, 30)


def few_colors(made: Trainer, **changes: Any) -> SinGANTraining:
    base = {**fixed(made), **made.training.weights()}
    config = made.config.replace(fine_tune=True, **changes)
    return setup.begin(config, Inputs(made.model.real, image()), CPU, base)


@pytest.mark.parametrize("colors", ["triples", "rgb"])
def test_paint_in_few_colors_trains_one_scale_anew(colors: str) -> None:
    made = trained(train_mode="paint2image")
    training = few_colors(made, quantization_colors=colors, paint_start_scale=1)
    assert any(line.startswith("scale 1 ") for line in training.facts())
    anew = Trainer(training)
    list(anew.run())
    before, after = made.training.weights(), training.weights()
    assert torch.equal(
        before["generator.0.head.conv.weight"], after["generator.0.head.conv.weight"]
    )
    assert not torch.equal(
        before["generator.1.head.conv.weight"], after["generator.1.head.conv.weight"]
    )
    model = setup.restore(training.config, {**fixed(anew), **after}, CPU)
    assert isinstance(model, SinGAN)
    assert model.first_start == 1
    assert torch.equal(model.enter(image(), 1, 0), training.model.enter(image(), 1, 0))


def test_a_paint_in_few_colors_is_planned_at_the_size_of_its_scale() -> None:
    made = trained(train_mode="paint2image")
    training = few_colors(made, paint_start_scale=1)
    (last,) = range(training.first, training.stages)
    assert training.rehearse(last).size == made.training.sizes[1] != made.training.sizes[last]
    assert (training.peak_memory() or 0) < (made.training.peak_memory() or 0)


def test_refuses_a_scale_that_a_paint_cannot_enter() -> None:
    made = trained(train_mode="paint2image")
    with pytest.raises(UserError, match="this model has 1 to"):
        few_colors(made, paint_start_scale=9)


def test_too_small_a_picture_is_refused_in_a_sentence() -> None:
    config = SinGANConfig(**{**SMALL, "min_size": 25, "max_size": 250})
    with pytest.raises(UserError, match="too small for a pyramid"):
        setup.begin(config, Inputs(image(12, 15)), CPU)


def test_checkpointing_is_refused_in_a_sentence() -> None:
    with pytest.raises(UserError, match="--checkpointing is not for"):
        trainer(Execution(torch.device("cpu"), checkpointing=True))


def test_rehearsal_leaves_the_training_as_it_is() -> None:
    made = trainer()
    before = {k: v.clone() for k, v in made.training.state().items()}
    rehearsal = made.training.rehearse(1)
    rehearsal.step(0)
    assert before.keys() == made.training.state().keys()
    list(made.run())
    assert torch.equal(made.training.weights()["fixed.0"], trained().training.weights()["fixed.0"])
