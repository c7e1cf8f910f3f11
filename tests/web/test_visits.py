"""Somebody is gone when no page of theirs is open and nothing was heard of them for long."""

from __future__ import annotations

import contextlib

import pytest

from consingan.web.visits import GONE, Heartbeats, Visits


@pytest.fixture
def visits(clock) -> Visits:
    return Visits(clock=clock)


def test_who_is_not_heard_of_for_long_is_gone_once(visits, clock):
    visits.hear("first")
    clock.now += GONE / 2
    visits.hear("second")
    assert visits.take_gone() == []
    clock.now += GONE / 2
    assert visits.take_gone() == ["first"]
    assert visits.take_gone() == []


def test_whose_page_is_open_is_there_however_long(visits, clock):
    visits.hear("somebody")
    with visits.staying("somebody"):
        with visits.staying("somebody"):
            clock.now += 10 * GONE
        assert visits.take_gone() == []
        clock.now += 10 * GONE
        assert visits.take_gone() == []
    assert visits.take_gone() == []
    clock.now += GONE
    assert visits.take_gone() == ["somebody"]
    assert not visits.held


def test_who_asked_for_nothing_is_not_remembered(visits, clock):
    with visits.staying("anybody"):
        pass
    assert (visits.heard, visits.held) == ({}, {})


@pytest.mark.parametrize(
    ("path", "held"),
    [
        ("/gradio_api/heartbeat/abc", ["began abc", "asked", "ended abc"]),
        ("/gradio_api/heartbeat/", ["asked"]),
        ("/", ["asked"]),
    ],
)
def test_a_page_is_open_as_long_as_it_is_told_so(path, held):
    said: list[str] = []

    @contextlib.contextmanager
    def staying(name):
        said.append(f"began {name}")
        yield
        said.append(f"ended {name}")

    async def inner(scope, receive, send):
        said.append("asked")

    call = Heartbeats(inner, staying)({"type": "http", "path": path}, None, None)
    with pytest.raises(StopIteration):
        call.send(None)
    assert said == held
