"""Arithmetic of a training iteration, counted by its convolutions, and what a device can do."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F

from consingan.machine.precision import Arithmetic
from consingan.methods.consingan.config import ConSinGANConfig
from consingan.methods.consingan.networks import Generator
from consingan.methods.consingan.tasks import TASKS
from consingan.nn.architecture import Architecture

Size = tuple[int, int]

CONVOLUTIONS = 8  # timed as one, longer than the clock's grain
FORWARD, BACKWARD = 1, 2  # a backward pass has the input's and the weights' gradients


def iteration_flop(sizes: list[Size], config: ConSinGANConfig, engine: str) -> float:
    """Floating-point operations of the convolutions that an engine carries out in an iteration.

    In passes over all convolutions of a network. Plain: each D step makes a fake, passes real,
    fake and mix through D and back (the mix twice: the penalty's gradient is the derivative of a
    backward pass, five passes in all), the G step two pictures. Fast: one fake for all; in D the
    input gradients once, the weight gradients once, the penalty's chain and weight gradients.
    """
    d_steps = config.d_steps
    critic = _critic_pass(sizes[-1], config.architecture)
    frozen, trained = _generator_passes(sizes, config)
    both = frozen + trained
    share = 1 / config.penalty_every
    if engine == "plain":
        in_d = d_steps * critic * (2 * (FORWARD + BACKWARD) + share * 6)
        fakes = d_steps * both + both + BACKWARD * trained
        return in_d + critic * (FORWARD + BACKWARD / 2) + fakes + both + BACKWARD * trained
    in_d = d_steps * critic * (2 * (FORWARD + BACKWARD) + share * 4)
    return in_d + critic * 2 + frozen + 2 * trained * (FORWARD + BACKWARD)


def _critic_pass(size: Size, shape: Architecture) -> float:
    """Operations of one picture through the discriminator."""
    taps, margin, channels = shape.kernel**2, shape.margin, shape.channels
    pairs = [(shape.image_channels, channels), *[(channels, channels)] * shape.layers]
    total = 0.0
    for layer, (inputs, outputs) in enumerate([*pairs, (channels, 1)], 1):
        height, width = (side - 2 * margin * layer for side in size)
        total += 2.0 * height * width * taps * inputs * outputs
    return total


def _generator_passes(sizes: list[Size], config: ConSinGANConfig) -> tuple[float, float]:
    """Operations of one picture through the stages that are not trained, and through the others."""
    shape = config.architecture
    generator = Generator(shape, TASKS[config.train_mode].border)
    for _ in sizes[1:]:
        generator.grow()
    first = generator.first_trained(config.train_depth)
    frozen = trained = 0.0
    for stage, (height, width) in enumerate(sizes):
        total = 0.0
        for layer in range(shape.layers):
            wider = 2 * shape.margin * (shape.layers - 1 - layer)  # framed with noise or zeros
            pixels = (height + wider) * (width + wider)
            total += 2.0 * pixels * shape.kernel**2 * shape.channels**2
        if stage < first:
            frozen += total
        else:
            trained += total
    height, width = sizes[-1]
    ends = 2.0 * height * width * shape.kernel**2 * shape.channels * shape.image_channels
    return frozen, trained + ends


def convolution(
    plain: bool, arithmetic: Arithmetic, size: Size, shape: Architecture, device: torch.device
) -> tuple[Callable[[int], None], float]:
    """One of the method's own convolutions (C -> C) at `size`: to be called, and its operations.

    It shows what the device reaches in the arithmetic and memory order of a contestant.
    """
    order = torch.contiguous_format if plain else torch.channels_last
    dtype = arithmetic.dtype()
    c, k = shape.channels, shape.kernel
    x = torch.randn(1, c, *size, device=device).to(dtype=dtype, memory_format=order)
    weight = torch.randn(c, c, k, k, device=device).to(dtype=dtype, memory_format=order)

    @torch.no_grad()
    def run(_: int) -> None:
        with arithmetic.scope(device):
            for _ in range(CONVOLUTIONS):
                F.conv2d(x, weight)

    pixels = (size[0] - k + 1) * (size[1] - k + 1)
    return run, CONVOLUTIONS * 2.0 * pixels * (c * k) ** 2
