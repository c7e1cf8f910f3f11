"""The methods that there are; the only place outside its folder that names one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from consingan.errors import UserError
from consingan.methods.consingan.method import CONSINGAN
from consingan.methods.contract import Method
from consingan.methods.crn.method import CRN
from consingan.methods.dcgan.method import DCGAN
from consingan.methods.partial_conv.method import PARTIAL_CONV
from consingan.methods.patches.method import PATCHES
from consingan.methods.pix2pix.method import PIX2PIX
from consingan.methods.singan.method import SINGAN
from consingan.settings.config import DEFAULT_METHOD, Config

UNTRAINED = PATCHES.name  # makes pictures at once

METHODS: dict[str, Method] = {
    method.name: method
    for method in (CONSINGAN, SINGAN, PATCHES, PARTIAL_CONV, PIX2PIX, CRN, DCGAN)
}


def method_of(name: str | None) -> Method:
    """The method called `name`; None is the default one.

    Raises:
        UserError: there is none of that name.
    """
    name = name or DEFAULT_METHOD
    if name not in tuple(METHODS):  # whatever a caller in Python gives
        raise UserError(f"--method {name} is unknown; choose one of {', '.join(METHODS)}.")
    return METHODS[name]


def config_from_json(values: Mapping[str, Any]) -> Config:
    """The settings of a run of any method; runs that name none are ConSinGAN's.

    Raises:
        UserError: the method or a name is unknown, or a value cannot work.
    """
    return method_of(values.get("method")).config.from_json(values)


def methods_with(task: str) -> list[str]:
    """Names of the methods that have a task called `task`."""
    return [method.name for method in METHODS.values() if task in method.tasks]


def tasks_that(output: str) -> list[str]:
    """Names of the tasks, of whatever method, whose results are of the kind `output`."""
    rows = (row for method in METHODS.values() for row in method.tasks.items())
    return list(dict.fromkeys(name for name, task in rows if task.output == output))
