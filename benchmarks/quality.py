"""Train on every picture of a folder, judge the samples, and write a table of figures of merit.

python -m benchmarks.quality FOLDER --samples 50 --niter 2000

Every setting of main_train.py can be given. The table (quality.md, quality.json) is written anew
after each picture. The same command goes on where it was stopped: finished pictures are skipped, a
training that was cut short is resumed, and a picture that failed is tried again.
"""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import consingan
from benchmarks.quality_table import Record, averages, markdown
from benchmarks.tables import machine
from consingan.api.advice import advice
from consingan.cli.command import CONTEXT, MethodCommand, typed_method
from consingan.cli.messages import guarded
from consingan.errors import UserError

if TYPE_CHECKING:
    from consingan.runs.folder import RunFolder


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

    def check(self) -> None:
        """Refuse a folder of another benchmark.

        Raises:
            UserError: the folder holds figures of other settings.
        """
        from consingan.machine.files import read_json

        path = self.output / "settings.json"
        if path.is_file() and read_json(path) != self._asked:
            raise UserError(
                f"{self.output} holds figures of other settings ({path.name}); "
                "choose another --output."
            )

    @property
    def _asked(self) -> dict[str, Any]:
        """What was asked for, with what a preset means by now: that may change."""
        from consingan.methods.choose import choose_settings

        config = choose_settings(self.settings).config
        usual = type(config)().to_json()
        changed = {k: v for k, v in config.to_json().items() if v != usual[k]}
        return {"settings": dict(self.settings), "changed": changed, "samples": self.samples}

    def begin(self) -> None:
        """Make the folders, or find those of the same benchmark.

        Raises:
            UserError: the folder holds figures of other settings.
        """
        from consingan.machine.files import make_folder, write_json

        self.check()
        path = make_folder(self.output) / "settings.json"
        for name in ("runs", "images"):
            make_folder(self.output / name)
        # Weights are large and made again by the same command: no version control wants them.
        (self.output / "runs" / ".gitignore").write_text("*\n", encoding="utf-8")
        write_json(path, self._asked)

    def record_of(self, image: Path) -> Path:
        """File of one picture's figures."""
        return self.output / "images" / f"{image.name}.json"

    def measure(self, image: Path) -> Record:
        """Train on one picture, or load what was trained, and judge the samples."""
        from consingan.machine.files import read_json
        from consingan.metrics.judge import judge
        from consingan.report.write import announced

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
        manifest = read_json(model.folder / "manifest.json")
        return {
            "image": image.name,
            "run": str(model.folder.relative_to(self.output)),
            "size": list(model.size),
            "minutes": sum(manifest["seconds_per_stage"]) / 60,
            "execution": manifest["execution"],
            **judgement.to_dict(),
        }

    def _trained(self, image: Path) -> consingan.TrainedModel:
        from consingan.images.names import image_stem
        from consingan.runs.earlier import earlier_run

        # A folder for each file name: a.png and a.jpg would share one otherwise.
        root = self.output / "runs" / image.name
        earlier = earlier_run(root / image_stem(str(image)), fits=lambda _: True)
        if earlier is None:
            return consingan.train(
                image, output_dir=root, device=self.device, precision=self.precision,
                **self.settings,
            )  # fmt: skip
        if earlier.manifest["status"] != "finished":
            self._go_on(earlier)
        return self._load(earlier.path)

    def _load(self, run: Path) -> consingan.TrainedModel:
        return consingan.load(run, device=self.device, precision=self.precision)

    def _go_on(self, folder: RunFolder) -> None:
        from consingan.api.train import go_on
        from consingan.machine.execution import Wanted

        go_on(folder, Wanted(device=self.device, precision=self.precision))


def run(benchmark: Benchmark, images: Sequence[Path]) -> list[Record]:
    """Measure all pictures, one failure notwithstanding; returns a record for each.

    Raises:
        UserError: a setting, the device or the folder cannot be used.
    """
    from consingan.batch.queue import work_through
    from consingan.machine.execution import Wanted, choose_execution
    from consingan.machine.files import write_json
    from consingan.methods.choose import choose_settings
    from consingan.metrics.sifid import load_inception

    choose_settings(benchmark.settings)
    choose_execution(Wanted(device=benchmark.device, precision=benchmark.precision))
    if benchmark.weights:
        load_inception(benchmark.weights)
    benchmark.begin()
    kept = _kept(benchmark, images)
    left = [image for image in images if "error" in kept[image]]
    write_tables(benchmark, _done(kept))
    for outcome in work_through(left, benchmark.measure, click.echo):
        record = outcome.result
        if record is None:
            assert outcome.error is not None
            record = _failed(outcome.image, outcome.error)
        kept[outcome.image] = record
        write_json(benchmark.record_of(outcome.image), record)
        write_tables(benchmark, _done(kept))
    return list(kept.values())


NOT_BEGUN = {"error": "not begun"}


def earlier(benchmark: Benchmark, images: Sequence[Path]) -> list[Record]:
    """Records that earlier calls left, without training anything.

    Raises:
        UserError: the folder holds figures of other settings.
    """
    benchmark.check()
    return _done(_kept(benchmark, images))


def _kept(benchmark: Benchmark, images: Sequence[Path]) -> dict[Path, Record]:
    """What an earlier call found out about each picture."""
    from consingan.machine.files import read_json

    paths = {image: benchmark.record_of(image) for image in images}
    return {
        image: read_json(path) if path.is_file() else NOT_BEGUN for image, path in paths.items()
    }


def _done(kept: Mapping[Path, Record]) -> list[Record]:
    return [record for record in kept.values() if record is not NOT_BEGUN]


def _failed(image: Path, error: Exception) -> Record:
    """Say why a picture failed; a bug keeps its traceback."""
    if advice(error) is None:
        traceback.print_exception(error)
    click.echo(f"{image.name} failed: {advice(error) or error}", err=True)
    return {"image": image.name, "error": f"{type(error).__name__}: {error}"}


def write_tables(benchmark: Benchmark, records: Sequence[Record]) -> None:
    """Write quality.json and quality.md."""
    from consingan.machine.device import choose_device
    from consingan.machine.files import write_json, write_text
    from consingan.runs.about import versions

    about = {
        "machine": machine(choose_device(benchmark.device).device.type),
        "versions": versions(),
        "settings": dict(benchmark.settings),
        "samples": benchmark.samples,
    }
    table = {**about, "average": averages(records), "images": list(records)}
    write_json(benchmark.output / "quality.json", table)
    write_text(
        benchmark.output / "quality.md", markdown(records, benchmark.samples, benchmark.settings)
    )


@click.command(cls=MethodCommand, context_settings=CONTEXT)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--samples",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    help="Samples of each picture.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("benchmarks/results/quality"),
    show_default=True,
    help="Folder of the table, the runs and the figures.",
)
@click.option("--inception_weights", "weights", metavar="PATH|URL", help="For SIFID.")
@click.option("--device", default="auto", show_default=True, help="As in training.")
@click.option("--precision", default="auto", show_default=True, help="As in training.")
@guarded
def main(folder: Path, samples: int, output: Path, **options: Any) -> None:
    """Train on every picture of FOLDER and make a table of figures of merit."""
    from consingan.images.folder import pictures_in

    settings = {f.name: options.pop(f.name) for f in dataclasses.fields(typed_method().config)}
    settings = {name: value for name, value in settings.items() if value is not None}
    for name in ("input_name", "naive_img", "fine_tune"):
        if name in settings:
            raise UserError(f"The pictures are those of FOLDER; leave out --{name}.")
    settings.setdefault("manual_seed", 0)
    benchmark = Benchmark(output, settings, samples, **options)
    try:
        records = run(benchmark, pictures_in(folder))
    except KeyboardInterrupt:
        click.echo("\nStopped; the same command goes on from here.", err=True)
        raise SystemExit(130) from None
    click.echo((output / "quality.md").read_text(encoding="utf-8"))
    if any("error" in record for record in records):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
