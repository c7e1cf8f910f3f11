"""Which part of a picture a training goes by: all of it, or what is known around a hole.

A region hands the losses what counts, so that they are written once for whole pictures: scores of
the critic that saw nothing of the hole, pixels outside of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from consingan.machine.precision import Arithmetic
from consingan.nn import losses
from consingan.nn.architecture import Architecture
from consingan.nn.critic import AutogradCritic, Critic, make_critic
from consingan.nn.discriminator import Discriminator
from consingan.nn.noise_field import Box


class Region(Protocol):
    """What counts of a picture (1, 3, h, w)."""

    def scores(self, scores: Tensor) -> Tensor:
        """Those of a map (1, 1, h', w') that count on the real picture."""
        ...

    def pixels(self, made: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Those of two pictures that are compared."""
        ...

    def known(self, real: Tensor, made: Tensor) -> Tensor:
        """The real picture, and where it is not known what was made."""
        ...

    def part(self, box: Box, shape: Architecture) -> Region | None:
        """What counts of a window, rows and columns of the picture; None where nothing does."""
        ...

    def critic(self, discriminator: Discriminator, real: Tensor, arithmetic: Arithmetic) -> Critic:
        """What the fast engine asks."""
        ...


@dataclass(frozen=True)
class Everything:
    """The whole picture."""

    def scores(self, scores: Tensor) -> Tensor:
        """All."""
        return scores

    def pixels(self, made: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """All."""
        return made, real

    def known(self, real: Tensor, made: Tensor) -> Tensor:  # noqa: ARG002
        """All."""
        return real

    def part(self, box: Box, shape: Architecture) -> Region | None:  # noqa: ARG002
        """All of it."""
        return self

    def critic(self, discriminator: Discriminator, real: Tensor, arithmetic: Arithmetic) -> Critic:
        """The fastest."""
        return make_critic(discriminator, real, arithmetic)


EVERYTHING = Everything()


@dataclass(frozen=True)
class Around:
    """What is known around a hole, at the size of one stage.

    Attributes:
        hole: (1, 1, h, w), 1 inside.
        seen: numbers of the scores whose windows have no pixel of the hole.
        outside: numbers of the values of (1, 3, h, w) outside of the hole.
    """

    hole: Tensor
    seen: Tensor
    outside: Tensor

    @classmethod
    def of(cls, hole: Tensor, shape: Architecture) -> Around:
        """For a hole (1, 1, h, w) and a discriminator of that shape."""
        reach = hole
        for _ in range(shape.layers + 2):
            reach = F.max_pool2d(reach, shape.kernel, 1, shape.padding)
        seen = (reach.flatten() == 0).nonzero().flatten()
        outside = (hole.expand(-1, 3, -1, -1).flatten() == 0).nonzero().flatten()
        return cls(hole, seen, outside)

    def scores(self, scores: Tensor) -> Tensor:
        """Those that saw nothing of the hole, (n,)."""
        return scores.flatten()[self.seen]

    def pixels(self, made: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Those outside of the hole, (n,) each."""
        return made.flatten()[self.outside], real.flatten()[self.outside]

    def known(self, real: Tensor, made: Tensor) -> Tensor:
        """Real outside of the hole, made inside."""
        return torch.where(self.hole > 0, made, real)

    def part(self, box: Box, shape: Architecture) -> Region | None:
        """What is known there, for a discriminator of that shape."""
        (top, bottom), (left, right) = box
        hole = self.hole[:, :, top:bottom, left:right]
        if not bool(hole.any()):
            return EVERYTHING
        found = Around.of(hole, shape)
        return found if len(found.seen) else None

    def critic(self, discriminator: Discriminator, real: Tensor, arithmetic: Arithmetic) -> Critic:
        """By automatic differentiation."""
        return AroundCritic(discriminator, real, arithmetic, self)


class AroundCritic(AutogradCritic):
    """The losses as they are written down, of what is known."""

    def __init__(
        self, discriminator: Discriminator, real: Tensor, arithmetic: Arithmetic, region: Region
    ) -> None:
        super().__init__(discriminator, real, arithmetic)
        self.region = region

    def descend(self, fake: Tensor, mixing: Tensor, weight: float) -> list[Tensor]:
        """See `Critic.descend`; the penalty is taken between fake and fake in the hole."""
        critic, kind = self.discriminator, self.real.dtype
        with self.autocast:
            scores = self.region.scores(critic(self.real).to(kind))
            real_loss = losses.critic_real(scores)
            fake_loss = losses.critic_fake(critic(fake).to(kind))
            penalty = torch.zeros_like(real_loss)
            if weight:
                known = self.region.known(self.real, fake)
                penalty = weight * losses.gradient_penalty(critic, known, fake, mixing)
        critic.zero_grad()
        (real_loss + fake_loss + penalty).backward()
        return [-real_loss.detach(), fake_loss.detach(), penalty.detach()]
