"""Words as they were typed, and as they are meant."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Sequence

from consingan.machine.files import at_home
from consingan.settings.hole import COLOR


def joined(args: Sequence[str]) -> Iterator[str]:
    """Words as typed, but paths below "~/" in full, also where they follow a flag's "=".

    And `--mask auto_color 255,0,0` is one word where somebody wrote two.
    """
    words = map(_at_home, args)
    for word in words:
        following = list(itertools.islice(words, 1)) if word == COLOR else []
        if following and re.fullmatch(r"\d+,\d+,\d+", following[0]):
            yield f"{word}:{following[0]}"
        else:
            yield from (word, *following)


def _at_home(word: str) -> str:
    flag, equals, value = word.partition("=")
    if equals and flag.startswith("--"):
        return f"{flag}={at_home(value)}"
    return at_home(word)


def with_one_dash(args: Sequence[str], flags: Collection[str]) -> Iterator[tuple[str, str]]:
    """Words such as "-niter", each with the flag that lacks a dash: they would be read as "-n"."""
    for word in args:
        name = word.partition("=")[0]
        flag = f"--{name[1:].replace('-', '_')}"
        if word.startswith("-") and flag in flags:
            yield name, flag
