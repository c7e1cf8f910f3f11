"""Runs, judgements and a check of a page for the tests of reports."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import consingan
from consingan.images.io import write_image
from consingan.metrics.judge import Judgement
from consingan.metrics.summary import Summary

TINY: dict[str, Any] = {
    "train_stages": 2, "min_size": 14, "max_size": 30, "nfc": 4, "niter": 2, "device": "cpu",
}  # fmt: skip
VOID = {"meta", "img", "br", "link", "hr", "input"}


def scene(seed: int = 0, height: int = 24, width: int = 30) -> Tensor:
    """A smooth picture with some grain, (1, 3, height, width) in [-1, 1]."""
    rng = torch.Generator().manual_seed(seed)
    coarse = torch.randn(1, 3, 5, 5, generator=rng)
    smooth = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bilinear")
    return torch.tanh(smooth + 0.1 * torch.randn(1, 3, height, width, generator=rng))


def tiny_run(root: Path, name: str = "scene", **changes: Any) -> Path:
    """The folder of a tiny finished run on a picture file."""
    root.mkdir(exist_ok=True)
    image = root / f"{name}.png"
    write_image(image, scene())
    model = consingan.train(image, output_dir=root / "runs", **{**TINY, **changes})
    assert model.folder is not None
    return model.folder


class Page(HTMLParser):
    """Checks that tags are balanced and keeps what matters of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.seen if name == tag]


def assert_self_contained(html: str) -> Page:
    """The page asks nobody for anything and runs nothing."""
    page = Page(html)
    assert not page.all("script")
    assert not page.all("link")
    assert page.all("img")
    for _, attributes in page.seen:
        for name in ("src", "href", "xlink:href", "srcset", "data", "poster"):
            value = attributes.get(name, "data:")
            assert value.startswith(("data:", "#")), (name, value[:80])
        assert not any(name.startswith("on") for name in attributes)
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)
    ids = [attributes["id"] for _, attributes in page.seen if "id" in attributes]
    assert len(ids) == len(set(ids))
    return page


# Verdicts


def summary(mean: float) -> Summary:
    return Summary(mean, 0.0, mean, mean, mean, 10)


def judgement(**means: float) -> Judgement:
    usual = {"swd": 5.0, "copied": 0.1, "piece": 0.1, "new_texture": 0.01, "diversity": 0.5}
    return Judgement(10, {k: summary(v) for k, v in {**usual, **means}.items()}, {})
