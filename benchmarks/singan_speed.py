"""Time of one SinGAN iteration at every scale: the plain engine against the fast one.

Both are timed in turns in one process, by the processor's own time, so that other programs on the
machine slow both alike:

    python -m benchmarks.singan_speed --size 250 --iterations 2
"""

from __future__ import annotations

import copy
import time
from pathlib import Path

import click
import torch

from benchmarks.tables import markdown_table
from consingan.machine.execution import Execution
from consingan.machine.memory import keep_freed_memory
from consingan.machine.precision import Arithmetic
from consingan.methods.contract import Inputs
from consingan.methods.singan import setup
from consingan.methods.singan.config import SinGANConfig

ITERATIONS = 2000  # of a scale, as published


def timed(trainings: dict[str, object], iterations: int) -> dict[str, float]:
    """Least processor seconds of an iteration of each, one untimed."""
    best = dict.fromkeys(trainings, float("inf"))
    for number in range(iterations + 1):
        for name, step in trainings.items():
            begun = time.process_time()
            step(1 + number)  # type: ignore[operator]
            used = time.process_time() - begun
            if number:
                best[name] = min(best[name], used)
    return best


@click.command()
@click.option("--size", default=250, show_default=True, help="Longer side in px.")
@click.option("--iterations", default=2, show_default=True, help="Timed, of each scale.")
@click.option("--threads", default=1, show_default=True, help="CPU threads.")
@click.option("--bf16", is_flag=True, help="Time bfloat16 too.")
@click.option("--only", default="", help="Scales, as 0,4,8; by default all.")
@click.option("--output", type=click.Path(path_type=Path), help="Write the table here, too.")
def main(
    size: int, iterations: int, threads: int, bf16: bool, only: str, output: Path | None
) -> None:
    """Print a row for each scale and one for the whole schedule."""
    torch.set_num_threads(threads)
    keep_freed_memory()
    rng = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, 12, 18, generator=rng) * 2 - 1
    shape = (round(size * 2 / 3), size)
    image = torch.nn.functional.interpolate(coarse, shape, mode="bicubic").clamp(-1, 1)
    config = SinGANConfig(max_size=size)
    cpu = torch.device("cpu")
    contestants = {
        "plain": Execution(cpu, engine="plain"),
        "fast": Execution(cpu, engine="fast"),
    }
    if bf16:
        contestants["fast bf16"] = Execution(cpu, Arithmetic("bf16"), engine="fast")
    trainings = {k: setup.begin(config, Inputs(image), e) for k, e in contestants.items()}
    sizes = trainings["plain"].sizes
    scales = [int(n) for n in only.split(",")] if only else range(len(sizes))
    rows, total = [], dict.fromkeys(contestants, 0.0)
    for n in scales:
        steps = {k: copy.copy(t).rehearse(n).step for k, t in trainings.items()}
        best = timed(steps, iterations)
        row: dict[str, object] = {"scale": f"{n} ({sizes[n][1]}x{sizes[n][0]})"}
        row["channels"] = config.architecture.at_scale(n).channels
        row |= {f"{k}: CPU s": round(v, 3) for k, v in best.items()}
        row |= {f"{k}: times as fast": round(best["plain"] / best[k], 2) for k in best}
        rows.append(row)
        click.echo(row)
        total = {k: total[k] + v for k, v in best.items()}
    whole: dict[str, object] = {"scale": "all" if not only else "these", "channels": ""}
    whole |= {f"{k}: CPU s": round(v, 3) for k, v in total.items()}
    whole |= {f"{k}: times as fast": round(total["plain"] / v, 2) for k, v in total.items()}
    rows.append(whole)
    table = markdown_table(rows)
    hours = ", ".join(f"{k} {v * ITERATIONS / 3600:.1f} h" for k, v in total.items())
    text = f"{table}\n\nWhole schedule, {ITERATIONS} iterations a scale, extrapolated: {hours}.\n"
    click.echo(text)
    if output:
        output.write_text(f"# SinGAN, one iteration, {size} px, {threads} threads\n\n{text}")


if __name__ == "__main__":
    main()
