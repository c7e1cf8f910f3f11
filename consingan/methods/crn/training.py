"""The training of a cascade on one pair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from consingan.machine.execution import Execution
from consingan.methods.crn.compared import facts_of, features_of
from consingan.methods.crn.method import LOSSES
from consingan.methods.crn.model import CRN, colors_of, layout_of
from consingan.methods.crn.networks import draw_weights
from consingan.methods.crn.rule import diversity_loss, label_losses
from consingan.methods.one_stage import OneStage, Rates
from consingan.methods.pair_draws import drawn
from consingan.nn import initial
from consingan.nn.footprint import Pass
from consingan.nn.gan import critics_step, cross_entropy, frozen, over_critics
from consingan.nn.noise import stream
from consingan.nn.patch_critic import PatchCritics, layers_for


class CRNTraining(OneStage):
    """Trains one model, see `contract.Training`.

    The critic, which the paper has not, judges layout and picture.
    """

    losses = LOSSES

    def __init__(self, model: CRN, execution: Execution) -> None:
        config = model.config
        self.model, self.sizes = model, model.sizes
        # A drawing's two colors are names here, too.
        self.draws = config.replace(jitter=0.0)
        networks: dict[str, nn.Module] = {"generator": model.network}
        if config.adversarial:
            layers = layers_for(min(model.sizes[0]))
            critic = PatchCritics(6, config.ndf, "affine", layers=layers)
            networks["critic"] = critic.to(execution.device)
        self.features = features_of(config, model.real)
        rates = Rates(config.lr, config.lr_critic, config.beta1, config.decay_from)
        super().__init__(config, networks, rates, execution)
        self.draw_weights(0)

    def draw_weights(self, attempt: int) -> None:
        """See `OneStage`."""
        rules = {"generator": draw_weights, "critic": initial.draw_weights}
        for name, network in self.networks.items():
            rules[name](network, stream(self.config.manual_seed, name, attempt))

    def iterate(self, iteration: int) -> Tensor:
        """A step of the critic, if there is one, then one of the cascade, on one draw."""
        condition, image = drawn(self.model.pair, self.rng("pair", iteration), self.draws)
        layout = layout_of(self.model.pair, condition)
        pictures = self.model.network(layout).float()
        content, terms = self._content(pictures, image, layout)
        adversarial, *scores = self._judged(condition, image, pictures)
        total = diversity_loss(content) + self.config.adversarial * adversarial
        self.descend(total)
        return torch.stack([x.detach() for x in (*terms, adversarial, *scores)])

    def _content(
        self, pictures: Tensor, image: Tensor, layout: Tensor
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """(k, L): what each picture differs by in each label; and the means for the curves."""
        pixels = label_losses([pictures], [image], layout)[0]
        if self.features is None:
            return pixels, (pixels.sum(1).mean(), torch.zeros((), device=self.device))
        maps = label_losses(self.features(pictures), self.features(image), layout)
        weighted = self.config.features * torch.stack(maps).mean(0)
        return pixels + weighted, (pixels.sum(1).mean(), weighted.sum(1).mean())

    def _judged(self, condition: Tensor, image: Tensor, pictures: Tensor) -> Sequence[Tensor]:
        """After a step of the critic, if there is one: what the cascade loses, and its own losses.

        Returns:
            The adversarial loss; the critic's of real and of made.
        """
        critic = self.networks.get("critic")
        if critic is None:
            return [torch.zeros((), device=self.device)] * 3
        told = condition.expand(len(pictures), -1, -1, -1)
        made = torch.cat([told, pictures], 1)
        real = torch.cat([condition, image], 1)
        scores = critics_step(cross_entropy, critic, self.optimizers["critic"], real, made)
        with frozen(critic):
            return over_critics(cross_entropy, critic(made), 1.0), *scores

    def facts(self) -> Iterator[str]:
        """See `OneStage`; and which features."""
        yield from super().facts()
        yield from facts_of(self.config)

    def passes(self) -> Iterator[Pass]:
        """The cascade's once, features of all pictures, the critic's of real and made ones."""
        height, width = self.sizes[0]
        outputs = self.config.num_outputs
        yield Pass(self.model.network, (1, len(colors_of(self.model.pair)), height, width))
        if self.features is not None:
            yield Pass(self.features, (outputs, 3, height, width))
        if critic := self.networks.get("critic"):
            yield Pass(critic, (outputs, 6, height, width), 2)

    def fixed(self) -> dict[str, Tensor]:
        """The pair."""
        return self.model.pair.tensors()
