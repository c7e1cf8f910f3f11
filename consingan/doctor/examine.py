"""What `consingan doctor` says: all facts and all that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from consingan.doctor.facts import (
    Facts,
    devices,
    extras,
    in_words,
    load,
    precisions,
    unmet,
    versions,
)
from consingan.doctor.trial import folders, self_test
from consingan.machine.device import choose_device


@dataclass(frozen=True)
class Report:
    """All facts by section, and what is wrong (nothing, where the program works)."""

    facts: Mapping[str, Facts]
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether trainings work here."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """The same for json.dumps."""
        return {"ok": self.ok, "problems": list(self.problems), **self.facts}

    def lines(self) -> Iterator[str]:
        """The report as text of one fact a line."""
        for section, facts in self.facts.items():
            yield section
            width = max(len(name) for name in facts)
            yield from (f"  {name:<{width}}  {words}" for name, words in facts.items())
        yield "All is well." if self.ok else "Not all is well:"
        yield from (f"  {problem}" for problem in self.problems)


def examine(output_dir: Path, device: str = "auto") -> Report:
    """Look at everything.

    Args:
        output_dir: where runs are to be kept; nothing is made there.
        device: the one to test, named as in `--device`.

    Raises:
        UserError: there is no such device.
    """
    chosen = choose_device(device).device
    places, test = folders(output_dir), self_test(chosen)
    problems = [*unmet(), *(check.words for check in (*places.values(), test) if not check.ok)]
    asking: dict[str, Callable[[], Facts]] = {
        "versions": versions,
        "extras": extras,
        "devices": devices,
        f"precision on {chosen}": partial(precisions, chosen),
        "load": partial(load, chosen),
    }
    facts: dict[str, Facts] = {}
    for section, asked in asking.items():
        try:
            facts[section] = asked()
        except Exception as error:  # of a driver, for example: the rest is worth knowing
            facts[section] = {"failed": in_words(error)}
            problems.append(f"The {section} cannot be told: {in_words(error)}")
    facts["folders"] = {name: check.words for name, check in places.items()}
    facts["self test"] = {"result": test.words}
    return Report(facts, tuple(problems))
