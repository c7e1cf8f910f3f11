"""Who wins where a setting is given in several places, and where it came from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consingan.settings.config import Config


@dataclass(frozen=True)
class Chosen:
    """A Config and where each of its values came from.

    That is a name of a layer of `choose`, "default", or "picture" where the picture's size decided.
    """

    config: Config
    origin: Mapping[str, str]


def choose(layers: Mapping[str, Mapping[str, Any]]) -> Chosen:
    """Lay settings over one another, the later layer winning, and remember where each came from.

    Args:
        layers: origin -> {field: value}, weakest first, for example
            {"mode": {...}, "preset": {...}, "typed": {...}}. None values count as not given.

    Raises:
        UserError: a value that cannot work.
    """
    values: dict[str, Any] = {}
    origin = {field.name: "default" for field in dataclasses.fields(Config)}
    for name, layer in layers.items():
        given = {key: value for key, value in layer.items() if value is not None}
        values.update(given)
        origin.update(dict.fromkeys(given, name))
    config = Config(**values)
    config.check()
    return Chosen(config, origin)
