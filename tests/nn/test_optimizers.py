"""Adam in pieces."""

from __future__ import annotations

import copy
import subprocess
import sys

import pytest
import torch

from consingan.nn.optimizers import CHUNK, ChunkedAdam


def test_in_pieces_it_is_torchs_own_to_the_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a GPU is given pieces; what they do shows everywhere."""
    cut: list[int] = []

    def can_be_cut(self: ChunkedAdam, group: dict[str, object]) -> bool:
        cut.append(len(self.state))
        return bool(self.state)

    monkeypatch.setattr(ChunkedAdam, "_can_be_cut", can_be_cut)
    rng = torch.Generator().manual_seed(0)
    shapes = ((64, 64, 3, 3), (64,), (CHUNK,), (1, 3))
    first = [torch.randn(shape, generator=rng) for shape in shapes]
    whole, pieces = ([x.clone().requires_grad_() for x in first] for _ in "ab")
    own = torch.optim.Adam([{"params": whole[:2], "lr": 1e-3}, {"params": whole[2:], "lr": 0.1}],
                           betas=(0.5, 0.999), fused=True)  # fmt: skip
    ours = ChunkedAdam([{"params": pieces[:2], "lr": 1e-3}, {"params": pieces[2:], "lr": 0.1}],
                       betas=(0.5, 0.999), fused=True)  # fmt: skip
    for _ in range(4):
        for one, other in zip(whole, pieces, strict=True):
            one.grad = torch.randn(one.shape, generator=rng)
            other.grad = copy.deepcopy(one.grad)
        own.step()
        ours.step()
    assert max(cut) == len(first)
    for one, other in zip(whole, pieces, strict=True):
        assert torch.equal(one, other)
        for name, value in own.state[one].items():
            assert torch.equal(value, ours.state[other][name])


def test_elsewhere_it_is_torchs_own() -> None:
    value = torch.ones(3, requires_grad=True)
    adam = ChunkedAdam([value], lr=0.1, fused=True)
    for _ in range(2):
        value.grad = torch.ones(3)
        assert not adam._can_be_cut(adam.param_groups[0])
        adam.step()
    torch.testing.assert_close(value.detach(), torch.full((3,), 0.8))


def test_torchs_compiler_is_not_imported_and_the_numbers_are_torchs() -> None:
    """A process of its own: in this one others may have imported it."""
    script = """
import sys
import torch
from consingan.nn.kernels import seeded
from consingan.nn.losses import gradient_penalty
from consingan.nn.optimizers import Adam

def trained(kind, **more):
    torch.manual_seed(0)
    weights = [torch.randn(5, 3, requires_grad=True), torch.randn(3, requires_grad=True)]
    groups = [{"params": weights[:1], "lr": 0.1}, {"params": weights[1:]}]
    adam = kind(groups, lr=0.01, betas=(0.5, 0.999), **more)
    for _ in range(3):
        adam.zero_grad()
        assert all(w.grad is None for w in weights)
        (weights[0] @ weights[1]).square().sum().backward()
        adam.step()
    again = kind([w.detach().clone().requires_grad_() for w in weights], lr=0.01)
    again.load_state_dict({**again.state_dict(), "state": adam.state_dict()["state"]})
    kept = [x for state in again.state.values() for x in state.values()]
    return [*weights, *kept]

kinds = ({}, {"fused": True})
ours = [trained(Adam, **kind) for kind in kinds]
image = torch.rand(1, 3, 4, 4, requires_grad=True)
gradient_penalty(lambda x: x.square(), image.detach(), image.detach(), torch.tensor(0.5))
seeded(image.exp(), torch.ones(1, 3, 4, 4)).backward()
assert torch.equal(image.grad, image.exp())
assert not {"torch._dynamo", "sympy"} & set(sys.modules)
for kind, mine in zip(kinds, ours, strict=True):
    for one, other in zip(mine, trained(torch.optim.Adam, **kind), strict=True):
        assert torch.equal(one, other)
print("the same", len(ours[0]))
"""
    made = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert made.stdout == "the same 8\n", made.stderr
