"""A changed loss is heeded: by the textbook engine and by the fast one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from engine_cases import Case, draws_for
from torch import Tensor

from consingan.machine.precision import Arithmetic
from consingan.methods.consingan.engines import choose_engine
from consingan.nn import losses
from consingan.nn.critic import AutogradCritic, make_critic
from consingan.nn.derivation import derivation_holds
from consingan.nn.linear_critic import LinearCritic

TRUE_PENALTY = losses.norm_penalty
TRUE_INTERPOLATE = losses.interpolate


def _one_sided(gradient: Tensor) -> Tensor:
    return (gradient.norm(dim=1) - 1).clamp_min(0).square().mean()


def _at_the_real_picture(real: Tensor, fake: Tensor, mixing: Tensor) -> Tensor:
    return TRUE_INTERPOLATE(real, fake, mixing.clamp(min=0.9))


CHANGES: dict[str, tuple[str, Callable[..., Tensor]]] = {
    "hinge, real": ("critic_real", lambda scores: (1 - scores).clamp_min(0).mean()),
    "hinge, fake": ("critic_fake", lambda scores: (1 + scores).clamp_min(0).mean()),
    "clipped": ("critic_fake", lambda scores: scores.clamp(max=100).mean()),
    "weighted": ("adversarial", lambda scores: -1.5 * scores.mean()),
    "logistic": ("adversarial", lambda scores: torch.nn.functional.softplus(-scores).mean()),
    "drift": ("critic_real", lambda scores: -scores.mean() + 1e-3 * scores.square().mean()),
    "one-sided penalty": ("norm_penalty", _one_sided),
    "heavier penalty": ("norm_penalty", lambda gradient: 3 * TRUE_PENALTY(gradient)),
    "mixed elsewhere": ("interpolate", _at_the_real_picture),
    "reconstruction": ("reconstruction", lambda output, real: (output - real).abs().mean()),
}


def step(engine: str, monkeypatch: pytest.MonkeyPatch, name: str = "", change: Any = None) -> Any:
    """Losses and weights after an iteration."""
    task = Case().task()
    with monkeypatch.context() as patch:
        if change:
            patch.setattr(losses, name, change)
        made = choose_engine(engine, Arithmetic())(task).step(draws_for(task, 0), 0)
    networks = (task.generator, task.discriminator)
    return [made, *(p.detach() for network in networks for p in network.parameters())]


@pytest.mark.filterwarnings("ignore:The losses differ")
@pytest.mark.parametrize(("name", "change"), CHANGES.values(), ids=CHANGES)
def test_both_engines_do_what_a_changed_loss_says(
    monkeypatch: pytest.MonkeyPatch, name: str, change: Callable[..., Tensor]
) -> None:
    plain, fast = (step(engine, monkeypatch, name, change) for engine in ("plain", "fast"))
    for one, other in zip(plain, fast, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-8)


@pytest.mark.filterwarnings("ignore:The losses differ")
@pytest.mark.parametrize(
    ("name", "change"),
    [row for name, row in CHANGES.items() if name not in ("clipped",)],
)
def test_a_changed_loss_changes_a_step(
    monkeypatch: pytest.MonkeyPatch, name: str, change: Callable[..., Tensor]
) -> None:
    usual, changed = step("fast", monkeypatch), step("fast", monkeypatch, name, change)
    assert not torch.allclose(usual[0], changed[0])


@pytest.mark.parametrize(
    ("name", "change"), [row for name, row in CHANGES.items() if name != "reconstruction"]
)
def test_a_changed_loss_is_noticed_and_said(
    monkeypatch: pytest.MonkeyPatch, name: str, change: Callable[..., Tensor]
) -> None:
    task = Case().task()
    monkeypatch.setattr(losses, name, change)
    with pytest.warns(UserWarning, match="automatic differentiation is used"):
        critic = make_critic(task.discriminator, task.real, Arithmetic())
    assert isinstance(critic, AutogradCritic)


def test_a_loss_with_other_arguments_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses, "gradient_penalty", lambda critic: critic)
    assert not derivation_holds()


@pytest.mark.parametrize("same", [lambda s: -(s.sum() / s.numel()), lambda s: (-s).mean()])
def test_the_same_loss_in_other_words_stays_fast(
    monkeypatch: pytest.MonkeyPatch, same: Callable[[Tensor], Tensor]
) -> None:
    monkeypatch.setattr(losses, "critic_real", same)
    task = Case().task()
    critic = make_critic(task.discriminator, task.real, Arithmetic())
    assert isinstance(critic, LinearCritic)


def test_trying_the_losses_draws_nothing_of_anybodys() -> None:
    before = torch.get_rng_state()
    assert derivation_holds()
    assert torch.equal(torch.get_rng_state(), before)
