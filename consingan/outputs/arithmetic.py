"""Calculation with the vectors that samples are made from (Radford et al. 2016, section 6.3.2).

`3-1+7` is the picture of z_3 - z_1 + z_7. In place of a number there may be several, `3,5,8-1+7`,
of which the mean is taken: three with one thing in common do what single ones do not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from consingan.errors import UserError
from consingan.images.deep import sheet_suffix
from consingan.images.io import write_image
from consingan.images.sheets import labelled
from consingan.methods.contract import Latent
from consingan.outputs.requests import SamplesRequest

NAME = "arithmetic"
MOST_TERMS = 12


@dataclass(frozen=True)
class Term:
    """Samples whose mean is added (+1) or subtracted (-1)."""

    sign: int
    samples: tuple[int, ...]

    @property
    def word(self) -> str:
        """As it is typed."""
        return ("-" if self.sign < 0 else "+") + ",".join(map(str, self.samples))


def terms_of(text: str) -> list[Term]:
    """The terms of `3-1+7`.

    Raises:
        UserError: it is none of that form.
    """
    if not re.fullmatch(r"[+-]?\d+(,\d+)*([+-]\d+(,\d+)*)*", text):
        raise UserError(
            f"--arithmetic {text} must be numbers of samples with + and - between, for example "
            "3-1+7 or 3,5,8-1,2,4+7,9,11."
        )
    found = re.findall(r"([+-]?)(\d+(?:,\d+)*)", text)
    if len(found) > MOST_TERMS:
        raise UserError(f"--arithmetic has {len(found)} terms; give {MOST_TERMS} at most.")
    return [
        Term(-1 if sign == "-" else 1, tuple(int(n) for n in numbers.split(",")))
        for sign, numbers in found
    ]


def no_arithmetic(model: Any) -> UserError:
    """The error that says that a model has no vectors."""
    return UserError(
        f"A model of --method {model.config.method} is not made from one vector for each picture, "
        "so that there is nothing to calculate with; leave --arithmetic out."
    )


def result_of(model: Latent, terms: Sequence[Term], seed: int) -> tuple[list[Tensor], Tensor]:
    """The mean vector of each term, and their sum, (1, d) each."""
    means = [model.latent(term.samples, seed).mean(0, keepdim=True) for term in terms]
    parts = [term.sign * mean for term, mean in zip(terms, means, strict=True)]
    return means, torch.stack(parts).sum(0)


def write_arithmetic(
    model: Latent, terms: Sequence[Term], request: SamplesRequest, folder: Path
) -> None:
    """A sheet: for each term its samples and their mean, at the end the result."""
    means, result = result_of(model, terms, request.seed)
    pictures, labels = [], []
    for term, mean in zip(terms, means, strict=True):
        if len(term.samples) > 1:
            pictures += model.pictured(model.latent(term.samples, request.seed)).split(1)
            labels += [f"{number}" for number in term.samples]
        pictures.append(model.pictured(mean))
        labels.append(term.word if len(term.samples) == 1 else f"{term.word[0]} mean")
    sheet = labelled([*pictures, model.pictured(result)], [*labels, "="], len(pictures) + 1)
    write_image(folder / f"{NAME}{sheet_suffix(request.image_format)}", sheet)
