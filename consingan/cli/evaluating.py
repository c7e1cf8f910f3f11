"""`evaluate_model.py`, also `consingan evaluate`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from consingan.cli.command import CONTEXT, EvaluatingCommand, typed_words, was_typed
from consingan.cli.evaluation_options import evaluation_options, note_idle_options, request_of
from consingan.cli.messages import guarded
from consingan.cli.options import run_named, say, wanted_of
from consingan.errors import UserError
from consingan.images.names import IMAGE_FORMATS
from consingan.machine.program import command_line, started_as
from consingan.settings.reading import AUTO

if TYPE_CHECKING:
    from consingan.machine.execution import Execution

EXAMPLES = ("--model_dir latest --num_samples 20 --size 500x200",)


@click.command(cls=EvaluatingCommand, context_settings=CONTEXT, examples=EXAMPLES)
@evaluation_options
@guarded
def evaluate(model_dir: Path | None, **options: Any) -> None:
    """Make pictures with a trained model.

    They lie in the folder Evaluation of its run, with a report that judges them.
    """
    if model_dir is None:
        raise UserError("--model_dir is missing: name the folder of a run below TrainedModels.")
    typed, model_dir = model_dir, run_named(model_dir)
    from consingan.api.evaluate import Judging, prepare_evaluation
    from consingan.machine.execution import choose_execution, settled
    from consingan.runs.load import load_run

    wanted = wanted_of(options)
    execution = settled(choose_execution(wanted), wanted)
    iteration = options["iteration"]
    run = load_run(model_dir, execution, iteration)
    if not wanted.precision and _is_deep(options, run.model.config):
        wanted = replace(wanted, precision="float32")
        execution = settled(choose_execution(wanted), wanted)
        run = load_run(model_dir, execution, iteration)
    for note in (*execution.notes, *run.notes):
        say(note)
    # All that can be refused comes before anything is written.
    request = request_of(run, options)
    command = _repeating(execution, typed, model_dir)
    judging = Judging(
        not options["no_metrics"],
        options["inception_weights"],
        command,
        not options["no_baseline"],
    )
    evaluation = prepare_evaluation(run, request, judging, say, iteration)
    note_idle_options(evaluation)
    click.echo(f"results: {evaluation.write()}")


def _is_deep(options: Mapping[str, Any], config: Any) -> bool:
    """Whether results have 16 bit, which need more than the 8 bits of bf16."""
    from consingan.outputs.formats import chosen_format

    return IMAGE_FORMATS[chosen_format(options["image_format"] or AUTO, config)][1] > 8


def _repeating(execution: Execution, typed: Path, run: Path) -> str:
    """The command that was typed, with the run and the execution that were left to the program."""
    from consingan.methods.command import execution_words

    words = list(typed_words() if run == typed else _naming(run))
    placed = any(was_typed(name) for name in ("device", "gpu", "not_cuda"))
    told = {"engine", *(name for name in ("precision", "threads") if was_typed(name))}
    told |= {"device"} if placed else set()
    how = {name: value for name, value in execution.to_json().items() if name not in told}
    return command_line((*started_as("evaluate"), *words, *execution_words(how)))


def _naming(run: Path) -> Iterator[str]:
    """What was typed, with this run where one was left open: latest, or a folder of runs."""
    before = ""
    for word in typed_words():
        flag, equals, _ = word.partition("=")
        if equals and _is_model_dir(flag):
            yield f"{flag}={run}"
        else:
            yield str(run) if _is_model_dir(before) else word
        before = word


def _is_model_dir(word: str) -> bool:
    return word.replace("-", "_") == "__model_dir"
