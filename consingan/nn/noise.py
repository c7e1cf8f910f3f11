"""Noise: its shapes, explicit random streams, what is drawn for an iteration and for a sample."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

Size = tuple[int, int]


def derive_seed(*keys: int | str) -> int:
    """A 63-bit seed that depends on every one of `keys` and on their order."""
    digest = hashlib.blake2b(repr(keys).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def stream(*keys: int | str, device: torch.device | str = "cpu") -> torch.Generator:
    """A random stream of its own for `keys`, for example (seed, "step", stage, iteration).

    Streams are made anew wherever they are needed instead of being carried along: a resumed run
    needs no random state, and a sample does not depend on the samples before it.
    """
    return torch.Generator(device).manual_seed(derive_seed(*keys))


def gaussian(
    shape: Sequence[int], rng: torch.Generator, device: torch.device | str | None = None
) -> Tensor:
    """Standard normal numbers of `shape` (n, c, h, w), drawn on `rng`'s device, moved to `device`.

    They lie in memory channels-last, as the fast engine wants them.
    """
    n, c, h, w = shape
    drawn = torch.randn((n, h, w, c), generator=rng, device=rng.device).permute(0, 3, 1, 2)
    return drawn if device is None else sent(drawn, device)


def sent(x: Tensor, device: torch.device | str) -> Tensor:
    """`x` on `device`; a GPU goes on computing meanwhile."""
    if torch.device(device).type != "cuda" or x.device.type != "cpu":
        return x.to(device)
    return x.pin_memory().to(device, non_blocking=True)  # other memory would be waited for


def led_back(
    walk: Iterable[Sequence[Tensor]], home: Sequence[Tensor], count: int
) -> Iterator[list[Tensor]]:
    """A walk of `count` steps that begins and ends near `home` f: z' = f + w (z - f).

    The weight w rises from 0 to 1 in the walk's first quarter and falls in its second half, which
    a free walk may have begun far away: the step from the last frame to the first is a small one.
    """
    rising, falling = max(count // 4, 1) + 1, count // 2 + 1
    for index, noises in enumerate(walk):
        weight = min((index + 1) / rising, (count - index) / falling, 1.0) ** 2
        yield [f + weight * (z - f) for z, f in zip(noises, home, strict=True)]


_DRAWN = 2**20  # numbers at a time
_GROUP = 16  # in which a CPU makes normal numbers: other counts would change the last of them


class GaussianReader:
    """The numbers that `gaussian` would draw at once on a CPU, a few at a time.

    Args:
        count: of all of them.
        rng: a CPU generator in the state that they are drawn from; it is left as it is.
    """

    def __init__(self, count: int, rng: torch.Generator) -> None:
        self.left = count
        self.rng = torch.Generator().set_state(rng.get_state())
        self.waiting = torch.empty(0)

    def take(self, count: int) -> Tensor:
        """The next `count` numbers, (count,)."""
        missing = count - len(self.waiting)
        if missing > 0:
            self.waiting = torch.cat([self.waiting, self._draw(missing)])
        taken, self.waiting = self.waiting[:count], self.waiting[count:].clone()
        return taken

    def _draw(self, least: int) -> Tensor:
        """At least so many, in whole groups, and never a last piece of less than one."""
        count = -(-least // _GROUP) * _GROUP
        if self.left - count < _GROUP:
            count = self.left
        self.left -= count
        return torch.randn(count, generator=self.rng)

    def skip(self, rng: torch.Generator) -> None:
        """Bring `rng` to the state after all the numbers, which are still to be read here."""
        again = GaussianReader(self.left, rng)
        while again.left:
            again._draw(min(_DRAWN, again.left))
        rng.set_state(again.rng.get_state())
