"""The networks: shapes, borders, growth, what is trained and how fast."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from consingan.methods.consingan.draws import noise_shapes
from consingan.methods.consingan.networks import Generator
from consingan.nn.architecture import ACTIVATIONS, Architecture
from consingan.nn.blocks import initialize, zero_pad
from consingan.nn.discriminator import Discriminator
from consingan.nn.noise import gaussian, stream
from consingan.nn.upsampling import bicubic

SIZES = [(12, 15), (17, 21), (24, 30)]


def generator_of(border="noise", stages=1, **numbers):
    generator = Generator(Architecture(**{"channels": 4, **numbers}), border)
    initialize(generator, stream(0, "weights"))
    while generator.stages < stages:
        generator.grow()
    return generator


def noises_for(generator, sizes=SIZES, samples=1, seed=0):
    channels = generator.shape.channels
    shapes = noise_shapes(sizes[: generator.stages], channels, 3, generator.frame)
    return [gaussian((samples, *s[1:]), stream(seed, i)) for i, s in enumerate(shapes)]


@torch.no_grad()
def run(generator, noises, amplitude=0.3):
    return generator(noises, [1.0] + [amplitude] * (len(noises) - 1))


@given(
    st.integers(1, 4), st.sampled_from([1, 3, 5, 7]), st.integers(0, 3), st.integers(0, 6),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_numbers_of_a_shape_are_what_the_discriminator_does(layers, kernel, padding, more):
    padding = min(padding, (kernel - 1) // 2)
    shape = Architecture(channels=2, layers=layers, kernel=kernel, padding=padding)
    discriminator = Discriminator(shape)
    side = shape.smallest_image + more
    with torch.no_grad():
        scores = discriminator(torch.zeros(1, 3, side, side + 2))
    assert scores.shape == (1, 1, 1 + more, 3 + more)


@pytest.mark.parametrize(
    ("kernel", "padding", "margin", "smallest"),
    [(3, 0, 1, 11), (5, 0, 2, 21), (5, 1, 1, 11), (3, 1, 0, 1), (1, 0, 0, 1)],
)
def test_margin_and_smallest_image(kernel, padding, margin, smallest):
    shape = Architecture(kernel=kernel, padding=padding)
    assert (shape.margin, shape.smallest_image) == (margin, smallest)


def test_one_score_sees_one_patch():
    discriminator = Discriminator(Architecture(channels=4))
    initialize(discriminator, stream(1))
    image = torch.zeros(1, 3, 31, 31, requires_grad=True)
    discriminator(image)[0, 0, 10, 10].backward()
    seen = image.grad.abs().sum((0, 1)) > 0
    assert seen[10:21, 10:21].all()
    assert seen.sum() == 11 * 11


@pytest.mark.parametrize("border", ["noise", "zero"])
@pytest.mark.parametrize("stages", [1, 2, 3])
@pytest.mark.parametrize(
    ("kernel", "padding", "layers"), [(3, 0, 3), (3, 0, 1), (5, 0, 2), (5, 1, 3), (3, 1, 2)]
)
def test_output_has_the_size_of_the_last_stage(border, stages, kernel, padding, layers):
    generator = generator_of(border, stages, kernel=kernel, padding=padding, layers=layers)
    picture = run(generator, noises_for(generator, samples=2))
    assert picture.shape == (2, 3, *SIZES[stages - 1])
    assert picture.abs().max() <= 1


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("norm", [False, True])
def test_every_activation_is_another_function(activation, norm):
    generator = generator_of("noise", 2, activation=activation, norm=norm)
    other = generator_of("noise", 2, activation="lrelu", slope=0.9, norm=norm)
    noises = noises_for(generator)
    picture = run(generator, noises)
    assert torch.isfinite(picture).all()
    assert not torch.allclose(picture, run(other, noises))


def test_prelu_has_one_parameter_in_each_block():
    blocks = [m for m in generator_of(activation="prelu").modules() if hasattr(m, "prelu")]
    assert len(blocks) == 4
    assert all(block.prelu.weight.tolist() == [0.25] for block in blocks)


def test_border_noise_varies_up_to_the_edge_and_zero_does_too_little():
    def spread_at_corner(border):
        generator = generator_of(border, 2)
        pictures = [run(generator, noises_for(generator, seed=s), 5.0) for s in range(12)]
        return torch.cat(pictures).std(0)[:, 0, 0].mean()

    assert spread_at_corner("noise") > spread_at_corner("zero")


@pytest.mark.parametrize(("border", "frame"), [("noise", 3), ("zero", 0)])
def test_frame(border, frame):
    assert generator_of(border).frame == frame


def test_frame_follows_layers_and_kernel():
    assert generator_of("noise", kernel=5, layers=2).frame == 4
    assert generator_of("noise", kernel=5, padding=1, layers=2).frame == 2


def test_a_new_stage_is_a_copy_of_its_own():
    generator = generator_of("noise", 1)
    generator.grow()
    first, second = generator.body
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)
        assert a.data_ptr() != b.data_ptr()


@pytest.mark.parametrize("border", ["noise", "zero"])
def test_amplitude_zero_ignores_the_noise(border):
    generator = generator_of(border, 3)
    first, second = noises_for(generator, seed=0), noises_for(generator, seed=1)
    second[0] = first[0]
    assert torch.equal(run(generator, first, 0.0), run(generator, second, 0.0))
    assert not torch.equal(run(generator, first), run(generator, second))


@pytest.mark.parametrize("norm", [False, True])
def test_samples_do_not_depend_on_their_company(norm):
    generator = generator_of("noise", 3, norm=norm)
    noises = noises_for(generator, samples=3)
    together = run(generator, noises)
    alone = torch.cat([run(generator, [z[i : i + 1] for z in noises]) for i in range(3)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("border", ["noise", "zero"])
@pytest.mark.parametrize("start", [0, 1, 2])
def test_a_picture_may_enter_at_a_later_stage(border, start):
    generator = generator_of(border, 3)
    noises = noises_for(generator)
    entered = gaussian((1, 3, *SIZES[start]), stream(9))
    with torch.no_grad():
        picture = generator([entered, *noises[max(start, 1) :]], [1.0, 0.1, 0.1], start)
    assert picture.shape == (1, 3, *SIZES[-1])
    unmoved = generator_of(border, 3)
    with torch.no_grad():
        for stage in range(min(start, 1), start):
            for parameter in unmoved.body[stage].parameters():
                parameter.fill_(7)
        again = unmoved([entered, *noises[max(start, 1) :]], [1.0, 0.1, 0.1], start)
    assert torch.equal(picture, again)


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
@pytest.mark.parametrize("stages", [1, 2, 3, 4])
def test_parameter_groups(stages, depth):
    generator = generator_of("noise", stages)
    newest, lr, scale = stages - 1, 5e-4, 0.1
    rates = {
        id(p): group["lr"]
        for group in generator.param_groups(lr, scale, depth)
        for p in group["params"]
    }
    expected = {id(p): lr for p in generator.tail.parameters()}
    for k in range(max(stages - depth, 0), stages):
        rate = lr * scale ** (newest - k)
        expected |= {id(p): rate for p in generator.body[k].parameters()}
    if newest < depth:
        expected |= {id(p): lr * scale**newest for p in generator.head.parameters()}
    assert rates == pytest.approx(expected)


@torch.no_grad()
def test_first_weights():
    generator = generator_of(channels=64, norm=True)
    conv = generator.body[0][0].conv
    assert conv.weight.std() == pytest.approx(0.02, rel=0.02)
    assert conv.weight.mean().abs() < 1e-3
    assert conv.bias.abs().max() <= 1 / 24
    assert conv.bias.std() == pytest.approx(1 / 24 / 3**0.5, rel=0.3)
    norms = torch.cat([m.norm.weight for m in generator.body[0]])
    assert norms.mean() == pytest.approx(1, abs=0.01)
    assert norms.std() == pytest.approx(0.02, rel=0.2)
    assert all((m.norm.bias == 0).all() for m in generator.body[0])


def test_published_number_of_parameters():
    """0.66 M for six stages (Hinz et al. 2021, table 1)."""
    generator = Generator(Architecture(), "noise")
    for _ in range(5):
        generator.grow()
    total = sum(p.numel() for p in generator.parameters())
    assert total == 64 * 27 + 64 + 18 * (64 * 576 + 64) + 3 * 576 + 3
    assert total == pytest.approx(0.66e6, rel=0.02)


def test_discriminator_is_never_normalized():
    names = dict(Discriminator(Architecture(norm=True, channels=4)).named_parameters())
    assert not [name for name in names if "norm" in name]


def test_bicubic_keeps_corners_and_identity():
    x = gaussian((1, 2, 6, 7), stream(0))
    wide = bicubic(x, (11, 15))
    assert wide.shape == (1, 2, 11, 15)
    for corner in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        at = (..., *corner)
        torch.testing.assert_close(wide[at], x[at])
    torch.testing.assert_close(bicubic(x, (6, 7)), x)


def test_zero_pad():
    x = torch.ones(1, 1, 2, 3)
    padded = zero_pad(x, 2)
    assert padded.shape == (1, 1, 6, 7)
    assert padded.sum() == 6
    assert zero_pad(x, 0) is x
