"""Advice in the flags of an evaluation, beside what a method advises: only what can be changed."""

from __future__ import annotations

from collections.abc import Sequence

from consingan.methods.contract import Walk
from consingan.outputs.requests import CompositeRequest, FilmRequest
from consingan.report.material import Facts


def livelier(facts: Facts) -> str:
    """For a film that hardly moves."""
    request = facts.request
    ways = []
    if isinstance(request, FilmRequest):
        beta = request.betas[0] if request.betas else Walk.beta
        values = {"alpha": request.alpha, "beta": beta, "start_stage": start_of(facts)}
        ways = [f"--{name} (now {value:g})" for name, value in values.items() if value > 0]
    return _together(f"Lower {_joined(ways)}." if ways else "", facts.remedy("still"))


def lower_start(facts: Facts) -> str:
    """For a composite in which too little changed."""
    start = start_of(facts)
    own = f"Try a lower --start_stage (now {start})." if start > 0 else ""
    return _together(own, facts.remedy("fits"))


def higher_start(facts: Facts) -> str:
    """For a composite that became worse."""
    start = start_of(facts)
    known = isinstance(facts.request, CompositeRequest) and start + 1 < facts.finished
    own = f"Try a higher --start_stage (now {start})." if known else ""
    return _together(own, facts.remedy("misfits"))


def start_of(facts: Facts) -> int:
    """The start stage of what is judged: the first one that was asked for."""
    stages = getattr(facts.request, "start_stages", ())
    return int(stages[0]) if stages and stages[0] != "all" else 0


def _joined(ways: Sequence[str]) -> str:
    return ", ".join(ways[:-1]) + " or " + ways[-1] if len(ways) > 1 else "".join(ways)


def _together(*parts: str) -> str:
    return " ".join(part for part in parts if part)
