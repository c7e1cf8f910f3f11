"""Commands that notice what else would go wrong in silence, and their help in groups."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import click

from consingan.cli.setting_options import method_settings, settings_called, shared_settings
from consingan.cli.words import joined, with_one_dash
from consingan.errors import UserError
from consingan.machine.program import command_line, started_as
from consingan.methods.choose import refuse_foreign_settings
from consingan.methods.contract import Method
from consingan.methods.registry import METHODS, method_of
from consingan.settings.option import flag_names

_TYPED = "consingan.typed"
_METHOD = "consingan.method"

CONTEXT: dict[str, Any] = {
    "help_option_names": ["-h", "--help"],
    "max_content_width": 100,
    # Every flag is accepted with hyphens as well as with underscores.
    "token_normalize_func": lambda token: token.replace("-", "_"),
}


class CarefulCommand(click.Command):
    """A command that notices what else would go wrong in silence.

    A value that is empty is refused: it is what a shell makes of a variable that is not set. An
    option that is given twice is heeded once, and a note says so.

    Args:
        examples: what may follow the command's name, for the end of the help.
    """

    named = ""  # what it works on, and how, where that is no argument

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Check the words themselves, then parse them."""
        args = list(joined(args))
        try:
            values, extra, order = self.make_parser(ctx).parse_args(args=list(args))
        except click.NoSuchOption as error:
            known = [flag for parameter in self.get_params(ctx) for flag in parameter.opts]
            for word, flag in with_one_dash(args, known):
                # No NoSuchOption: the command has the flag, whatever else has it, too.
                text = f"No such option {word!r}. Did you mean {flag!r}?"
                raise click.UsageError(text, ctx) from error
            self._explain_argument(error, ctx)
            raise
        helped = ctx.resilient_parsing or {*args}.intersection(ctx.help_option_names)
        if extra and self.named and not helped:
            text = f"{extra[0]!r} belongs to no option; {self.named}, in quotes if it has spaces."
            raise click.UsageError(text, ctx)
        for parameter in self.get_params(ctx):
            value = values.get(parameter.name or "")
            if value == "" or (isinstance(value, (tuple, list)) and "" in value):
                text = "it is empty; give a value or leave it out."
                raise click.BadParameter(text, ctx, parameter)
        single = [p for p in order if isinstance(p, click.Option) and not p.multiple]
        for parameter in dict.fromkeys(single):
            if single.count(parameter) > 1:
                flag = parameter.opts[0]
                click.echo(f"Note: {flag} is given more than once; the last one counts.", err=True)
        ctx.meta[_TYPED] = tuple(args)
        return super().parse_args(ctx, args)

    def _explain_argument(self, error: click.NoSuchOption, ctx: click.Context) -> None:
        """Raise a sentence in place of `error` where the option names what needs no flag here.

        Raises:
            NoSuchOption: it does.
        """
        arguments = {p.name for p in self.get_params(ctx) if isinstance(p, click.Argument)}
        if arguments and _typed_name(error) in arguments | {"input_name", "model_dir"}:
            what = " ".join(self.collect_usage_pieces(ctx)[1:])
            text = f"No such option {error.option_name!r}: {self.name} takes {what} without a flag."
            raise click.NoSuchOption(error.option_name, text, ctx=ctx) from None

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under the headings of their groups."""
        groups: dict[str, list[tuple[str, str]]] = {}
        shown = self.shown(ctx)
        rest = "other" if any(getattr(parameter, "group", "") for parameter in shown) else "options"
        for parameter in shown:
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                words = record[0].replace("INTEGER RANGE", "N").replace("FLOAT RANGE", "X")
                heading = getattr(parameter, "group", "") or rest
                groups.setdefault(heading, []).append((words, record[1]))
        for heading, records in groups.items():
            with formatter.section(heading.capitalize()):
                formatter.write_dl(records)

    def shown(self, ctx: click.Context) -> Sequence[click.Parameter]:
        """The options of the help."""
        return self.get_params(ctx)

    def format_epilog(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the examples, as they can be typed here, on lines of their own."""
        if self.examples:
            start = command_line(started_as(str(self.name)))
            lines = (f"  {start} {words}" for words in self.examples)
            formatter.write_paragraph()
            formatter.write_text("\n".join(("\b", "Examples:", *lines)))


class EvaluatingCommand(CarefulCommand):
    """A command that works on a trained model, and knows what only a training is asked."""

    named = "--model_dir names the run"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; a setting of a training is answered with where it belongs."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            for field in settings_called(_typed_name(error)):
                where = self.where_it_belongs(field.name)
                text = f"{error.option_name} is a setting of a training{where}"
                raise click.UsageError(text, ctx) from None
            raise

    def where_it_belongs(self, _setting: str) -> str:
        """The end of the sentence that refuses a setting of a training."""
        train = command_line(started_as("train"))
        return f" ({train}); its run keeps it, and what is made with the model follows it."


class MethodCommand(CarefulCommand):
    """A command whose options are those of the method that `--method` names.

    The help shows what all methods share, and with a method named also its own.
    """

    named = "--input_name names the picture, --model_dir a run to go on with"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Look which method is meant, then parse with its options."""
        named = _named_method(args)
        try:
            ctx.meta[_METHOD] = (method_of(named), named is not None)
        except UserError as error:
            raise click.UsageError(str(error), ctx) from None
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            for method in (ctx.meta[_METHOD][0], *METHODS.values()):
                explain_absent(error, method)
            _explain_foreign(error, ctx.meta[_METHOD][0])
            _explain_later(error)
            raise

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """What the command itself has and the settings of the method."""
        method, _ = ctx.meta.get(_METHOD, (method_of(None), False))
        *own, help_option = super().get_params(ctx)
        return [*shared_settings(), *method_settings(method), *own, help_option]

    def shown(self, ctx: click.Context) -> Sequence[click.Parameter]:
        """What all methods share; with a method named, its own too."""
        method, named = ctx.meta[_METHOD]
        own = {p.name for p in method_settings(method)}
        if not named:
            return [p for p in self.get_params(ctx) if p.name not in own]
        shared = {p.name: p for p in shared_settings(method)}
        return [shared.get(p.name, p) for p in self.get_params(ctx)]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Say how to see the rest."""
        if not ctx.meta[_METHOD][1]:
            names = "|".join(METHODS)
            formatter.write_paragraph()
            formatter.write_text(
                f"Each method has settings of its own: --method {names} --help shows them; "
                "`consingan methods` says what each method can do."
            )
        super().format_epilog(ctx, formatter)


def _named_method(args: Sequence[str]) -> str | None:
    """The value of the last `--method` among `args`."""
    found = None
    for place, word in enumerate(args):
        if word.startswith("--method="):
            found = word.partition("=")[2]
        elif word == "--method" and place + 1 < len(args):
            found = args[place + 1]
    return found


def explain_absent(error: click.NoSuchOption, method: Method) -> None:
    """Raise a sentence in place of `error` where the method's authors have the option.

    Raises:
        UsageError: they have.
    """
    if instead := method.absent.get(_typed_name(error)):
        raise click.UsageError(f"{error.option_name}: {instead}", error.ctx) from None


def _typed_name(error: click.NoSuchOption) -> str:
    return error.option_name.lstrip("-").replace("-", "_")


def _explain_foreign(error: click.NoSuchOption, method: Method) -> None:
    """Raise a sentence in place of `error` where another method has the option.

    Raises:
        UsageError: it has.
    """
    for field in settings_called(_typed_name(error)):
        try:
            refuse_foreign_settings(method, {field.name: error.option_name})
        except UserError as reason:
            raise click.UsageError(str(reason), error.ctx) from None


def _explain_later(error: click.NoSuchOption) -> None:
    """Raise a sentence in place of `error` where what is made with a model has the option.

    Raises:
        UsageError: it has.
    """
    from consingan.outputs.registry import OUTPUTS

    fields = (field for output in OUTPUTS.values() for field in dataclasses.fields(output.request))
    later = {name for field in fields for name in flag_names(field)}
    if _typed_name(error) in later - {"seed"}:  # a training has one too: click finds --manual_seed
        evaluate = command_line(started_as("evaluate"))
        text = f"{error.option_name} is for what is made with the trained model ({evaluate})."
        raise click.UsageError(text, error.ctx) from None


def typed_words() -> tuple[str, ...]:
    """What was typed after the present command's name."""
    words: tuple[str, ...] = click.get_current_context().meta[_TYPED]
    return words


def typed_method() -> Method:
    """The method that the present command is about."""
    method: Method = click.get_current_context().meta[_METHOD][0]
    return method


def was_typed(name: str) -> bool:
    """Whether the user gave the option whose value is called `name`."""
    context = click.get_current_context()
    if context.params.get(name) == ():  # click 8.2.0 says that arguments without words were typed
        return False
    return context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


def flag_of(name: str) -> str:
    """How the option whose value is called `name` is typed."""
    context = click.get_current_context()
    return next(p.opts[0] for p in context.command.get_params(context) if p.name == name)
