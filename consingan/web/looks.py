"""How the page looks: a quiet theme of system fonts, in light and dark, wide and narrow."""

from __future__ import annotations

from typing import Any

import gradio as gr

FONT = ["system-ui", "-apple-system", "Segoe UI", "sans-serif"]
MONO = ["ui-monospace", "Consolas", "monospace"]

CSS = """
.gradio-container { width: 100%; max-width: 1180px !important; margin: 0 auto !important; }
#title h1 { font-size: 1.5rem; margin: .2rem 0; }
.told, .refused, .caption { margin: .3rem 0; padding: .45rem .7rem; border-radius: 6px;
  overflow-wrap: anywhere; }
.told { background: var(--background-fill-secondary); color: var(--body-text-color); }
.refused { background: #fdecea; color: #7a1410; border-left: 4px solid #b3261e; }
.dark .refused { background: #3b1513; color: #ffd9d5; border-left-color: #ff897d; }
input[role=combobox] { padding-right: 28px !important; text-overflow: ellipsis; }
button[role=tab].selected { color: var(--button-primary-background-fill) !important; }
.whole img { object-fit: contain !important; }
.gr-group .block { border-width: 0 !important; }
#runs-message:not(:has(p)), #runs-page:not(:has(iframe)) { margin-bottom: -30px; }
.bar { height: 14px; border-radius: 7px; overflow: hidden;
  background: var(--border-color-primary); }
.bar > div { height: 100%; background: var(--button-primary-background-fill); }
#instant-gallery .thumbnail-lg, #runs-made .thumbnail-lg { aspect-ratio: auto; }
#instant-gallery .grid-wrap { height: auto; max-height: none; }
#runs-gallery .caption-label { max-width: 100%; white-space: normal; font-size: .75rem; }
#runs-made .grid-wrap { height: auto; max-height: 90vh; }
.facts { border-collapse: collapse; width: 100%; font-size: .92rem; }
.facts, .facts tr { border: 0 !important; }
.facts td, .facts th { text-align: left !important; padding: .2rem .8rem .2rem 0 !important;
  vertical-align: top; border: 0 !important; overflow-wrap: anywhere;
  border-bottom: 1px solid var(--border-color-primary) !important; }
.facts th { font-weight: 500; white-space: nowrap; }
.facts caption { text-align: left; font-weight: 600; padding: .4rem 0; }
iframe.report { width: 100%; height: 75vh; border: 1px solid var(--border-color-primary);
  border-radius: 6px; background: white; }
button:focus-visible, input:focus-visible, [tabindex]:focus-visible, a:focus-visible {
  outline: 3px solid #1a73e8 !important; outline-offset: 2px; }
.dark button:focus-visible, .dark input:focus-visible, .dark [tabindex]:focus-visible {
  outline-color: #8ab4f8 !important; }
button[role=tab]:focus-visible, input[type=number]:focus-visible { outline-offset: -3px; }
@media (max-width: 640px) {
  .gradio-container { padding: 6px !important; }
  .row > * { min-width: 100% !important; }
  .facts th { white-space: normal; overflow-wrap: break-word; }
  .facts td { min-width: 5rem; }
}
"""


def looks() -> dict[str, Any]:
    """Theme and style, as `gradio.mount_gradio_app` takes them."""
    theme = gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.stone,
        font=FONT,
        font_mono=MONO,
        radius_size=gr.themes.sizes.radius_md,
    ).set(
        button_primary_background_fill="#0b6b5d",
        button_primary_background_fill_hover="#095548",
        button_primary_background_fill_dark="#7fd6c6",
        button_primary_background_fill_hover_dark="#a5e6da",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#06251f",
        body_text_color_subdued="#57534e",
        body_text_color_subdued_dark="#c9c4bd",
        block_info_text_color="#57534e",
        block_info_text_color_dark="#c9c4bd",
    )
    return {"theme": theme, "css": CSS}
