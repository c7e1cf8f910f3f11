"""What a method is: the rows it announces, and what its code must be able to do.

A method knows no file, no loop and no face. It is announced by one `Method` in
`methods/<name>/method.py`, which imports no torch, and does its work in the module that its `code`
names, see `Code`. What a trained model can do beside being kept is told apart by small protocols:
`Samples`, `Reconstructs`, `Walks`, `Enters`, `Translates`, `Latent`, `Finishes`; an output asks
for the one that it needs.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from consingan.settings.config import Config
from consingan.settings.layers import Chosen
from consingan.settings.reading import RGB

if TYPE_CHECKING:
    from torch import Tensor

    from consingan.machine.execution import Execution

Size = tuple[int, int]


class ScaledSize(tuple[int, int]):
    """(h, w) in px that is `factors` (height, width) times the training's, as they were typed.

    Stages that have a factor in common with it are rounded once, from the factor itself.
    """

    factors: tuple[float, float]

    def __new__(cls, size: Size, factors: tuple[float, float]) -> ScaledSize:
        """`size`, which is compared and named like any other."""
        made = super().__new__(cls, size)
        made.factors = factors
        return made

    def __getnewargs__(self) -> tuple[Any, ...]:
        """What a copy is made with."""
        return (*self,), self.factors


@dataclass(frozen=True)
class Inputs:
    """What a training works on, read and checked once; pictures (1, C, H, W) in [-1, 1].

    Attributes:
        image: the training image.
        naive: the user's own picture at its own size.
        mask: (1, 1, H, W) in [0, 1]: a hole, or what a training ignores.
        condition: A of a pair whose B is the image.
    """

    image: Tensor
    naive: Tensor | None = None
    mask: Tensor | None = None
    condition: Tensor | None = None


@dataclass(frozen=True)
class Task:
    """One thing that a method can be trained for.

    Attributes:
        output: what an evaluation makes, a key of `outputs.registry.OUTPUTS`.
        summary: what it is good for, in a phrase.
        needs: fields of `Inputs` that a training must be given.
        takes: fields of `Inputs` beside the image that it may be given.
        overrides: recommended settings, weaker than anything typed.
        result: first word of the names of composites.
        mask_dilation: radius in px by which a mask is widened before compositing.
        detail: where a composite larger than the training has fine detail from, see `--detail`.
        fills: whether the mask is a hole, whose pixels do not matter.
        filled: the output in place of `output` where a training was given a hole; "" is the same.
        channels: what it can train of a picture, some of `settings.reading.CHANNELS`.
        presets: what some of the method's presets set in this task instead.
        tiles: whether ends of its pictures can meet.
        own_shape: whether a picture of the user's own keeps its shape, whatever the image's is.
        enlarging: whether it makes the image larger, and no other picture.
    """

    output: str = "samples"
    summary: str = ""
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    overrides: Mapping[str, Any] = field(default_factory=dict)
    result: str = ""
    mask_dilation: int = 0
    detail: str = "image"
    fills: bool = False
    filled: str = ""
    channels: tuple[str, ...] = (RGB,)
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tiles: bool = False
    own_shape: bool = False
    enlarging: bool = False

    def with_hole(self) -> Task:
        """The row of a training that was given a hole: it needs no picture of the user's own."""
        return replace(self, output=self.filled, takes=()) if self.filled else self

    @property
    def takes_naive(self) -> bool:
        """Whether it works on a picture of the user's own."""
        return "naive" in self.takes

    @property
    def random(self) -> bool:
        """Whether the seed changes what a composite becomes."""
        return True


@dataclass(frozen=True)
class Panel:
    """One drawing of a training's curves.

    Attributes:
        title: of the vertical axis.
        caption: what to look for.
        lines: label -> losses to be added up, each with its sign as "loss" or "-loss".
        log: whether the axis goes by powers of ten.
    """

    title: str
    caption: str
    lines: Mapping[str, tuple[str, ...]]
    log: bool = False


@dataclass(frozen=True)
class FineTuning:
    """How a trained model is trained on for one picture.

    Attributes:
        settings: recommended ones, weaker than anything typed.
        fixed: settings that a trained model cannot change any more.
        preset: the preset's settings as they count here, from them and what was typed.
        sources: tasks whose runs can be trained on for another task, too.
        again: whether a run that was trained on already can be once more.
    """

    settings: Mapping[str, Any]
    fixed: tuple[str, ...]
    preset: Callable[[dict[str, Any], Mapping[str, Any]], dict[str, Any]]
    sources: tuple[str, ...] = ()
    again: bool = True


def _no_fields(flags: Any, settings: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG001
    return {}


def _as_trained(config: Any, typed: Mapping[str, Any]) -> Any:  # noqa: ARG001
    return config


@dataclass(frozen=True)
class AuthorsCommand:
    """A command of the authors' own program, kept with its flags: `consingan <method> <name>`.

    Attributes:
        summary: what it does, in a sentence.
        task: of which it makes the output.
        serves: tasks whose runs it works with.
        flags: table of its own options, a dataclass of `settings.option.option` rows.
        request: fields of the output's request, from its flags and the settings that were typed.
        trains: whether it begins a training where there is no run; else it asks for one.
        free: settings that may be typed whatever the run was trained with.
        tunes: whether, with these flags, the run is first trained on for the user's own picture.
        reference: folder where the user's own picture lies; "" where there is none.
        words: flags of ours, and what is said in their place.
        suited: a run's settings for those that were typed, where what it learned serves several.
        usual: a setting whose default a run is preferred with where it was not typed; "" is none.
    """

    summary: str
    task: str
    serves: tuple[str, ...]
    flags: type
    request: Callable[[Any, Mapping[str, Any]], Mapping[str, Any]] = _no_fields
    trains: bool = False
    free: tuple[str, ...] = ("manual_seed", "niter", "fit")
    tunes: Callable[[Any], bool] = lambda flags: False  # noqa: ARG005
    reference: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    suited: Callable[[Any, Mapping[str, Any]], Any] = _as_trained
    usual: str = ""


Remedy = Callable[[Any], str]

SYMPTOMS = {
    "flat": "a training ended in one flat color",
    "diverged": "a number stopped being finite",
    "beaten": "a critic won, so that the generator hardly learned any more",
    "longer": "the image is not given back yet",
    "texture": "samples or frames do not look like the image",
    "copies": "samples repeat the image",
    "alike": "samples are all the image, said in half a sentence",
    "memory": "there is not enough memory, said in half a sentence",
    "still": "a film hardly moves",
    "learned_by_heart": "a translation is good for the trained pair alone",
    "smooth": "a translation lacks the texture of the image",
    "fits": "a composite fits no better than before",
    "misfits": "a composite fits worse than before",
}
"""What a report or a command looks for advice against, see `Method.remedies`."""


def _nothing_idle(config: Any) -> Iterable[tuple[str, str]]:  # noqa: ARG001
    return ()


def _no_words(losses: Sequence[float]) -> str:  # noqa: ARG001
    return ""


def _not_told(curves: Mapping[str, Any]) -> bool:  # noqa: ARG001
    return False


def _reads_nothing(path: Path) -> bool:  # noqa: ARG001
    return False


def _as_they_are(config: Any, sizes: Sequence[Size]) -> Any:  # noqa: ARG001
    return config


def _no_pictures(config: Any) -> Mapping[str, str]:  # noqa: ARG001
    return {}


@dataclass(frozen=True)
class Method:
    """All that the rest of the program knows of a method without loading its code.

    Attributes:
        name: as `--method` takes it, and the name of its folder.
        title: as the field writes it.
        paper: authors, title, venue.
        summary: a sentence for the table of methods.
        config: its settings, the shared fields and its own.
        tasks: `--train_mode` -> row.
        presets: `--preset` -> settings; a count in one of them never exceeds what it is laid over.
        label: name of a run's folder after its date.
        code: module that does the work, see `Code`.
        engines: `--engine` -> what it is, in a phrase; "auto" first.
        remedies: symptom of `SYMPTOMS` -> advice in the method's own flags, none with a value that
            is there already; to "still", "fits" and "misfits" a report adds flags of the output.
        losses: names of what a step returns, as runs that do not say have them.
        reconstruction: which of them says how well the image is given back; "" where none does.
        in_short: the losses of a step in a few words, for the progress bar.
        beaten: whether a critic won, by the losses of a finished stage, each a row of numbers.
        panels: drawings of the curves.
        fine_tuning: None where a trained model cannot be trained on.
        counts: settings that count iterations.
        idle: settings that change nothing beside the others, each with the reason.
        effective: the settings without what changes nothing at stages of these sizes (h, w), so
            that trainings are told to be the same that earlier releases kept otherwise.
        commands: of the authors' own program, by name.
        absent: flags of the authors' own program that this one lacks -> what to do instead, in a
            sentence.
        trial: settings of a training that takes a second, to see whether all works.
        finishing: settings with which it finishes what other models made, see `Finishes`.
        anchored: names of what a stage fixes at its beginning, see `Training.anchor`.
        reads: whether a folder is a run of the authors' own program.
        pictures: field of `Inputs` -> file, of further pictures that a training's settings name.
        bits: that it keeps of a picture's numbers.
    """

    name: str
    title: str
    paper: str
    summary: str
    config: type[Config]
    tasks: Mapping[str, Task]
    presets: Mapping[str, Mapping[str, Any]]
    label: Callable[[Any], str]
    code: str
    engines: Mapping[str, str] = field(default_factory=lambda: {"auto": "the only one"})
    remedies: Mapping[str, Remedy] = field(default_factory=dict)
    losses: tuple[str, ...] = ()
    reconstruction: str = ""
    in_short: Callable[[Sequence[float]], str] = _no_words
    beaten: Callable[[Mapping[str, Any]], bool] = _not_told
    panels: tuple[Panel, ...] = ()
    fine_tuning: FineTuning | None = None
    counts: tuple[str, ...] = ("niter",)
    idle: Callable[[Any], Iterable[tuple[str, str]]] = _nothing_idle
    effective: Callable[[Any, Sequence[Size]], Any] = _as_they_are
    commands: Mapping[str, AuthorsCommand] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    trial: Mapping[str, Any] = field(default_factory=dict)
    finishing: Mapping[str, Any] = field(default_factory=dict)
    anchored: tuple[str, ...] = ()
    reads: Callable[[Path], bool] = _reads_nothing
    pictures: Callable[[Any], Mapping[str, str]] = _no_pictures
    bits: int = 16

    def task_of(self, config: Any) -> Task:
        """The row of what a training with these settings is for."""
        task = self.tasks[config.train_mode]
        return task.with_hole() if "mask" in self.pictures(config) else task

    def load(self) -> Code:
        """Import its code, and torch with it."""
        return cast(Code, importlib.import_module(self.code))

    def remedy(self, symptom: str, config: Config) -> str:
        """Advice against a symptom; "" where the method has none."""
        found = self.remedies.get(symptom)
        return found(config) if found else ""


class Code(Protocol):
    """The module that a method's `code` names; `Foreign` where `Method.reads` says yes at all."""

    def fitted(self, chosen: Chosen[Any], size: Size) -> tuple[Chosen[Any], list[str]]:
        """Fit recommended settings to a picture of `size` (h, w) px; notes on what changed."""
        ...

    def begin(
        self, config: Any, inputs: Inputs, execution: Execution, base: Mapping[str, Tensor] | None
    ) -> Training:
        """Set up a new training.

        Args:
            config: settings.
            inputs: what to train on.
            execution: where and how to compute.
            base: the tensors of a trained model to train on, of a fine-tuning.

        Raises:
            UserError: the inputs cannot be used with these settings.
        """
        ...

    def take_up(self, config: Any, tensors: Mapping[str, Tensor], execution: Execution) -> Training:
        """The training as it was at its very start, from `fixed` and `start` of it.

        Raises:
            KeyError: a tensor is missing.
            RuntimeError: one does not fit.
        """
        ...

    def restore(self, config: Any, tensors: Mapping[str, Tensor], execution: Execution) -> Model:
        """A model from its `fixed`, `anchor` and `weights` tensors.

        Raises:
            KeyError: a tensor is missing.
            RuntimeError: one does not fit.
        """
        ...


class Foreign(Protocol):
    """What the code of a method has besides, that reads runs of the authors' program."""

    def read(self, path: Path) -> tuple[Any, dict[str, Tensor]]:
        """Settings and tensors as `restore` takes them.

        Raises:
            UserError: no stage is finished, or a file is missing or damaged.
        """
        ...


@dataclass(frozen=True)
class Rehearsal:
    """Iterations of a stage that are thrown away, to be timed.

    Attributes:
        step: runs one; its argument is the number of the iteration.
        turn: iterations after which they repeat in kind.
        untimed: iterations that are not like the later ones.
        size: (h, w) in px that they work at, where it is not that of the stage.
    """

    step: Callable[[int], Any]
    turn: int = 1
    untimed: int = 1
    size: Size | None = None


class Training(Protocol):
    """A training as the loop drives it, one iteration after the other."""

    @property
    def config(self) -> Config:
        """The settings."""
        ...

    @property
    def stages(self) -> int:
        """How many there are; 0 where nothing is learned."""
        ...

    @property
    def first(self) -> int:
        """The stage to begin with."""
        ...

    @property
    def losses(self) -> tuple[str, ...]:
        """Names of what `step` returns."""
        ...

    @property
    def sizes(self) -> list[Size]:
        """(h, w) in px of every stage."""
        ...

    @property
    def model(self) -> Model:
        """What is being trained."""
        ...

    def iterations(self, stage: int) -> int:
        """Iterations of a stage."""
        ...

    def cost(self, stage: int) -> float:
        """Relative time of one of its iterations."""
        ...

    def begin(self, stage: int, attempt: int) -> None:
        """Set a stage up; at a later attempt go back to its beginning, with other draws.

        Of a run that goes on `load_state` came before: what it loaded of this very stage is kept,
        networks and optimizers with their moments; a stage that it had not begun is begun.
        """
        ...

    def step(self, iteration: int) -> Tensor:
        """One iteration; its losses, (len(losses),) on the device; the loop detaches them.

        Random numbers come from (seed, stage, iteration, attempt) alone.
        """
        ...

    def saturated(self, recent: Tensor) -> bool:
        """Whether the stage is stuck and there is a beginning to go back to.

        Args:
            recent: losses of the last iterations, (n, len(losses)).
        """
        ...

    def flat(self, stage: int, losses: Tensor) -> bool:
        """Whether a finished stage gives the image back no better than one flat color does.

        Args:
            stage: its number.
            losses: its curves, (iterations, len(losses)).
        """
        ...

    def check_finite(self, stage: int, iteration: int) -> None:
        """Look at every weight and every moment.

        Raises:
            DivergedError: one of them is not finite.
        """
        ...

    def fixed(self) -> dict[str, Tensor]:
        """What is kept once and for all when a run is made: the images."""
        ...

    def start(self) -> dict[str, Tensor]:
        """Of a fine-tuning, the weights that it starts from; else nothing."""
        ...

    def anchor(self, stage: int) -> dict[str, Tensor]:
        """What a stage fixes at its beginning, each name begun with "anchor.<stage>."."""
        ...

    def scalars(self, stage: int) -> dict[str, float]:
        """Numbers that a stage fixes, worth a curve over the stages; by name."""
        ...

    def weights(self) -> dict[str, Tensor]:
        """What a finished stage is worth."""
        ...

    def state(self) -> dict[str, Tensor]:
        """Everything that `load_state` needs to go on in the middle of a stage, bit for bit."""
        ...

    def load_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Take up `state` with the anchors of the stages begun, on any device."""
        ...

    def facts(self) -> Iterator[str]:
        """Lines that say what will be trained: sizes, parameters."""
        ...

    def peak_memory(self, checkpointing: bool | None = None) -> int | None:
        """Bytes that the largest step takes beside the program.

        None is checkpointing as planned; the answer is None where it cannot be done so.
        """
        ...

    def rehearse(self, stage: int) -> Rehearsal:
        """Iterations of `stage` on networks that are thrown away."""
        ...


@runtime_checkable
class Resizes(Protocol):
    """What a training has besides, that knows what it would take at another size."""

    def peak_memory_at(self, longer: int, origin: Mapping[str, str]) -> int:
        """`Training.peak_memory` if the longer side were `longer` px.

        `origin` of the settings says which of them are the user's own, see `layers.Chosen`.
        """
        ...


@runtime_checkable
class Reopens(Protocol):
    """What the training of a method has besides, whose finished runs can be trained on."""

    def reopened(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What `load_state` takes to go on in the last stage, from a finished run's `weights`."""
        ...


class Model(Protocol):
    """A trained (or partly trained) model."""

    @property
    def config(self) -> Config:
        """The settings it was trained with."""
        ...

    @property
    def task(self) -> Task:
        """What it was trained for."""
        ...

    @property
    def device(self) -> Any:
        """Where it lies."""
        ...

    @property
    def real(self) -> Tensor:
        """The training image at the newest stage, (1, 3, h, w) in [-1, 1]."""
        ...

    @property
    def sizes(self) -> list[Size]:
        """(h, w) in px of each finished stage."""
        ...

    @property
    def stages(self) -> int:
        """How many stages a whole training has; 0 where nothing is learned."""
        ...

    @property
    def finite(self) -> bool:
        """Whether all of its numbers are."""
        ...

    def weights(self) -> dict[str, Tensor]:
        """What it learned, named as in `Training.weights`."""
        ...


@runtime_checkable
class Samples(Protocol):
    """Makes random pictures of any size."""

    def sample(self, indices: Sequence[int], size: Size | None, seed: int) -> Tensor:
        """(n, 3, h, w) in [-1, 1] on the CPU; picture i depends on (seed, i) alone."""
        ...

    def at_a_time(self, size: Size | None) -> int:
        """How many pictures of `size` are best made together."""
        ...

    @property
    def least_size(self) -> Size:
        """The smallest (h, w) that still is a picture."""
        ...


@runtime_checkable
class Finishes(Protocol):
    """Makes a picture that another model made anew, of what it knows of the same image."""

    @property
    def least_size(self) -> Size:
        """The smallest (h, w) px of a picture and of the image."""
        ...

    def finish(
        self, picture: Tensor, level: float, seed: int, index: int, within: float = 0.0
    ) -> Tensor:
        """(1, C, h, w) in [-1, 1] on the CPU, at the picture's own size.

        Args:
            picture: (1, C, h, w) in [-1, 1], of any size.
            level: how much of it is made anew, above 0 to 1.
            seed: chooses what is random.
            index: of the picture; the same seed and index give the same one.
            within: how far it may go from the picture, seen from afar, in standard deviations of
                the image; less is made anew where it would go farther. 0: anywhere.
        """
        ...

    def begun(self, picture: Tensor, level: float, seed: int, index: int) -> Tensor:
        """What becomes of it first, small, (1, C, h', w') on the CPU: where things are."""
        ...

    def memory(self, size: Size) -> int:
        """Bytes that a picture of `size` (h, w) takes beside the program."""
        ...


@runtime_checkable
class Sketches(Protocol):
    """May leave the detail of its samples to a finish, see `Finishes`."""

    @property
    def sketched(self) -> Size | None:
        """(h, w) in px, reduced to which its pictures are as they should be; None: as they are."""
        ...


@runtime_checkable
class HasTrainedPart(Protocol):
    """Gives the stages that were trained where finer ones were only begun, see `Sketches`."""

    @property
    def trained_part(self) -> Model | None:
        """A model of them alone, whose pictures have their size; None: all were trained."""
        ...


@runtime_checkable
class Unrolls(Protocol):
    """Makes large pictures strip by strip, so that they need not be held whole."""

    def unrolls(self, size: Size | None) -> bool:
        """Whether pictures of `size` (h, w) are made so."""
        ...

    def unroll(self, index: int, size: Size | None, seed: int) -> Iterator[Tensor]:
        """What `Samples.sample` makes, from the top: (1, 3, rows, w) in [-1, 1] on the CPU."""
        ...

    def strip_memory(self, size: Size | None) -> int:
        """Bytes that this takes."""
        ...


@runtime_checkable
class Crops(Protocol):
    """Learned crops of its training image, and knows nothing of the whole."""

    def crops(self, count: int, seed: int) -> Tensor:
        """Such crops from anywhere, (count, 3, h, w) in [-1, 1] on the CPU."""
        ...


@runtime_checkable
class Foresees(Protocol):
    """Knows how much memory its pictures take."""

    def picture_memory(self, size: Size | None, pictures: int) -> int:
        """Bytes that making so many pictures of `size` (h, w) at a time takes."""
        ...

    def frame_memory(self, size: Size | None) -> int:
        """Bytes that a film of `size` (h, w) takes, however long it is."""
        ...


@runtime_checkable
class Reconstructs(Protocol):
    """Gives back the training image from what it learned."""

    def reconstruction(self) -> Tensor:
        """(1, 3, h, w) in [-1, 1], to be compared with `real`."""
        ...


@dataclass(frozen=True)
class Walk:
    """A film's way through what a model can make.

    Attributes:
        alpha: pull back to the image, 0 (free) to 1 (still).
        beta: smoothness of the motion, 0 (jumpy) to 1.
        start_stage: stages below it stand still.
        size: (h, w) in px; None is the training size.
        seed: chooses the film.
        loop: the last frame leads back to the first.
        straight: whether the way between two points is a line, where the model has points; else
            it keeps their distance from the middle.
    """

    alpha: float = 0.1
    beta: float = 0.9
    start_stage: int = 0
    size: Size | None = None
    seed: int = 0
    loop: bool = False
    straight: bool = False


@runtime_checkable
class Walks(Protocol):
    """Makes films."""

    def frames(self, count: int, walk: Walk) -> Iterator[Tensor]:
        """Frames (1, 3, h, w) in [-1, 1] on the CPU, one after the other."""
        ...

    @property
    def starts(self) -> Sequence[int]:
        """The stages that a film can start at."""
        ...

    def check_start(self, stage: int) -> None:
        """Refuse a start stage that it does not have.

        Raises:
            UserError: the sentence says which there are.
        """
        ...


@runtime_checkable
class Closes(Protocol):
    """Makes films whose last frame leads back to the first, whether that was asked for or not."""

    @property
    def always_closed(self) -> bool:
        """That it is so."""
        ...


@runtime_checkable
class Enlarges(Protocol):
    """Makes its training image larger."""

    @property
    def task(self) -> Task:
        """What it was trained for."""
        ...

    @property
    def real(self) -> Tensor:
        """The training image, (1, 3, h, w) in [-1, 1]."""
        ...

    @property
    def device(self) -> Any:
        """Where it lies."""
        ...

    @property
    def enlarged_size(self) -> Size:
        """(h, w) in px of the result."""
        ...

    def enlarge(self, seed: int) -> Tensor:
        """(1, 3, H, W) in [-1, 1] on the CPU."""
        ...


@runtime_checkable
class Begins(Protocol):
    """Makes samples whose coarse layout is the training image's."""

    def beginning_at(self, stage: int) -> Samples:
        """The same model, whose samples are random from `stage` on.

        Raises:
            UserError: it does not have that stage.
        """
        ...


@runtime_checkable
class Enters(Protocol):
    """Takes in a picture of the user's own.

    Attributes:
        starts: the stages where it can come in.
        first_start: the one where it comes in if nobody says.
    """

    starts: Sequence[int]
    first_start: int

    def enter(self, image: Tensor, stage: int, seed: int) -> Tensor:
        """What becomes of `image` (1, 3, H, W) that comes in at `stage`: (1, 3, h, w)."""
        ...

    def check_start(self, stage: int) -> None:
        """Refuse a start stage that it does not have.

        Raises:
            UserError: the sentence says which there are.
        """
        ...


@runtime_checkable
class Fills(Protocol):
    """Fills a hole in a picture."""

    def fill(self, image: Tensor, mask: Tensor, seed: int) -> Tensor:
        """`image` (1, 3, H, W) with what `mask` (1, 1, H, W) marks made anew: (1, 3, h, w)."""
        ...


@runtime_checkable
class HasHole(Fills, Protocol):
    """Was trained on a picture with a hole, of which it knows nothing."""

    @property
    def holed(self) -> Any:
        """Picture and hole at the picture's own size, `methods.holes.Holed`; None without one."""
        ...

    @property
    def saw_known(self) -> bool:
        """Whether it learned the known part, so that a copy of the hole there proves little."""
        ...


@runtime_checkable
class Translates(Protocol):
    """Makes from a new A what B is to the A that it was trained with."""

    @property
    def condition(self) -> Tensor:
        """A of the training, (1, 3, h, w) in [-1, 1], at the size of `Model.real`."""
        ...

    @property
    def labels(self) -> bool:
        """Whether the colors of A are names of things, so that there is nothing between them."""
        ...

    def render(self, condition: Tensor) -> Tensor:
        """From an A at the training's scale, (k, 3, h, w) in [-1, 1] of its size, on the CPU."""
        ...

    def translate(self, condition: Tensor) -> Tensor:
        """From an A of the user's own, (1, 3, H, W): (k, 3, H, W) in [-1, 1] on the CPU.

        Where A was made smaller for the training, so is this one, and the result made larger.
        """
        ...

    def notes_on(self, condition: Tensor) -> list[str]:
        """What the user should know about an A.

        Raises:
            UserError: it is so unlike the A of the training that nothing could come of it.
        """
        ...


@runtime_checkable
class Latent(Protocol):
    """Makes each picture from one vector, with which one can calculate."""

    def latent(self, indices: Sequence[int], seed: int) -> Tensor:
        """The vectors of the samples with these numbers, (n, d) on the CPU."""
        ...

    def pictured(self, latent: Tensor) -> Tensor:
        """What vectors (n, d) become, (n, 3, h, w) in [-1, 1] on the CPU."""
        ...
