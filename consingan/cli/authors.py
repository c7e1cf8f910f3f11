"""`consingan <method> <command>`: the commands of a method's authors, with their flags.

What a run knows needs no flag; no run counts that a given one contradicts: a command that trains
trains another then, the others refuse.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from consingan.cli.command import CONTEXT, CarefulCommand, explain_absent
from consingan.cli.group import Commands
from consingan.cli.messages import explained, guarded
from consingan.cli.options import (
    execution_options,
    note_idle_settings,
    request_options,
    say,
    seed_of,
    wanted_of,
)
from consingan.cli.setting_options import GroupedOption, method_settings, shared_settings
from consingan.cli.watching import foretell, say_finished, watching
from consingan.errors import UserError
from consingan.machine.program import command_line, started_as
from consingan.methods.contract import AuthorsCommand, Method
from consingan.methods.registry import METHODS
from consingan.settings.config import RUNS
from consingan.settings.option import flag_name

if TYPE_CHECKING:
    from consingan.machine.execution import Execution
    from consingan.runs.load import LoadedRun

INPUT_DIR = "Input/Images"
_place = functools.partial(GroupedOption, group="run")
OWN_PLACE = ("method", "train_mode", "input_name", "naive_img", "fine_tune", "preset")


def authors_groups() -> Iterator[click.Group]:
    """A group of commands for every method whose authors have some."""
    for method in METHODS.values():
        if method.commands:
            about = f"Commands of {method.title}'s authors, with their flags."
            training = ("--method", method.name)
            group = Commands(method.name, help=about, training=training, context_settings=CONTEXT)
            for name, row in method.commands.items():
                group.add_command(_command(method, name, row))
            yield group


class _Command(CarefulCommand):
    """A command that says what to do instead of a flag of the authors' that it lacks."""

    named = "--input_name names the picture"

    def __init__(self, method: Method, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.method = method

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            explain_absent(error, self.method)
            raise


def _command(method: Method, name: str, row: AuthorsCommand) -> click.Command:
    @guarded
    def callback(**options: Any) -> None:
        click.echo(f"results: {Request(method, row, options).answer()}")

    params = [
        _place(["--input_name"], required=True, help="The training image."),
        _place(["--input_dir"], default=INPUT_DIR, help="Where it lies.", show_default=True),
        _place(["--output_dir"], default=RUNS, type=click.Path(path_type=Path),
               help="Where runs lie.", show_default=True),
    ]  # fmt: skip
    if row.reference:
        params += [
            _place(["--ref_name"], required=True, help="Your own picture."),
            _place(["--ref_dir"], default=row.reference, help="Where it lies."),
        ]
    own = request_options(row.flags)
    settings = [
        p for p in (*shared_settings(), *method_settings(method)) if p.name not in OWN_PLACE
    ]
    machine: Any = execution_options(lambda: None)
    return _Command(
        method,
        name,
        callback=callback,
        params=[*params, *own, *settings, *reversed(machine.__click_params__)],
        help=row.summary,
        context_settings=CONTEXT,
    )


@dataclasses.dataclass(frozen=True)
class Request:
    """What was typed."""

    method: Method
    row: AuthorsCommand
    options: Mapping[str, Any]

    @property
    def typed(self) -> dict[str, Any]:
        """Settings of a training that were typed."""
        names = [field.name for field in dataclasses.fields(self.method.config)]
        given = {n: self.options.get(n) for n in names if n not in OWN_PLACE}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def flags(self) -> Any:
        """The command's own flags."""
        names = [field.name for field in dataclasses.fields(self.row.flags)]
        return self.row.flags(**{name: self.options[name] for name in names})

    def answer(self) -> Path:
        """Find or train a run, make what is asked for; the folder of the results."""
        from consingan.api.evaluate import Judging, prepare_evaluation
        from consingan.outputs.registry import OUTPUTS

        picture = found_file(self.options["input_name"], self.options["input_dir"])
        own = (
            found_file(self.options["ref_name"], self.options["ref_dir"])
            if self.row.reference
            else ""
        )
        run = self._run(picture)
        if self.row.tunes(self.flags):
            free = {name: v for name, v in self.typed.items() if name in self.row.free}
            run = self._train({**free, "fine_tune": True, "naive_img": own}, run.path)
        model = run.model.for_task(self.row.task)
        asked = {
            **self.row.request(self.flags, self.typed),
            "seed": self.typed.get("manual_seed", 0),
        }
        if own:
            asked |= {"naive_img": own, "fit": self.typed.get("fit", "stretch")}
        request = OUTPUTS[model.task.output].request(**asked)
        run = dataclasses.replace(run, model=model)
        try:
            return prepare_evaluation(run, request, Judging(metrics=False), self._say).write()
        except UserError as error:
            raise UserError(self._in_their_words(f"{error}")) from error

    def _say(self, line: str) -> None:
        say(self._in_their_words(line))

    def _in_their_words(self, text: str) -> str:
        """What an output says, with the command's flags in place of those that it lacks."""
        for ours, theirs in self.row.words.items():
            text = text.replace(ours, theirs)
        return text

    @functools.cached_property
    def execution(self) -> Execution:
        """Where and how to compute."""
        from consingan.machine.execution import choose_execution

        return choose_execution(wanted_of(self.options))

    def _run(self, picture: str) -> LoadedRun:
        """A run of the picture that serves; else a new one, or advice."""
        from consingan.images.names import image_stem
        from consingan.runs.earlier import is_of

        parent = self.options["output_dir"] / image_stem(picture)
        refused, others = "", ""
        serving: list[tuple[LoadedRun, Any]] = []
        for run in self._finished(parent):
            if not is_of(run, picture):
                others = ", only of other pictures of that name"
                continue
            config = self.row.suited(run.model.config, self.typed)
            differing = self._differing(config)
            if not differing:
                serving.append((run, config))
                if self.row.usual and self.row.usual not in self.typed:
                    continue  # an older one may be preferred
                break
            refused = refused or f"{run.path} was trained with {differing}"
        if serving:
            return self._chosen(serving)
        if self.row.trains:
            return self._train({"input_name": picture, **self.typed}, None)
        if refused:
            raise UserError(f"{refused}; leave that flag out, or train anew.")
        words = ("--method", self.method.name, "--input_name", picture)
        raise UserError(
            f"There is no run of {picture} in {parent}{others}; train one first: "
            f"{command_line((*started_as('train'), *words))}"
        )

    def _chosen(self, serving: Sequence[tuple[LoadedRun, Any]]) -> LoadedRun:
        """The newest with the default of the row's `usual` setting, else the newest."""
        run, config = serving[0]
        if self.row.usual:
            usual = self.method.config.__dataclass_fields__[self.row.usual]
            values = [getattr(other, usual.name) for _, other in serving]
            taken = values.index(usual.default) if usual.default in values else 0
            run, config = serving[taken]
            if len(set(values)) > 1:
                flag, known = f"--{flag_name(usual)}", sorted(set(values))
                say(
                    f"Note: there are runs with {flag} {', '.join(f'{v:g}' for v in known)}; "
                    f"taken is {flag} {values[taken]:g}, as none was typed."
                )
        click.echo(f"run: {run.path}")
        model = self.method.load().restore(config, run.tensors, self.execution)
        return dataclasses.replace(run, model=model)

    def _finished(self, parent: Path) -> Iterator[LoadedRun]:
        """Finished runs of this method for a task that serves, newest first."""
        for path in sorted(parent.iterdir(), reverse=True) if parent.is_dir() else ():
            run = self._loaded(path)
            if run is None or run.method is not self.method or run.model.config.fine_tune:
                continue
            if run.model.config.train_mode not in self.row.serves:
                continue
            if run.finished:
                yield run
            else:
                say(f"Note: {path} is passed over: it is not finished.")

    def _loaded(self, path: Path) -> LoadedRun | None:
        """A run; None if `path` is none, or if it cannot be loaded, which is said."""
        from consingan.runs.load import load_run
        from consingan.runs.manifest import MANIFEST

        execution = self.execution  # what is wrong with it is no fault of a run
        try:
            return load_run(path, execution)
        except UserError as error:
            if (path / MANIFEST).is_file() or (path.is_dir() and self.method.reads(path)):
                say(f"Note: {path} is passed over: {error}")
            return None

    def _differing(self, config: Any) -> str:
        """The first setting that was typed and is another in the run, as the run has it."""
        for field in dataclasses.fields(config):
            value = self.typed.get(field.name)
            if field.name not in self.row.free and value not in (None, getattr(config, field.name)):
                return f"--{flag_name(field)} {getattr(config, field.name)}"
        return ""

    def _train(self, settings: Mapping[str, Any], base: Path | None) -> LoadedRun:
        from consingan.api.train import begin, finish
        from consingan.machine.execution import settled
        from consingan.runs.load import load_run
        from consingan.training.plan import introduction
        from consingan.training.prepare import prepare

        seed = seed_of({"manual_seed": self.options["manual_seed"]})
        own = {"method": self.method.name, "train_mode": self.row.task, "manual_seed": seed}
        execution = settled(self.execution, wanted_of(self.options))
        job = prepare({**settings, **own}, execution, base=base)
        for line in introduction(job):
            say(line)
        note_idle_settings(self.method, settings, job.chosen.config)
        foretell(job, None)
        run = begin(job, self.options["output_dir"])
        assert run.folder is not None
        with explained(run.folder.path):
            finish(run, watching({"tensorboard": False}))
        say_finished(run.folder)
        return load_run(run.folder.path, self.execution)


def found_file(name: str, folder: str) -> str:
    """The file called `name`, with or without its folder.

    Raises:
        UserError: there is none; the sentence says where it was looked for.
    """
    if ":" in name or Path(name).is_file():
        return name
    inside = Path(folder) / name
    if inside.is_file():
        return str(inside)
    raise UserError(f"There is no picture {name}, here or in {folder}; check its name.")
