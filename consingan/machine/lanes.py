"""Small kernels side by side: on a GPU what does not depend on one another runs at the same time.

A kernel of a coarse stage keeps a few of a large GPU's processors busy for some microseconds. Lanes
are streams beside the present one; in a recorded graph they become branches. Elsewhere than on a
GPU everything runs one after the other, as it is written.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import lru_cache

import torch

LANES = 5


class Lanes:
    """Places to compute beside the present stream of `device`.

    What is used in a lane must be kept until `join`, or its memory would be given to others that
    do not wait for the lane.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.used: list[torch.cuda.Stream] = []

    @contextlib.contextmanager
    def beside(self, number: int = 0) -> Iterator[None]:
        """Inside it work is launched in lane `number`, after all that was launched before."""
        if self.device.type != "cuda":
            yield
            return
        lane = _streams(self.device)[number % LANES]
        lane.wait_stream(torch.cuda.current_stream(self.device))
        if lane not in self.used:
            self.used.append(lane)
        # The device, too: torch would go back to its current one, which may let nobody in.
        with torch.cuda.device(self.device), torch.cuda.stream(lane):
            yield

    def join(self) -> None:
        """What is launched from now on comes after the work in all lanes."""
        for lane in self.used:
            torch.cuda.current_stream(self.device).wait_stream(lane)
        self.used.clear()


@lru_cache(maxsize=8)
def _streams(device: torch.device) -> list[torch.cuda.Stream]:
    """The same for all stages: libraries keep workspaces for every stream they have seen."""
    return [torch.cuda.Stream(device) for _ in range(LANES)]
