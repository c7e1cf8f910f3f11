from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from engine_cases import Case, draws_for
from helpers import REPOSITORY

from consingan.errors import UserError
from consingan.machine import precision
from consingan.machine.precision import Arithmetic, choose_arithmetic
from consingan.methods.consingan.draws import noise_shapes
from consingan.methods.consingan.engine import PlainEngine
from consingan.methods.consingan.engines import ENGINES, choose_engine
from consingan.methods.consingan.fast_engine import FastEngine
from consingan.methods.consingan.networks import Generator
from consingan.nn import kernels
from consingan.nn.architecture import Architecture
from consingan.nn.blocks import initialize
from consingan.nn.kernels import applied
from consingan.nn.noise import gaussian, stream

CPU = torch.device("cpu")


@pytest.fixture
def hardware(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    precision._cpu_bf16.cache_clear()
    yield monkeypatch
    precision._cpu_bf16.cache_clear()


def processor(hardware: pytest.MonkeyPatch, amx: bool, avx512_bf16: bool) -> None:
    hardware.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx, raising=False)
    hardware.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512_bf16, raising=False)


def test_auto_takes_bf16_where_the_processor_has_amx(hardware: pytest.MonkeyPatch) -> None:
    processor(hardware, amx=True, avx512_bf16=True)
    chosen = choose_arithmetic("auto", CPU)
    assert (chosen.name, chosen.reason) == ("bf16", "bf16 (AMX)")
    assert choose_arithmetic("bf16", CPU) == chosen


@pytest.mark.parametrize("avx512_bf16", [True, False])
@pytest.mark.parametrize(("bf16_time", "name"), [(0.5, "bf16"), (0.9, "float32"), (3, "float32")])
def test_measures_where_there_is_no_amx(
    hardware: pytest.MonkeyPatch, bf16_time: float, name: str, avx512_bf16: bool
) -> None:
    processor(hardware, False, avx512_bf16)
    hardware.setattr(precision, "_convolution_times", lambda *kinds: [1.0, bf16_time])
    assert choose_arithmetic("auto", CPU).name == name
    asked = choose_arithmetic("bf16", CPU)
    assert asked.name == "bf16"  # slow, but it was asked for
    assert ("slower" in asked.reason) == (name == "float32")


def test_measurement_is_short() -> None:
    (seconds,) = precision._convolution_times(torch.float32)
    assert 0 < seconds < 1


def test_each_kind_is_measured_on_one_thread_in_turns(hardware: pytest.MonkeyPatch) -> None:
    """Of several threads this one computes now its share, now its waiting for the others."""
    processor(hardware, False, True)
    seen = []

    def convolve(x: torch.Tensor, _: torch.Tensor) -> None:
        seen.append((x.dtype, torch.get_num_threads()))

    hardware.setattr(torch.nn.functional, "conv2d", convolve)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        choose_arithmetic("auto", CPU)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert {threads for _, threads in seen} == {1}
    assert [kind for kind, _ in seen[:4]] == [torch.float32, torch.bfloat16] * 2


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such fine clock")
def test_other_programs_do_not_count_in_the_measurement(hardware: pytest.MonkeyPatch) -> None:
    processor(hardware, False, False)
    passed, computed = [0.0], [0.0]

    def convolve(x: torch.Tensor, _: torch.Tensor) -> None:
        slow = x.dtype == torch.bfloat16
        passed[0] += 1 if slow else 50  # others had the cores at that moment
        computed[0] += 10 if slow else 1

    hardware.setattr(torch.nn.functional, "conv2d", convolve)
    hardware.setattr(precision.time, "perf_counter", lambda: passed[0])
    hardware.setattr(precision.time, "thread_time", lambda: computed[0])
    assert choose_arithmetic("auto", CPU).name == "float32"


@pytest.mark.parametrize(
    ("capability", "precision_", "name"),
    [((9, 0), "auto", "bf16"), ((8, 0), "tf32", "tf32"), ((7, 5), "auto", "float32")],
)
def test_cuda_by_compute_capability(
    hardware: pytest.MonkeyPatch, capability: tuple[int, int], precision_: str, name: str
) -> None:
    hardware.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    chosen = choose_arithmetic(precision_, torch.device("cuda"))
    assert chosen.name == name
    assert chosen.reason.startswith(name)


@pytest.mark.parametrize(
    ("device", "precision_"), [("cpu", "tf32"), ("mps", "tf32"), ("mps", "bf16"), ("cuda", "tf32")]
)
def test_what_a_device_cannot_is_said(
    hardware: pytest.MonkeyPatch, device: str, precision_: str
) -> None:
    hardware.setattr(torch.cuda, "get_device_capability", lambda _: (7, 5))
    with pytest.raises(UserError, match=f"--precision {precision_} .*use --precision auto"):
        choose_arithmetic(precision_, torch.device(device))


def test_float32_is_always_there() -> None:
    for device in ("cpu", "mps"):
        assert choose_arithmetic("float32", torch.device(device)) == Arithmetic()


SETTINGS = [
    "", "cuda.matmul.allow_tf32 = True", "cudnn.allow_tf32 = False",
    *(["cuda.matmul.fp32_precision = 'tf32'", "fp32_precision = 'tf32'", "fp32_precision = 'ieee'",
       "cudnn.conv.fp32_precision = 'ieee'", "cudnn.fp32_precision = 'tf32'"]
      if hasattr(torch.backends.cuda.matmul, "fp32_precision") else []),  # names of torch 2.9
]  # fmt: skip
SCOPES = """
import os, sys, torch
from consingan.machine.precision import Arithmetic
cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul

def shortened():
    if hasattr(matmul, "fp32_precision"):
        return matmul.fp32_precision == "tf32", cudnn.conv.fp32_precision == "tf32"
    return matmul.allow_tf32, cudnn.allow_tf32

def asked(which):
    try:
        return which()
    except RuntimeError:  # torch's, where old and new names were mixed
        return "mixed"

def state():
    old = lambda: matmul.allow_tf32, lambda: cudnn.allow_tf32, torch.get_float32_matmul_precision
    return [shortened(), cudnn.benchmark, cudnn.deterministic, *map(asked, old)]

def try_out(setting):
    exec(setting)
    before = state()
    for name, short in (("tf32", (1, 1)), ("float32", (0, 0)), ("bf16", (0, 1))):
        with Arithmetic(name).scope(torch.device("cuda")):
            assert shortened() == short, (setting, name, shortened())
        assert state() == before, (setting, name, before, state())
        with Arithmetic(name).scope(torch.device("cpu")):
            assert state() == before, setting

for setting in sys.argv[1:]:
    child = os.fork()  # what is set is set for good
    if not child:
        try_out(setting)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, setting
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_short_products_only_where_they_are_meant() -> None:
    """Whatever the user has set before, by old names of torch or by new ones."""
    settings = [f"torch.backends.{name}" if name else "" for name in SETTINGS]
    settings.append("torch.set_float32_matmul_precision('medium')")
    command = [sys.executable, "-W", "ignore", "-c", SCOPES, *settings]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("wish", [False, True])
def test_a_wish_for_the_same_result_each_time_is_kept(wish: bool) -> None:
    """`torch.backends.cudnn.deterministic`; timing algorithms against one another would undo it."""
    cudnn = torch.backends.cudnn
    with cudnn.flags(enabled=True, benchmark=False, deterministic=wish, allow_tf32=True):
        with Arithmetic(searching=True).scope(torch.device("cuda")):
            assert (cudnn.deterministic, cudnn.benchmark) == (wish, not wish)
        with Arithmetic().scope(torch.device("cuda")):
            assert (cudnn.deterministic, cudnn.benchmark) == (wish, False)
        assert (cudnn.deterministic, cudnn.benchmark) == (wish, False)


@pytest.mark.parametrize(
    ("device", "major", "searching"), [("cuda", 7, True), ("cuda", 8, False), ("cpu", 7, False)]
)
def test_only_older_gpus_look_for_faster_algorithms(
    device: str, major: int, searching: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (major, 5))
    assert Arithmetic("float32").lasting(torch.device(device)).searching == searching


@pytest.mark.parametrize("name", ["fp16", "", "BF16", "float16"])
def test_unknown_precisions(name: str) -> None:
    choices = "--precision .* is unknown; choose one of auto, float32, tf32, bf16."
    for device in ("cpu", "cuda", "mps"):
        with pytest.raises(UserError, match=choices):
            choose_arithmetic(name, torch.device(device))


@pytest.mark.parametrize("name", ["quick", "", "Fast"])
def test_unknown_engines(name: str) -> None:
    with pytest.raises(UserError, match=r"--engine .* is unknown; choose one of auto, plain, fast"):
        choose_engine(name, Arithmetic())


@pytest.mark.parametrize("device", ["cpu", "mps", "cuda"])
def test_float32_asks_for_no_autocast(device: str) -> None:
    """Some torch releases warn of it on Apple's GPUs even where it is off."""
    assert not isinstance(Arithmetic().autocast(torch.device(device)), torch.autocast)
    assert isinstance(Arithmetic("bf16").autocast(CPU), torch.autocast)


@pytest.fixture
def asked_anew() -> Iterator[None]:
    kernels._has_fused_convolution.cache_clear()
    yield
    kernels._has_fused_convolution.cache_clear()


@pytest.mark.usefixtures("asked_anew")
@pytest.mark.parametrize("refusing", [True, False])
def test_bf16_on_a_processor_that_onednn_has_none_for(
    monkeypatch: pytest.MonkeyPatch, refusing: bool
) -> None:
    """OneDNN would refuse; torch's own convolution is slow but right."""
    rng = stream("bf16")
    x, weight = (torch.randn(1 + 4 * k, 3, 9, 9, generator=rng).bfloat16() for k in (0, 1))
    weight, bias = weight[..., :3, :3].contiguous(), torch.randn(5, generator=rng).bfloat16()
    if refusing:  # else it is what this processor has
        monkeypatch.setattr(kernels, "_onednn_has_bf16", lambda: False)
        assert not kernels._has_fused_convolution("cpu", torch.bfloat16)
    made = kernels.conv_leaky_relu(x, weight, bias, 0.1, (0, 0)).float()
    exact = F.leaky_relu(F.conv2d(x.float(), weight.float(), bias.float()), 0.1)
    torch.testing.assert_close(made, exact, rtol=2e-2, atol=2e-2)


def test_engines_table() -> None:
    task = Case(sizes=((12, 14),), dtype=torch.float32).task()
    for name in ENGINES:
        engine = choose_engine(name, Arithmetic())(task)
        assert isinstance(engine, PlainEngine if name == "plain" else FastEngine)
        assert engine.step(draws_for(task, 0), 0).isfinite().all()
    with pytest.raises(UserError, match="--engine fast"):
        choose_engine("plain", Arithmetic(), checkpointing=True)


def test_plain_is_float32_whatever_the_arithmetic() -> None:
    tasks = [Case(sizes=((12, 14),), dtype=torch.float32).task() for _ in range(2)]
    one, other = (
        choose_engine("plain", Arithmetic(name))(task).step(draws_for(task, 0), 0)
        for name, task in zip(("float32", "bf16"), tasks, strict=True)
    )
    assert torch.equal(one, other)


@pytest.mark.parametrize("border", ["noise", "zero"])
@pytest.mark.parametrize("activation", ["lrelu", "prelu", "elu", "selu"])
@pytest.mark.parametrize("norm", [False, True])
def test_bf16_pictures_are_near_and_fine(border: str, activation: str, norm: bool) -> None:
    """Close to float32, and finer than bfloat16 itself, which would band an 8-bit picture."""
    shape = Architecture(channels=16, activation=activation, norm=norm)  # type: ignore[arg-type]
    generator = Generator(shape, border)  # type: ignore[arg-type]
    initialize(generator, stream("picture"))
    generator.grow()
    with torch.no_grad():
        for parameter in generator.parameters():
            if parameter.ndim > 1:
                parameter.mul_(6 if not norm else 2)
    shapes = noise_shapes([(20, 26), (28, 36)], 16, 3, generator.frame)
    noises = [gaussian(s, stream("z", k)) for k, s in enumerate(shapes)]
    pictures = []
    for name in ("float32", "bf16"):
        with torch.no_grad(), applied(Arithmetic(name), generator):
            pictures.append(generator(noises, [1.0, 0.3]))
    exact, rounded = pictures
    assert exact.std() > 0.05
    assert rounded.dtype == torch.float32
    assert (rounded - exact).square().mean().sqrt() < 0.03 * exact.std()
    assert (rounded != rounded.bfloat16().float()).float().mean() > 0.5
    with torch.no_grad():
        torch.testing.assert_close(exact, generator(noises, [1.0, 0.3]), rtol=1e-4, atol=1e-4)
