"""Train on every picture of a folder, judge the samples, and write a table of figures of merit.

python -m benchmarks.quality FOLDER --samples 50 --niter 2000

Every setting of main_train.py can be given. The table (quality.md, quality.json) is written anew
after each picture. The same command goes on where it was stopped: finished pictures are skipped, a
training that was cut short is resumed, and a picture that failed is tried again.
"""

from __future__ import annotations

import dataclasses
import platform
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

import consingan
from benchmarks.quality_table import Record, averages, markdown
from consingan.cli.messages import guarded
from consingan.cli.options import config_options
from consingan.config import Config
from consingan.errors import UserError


@dataclass(frozen=True)
class Benchmark:
    """What to do to each picture.

    Attributes:
        output: folder of the table, of the runs and of each picture's figures.
        settings: fields of `consingan.config.Config` that were given.
        samples: how many pictures to judge.
        weights: of Inception, for SIFID.
        device, precision: as in training.
    """

    output: Path
    settings: Mapping[str, Any]
    samples: int = 50
    weights: str | None = None
    device: str = "auto"
    precision: str = "auto"

    def begin(self) -> None:
        """Make the folders, or find those of the same benchmark.

        Raises:
            UserError: the folder holds figures of other settings.
        """
        from consingan.files import make_folder, write_json

        asked = {"settings": dict(self.settings), "samples": self.samples}
        path = make_folder(self.output) / "settings.json"
        if path.is_file() and _read(path) != asked:
            raise UserError(
                f"{self.output} holds figures of other settings ({path.name}); "
                "choose another --output."
            )
        for name in ("runs", "images"):
            make_folder(self.output / name)
        # Weights are large and made again by the same command: no version control wants them.
        (self.output / "runs" / ".gitignore").write_text("*\n", encoding="utf-8")
        write_json(path, asked)

    def record_of(self, image: Path) -> Path:
        """File of one picture's figures."""
        return self.output / "images" / f"{image.name}.json"

    def measure(self, image: Path) -> Record:
        """Train on one picture, or load what was trained, and judge the samples."""
        from consingan.metrics.judge import judge
        from consingan.report.evaluate import announced

        model = self._trained(image)
        samples = model.sample(self.samples)
        real, reconstruction = (
            ((picture + 1) / 2).clamp(0, 1) for picture in (model.real, model.reconstruction())
        )
        judgement = judge(
            real, ((samples + 1) / 2).clamp(0, 1), reconstruction, self.weights,
            progress=announced(click.echo),
        )  # fmt: skip
        assert model.folder is not None
        manifest = _read(model.folder / "manifest.json")
        return {
            "image": image.name,
            "run": str(model.folder.relative_to(self.output)),
            "size": list(model.size),
            "minutes": sum(manifest["seconds_per_stage"]) / 60,
            "execution": manifest["execution"],
            **judgement.to_dict(),
        }

    def _trained(self, image: Path) -> consingan.TrainedModel:
        # A folder for each file name: a.png and a.jpg would share one otherwise.
        root = self.output / "runs" / image.name
        for manifest in sorted(root.glob("*/*/manifest.json"), reverse=True):
            status = _read(manifest)["status"]
            if status == "finished":
                return self._load(manifest.parent)
            if status != "diverged":  # that would only diverge again
                return self._resumed(manifest.parent)
        return consingan.train(
            image, output_dir=root, device=self.device, precision=self.precision, **self.settings
        )

    def _load(self, run: Path) -> consingan.TrainedModel:
        return consingan.load(run, device=self.device, precision=self.precision)

    def _resumed(self, run: Path) -> consingan.TrainedModel:
        from consingan import runs
        from consingan.checkpoint import RunFolder
        from consingan.session import Session

        folder = RunFolder.open(run)
        execution = runs.Execution.choose(self.device, self.precision)
        trainer, seconds = runs.resumed(folder, execution)
        Session(trainer, folder, seconds=seconds).run()
        return self._load(run)


def pictures(folder: Path) -> list[Path]:
    """The pictures of a folder.

    Raises:
        UserError: there is no such folder, or no picture in it.
    """
    from consingan.images import EXTENSIONS

    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}.")
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in EXTENSIONS)
    if not found:
        raise UserError(f"There is no picture in {folder}.")
    return found


def run(benchmark: Benchmark, images: Sequence[Path]) -> list[Record]:
    """Measure all pictures, one failure notwithstanding; returns a record for each."""
    from consingan.files import write_json

    benchmark.begin()
    records: list[Record] = []
    for number, image in enumerate(images):
        path = benchmark.record_of(image)
        done = _read(path) if path.is_file() else {"error": "not begun"}
        if "error" in done:
            click.echo(f"[{number + 1}/{len(images)}] {image.name}")
            done = _measured(benchmark, image)
            write_json(path, done)
        records.append(done)
        write_tables(benchmark, records)
    return records


def _measured(benchmark: Benchmark, image: Path) -> Record:
    from consingan.session import InterruptedRunError

    try:
        return benchmark.measure(image)
    except InterruptedRunError:  # the user's wish, no failure
        raise
    except Exception as error:  # one picture must not end a night of work
        if not isinstance(error, UserError):
            traceback.print_exc()
        click.echo(f"{image.name} failed: {error}", err=True)
        return {"image": image.name, "error": f"{type(error).__name__}: {error}"}


def write_tables(benchmark: Benchmark, records: Sequence[Record]) -> None:
    """Write quality.json and quality.md."""
    from consingan.files import write_json, write_text
    from consingan.runs import versions

    about = {
        "machine": f"{platform.node()} ({platform.machine()}, {platform.system()})",
        "versions": versions(),
        "settings": dict(benchmark.settings),
        "samples": benchmark.samples,
    }
    table = {**about, "average": averages(records), "images": list(records)}
    write_json(benchmark.output / "quality.json", table)
    write_text(
        benchmark.output / "quality.md", markdown(records, benchmark.samples, benchmark.settings)
    )


def _read(path: Path) -> Record:
    import json

    found: Record = json.loads(path.read_text(encoding="utf-8"))
    return found


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@config_options
@click.option("--samples", type=click.IntRange(1), default=50, show_default=True)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("benchmarks/results/quality"),
    show_default=True,
)
@click.option("--inception_weights", "weights", metavar="PATH|URL", help="For SIFID.")
@click.option("--device", default="auto", show_default=True)
@click.option("--precision", default="auto", show_default=True)
@guarded
def main(folder: Path, samples: int, output: Path, **options: Any) -> None:
    """Train on every picture of FOLDER and make a table of figures of merit."""
    from consingan.session import InterruptedRunError

    settings = {f.name: options.pop(f.name) for f in dataclasses.fields(Config)}
    settings = {name: value for name, value in settings.items() if value is not None}
    if "input_name" in settings:
        raise UserError("The pictures are those of FOLDER; leave out --input_name.")
    settings.setdefault("manual_seed", 0)
    benchmark = Benchmark(output, settings, samples, **options)
    try:
        records = run(benchmark, pictures(folder))
    except (InterruptedRunError, KeyboardInterrupt):
        click.echo("\nStopped; the same command goes on from here.", err=True)
        raise SystemExit(130) from None
    click.echo((output / "quality.md").read_text(encoding="utf-8"))
    if any("error" in record for record in records):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
