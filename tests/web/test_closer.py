"""A question about a run is answered for that run, whatever is chosen meanwhile."""

from __future__ import annotations


def test_the_run_is_deleted_that_was_asked_about(server, small_runs):
    def click(part: str, event: str = "click", index: int = 0) -> str:
        given = [] if part == "runs-again" else [None]  # what the server keeps itself
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
