"""The frame of every page: one file, no network, no script, light or dark as the reader likes."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from consingan._version import __version__
from consingan.metrics.judge import METRICS

if TYPE_CHECKING:
    pass


CSS = """
:root {
  color-scheme: light dark;
  --paper: #fcfcfa; --ink: #1d1d1f; --soft: #66666b; --line: #e3e2dd; --panel: #f4f3ef;
  --good: #24734a; --fair: #8a5a00; --bad: #b0302a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #151517; --ink: #e9e9ec; --soft: #9d9da4; --line: #2f2f34; --panel: #1e1e21;
    --good: #6fc795; --fair: #e0b052; --bad: #f0857c;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 1120px; padding: clamp(16px, 4vw, 48px);
  background: var(--paper); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  -webkit-text-size-adjust: 100%; font-variant-numeric: tabular-nums;
}
h1 { font-size: 28px; font-weight: 600; line-height: 1.2; letter-spacing: -0.015em; margin: 0;
  overflow-wrap: anywhere; }
h2 { font-size: 17px; font-weight: 600; margin: 56px 0 4px; }
p { margin: 4px 0; max-width: 72ch; }
.soft, figcaption, th { color: var(--soft); }
.small, figcaption { font-size: 13px; }
header p { margin: 6px 0 0; }
.verdicts { list-style: none; margin: 24px 0 32px; padding: 0; }
.verdicts li { position: relative; padding: 3px 0 3px 28px; font-size: 17px; }
.verdicts li::before { position: absolute; left: 2px; font-weight: 700; }
.good::before { content: "✓"; color: var(--good); }
.fair::before { content: "–"; color: var(--fair); }
.bad::before { content: "✕"; color: var(--bad); }
.verdicts .advice { display: block; color: var(--soft); font-size: 15px; }
figure { margin: 0; }
figcaption { margin-top: 6px; line-height: 1.4; overflow-wrap: anywhere; }
img { display: block; width: 100%; height: auto; border-radius: 3px;
  box-shadow: 0 0 0 1px var(--line); }
svg { display: block; width: 100%; height: auto; font-family: inherit; }
.look { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 2fr); gap: 28px; }
.pair { display: grid; gap: 16px; align-content: start; }
.grid { display: grid; gap: 8px; align-content: start;
  grid-template-columns: repeat(var(--columns, 3), minmax(0, 1fr)); }
.roomy { gap: 20px; }
.row { display: grid; gap: 16px; margin-top: 16px;
  grid-template-columns: repeat(auto-fit, minmax(min(200px, 45%), 1fr)); }
.curves { display: grid; gap: 28px; margin-top: 12px;
  grid-template-columns: repeat(auto-fit, minmax(min(380px, 100%), 1fr)); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin-top: 12px; }
th { font-weight: 500; font-size: 13px; text-align: left; }
th, td { padding: 7px 20px 7px 0; border-bottom: 1px solid var(--line); vertical-align: baseline; }
th:last-child, td:last-child { padding-right: 0; }
td.number, th.number { text-align: right; white-space: nowrap; }
td small { display: block; color: var(--soft); font-size: 13px; }
td.best { font-weight: 650; }
.arrow { color: var(--soft); white-space: nowrap; }
.narrow { width: auto; min-width: min(420px, 100%); }
details, .scroll + p { margin-top: 12px; }
summary { cursor: pointer; color: var(--soft); font-size: 14px; }
pre { margin: 12px 0 0; padding: 12px 16px; background: var(--panel); border-radius: 4px;
  font: 13px/1.6 ui-monospace, "SF Mono", Menlo, Consolas, monospace;
  white-space: pre-wrap; overflow-wrap: anywhere; user-select: all; }
footer { margin-top: 56px; padding-top: 12px; border-top: 1px solid var(--line); }
@media (max-width: 640px) {
  .look { grid-template-columns: minmax(0, 1fr); gap: 16px; }
  .look .pair { grid-template-columns: 1fr 1fr; gap: 8px; }
  .look .grid { gap: 5px; }
  .roomy { --columns: 2; gap: 12px; }
  h2 { margin-top: 40px; }
  th, td { padding-right: 12px; }
}
@media print { body { max-width: none; } h2, figure, tr { break-inside: avoid; } }
"""


def page(title: str, body: str) -> str:
    """Put a page's frame around its body, which is HTML already."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{CSS}</style>\n</head>\n<body>\n{body}\n"
        f'<footer class="small soft">ConSinGAN {escape(__version__)}</footer>\n</body>\n</html>\n'
    )


def picture(uri: str, alt: str, caption: str = "") -> str:
    """A picture with its caption; both texts are escaped here."""
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure><img src="{uri}" alt="{escape(alt)}">{below}</figure>'


def section(title: str, *parts: str) -> str:
    """A part of a page under a heading; nothing if it is empty."""
    inside = "\n".join(part for part in parts if part)
    return f"<section>\n<h2>{escape(title)}</h2>\n{inside}\n</section>" if inside else ""


def note(text: str) -> str:
    """A sentence in a softer color."""
    return f'<p class="soft">{escape(text)}</p>'


def number(value: float) -> str:
    """Three significant digits, never in powers of ten."""
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:#.3g}" if abs(value) >= 1e-4 else f"{value:.6f}"


def arrow(name: str) -> str:
    """Which way is better."""
    return "↓" if METRICS[name].better == "lower" else "↑"
