"""A question about a run is answered for that run, whatever is chosen meanwhile."""

from __future__ import annotations

import shutil

from consingan.machine.files import write_json
from consingan.report.write import METRICS_FILE, REPORT_FILE
from consingan.runs.files import EVALUATION

STATES = {"runs-again": 0, "runs-gallery": 2, "runs-report": 1, "runs-delete": 1, "runs-yes": 1}
"""How many of a part's inputs the server keeps itself."""


def test_the_run_is_deleted_that_was_asked_about(server, small_runs):
    def click(part: str, event: str = "click", index: int = 0) -> str:
        given = [None] * STATES[part]
        told = server.ask(part, event, given, visitor="deleter", index=index)
        assert told["success"]
        return str(told["output"]["data"])

    click("runs-again")
    newest, other = sorted(small_runs, key=lambda run: run.stat().st_mtime_ns, reverse=True)
    click("runs-gallery", "select", 0)
    assert newest.parent.name in click("runs-delete")
    assert other.parent.name in click("runs-gallery", "select", 1)
    assert newest.parent.name in click("runs-yes")
    assert not newest.exists()
    assert other.is_dir()


def test_a_report_of_a_shorter_training_is_said_to_be_that(server, small_runs):
    for run in small_runs:
        (run / EVALUATION).mkdir()
        (run / EVALUATION / REPORT_FILE).write_text("<p>long ago</p>")
        record = {"stages": 0, "weights": "of others"}
        write_json(run / EVALUATION / METRICS_FILE, record)
    for part, event in (
        ("runs-again", "click"),
        ("runs-gallery", "select"),
        ("runs-report", "click"),
    ):
        told = server.ask(part, event, [None] * STATES[part], visitor="reader", index=0)
    assert "long ago" in str(told["output"]["data"])
    assert "before it was trained on" in str(told["output"]["data"])
    for run in small_runs:
        shutil.rmtree(run / EVALUATION)
