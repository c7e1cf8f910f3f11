"""Advice in the flags of an evaluation, beside what a method advises: only what can be changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from consingan.methods.contract import Walk
from consingan.outputs.requests import FilmRequest
from consingan.report.material import Facts


def livelier(facts: Facts) -> str:
    """For a film that hardly moves."""
    request = facts.request
    ways = []
    if isinstance(request, FilmRequest):
        beta = request.betas[0] if request.betas else Walk.beta
        values = {"alpha": request.alpha, "beta": beta, "start_stage": start_of(facts.made)}
        ways = [f"--{name} (now {value:g})" for name, value in values.items() if value > 0]
    return _together(f"Lower {_joined(ways)}." if ways else "", facts.remedy("still"))


def lower_start(facts: Facts) -> str:
    """For a composite in which too little changed."""
    start = start_of(facts.made)
    own = (
        f"Try a lower --start_stage (now {start})." if start > min(facts.starts, default=0) else ""
    )
    return _together(own, facts.remedy("fits"))


def higher_start(facts: Facts) -> str:
    """For a composite that became worse."""
    start = start_of(facts.made)
    own = (
        f"Try a higher --start_stage (now {start})." if start < max(facts.starts, default=0) else ""
    )
    return _together(own, facts.remedy("misfits"))


def start_of(made: Any) -> int:
    """The start stage of what an output made and is judged, asked for or the method's own."""
    sheet = getattr(made, "sheet", ())  # of a composite
    return int(sheet[0][0] if sheet else getattr(made, "start", 0))


def _joined(ways: Sequence[str]) -> str:
    return ", ".join(ways[:-1]) + " or " + ways[-1] if len(ways) > 1 else "".join(ways)


def _together(*parts: str) -> str:
    return " ".join(part for part in parts if part)
