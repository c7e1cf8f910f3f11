"""Paint a mask over a picture with mouse, pen or finger, in the output of a cell on Colab."""

from __future__ import annotations

import base64
import binascii
import uuid
from pathlib import Path
from string import Template

from torch import Tensor

from consingan.errors import UserError
from consingan.images.mask_files import read_mask
from consingan.images.resize import resize_to
from consingan.machine.files import make_folder
from consingan.notebook import colab, show

LONGER_SIDE = 640  # px of the canvas: large enough to paint on, small enough for a laptop
LARGEST_ZOOM = 4.0
PNG_URL = "data:image/png;base64,"
DRAWN = "consinganMask"  # the page's promise of the finished mask

# The mask is painted in one opaque color on a canvas that is half transparent as a whole, so that
# strokes that cross look even; "Done" turns the color into white and puts black below it.
PAGE = Template("""
<div id="$id" style="max-width:${width}px;font:14px sans-serif">
  <p style="margin:4px 0">Paint over what was changed and a little beyond. Then press Done.</p>
  <div style="position:relative;line-height:0">
    <img src="$url" alt="The naive image" draggable="false" style="width:100%">
    <canvas width="$width" height="$height" style="position:absolute;left:0;top:0;width:100%;
      height:100%;opacity:.55;touch-action:none;cursor:crosshair"></canvas>
  </div>
  <div style="margin:6px 0">
    <label>Brush <input type="range" min="2" max="$biggest" value="$brush"></label>
    <label><input type="checkbox"> erase</label>
    <button type="button" name="clear">Clear</button>
    <button type="button" name="done"><b>Done</b></button>
    <span role="status"></span>
  </div>
</div>
<script>
window.$drawn = new Promise((resolve) => {
  const root = document.getElementById("$id");
  const find = (selector) => root.querySelector(selector);
  const canvas = find("canvas"), pen = canvas.getContext("2d");
  let pointer = null, last = null;

  function position(event) {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * canvas.width / box.width,
            (event.clientY - box.top) * canvas.height / box.height];
  }
  function stroke(event) {
    const next = position(event);
    const erase = find("[type=checkbox]").checked;
    pen.globalCompositeOperation = erase ? "destination-out" : "source-over";
    pen.strokeStyle = "#ff2060";
    pen.lineCap = "round";
    pen.lineWidth = find("[type=range]").value;
    pen.beginPath();
    pen.moveTo(...last);
    pen.lineTo(...next);
    pen.stroke();
    last = next;
  }
  canvas.onpointerdown = (event) => {
    if (pointer !== null || event.button > 0) return;
    pointer = event.pointerId;
    if (event.isTrusted) canvas.setPointerCapture(pointer);
    last = position(event);
    stroke(event);
    event.preventDefault();
  };
  canvas.onpointermove = (event) => {
    if (event.pointerId === pointer) stroke(event);
  };
  canvas.onpointerup = canvas.onpointercancel = (event) => {
    if (event.pointerId === pointer) pointer = null;
  };
  find("[name=clear]").onclick = () => pen.clearRect(0, 0, canvas.width, canvas.height);
  find("[name=done]").onclick = () => {
    const mask = document.createElement("canvas");
    mask.width = canvas.width;
    mask.height = canvas.height;
    const paint = mask.getContext("2d");
    paint.drawImage(canvas, 0, 0);
    paint.globalCompositeOperation = "source-in";
    paint.fillStyle = "white";
    paint.fillRect(0, 0, mask.width, mask.height);
    paint.globalCompositeOperation = "destination-over";
    paint.fillStyle = "black";
    paint.fillRect(0, 0, mask.width, mask.height);
    canvas.onpointerdown = null;
    root.querySelectorAll("input, button").forEach((control) => { control.disabled = true; });
    find("[role=status]").textContent = "The mask is taken. Run the cell again to paint another.";
    resolve(mask.toDataURL("image/png"));
  };
});
</script>
""")


def page(naive: Tensor) -> str:
    """HTML with a canvas over the picture (1, 3, H, W) in [-1, 1].

    Its script sets `window.consinganMask`, a promise of the mask as a PNG's data URL.
    """
    height, width = canvas_size((naive.shape[-2], naive.shape[-1]))
    shown = resize_to(naive, (height, width)).clamp(-1, 1)
    longer = max(height, width)
    return PAGE.substitute(
        id=f"mask-{uuid.uuid4().hex}",
        drawn=DRAWN,
        biggest=longer // 4,
        brush=longer // 16,
        width=width,
        height=height,
        url=show.png_url(shown),
    )


def canvas_size(size: tuple[int, int]) -> tuple[int, int]:
    """Size (h, w) in px of the canvas for a picture of `size` (h, w)."""
    scale = min(LONGER_SIDE / max(size), LARGEST_ZOOM)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def draw(naive: Tensor, path: Path) -> None:
    """Let the user paint a mask over `naive` (1, 3, H, W) on Colab; waits for Done.

    The mask is written to `path` at the canvas's size, white where there was painted.

    Raises:
        UserError: nothing was painted.
    """
    show.show_html(page(naive))
    save_drawing(colab.part_of_colab("output").eval_js(DRAWN), path)


def save_drawing(url: object, path: Path) -> None:
    """Write the PNG that the canvas gave as a data URL.

    Raises:
        UserError: it is no such thing, or nothing was painted.
    """
    if not isinstance(url, str) or not url.startswith(PNG_URL):
        raise UserError("The browser sent no mask; run the cell again and press Done at the end.")
    try:
        content = base64.b64decode(url[len(PNG_URL) :], validate=True)
    except binascii.Error:
        raise UserError("The mask arrived damaged; run the cell again.") from None
    make_folder(path.parent)
    path.write_bytes(content)
    if not read_mask(path).any():
        raise UserError("Nothing was painted; run the cell again and paint over what was changed.")
