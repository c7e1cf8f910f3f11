"""Cases of test_fused.py, for Triton's interpreter: TRITON_INTERPRET=1 before anything is imported.

They are in float32: the interpreter multiplies no bfloat16.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from engine_cases import Case, run, weights_with_effect
from torch import Tensor
from triton.runtime import interpreter

from consingan.machine.precision import Arithmetic
from consingan.methods.consingan.fast_engine import FastEngine
from consingan.nn.architecture import Architecture
from consingan.nn.blocks import initialize
from consingan.nn.discriminator import Discriminator
from consingan.nn.fused.choice import run_all
from consingan.nn.fused.convolutions import convolve, through_slopes, to_colors
from consingan.nn.fused.critic import FusedCritic
from consingan.nn.fused.generator import FusedOperations
from consingan.nn.fused.maps import as_map, packed, packed_transposed
from consingan.nn.fused.sums import colors_gradient, weight_gradient
from consingan.nn.linear_critic import LinearCritic
from consingan.nn.upsampling import bicubic

C = 16
SIZES = ((11, 12), (12, 15))
PADDINGS = [(0, 0), (0, 1), (1, 1)]
ONE = {"d_steps": 1}
CASES = {
    "default": Case(shape={"channels": C}, recipe=ONE, sizes=SIZES),
    "one stage, padded": Case("zero", {"channels": C, "padding": 1}, ONE, SIZES[1:]),
    "gray torus": Case("wrap", {"channels": C, "image_channels": 1}, ONE, SIZES),
}

make_index = interpreter._patch_lang_tensor


def index_of_one_number(tensor: Any, scope: Any) -> None:
    """NumPy no longer makes an int of an array of one number, as the interpreter has it."""
    make_index(tensor, scope)
    scope.set_attr(tensor, "__index__", lambda self: self.handle.data.item())


pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered")  # as in any exp


@pytest.fixture(autouse=True)
def mended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "_patch_lang_tensor", index_of_one_number)
    torch.manual_seed(0)


def near(actual: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4)


def drawn(*shape: int) -> Tensor:
    return as_map(torch.randn(*shape))


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("inputs", [C, 3])
def test_convolution_and_its_gradients(inputs: int, padding: tuple[int, int]) -> None:
    x, weight, bias = drawn(3, inputs, 11, 13), torch.randn(C, inputs, 3, 3), torch.randn(C)
    y, _ = convolve(x, packed(weight, x.dtype), padding, bias=bias, slope=0.05)
    near(y, F.leaky_relu(F.conv2d(x, weight, bias, padding=padding), 0.05))
    g, values = drawn(*y.shape), drawn(*x.shape)
    back = F.conv_transpose2d(g, weight, padding=padding)
    dw = torch.empty_like(weight)
    if inputs == C:
        slopes = torch.where(values > 0, 1.0, 0.05)
        made, sums = convolve(g, packed(weight, x.dtype), padding, values=values, slope=0.05,
                              step=-1, sums=True)  # fmt: skip
        near(made, back * slopes)
        assert sums is not None
        first, second, third = (back * slopes).sum((2, 3))
        near(sums.into(torch.empty(C), negative=0), second + third - first)
        near(sums.into(torch.empty(C), pictures=2, factor=0.5), (first + second) / 2)
        weight_gradient(x, g, padding, dw)
    else:
        made = to_colors(g, packed(weight, x.dtype), padding, step=-1, factor=-2.0)
        near(made, -2 * back)
        colors_gradient(x, g, padding).into(dw)
    near(dw, torch.nn.grad.conv2d_weight(x, weight.shape, g, padding=padding))


@pytest.mark.parametrize("padding", PADDINGS)
def test_picture_of_features(padding: tuple[int, int]) -> None:
    x, weight, bias = drawn(2, C, 9, 12), torch.randn(3, C, 3, 3) / 9, torch.randn(3)
    local = packed_transposed(weight, x.dtype)
    y = to_colors(x, local, padding, bias=bias)
    near(y, torch.tanh(F.conv2d(x, weight, bias, padding=padding)))
    g = drawn(*y.shape)
    near(convolve(g, local, padding, step=-1)[0], F.conv_transpose2d(g, weight, padding=padding))
    dw = colors_gradient(g, x, padding, step=-1).into(torch.empty_like(weight), transposed=True)
    near(dw, torch.nn.grad.conv2d_weight(x, weight.shape, g, padding=padding))


def test_slopes_alone() -> None:
    g, values = drawn(2, C, 5, 7), drawn(2, C, 5, 7)
    made, sums = through_slopes(g, values, 0.3)
    near(made, torch.where(values > 0, g, 0.3 * g))
    near(sums.into(torch.empty(C)), made.sum((0, 2, 3)))


@pytest.mark.parametrize(
    ("before", "after"), [((7, 9), (11, 13)), ((7, 9), (15, 21)), ((5, 5), (5, 6))]
)
def test_up_sampling_onto_noise(before: tuple[int, int], after: tuple[int, int]) -> None:
    x, noise = drawn(2, C, *before).requires_grad_(), drawn(1, C, *after)
    made = FusedOperations(torch.float32).upsample_onto(noise, x, 0.3)
    expected = bicubic(x, after) + 0.3 * noise
    near(made, expected)
    g = drawn(*expected.shape)
    near(*(torch.autograd.grad(y, x, g)[0] for y in (made, expected)))


@pytest.mark.parametrize(
    ("more", "weight"),
    [({}, 0.7), ({"padding": 1}, 0.0), ({"layers": 1, "image_channels": 4}, 0.7)],
    ids=str,
)
def test_critic_is_the_linear_one(more: dict[str, int], weight: float) -> None:
    shape = Architecture(channels=C, **more)
    made = []
    first = Discriminator(shape)
    initialize(first, torch.Generator().manual_seed(0), "he")
    real, fake = (torch.tanh(torch.randn(1, shape.image_channels, 13, 15)) for _ in "rf")
    for kind in (LinearCritic, FusedCritic):
        discriminator = copy.deepcopy(first)
        critic = kind(discriminator, real, Arithmetic())
        critic.descend(real, torch.tensor(0.5), 0.0)  # the second call must not add to it
        losses = critic.descend(fake, torch.tensor(0.3), weight)
        grads = [p.grad for p in discriminator.parameters() if p.grad is not None]
        made.append([*losses, *grads, *critic.judge(fake)])
    for actual, expected in zip(made[1], made[0], strict=True):
        near(actual, expected)


def test_where_a_critic_is_linear_real_and_fake_cancel_to_the_bit() -> None:
    discriminator = Discriminator(Architecture(channels=C))
    for parameter in discriminator.parameters():
        torch.nn.init.uniform_(parameter, 0.1, 1)
    real, fake = torch.rand(2, 1, 3, 13, 15)
    critic = FusedCritic(discriminator, real, Arithmetic())
    critic.descend(fake, torch.tensor(0.3), 0.0)
    for name, parameter in discriminator.named_parameters():
        assert parameter.grad is not None
        assert name.endswith("weight") or not parameter.grad.any(), name


@pytest.mark.parametrize("name", CASES)
def test_iterations_are_those_without(name: str) -> None:
    """Of the first one the generator is computed again in the backward pass."""
    checkpointing = name == "default"
    found: list[tuple[Tensor, dict[str, Tensor]]] = []
    for fused in (False, True):
        task = Case(**{**vars(CASES[name]), "dtype": torch.float32}).task()
        engine = FastEngine(task, Arithmetic(fused=fused), checkpointing)
        assert isinstance(engine.critic, FusedCritic if fused else LinearCritic)
        found.append((run(engine, task, 1), weights_with_effect(task)))
    torch.testing.assert_close(found[1][0], found[0][0], rtol=1e-3, atol=1e-4)
    for key, value in found[1][1].items():
        torch.testing.assert_close(value, found[0][1][key], rtol=1e-3, atol=2e-4)


def test_what_is_tried_first_uses_every_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    from consingan.nn.fused import convolution_kernels, picture_kernels, sum_kernels

    used: set[str] = set()

    def noted(name: str, kernel: Any) -> Callable[[Any], Any]:
        def of_grid(grid: Any) -> Any:
            used.add(name)
            return kernel[grid]

        return of_grid

    class Noting:
        def __init__(self, name: str, kernel: Any) -> None:
            self.launch = noted(name, kernel)

        def __getitem__(self, grid: Any) -> Any:
            return self.launch(grid)

    every = set()
    for module in (convolution_kernels, picture_kernels, sum_kernels):
        for name, kernel in list(vars(module).items()):
            if isinstance(kernel, interpreter.InterpretedFunction) and not name.startswith("_"):
                every.add(name)
                monkeypatch.setattr(module, name, Noting(name, kernel))
    shape = Architecture(channels=C, image_channels=7)
    run_all(torch.device("cpu"), torch.float32, shape, 2)
    assert used == every
