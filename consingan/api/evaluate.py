"""The one way in to an evaluation: ask something of a run, get files and a report."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from consingan._version import __version__
from consingan.api.own_picture import NAIVE, begin_work
from consingan.machine.execution import Execution
from consingan.machine.files import described
from consingan.metrics.sifid import load_inception
from consingan.outputs.contract import Examines, FromPictures, Kept, Request, Say, Work
from consingan.outputs.finish import sketched_of
from consingan.outputs.formats import chosen_format, said_of_range
from consingan.outputs.ownership import PUBLISHING, folder_of, owned, publish
from consingan.outputs.registry import output_of
from consingan.report.compare import Entry, check_count, entry, page, text_table
from consingan.report.kinds import KINDS
from consingan.report.verdicts import made_otherwise
from consingan.report.write import (
    Extras,
    all_alike,
    evaluation_folder,
    write_basics,
    write_report,
)
from consingan.runs.files import EVALUATION
from consingan.runs.load import LoadedRun, load_run
from consingan.settings.option import check_field

FORMAT = 1  # of the record that an evaluation leaves


@dataclass(frozen=True)
class Judging:
    """How results are judged.

    Attributes:
        metrics: whether at all.
        inception_weights: file or address of weights, for SIFID too.
        command: that was typed, for the report.
        baseline: whether samples without training stand beside those of a trained run.
    """

    metrics: bool = True
    inception_weights: str = ""
    command: str = ""
    baseline: bool = False


@dataclass(frozen=True)
class Evaluation:
    """An evaluation that was found to be possible; nothing is written yet.

    Attributes:
        kept: the picture that the run was trained with, if that one is worked on.
    """

    run: LoadedRun
    request: Request
    work: Work
    judging: Judging
    extras: Extras
    iteration: int | None = None
    kept: Kept | None = None

    def idle(self) -> Iterator[tuple[str, str]]:
        """Options that change nothing here, each with when that is so."""
        yield from self.work.idle()
        model, kind = self.run.model, KINDS[self.run.model.task.output]
        why = f"for a model trained for {model.config.train_mode}"
        if not kind.scored:
            yield "inception_weights", why
        if not kind.rivaled:
            yield "no_baseline", why
        elif not model.stages:
            yield "no_baseline", "for a run without training"
        elif not self.judging.metrics:
            yield "no_baseline", "with --no_metrics"
        if not self.judging.metrics and isinstance(self.work, Examines):
            yield from ((name, "with --no_metrics") for name in self.work.of_examination)

    def write(self) -> Path:
        """Make everything; returns the folder."""
        name = EVALUATION if self.iteration is None else f"{EVALUATION}/iteration_{self.iteration}"
        top, say = evaluation_folder(self.run.path, name), self.extras.say
        inputs = self._inputs()
        about = self._about(inputs)
        folder = folder_of(top, inputs[NAIVE]) if NAIVE in inputs else top
        with owned(folder, about, say):
            self._write_into(folder)
        if folder != top:
            with owned(top, about, say, PUBLISHING):
                publish(folder, top)
            say(f"also here, until another picture is evaluated: {top}")
        return top

    def _inputs(self) -> dict[str, dict[str, str]]:
        """The pictures that went in; of the run's own copy what the run noted of its file."""
        inputs = described(self.work.inputs if isinstance(self.work, FromPictures) else {})
        if self.kept is not None and self.kept.image is not None:
            inputs[NAIVE] = dict(self.kept.noted)
        return inputs

    def _about(self, inputs: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
        """What the record of the evaluation says beside its files."""
        return {
            "format": FORMAT,
            "version": __version__,
            "command": self.judging.command,
            "stages": len(self.run.model.sizes),
            "iteration": self.iteration,
            "request": dataclasses.asdict(self.request),
            "inputs": dict(inputs),
        }

    def _write_into(self, folder: Path) -> None:
        form, say = self.request.image_format, self.extras.say
        write_basics(self.run, folder, form, say)
        made = self.work.write(folder, say)
        if self.judging.metrics and isinstance(self.work, Examines):
            made = self.work.examine(made, folder, say)
        if self.judging.metrics:
            write_report(self.run, folder, made, self.request, self.extras)
        elif all_alike(self.run.model, _samples(made)):
            trained_anew = self.run.method.remedy("alike", self.run.model.config)
            sketched = sketched_of(self.run.model) is not None
            advice = made_otherwise(made, sketched) or trained_anew
            self.extras.say(f"Note: all samples are nearly the training image. {advice}".rstrip())


def _samples(made: Any) -> list[Tensor]:
    return list(getattr(made, "pictures", ()))


def prepare_evaluation(
    run: LoadedRun,
    request: Request,
    judging: Judging,
    say: Say = lambda _: None,
    iteration: int | None = None,
) -> Evaluation:
    """Look whether what is asked for can be made of a run.

    Args:
        run: loaded.
        request: of the kind that `outputs.registry.output_of` says.
        judging: how results are judged.
        say: takes a line for the user.
        iteration: of a fine-tuned run, the snapshot that was loaded.

    Raises:
        UserError: it cannot.
    """
    request_type = output_of(run.model).request
    assert isinstance(request, request_type), request_type
    for field in dataclasses.fields(request):
        check_field(field, getattr(request, field.name))
    chosen = chosen_format(request.image_format, run.model.config)
    request = dataclasses.replace(request, image_format=chosen)
    if said := said_of_range(chosen, run.model.config):
        say(said)
    work, kept = begin_work(run, request)
    weights = judging.inception_weights
    wanted = weights and judging.metrics and KINDS[run.model.task.output].scored
    inception = load_inception(weights) if wanted else None
    return Evaluation(
        run,
        request,
        work,
        judging,
        Extras(inception, say, judging.command, judging.baseline),
        iteration,
        kept,
    )


@dataclass(frozen=True)
class Comparison:
    """Several runs side by side, as text and as a page."""

    entries: list[Entry]

    @property
    def text(self) -> str:
        """A table for the terminal."""
        return text_table(self.entries)

    @property
    def html(self) -> str:
        """The page."""
        return page(self.entries)


def compare(
    paths: tuple[Path, ...],
    execution: Execution,
    samples: int,
    seed: int,
    say: Callable[[str], None],
) -> Comparison:
    """Put run folders side by side.

    Args:
        paths: two or more folders.
        execution: where samples are made.
        samples: how many to judge of a run that was not evaluated; 0 judges nothing.
        seed: of the samples.
        say: takes a line for the user.

    Raises:
        UserError: fewer than two, one named twice, or one that cannot be loaded.
    """
    check_count(paths)
    loaded = [load_run(path, execution) for path in paths]
    return Comparison([entry(n, run, samples, seed, say) for n, run in enumerate(loaded)])
