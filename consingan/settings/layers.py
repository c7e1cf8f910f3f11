"""Who wins where a setting is given in several places, and where it came from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from consingan.settings.config import Config

C = TypeVar("C", bound=Config)


@dataclass(frozen=True)
class Chosen(Generic[C]):
    """A Config and where each of its values came from.

    That is a name of a layer of `choose`, "default", or "picture" where the picture's size decided.
    """

    config: C
    origin: Mapping[str, str]


def choose(kind: type[C], layers: Mapping[str, Mapping[str, Any]]) -> Chosen[C]:
    """Lay settings over one another, the later layer winning, and remember where each came from.

    Args:
        kind: the method's Config.
        layers: origin -> {field: value}, weakest first, for example
            {"task": {...}, "preset": {...}, "typed": {...}}. None values count as not given.

    Raises:
        UserError: a value that cannot work.
    """
    values: dict[str, Any] = {}
    origin = {field.name: "default" for field in dataclasses.fields(kind)}
    for name, layer in layers.items():
        given = {key: value for key, value in layer.items() if value is not None}
        values.update(given)
        origin.update(dict.fromkeys(given, name))
    config = kind(**values)
    config.check()
    return Chosen(config, origin)
