"""On an NVIDIA GPU: the engines, recorded iterations, trainings, samples. Skipped without one."""

from __future__ import annotations

import copy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import contract_cases
import pytest
import torch
from engine_cases import Case, draws_for, run, weights_with_effect
from helpers import REPOSITORY, SETTINGS, picture

from consingan.images.io import write_image
from consingan.machine.execution import Wanted, choose_execution
from consingan.machine.graphs import WARM_UP, GraphEngine
from consingan.machine.precision import Arithmetic
from consingan.methods.consingan.draws import Draws
from consingan.methods.consingan.engine import Engine, PlainEngine, StageTask
from consingan.methods.consingan.engines import choose_engine
from consingan.methods.patches.config import PatchesConfig
from consingan.methods.patches.model import PatchDiffusion
from consingan.methods.registry import METHODS
from consingan.nn.critic import make_critic
from consingan.nn.fused.choice import SWITCH, has_triton
from consingan.nn.fused.critic import FusedCritic
from consingan.nn.kernels import pixel_sums
from consingan.nn.linear_critic import LinearCritic
from consingan.nn.optimizers import ChunkedAdam
from consingan.training.loop import Trainer
from consingan.training.prepare import prepare

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA here")
TRITON = pytest.mark.skipif(not has_triton(), reason="there is no Triton here")
CUDA = torch.device("cuda", 0)
BF16 = pytest.mark.skipif(
    not torch.cuda.is_available() or torch.cuda.get_device_capability(CUDA) < (8, 0),
    reason="this card is older than Ampere",
)
HERE = Wanted(device="cuda", precision="float32")
ITERATIONS = 4 * (WARM_UP + 1)
CASES = {
    "default": Case(),
    "one stage": Case("zero", sizes=((14, 17),)),
    "lazy penalty": Case(recipe={"penalty_every": 4, "d_steps": 1}),
    "norm": Case("zero", {"norm": True, "activation": "elu"}),
    "sliced distance": Case(recipe={"sw_weight": 3.0}),
}


def on_the_gpu(task: StageTask, gpu: torch.device = CUDA) -> StageTask:
    """A copy there."""
    there = copy.deepcopy(task)
    return replace(
        there,
        generator=there.generator.to(gpu),
        discriminator=there.discriminator.to(gpu),
        real=there.real.to(gpu),
        fixed_noises=[z.to(gpu) for z in there.fixed_noises],
    )


class Sending:
    """Gives an engine on the GPU what is drawn on the CPU."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.optimizer_g, self.optimizer_d = engine.optimizer_g, engine.optimizer_d

    def step(self, draws: Draws, iteration: int) -> torch.Tensor:
        gpu = self.optimizer_d.param_groups[0]["params"][0].device
        directions = None if draws.directions is None else draws.directions.to(gpu)
        noises = [z.to(gpu) for z in draws.noises]
        return self.engine.step(Draws(noises, draws.mixing.to(gpu), directions), iteration).cpu()


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_recorded_iterations_are_those_of_the_textbook(name: str, checkpointing: bool) -> None:
    task = CASES[name].task()
    there = on_the_gpu(task)
    engine = choose_engine("fast", Arithmetic(), checkpointing)(there)
    assert isinstance(engine, GraphEngine)
    expected = run(PlainEngine(task), task, ITERATIONS)
    actual = run(Sending(engine), task, ITERATIONS)
    assert not engine.failed
    assert all(kind.recorded is not None for kind in engine.kinds.values())
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5)  # rates are float32
    before = weights_with_effect(task)
    for key, value in weights_with_effect(there).items():
        torch.testing.assert_close(value.cpu(), before[key], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "precision",
    ["float32", pytest.param("tf32", marks=BF16), pytest.param("bf16", marks=BF16)],
)
def test_each_precision_stays_near_the_textbook(precision: str) -> None:
    task = Case(dtype=torch.float32).task()
    there = on_the_gpu(task)
    execution = choose_execution(Wanted(device="cuda", precision=precision))
    engine = choose_engine("fast", execution.arithmetic)(there)
    expected = PlainEngine(task).step(draws_for(task, 0), 0)
    actual = Sending(engine).step(draws_for(task, 0), 0)
    tolerance = {"float32": 1e-4, "tf32": 1e-2, "bf16": 5e-2}[precision]
    torch.testing.assert_close(actual, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("method", "task"), contract_cases.cases())
def test_trained_there_it_makes_the_same_pictures_there_and_here(
    method: str, task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contract_cases, "HERE", HERE)
    more = {"niter": 2 * WARM_UP + 2} if method == "consingan" else {}
    case = contract_cases.Case(METHODS[method], task, tmp_path, more)
    contract_cases.check_loading(case)
    contract_cases.check_output(case)


@pytest.mark.parametrize("settings", [{}, {"penalty_every": 4}, {"tile": "both"}], ids=str)
def test_a_stopped_training_goes_on_to_the_same_end(
    settings: dict[str, object], tmp_path: Path
) -> None:
    """Up to rounding: a recorded iteration adds up in another order than one that is not."""
    ends = []
    for stop in (None, 3 + WARM_UP):
        job = prepare({**SETTINGS, "niter": 9, **settings}, choose_execution(HERE), picture())
        trainer = Trainer(job.training)
        for number, _ in enumerate(trainer.run()):
            if number == stop:
                kept = trainer.state()
                again = prepare(
                    {**SETTINGS, "niter": 9, **settings}, choose_execution(HERE), picture()
                )
                trainer = Trainer(again.training)
                trainer.load_state(kept)
                for _ in trainer.run():
                    pass
                break
        ends.append(trainer.model.reconstruction().cpu())
    torch.testing.assert_close(ends[1], ends[0], rtol=0, atol=0.02)


@pytest.mark.parametrize("engine", ["exact", "fused", "fast"])
def test_patches_on_the_gpu(engine: str) -> None:
    """Coherent with the picture, as on the CPU."""
    image = picture(40, 48)
    here = PatchDiffusion(PatchesConfig(), image, engine).sample([0], None, 0)
    there = PatchDiffusion(PatchesConfig(), image.to(CUDA), engine).sample([0], None, 0).cpu()
    assert there.shape == here.shape
    assert there.isfinite().all()
    assert abs(float(there.std() / here.std()) - 1) < 0.2


def typed(place: Path, script: str, words: str) -> str:
    """What a command line says that ends well."""
    command = [sys.executable, str(REPOSITORY / script), "--gpu", "0", *words.split()]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_one_command_each(tmp_path: Path) -> None:
    """Training and sampling as they are typed; the program names the card."""
    write_image(tmp_path / "good.png", picture(40, 48))
    sizes = "--max_size 32 --min_size 16 --train_stages 2"
    assert "cuda:0" in typed(tmp_path, "main_train.py", f"--input_name good.png {sizes} --niter 30")
    (run_folder,) = (tmp_path / "TrainedModels" / "good").iterdir()
    words = f"--model_dir {run_folder} --num_samples 3 --finish 0.5"
    typed(tmp_path, "evaluate_model.py", words)
    assert len(list(run_folder.rglob("gen_sample_*"))) >= 3


@pytest.mark.filterwarnings("ignore:This instance was constructed with capturable=True")
def test_chunks_of_adam_are_torchs_own_to_the_bit() -> None:
    rng = torch.Generator().manual_seed(0)
    first = [torch.randn(64, 64, 3, 3, generator=rng), torch.randn(64, generator=rng)]
    sides = []
    for kind in (torch.optim.Adam, ChunkedAdam):
        values = [x.to(CUDA, copy=True).requires_grad_() for x in first]
        lr = torch.tensor(1e-3, device=CUDA)
        groups = [{"params": values[:1], "lr": lr}, {"params": values[1:], "lr": 2 * lr}]
        optimizer = kind(groups, fused=True, capturable=True)
        for k in range(5):
            for x in values:
                x.grad = torch.full_like(x, 0.1) * (k + x.detach())
            optimizer.step()
        sides.append([*values, *(v for s in optimizer.state.values() for v in s.values())])
    assert all(torch.equal(a, b) for a, b in zip(*sides, strict=True))


@pytest.mark.parametrize("size", [(9, 11), (101, 103)], ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_sums_over_pixels_are_those_of_each_picture(
    size: tuple[int, int], dtype: torch.dtype
) -> None:
    x = torch.randn(3, 5, *size, generator=torch.Generator().manual_seed(0)).to(dtype)
    there = x.to(CUDA, memory_format=torch.channels_last)
    expected = x.double().sum((2, 3))
    torch.testing.assert_close(pixel_sums(there).cpu().double(), expected, rtol=1e-4, atol=1e-2)


@BF16
@pytest.mark.parametrize("fused", [False, pytest.param(True, marks=TRITON)])
def test_bias_sums_wide_planes_and_kernels_of_our_own_change_nothing(fused: bool) -> None:
    """A critic in bfloat16 on the GPU is near the one in float32 on the CPU, each gradient."""
    task = Case(shape={"channels": 64}, dtype=torch.float32).task()
    fake = torch.tanh(torch.randn(task.real.shape, generator=torch.Generator().manual_seed(1)))
    mixing, grads, outs = torch.tensor(0.3), [], []
    there = Arithmetic("bf16", fused=fused)
    for device, arithmetic in ((torch.device("cpu"), Arithmetic()), (CUDA, there)):
        discriminator = copy.deepcopy(task.discriminator).to(device)
        critic = make_critic(discriminator, task.real.to(device), arithmetic)
        assert isinstance(critic, FusedCritic if arithmetic.fused else LinearCritic)
        outs.append([x.cpu() for x in critic.descend(fake.to(device), mixing.to(device), 0.1)])
        outs[-1] += [critic.judge(fake.to(device))[1].cpu()]
        grads.append([p.grad.cpu() for p in discriminator.parameters()])  # type: ignore[union-attr]
    for here, found in zip([*grads[0], *outs[0]], [*grads[1], *outs[1]], strict=True):
        assert float((here - found).norm()) <= 0.1 * float(here.norm()) + 1e-3


@BF16
@TRITON
@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("border", ["noise", "zero", "wrap"])
def test_iterations_in_kernels_of_our_own(
    border: str, checkpointing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = []
    for switch in ("0", "1"):
        monkeypatch.setenv(SWITCH, switch)
        task = on_the_gpu(Case(border, {"channels": 64}, dtype=torch.float32).task())
        engine = choose_engine("fast", Arithmetic("bf16"), checkpointing)(task)
        assert isinstance(engine, GraphEngine)
        assert engine.engine.arithmetic.fused is (switch == "1")  # type: ignore[attr-defined]
        losses.append(run(Sending(engine), task, 1))
        assert run(Sending(engine), task, ITERATIONS).isfinite().all()
        assert not engine.failed
    torch.testing.assert_close(losses[1], losses[0], rtol=0.1, atol=0.05)


@BF16
@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="there is only one GPU here")
def test_a_second_gpu_computes_what_the_first_does() -> None:
    """That the first is torch's current one must make no difference."""
    losses = []
    for index in (0, 1):
        gpu = torch.device("cuda", index)
        task = on_the_gpu(Case("noise", {"channels": 64}, dtype=torch.float32).task(), gpu)
        engine = choose_engine("fast", Arithmetic("bf16"))(task)
        losses.append(run(Sending(engine), task, 1))
        assert run(Sending(engine), task, ITERATIONS).isfinite().all()
    torch.testing.assert_close(losses[1], losses[0], rtol=0.1, atol=0.05)  # it may be another card
