"""In which arithmetic a network runs: the number format and what goes with it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, cast

import torch

from consingan.errors import UserError
from consingan.machine.usual import one_thread

PRECISIONS = ("auto", "float32", "tf32", "bf16")
FULL_CACHE, FULL_GPU = 4_000_000, 64_000_000  # values of a feature map, all pictures together
MOST_AT_A_TIME = 256  # pictures
CLEARLY_FASTER = 1.3  # bf16 must beat float32 by this factor where it has to be measured


@dataclass(frozen=True)
class Arithmetic:
    """How networks are run.

    Attributes:
        name: "float32", "tf32" (float32 whose products are shortened to 10 bits on an NVIDIA GPU)
            or "bf16" (features in bfloat16, weights and sums in float32).
        reason: what was chosen and why in a phrase to be printed, for example "bf16 (AMX)".
        searching: whether an NVIDIA GPU tries which algorithm of each convolution is the fastest:
            seconds for the shapes of one stage, which only long ones make up for.
        fused: whether kernels of our own compute what they can, see nn/fused.
    """

    name: str = "float32"
    reason: str = "float32"
    searching: bool = False
    fused: bool = False

    def dtype(self, weights: torch.dtype = torch.float32) -> torch.dtype:
        """Number format of the features, for networks whose weights are kept in `weights`."""
        return torch.bfloat16 if self.name == "bf16" else weights

    def lasting(self, device: torch.device) -> Arithmetic:
        """The same for thousands of iterations on `device`, where older GPUs had better search.

        On an H100 the search takes longer than it saves (measured); GPUs older than Ampere compute
        the same for ten times as long, and there it is worth it (by reckoning).
        """
        old = device.type == "cuda" and not _hardware_bf16(device)[0]
        return replace(self, searching=True) if old else self

    @contextlib.contextmanager
    def scope(self, device: torch.device) -> Iterator[None]:
        """Let products on `device` be as exact as this arithmetic says, for convolutions too."""
        if device.type != "cuda":
            yield
            return
        same_each_time = (  # where the user asked torch for it
            torch.backends.cudnn.deterministic or torch.are_deterministic_algorithms_enabled()
        )
        wanted = [
            (torch.backends.cudnn, "enabled", True),
            (torch.backends.cudnn, "benchmark", self.searching and not same_each_time),
            (torch.backends.cudnn, "deterministic", same_each_time),
            # What bfloat16 leaves to float32, the picture at the end of G, has factors of 8 bits.
            *_shortened(products=self.name == "tf32", convolutions=self.name != "float32"),
        ]
        before = [getattr(holder, name) for holder, name, _ in wanted]
        try:
            for holder, name, value in wanted:
                setattr(holder, name, value)
            yield
        finally:
            for (holder, name, _), value in zip(wanted, before, strict=True):
                setattr(holder, name, value)

    def autocast(self, device: torch.device) -> contextlib.AbstractContextManager[Any]:
        """Casts what networks compute on `device` to bfloat16, if that is the arithmetic."""
        if self.name != "bf16":
            return contextlib.nullcontext()
        return Casts(device.type, torch.bfloat16)

    def batch_size(self, size: tuple[int, int], device: torch.device, channels: int = 64) -> int:
        """Pictures of `size` (h, w) to make at a time on `device`, through maps of `channels`.

        A CPU wants feature maps to stay near its cache; a GPU is filled by some 24 pictures of
        250 px, whose noise and live feature maps together take 2 to 3 GiB in float32.
        """
        values = FULL_GPU if device.type == "cuda" else FULL_CACHE
        return max(1, min(values // (size[0] * size[1] * channels), MOST_AT_A_TIME))


class Casts(torch.autocast):
    """Torch's autocast with copies of the weights that are forgotten at its end.

    Torch forgets them where the outermost one ends: inside of a caller's own they would outlive
    the steps of the optimizers, and each iteration would be computed with the first weights.
    """

    def __init__(self, device_type: str, dtype: torch.dtype) -> None:
        super().__init__(device_type, dtype=dtype, cache_enabled=True)

    def __exit__(self, *raised: Any) -> Any:
        """As torch's, then forget."""
        try:
            return super().__exit__(*raised)
        finally:
            torch.clear_autocast_cache()


def _shortened(products: bool, convolutions: bool) -> list[tuple[Any, str, Any]]:
    """Settings of torch by which a GPU shortens factors to 10 bits: holder, name and value.

    From 2.9 on torch has other names, and fails where the old ones are asked after a user has set
    the new ones.
    """
    matmul, cudnn = torch.backends.cuda.matmul, cast(Any, torch.backends.cudnn)
    if not hasattr(matmul, "fp32_precision"):
        return [(matmul, "allow_tf32", products), (cudnn, "allow_tf32", convolutions)]
    name, words = "fp32_precision", {True: "tf32", False: "ieee"}
    return [(matmul, name, words[products]), (cudnn.conv, name, words[convolutions])]


def choose_arithmetic(precision: str, device: torch.device) -> Arithmetic:
    """What `--precision` means on `device`; "auto" is the fastest that the hardware really has.

    Raises:
        UserError: there is no such precision, or the device cannot compute in it.
    """
    if precision not in PRECISIONS:
        raise UserError(
            f"--precision {precision} is unknown; choose one of {', '.join(PRECISIONS)}."
        )
    has, why = _hardware_bf16(device)
    if precision == "auto":
        return Arithmetic("bf16", f"bf16 ({why})") if has else Arithmetic(reason=f"float32 ({why})")
    if precision == "tf32" and not (device.type == "cuda" and has):
        raise UserError(
            "--precision tf32 needs an NVIDIA GPU of the Ampere generation or newer; "
            "use --precision auto or float32."
        )
    if precision == "bf16" and not has:
        if device.type != "cpu":
            raise UserError(
                f"--precision bf16 does not work on this device ({why}); "
                "use --precision auto or float32."
            )
        return Arithmetic("bf16", f"bf16 ({why}: slower than float32)")
    return Arithmetic(precision, f"bf16 ({why})" if precision == "bf16" else precision)


def _hardware_bf16(device: torch.device) -> tuple[bool, str]:
    """Whether `device` multiplies in bfloat16 faster than in float32, and how that is known."""
    if device.type == "cuda":
        major, minor = torch.cuda.get_device_capability(device)
        return major >= 8, f"CUDA compute capability {major}.{minor}"
    if device.type != "cpu":
        return False, f"bf16 is not tried on {device.type}"
    return _cpu_bf16()


@lru_cache(maxsize=1)
def _cpu_bf16() -> tuple[bool, str]:
    """AMX multiplies bfloat16 several times faster; anything else is measured, in some ms.

    AVX-512's instructions for bfloat16 are no promise: on some processors that have them, oneDNN's
    convolutions in bfloat16 take 1.6 times as long as those in float32, on others half as long.
    """
    if _torch_says("_is_amx_tile_supported"):
        return True, "AMX"
    slow, fast = _convolution_times(torch.float32, torch.bfloat16)
    if fast * CLEARLY_FASTER < slow:
        return True, "measured faster on this processor"
    if _torch_says("_is_avx512_bf16_supported"):
        return False, "bf16 is no faster on this processor, measured"
    return False, "no bf16 in this processor"


def _torch_says(probe: str) -> bool:
    """Whether torch can be asked about this instruction set of the processor, and says yes."""
    ask = getattr(torch.cpu, probe, None)
    return ask is not None and bool(ask())


def computing_time() -> float:
    """Seconds that this thread computes: those of other programs are no property of a processor.

    Where two programs keep both cores busy, the time that passes took a bf16 of a tenth of the
    speed for the faster one. Windows counts them in steps of 16 ms, too coarse for a convolution.
    """
    return time.perf_counter() if os.name == "nt" else time.thread_time()


@torch.no_grad()
def _convolution_times(*kinds: torch.dtype) -> list[float]:
    """Seconds for a convolution 64 -> 64 at 64x64 px in each of `kinds`, in turns, best of some.

    On one thread: of several the time that this one computes is now its share and now its waiting
    for the others, and the choice between two kinds fell like a coin (measured).
    """
    forms = [(1, 64, 64, 64), (64, 64, 3, 3)]
    given = [
        [torch.ones(form, dtype=kind).to(memory_format=torch.channels_last) for form in forms]
        for kind in kinds
    ]
    times = []
    with one_thread():
        for _ in range(6):
            row = []
            for x, weight in given:
                start = computing_time()
                torch.nn.functional.conv2d(x, weight)
                row.append(computing_time() - start)
            times.append(row)
    return [min(one) for one in zip(*times[1:], strict=True)]
