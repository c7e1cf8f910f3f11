"""Use damaged and forged run folders: no traceback, no hang, memory bounded.

    python benchmarks/hostile_runs.py                # 300 folders
    python benchmarks/hostile_runs.py --count 20 --first 40

A finished and an interrupted run are trained, copied, changed in ways that folders get damaged or
forged in, and evaluated, resumed and compared by the commands, in processes of their own. What
cannot be used is to be one sentence. Seeds are fixed: folder K is the same in every run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
SECONDS = 40  # of processor time that the commands on one folder may take
MEMORY = 3 * 2**30  # bytes that the whole process may take
BATCH = 100
NASTY: tuple[Any, ...] = (
    None, True, -1, 0, 1, 3, 7, 0.5, 1e308, -1e-300, 10**9, 2**70, "", "x", "../../..", "\0",
    [], {}, [1], [[]], {"a": 1}, [None] * 1000, "x" * 100_000, [0] * 100_000,
)  # fmt: skip


def main() -> None:
    """Use the damaged folders in processes and print what became of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--count", type=int, default=300, help="how many folders")
    parser.add_argument("--first", type=int, default=0, help="number of the first one")
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        folder, *numbers = options.worker
        work(Path(folder), [int(number) for number in numbers])
        return
    with tempfile.TemporaryDirectory() as folder:
        outcomes = try_all(Path(folder), options.first, options.count)
    print(summary(outcomes))
    raise SystemExit(any(outcome["failure"] for outcome in outcomes))


def summary(outcomes: list[dict]) -> str:
    """How many were used and refused, and each failure."""
    counts = Counter(result for outcome in outcomes for result in outcome["results"])
    lines = [f"{len(outcomes)} run folders, commands: {dict(sorted(counts.items()))}"]
    failures = [outcome for outcome in outcomes if outcome["failure"]]
    lines += [f"{o['number']} {o['damage']}: {o['failure']}" for o in failures]
    peak = max(outcome["peak"] for outcome in outcomes)
    return "\n".join([*lines, f"peak: {peak / 2**20:.0f} MiB", f"failures: {len(failures)}"])


def try_all(folder: Path, first: int, count: int) -> list[dict]:
    """What became of run folders `first` to `first + count`, one dictionary each."""
    make_runs(folder)
    numbers, outcomes = list(range(first, first + count)), []
    while len(outcomes) < count:
        done = len(outcomes)
        outcomes += try_batch(folder, numbers[done : done + BATCH])
    return outcomes


def try_batch(folder: Path, numbers: list[int]) -> list[dict]:
    """The same of some in one process, up to the folder that ended it."""
    command = [sys.executable, __file__, "--worker", str(folder), *map(str, numbers)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    made = subprocess.run(command, capture_output=True, env=environment, check=False)
    lines = [line for line in made.stdout.decode().splitlines() if line.startswith("{")]
    outcomes: list[dict] = [json.loads(line) for line in lines]
    if made.returncode > 0:
        raise RuntimeError(made.stderr.decode())
    if made.returncode:
        ended = signal.Signals(-made.returncode).name
        words = f"{'hangs' if ended == 'SIGXCPU' else ended}: {made.stderr.decode()[-300:]}"
        lost = {"number": numbers[len(outcomes)], "damage": "?", "results": [], "peak": 0}
        outcomes.append({**lost, "failure": words})
    return outcomes


def make_runs(folder: Path) -> None:
    """A finished run and one that was stopped in the middle of a stage, tiny."""
    import torch

    import consingan
    from consingan.errors import InterruptedRunError
    from consingan.training.records import StepRecord

    rng = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, 5, 6, generator=rng) * 2 - 1
    image = torch.nn.functional.interpolate(coarse, size=(22, 26), mode="bilinear")
    settings: dict[str, Any] = {"min_size": 14, "max_size": 26, "train_stages": 3, "nfc": 4}
    settings |= {"niter": 3, "device": "cpu", "precision": "float32"}

    def stop(record: Any) -> None:
        if isinstance(record, StepRecord) and (record.stage, record.iteration) == (1, 1):
            signal.raise_signal(signal.SIGINT)

    for name, callback in (("finished", None), ("stopped", stop)):
        with contextlib.suppress(InterruptedRunError):
            consingan.train(image, output_dir=folder / name, callback=callback, **settings)
        (run,) = (folder / name / "image").iterdir()
        run.rename(folder / f"{name}.run")


def work(folder: Path, numbers: list[int]) -> None:
    """Use run folders and print a line of JSON about each."""
    resource.setrlimit(resource.RLIMIT_AS, (4 * MEMORY, 4 * MEMORY))
    for number in numbers:
        with tempfile.TemporaryDirectory() as place:
            damage = damaged(folder, Path(place) / "run", number)
            used = int(time.process_time())
            resource.setrlimit(resource.RLIMIT_CPU, (used + SECONDS, resource.RLIM_INFINITY))
            outside = Path(place) / "outside"
            results, failures = use(Path(place) / "run", number)
            if outside.is_dir() and any(outside.iterdir()):
                failures.append("a linked folder was written to")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        if peak > MEMORY:
            failures.append(f"memory: {peak / 2**30:.1f} GiB")
        outcome = {"number": number, "damage": damage, "results": results, "peak": peak}
        print(json.dumps({**outcome, "failure": "; ".join(failures)}), flush=True)


def use(run: Path, number: int) -> tuple[list[str], list[str]]:
    """What the commands say of a run folder, and what is wrong about that."""
    from click.testing import CliRunner

    from consingan.cli import main

    plain = [] if number % 4 == 0 else ["--no_metrics"]
    commands = {
        "evaluate": ["--model_dir", str(run), "--num_samples", "1", "--scale_w", "1", *plain],
        "train": ["--resume", "--model_dir", str(run), "--no_tensorboard"],
        "compare": [str(run), str(run), "--samples", "0"],
    }
    if number % 4:
        del commands["compare"]
    results, failures = [], []
    for name, words in commands.items():
        made = CliRunner().invoke(main, [name, *words])
        results.append(f"{name} {made.exit_code}")
        if made.exception and not isinstance(made.exception, SystemExit):
            failures.append(f"{name}: {type(made.exception).__name__}: {made.exception}"[:300])
        elif made.exit_code not in (0, 2) or (made.exit_code and "Error: " not in made.output):
            failures.append(f"{name} ends with {made.exit_code}: {made.output[-300:]}")
    return results, failures


def damaged(folder: Path, run: Path, number: int) -> str:
    """Copy a run to `run` and damage it in the `number`-th way; says how."""
    rng = random.Random(number)
    base = "stopped" if rng.random() < 0.6 else "finished"
    shutil.copytree(folder / f"{base}.run", run)
    damages = DAMAGES * 2 if rng.random() < 0.8 else [damage_structure]
    words = [rng.choice(damages)(run, rng) for _ in range(rng.choice((1, 1, 1, 2)))]
    return f"{base}: {', '.join(words)}"


def damage_json(run: Path, rng: random.Random) -> str:
    """Another value, one less or one more in manifest or config."""
    path = run / rng.choice(("manifest.json", "config.json"))
    if not path.is_file():
        return "nothing"
    values = json.loads(path.read_text())
    key = rng.choice(sorted(values))
    value = rng.choice(NASTY)
    deed = rng.randrange(6)
    if deed == 0:
        del values[key]
    elif deed == 1:
        values = {**values, f"new {rng.randrange(9)}": value}
    elif isinstance(values[key], dict) and values[key] and deed < 4:
        values[key][rng.choice(sorted(values[key]))] = value
    elif isinstance(values[key], list) and deed < 4:
        values[key] = [*values[key], value]
    else:
        values[key] = value
    path.write_text(json.dumps(values))
    return f"{path.name} {key} {deed} {str(value)[:20]!r}"


def damage_tensors(run: Path, rng: random.Random) -> str:
    """Another type, shape or number in a file of tensors."""
    import torch
    from safetensors.torch import load, save

    path = rng.choice(sorted(run.rglob("*.safetensors")) or [run])
    if not path.is_file():
        return "nothing"
    tensors = load(path.read_bytes())
    key = rng.choice(sorted(tensors))
    x = tensors[key]
    changes: dict[str, Callable[[], Any]] = {
        "double": lambda: x.double(),
        "whole": lambda: (x * 3).long(),
        "short": lambda: x.bfloat16(),
        "truth": lambda: x > 0,
        "nan": lambda: x.float() * torch.nan,
        "infinite": lambda: x.float() + torch.inf,
        "large": lambda: x.float() * 1e30 + 1e30,
        "minus": lambda: -x.float() - 1 if x.is_floating_point() else -x - 1,
        "far": lambda: x + 10**6,
        "flat": lambda: x.flatten(),
        "deep": lambda: x[None],
        "empty": lambda: x.flatten()[:0],
        "longer": lambda: torch.cat([x.flatten(), x.flatten()]),
        "one": lambda: torch.zeros(()),
        "turned": lambda: x.transpose(-1, -2).contiguous() if x.ndim > 1 else x + 1,
        "wide": lambda: torch.zeros(*x.shape[:-1], 3000) if x.ndim else torch.zeros(3000),
    }
    name = rng.choice((*changes, "gone", "renamed"))
    if name in changes:
        tensors[key] = changes[name]().contiguous()
    else:
        del tensors[key]
        if name == "renamed":
            tensors[f"{key}.x"] = x
    path.write_bytes(save(tensors))
    return f"{path.relative_to(run)} {key} {name}"


def damage_bytes(run: Path, rng: random.Random) -> str:
    """Cut, filled or changed bytes in any file."""
    files = [p for p in sorted(run.rglob("*")) if p.is_file() and p.name != ".lock"]
    path = rng.choice(files)
    content = bytearray(path.read_bytes())
    deed = rng.choice(("cut", "bytes", "nothing", "more", "noise", "header"))
    if deed == "cut":
        del content[rng.randrange(len(content) + 1) :]
    elif deed == "bytes":
        for _ in range(rng.choice((1, 4, 50))):
            if content:
                content[rng.randrange(len(content))] = rng.randrange(256)
    elif deed == "nothing":
        content.clear()
    elif deed == "more":
        content += rng.randbytes(100)
    elif deed == "noise":
        content = bytearray(rng.randbytes(len(content)))
    else:
        content[:8] = struct.pack("<Q", rng.choice((0, 7, 2**20, 2**40, 2**63)))
    path.write_bytes(content)
    return f"{path.relative_to(run)} {deed}"


def damage_table(run: Path, rng: random.Random) -> str:
    """Another table of losses, or deep nesting in place of the settings."""
    contents = {
        "deep": '{"a":' + "[" * 100_000,
        "wide": ",".join("a" * 3 for _ in range(100_000)) + "\n1\n",
        "names": ",,,,\n1,2,3,4,5\n",
        "words": "d_real,d_fake,gradient_penalty,g_adversarial,g_reconstruction\na,b,c,d,e\n",
        "nan": "d_real,d_fake,gradient_penalty,g_adversarial,g_reconstruction\nnan,inf,1,2,-inf\n",
        "others": "loss\n1\n2\n",
        "zeros": "\0" * 1000,
        "field": '"' + "x" * 200_000 + '"\n',
        "alone": "d_real\n",
    }
    name = rng.choice(sorted(contents))
    path = rng.choice([run / "0" / "losses.csv", run / "manifest.json", run / "config.json"])
    if path.parent.is_dir():
        path.write_text(contents[name])
    return f"{path.relative_to(run)} {name}"


def damage_structure(run: Path, rng: random.Random) -> str:
    """Files that are folders, pipes, devices or links, and results that lie elsewhere."""
    paths = [p for p in sorted(run.rglob("*")) if p.name != ".lock"]
    path = rng.choice(paths)
    deed = rng.choice(("gone", "folder", "pipe", "endless", "circle", "loose", "elsewhere"))
    if deed == "elsewhere":
        outside = run.parent / "outside"
        outside.mkdir(exist_ok=True)
        if not (run / "Evaluation").exists():
            (run / "Evaluation").symlink_to(outside, target_is_directory=True)
        return "Evaluation elsewhere"
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
    if deed == "folder":
        path.mkdir()
    elif deed == "pipe":
        os.mkfifo(path)
    elif deed == "endless":
        path.symlink_to("/dev/zero")
    elif deed == "circle":
        path.symlink_to(path.name)
    elif deed == "loose":
        path.symlink_to("nowhere")
    return f"{path.relative_to(run)} {deed}"


DAMAGES = [
    damage_json,
    damage_tensors,
    damage_tensors,
    damage_bytes,
    damage_table,
    damage_structure,
]


if __name__ == "__main__":
    main()
