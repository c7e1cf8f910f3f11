"""What a study will do: how many trainings, how long, how much memory; told before it begins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consingan.batch import ledger
from consingan.batch.done import is_done, is_longer
from consingan.batch.estimate import Estimate, estimates, left_of, longest_first
from consingan.batch.kept import orders_in
from consingan.batch.orders import Order, meant_before, meant_otherwise
from consingan.batch.slots import THREADS, Slot
from consingan.batch.study import Study, pictures_of, refuse_missing, variants, varied
from consingan.batch.toml import STUDY, read_study, write_study
from consingan.errors import UserError
from consingan.images.names import shown
from consingan.machine.files import make_folder
from consingan.machine.progress import counted, in_words
from consingan.methods.registry import method_of

if TYPE_CHECKING:
    from consingan.machine.execution import Execution

MEBI = 2**20
TRAINS = Estimate(0.0, 0)  # of what cannot be looked at, as far as is known


@dataclass(frozen=True)
class Plan:
    """A study with what is left of it.

    Attributes:
        study: its description.
        folder: of its runs and results.
        orders: all of its trainings.
        left: those that are not done, in the order in which they are begun.
        found: what each of these takes, by name; what cannot be begun is left out.
        computed: the precision and the engine of what is to be done, as far as they are known.
    """

    study: Study
    folder: Path
    orders: tuple[Order, ...]
    left: tuple[Order, ...]
    found: dict[str, Estimate]
    computed: Mapping[str, str] = field(default_factory=dict)

    @property
    def peak(self) -> int:
        """Bytes of the largest training beside the program itself."""
        return max((estimate.memory for estimate in self.found.values()), default=0)

    @property
    def threads(self) -> int:
        """CPU threads of each training."""
        return int(self.study.machine.get("threads") or THREADS)

    @property
    def device(self) -> str:
        """As `--device`."""
        return str(self.study.machine.get("device") or "auto")

    def seconds_each(self) -> dict[str, float]:
        """Of computing that is left of each training, by its name."""
        return {o.name: left_of(o, self.folder, self.found.get(o.name)) for o in self.left}

    def seconds(self) -> float:
        """Of computing that is left, one training after the other."""
        return sum(self.seconds_each().values())

    def begin(self) -> None:
        """Make the folder and keep the description in it.

        What an earlier call left half done is marked as such.

        Raises:
            UserError: it cannot be written.
        """
        write_study(make_folder(self.folder), self.study)
        for order in self.left:
            folder = self.folder / order.name
            if ledger.read(folder).get("status") in (ledger.TRAINING, ledger.JUDGING):
                ledger.Ledger(folder).note(status=ledger.STOPPED)

    def introduction(self) -> Iterator[str]:
        """Lines that say what there is to do."""
        study, count = self.study, len(pictures_of(self.study))
        names = varied(study)
        values = {"method": study.methods, "preset": study.presets, **study.settings}
        told = shown("; ".join(f"{name} {', '.join(map(str, values[name]))}" for name in names))
        yield (
            f"{counted(len(self.orders), 'training')}: {counted(count, 'picture')}, "
            f"{counted(sum(1 for _ in variants(study)), 'setting')}{f' ({told})' if told else ''},"
            f" {counted(len(study.seeds), 'seed')}"
        )
        if done := len(self.orders) - len(self.left):
            yield f"{done} done before, {len(self.left)} left"
            yield from self._mixed()
        yield from self._anew()
        if self.left:
            yield (
                f"about {in_words(self.seconds())} of computing, memory of the largest about "
                f"{self.peak / MEBI:.0f} MiB beside the program itself"
            )
        trains = any(self.found.get(order.name, TRAINS).trains for order in self.left)
        if self.left and self.left[0].save_every and not trains:
            yield "Note: --save_every does nothing where nothing is trained."
        if large := [o for o in self.left if not self.found.get(o.name, TRAINS).fits]:
            named = f"{len(large)} for more memory than is free here"
            yield f"Note: {named}, and so not timed, {large[0].words} first."
        if unknown := [o for o in self.left if o.name not in self.found]:
            yield f"Note: {len(unknown)} cannot be begun as it seems, {unknown[0].words} first."

    def _anew(self) -> Iterator[str]:
        """Notes where what a run learned is not there any more, or not what is asked for by now."""
        kept = [(o, self.folder / o.name, ledger.read(self.folder / o.name)) for o in self.left]
        longer = [order for order, place, entry in kept if is_longer(place, entry)]
        if longer:
            yield (
                f"Note: {len(longer)} trained anew, {longer[0].words} first: the run was trained "
                "longer by hand, and no figures from before are those that are asked for."
            )
        other = [(o, found) for o, _, entry in kept if (found := meant_otherwise(entry, o))]
        if other:
            order, found = other[0]
            yield (
                f"Note: {len(other)} trained anew, {order.words} first: what a preset or a default "
                f"means has changed since; {meant_before(found)} keeps what was trained."
            )

    def _mixed(self) -> Iterator[str]:
        """Notes where what is done was computed otherwise than the rest will be."""
        left = {order.name for order in self.left}
        done = [ledger.read(self.folder / o.name) for o in self.orders if o.name not in left]
        for name, now in self.computed.items():
            before = Counter(entry.get("execution", {}).get(name, now) for entry in done)
            before.pop(now, None)
            for other, count in sorted(before.items()):
                yield (
                    f"Note: {count} of those done were computed with --{name} {other}, what is "
                    f"asked for now is {now}; they stay as they are. For figures that compare use "
                    f"--{name} {other}, or another --output_dir."
                )

    def here(self, slots: list[Slot]) -> str:
        """How it is spread over this machine."""
        longest = max(self.seconds_each().values(), default=0.0)
        several = min(len(slots), len(self.left)) or 1
        devices = ", ".join(dict.fromkeys(slot.device for slot in slots))
        return (
            f"here: {several} at a time on {devices}, {counted(slots[0].threads, 'thread')} each, "
            f"about {in_words(max(self.seconds() / several, longest))}"
        )


def planned(
    study: Study, folder: Path, save_every: int | None = None, elsewhere: bool = False
) -> Plan:
    """Look what is left of a study and what that takes; nothing is written.

    Args:
        study: its description.
        folder: of its runs and results.
        save_every: iterations between saves.
        elsewhere: whether it is computed on other machines: they may have what this one lacks.

    Raises:
        UserError: it cannot work.
    """
    study.check()
    refuse_missing(study)
    if study.inception:
        from consingan.metrics.sifid import load_inception

        load_inception(study.inception)  # what is wrong with it is said now
    execution = _execution(study, elsewhere)
    orders, _ = orders_in(folder, study, save_every)
    left = [order for order in orders if not is_done(order, folder)]
    found = estimates(left, execution, anew=len(left) == len(orders))
    computed = {"precision": execution.arithmetic.name, "engine": execution.engine}
    asked = {name for name in computed if (study.machine.get(name) or "auto") != "auto"}
    known = asked if elsewhere or not left else computed.keys()
    return Plan(
        study, folder, tuple(orders), tuple(longest_first(left, folder, found)), found,
        {name: computed[name] for name in computed if name in known},
    )  # fmt: skip


def _execution(study: Study, elsewhere: bool) -> Execution:
    """How each training is executed, as far as this machine can.

    Raises:
        UserError: there is no such device, precision or engine.
    """
    from consingan.machine.execution import Wanted, choose_execution
    from consingan.machine.precision import PRECISIONS
    from consingan.training.prepare import check_engine

    wanted = Wanted(**{"threads": THREADS, **study.machine})
    try:
        execution = choose_execution(wanted)
    except UserError:
        if not elsewhere or wanted.precision not in PRECISIONS:
            raise
        execution = choose_execution(replace(wanted, precision=None))
    for name in study.methods:
        check_engine(method_of(name), execution)
    return execution


def kept_study(folder: Path) -> Study:
    """The description that a study's folder keeps.

    Raises:
        UserError: it keeps none.
    """
    if not (folder / STUDY).is_file():
        raise UserError(f"{folder} holds no study ({STUDY}); begin one with consingan batch.")
    return read_study(folder / STUDY)


def with_machine(study: Study, typed: dict[str, Any]) -> Study:
    """The study with what was typed of where and how to compute."""
    given = {name: value for name, value in typed.items() if value is not None}
    return replace(study, machine={**study.machine, **given})
