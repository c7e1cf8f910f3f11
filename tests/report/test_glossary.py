from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest

from consingan.metrics.judge import METRICS
from consingan.report.glossary import GLOSSARY, glossary_page, glossary_section

ROOT = Path(__file__).parents[2]


def test_the_page_of_the_documentation_is_the_table() -> None:
    assert (ROOT / "docs/glossary.md").read_text("utf-8") == glossary_page()


def test_each_word_is_a_sentence() -> None:
    for word, text in GLOSSARY.items():
        assert re.fullmatch(r"[A-Za-z0-9].*\.", text), word
        assert len(text) < 160


def test_the_metrics_that_verdicts_quote_are_among_the_words() -> None:
    titles = {METRICS[name].title.lower() for name in ("swd", "piece", "new_texture", "diversity")}
    words = {word.lower() for word in GLOSSARY}
    assert {t for t in titles if not any(w in t for w in words)} == set()


@pytest.mark.parametrize(
    ("urls", "shown"),
    [(["Repository, https://github.com/a/b"], True), (["Paper, https://x"], False), (None, False)],
)
def test_the_report_names_the_documentation_where_its_address_is_known(
    urls: list[str] | None, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Known:
        def get_all(self, name: str) -> list[str] | None:
            return urls

    monkeypatch.setattr(metadata, "metadata", lambda _: Known())
    assert ("https://github.com/a/b/blob/main/docs/glossary.md" in glossary_section()) == shown
