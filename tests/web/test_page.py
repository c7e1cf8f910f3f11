"""The page in a real browser: each tab's main path by clicks and drags, files checked."""

from __future__ import annotations

import io
import json
import re
import shutil
import struct
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from commands import pixels_of, save
from PIL import Image

from consingan.runs.listing import runs_below
from consingan.web.cards import cards

STARTS = {"Paint": "paint-start", "Train": "train-start"}  # off until their tabs are drawn


def open_tab(page, name: str) -> None:
    """Open it and wait until it is drawn: on a busy machine answers before that are lost."""
    page.get_by_role("tab", name=name, exact=True).click()
    if name in STARTS:
        page.locator(f"#{STARTS[name]}:enabled").wait_for()


def drop(page, place: str, file) -> None:
    page.locator(f"#{place} input[type=file]").set_input_files(file)


def fill(page, label: str, value: object) -> None:
    # A text's label has the help in it, a number's has not.
    field = page.get_by_label(re.compile(rf"^\s*{label}")).locator("visible=true").first
    field.fill(str(value))
    field.press("Tab")


def fill_size(page, place: str, value: int) -> None:
    field = page.locator(f"#{place} input[type=number]")
    field.fill(str(value))
    field.press("Tab")


def wait_for_text(page, place: str, text: str) -> str:
    page.locator(f"#{place}", has_text=text).wait_for()
    return page.locator(f"#{place}").inner_text()


def saved(page, place: str) -> bytes:
    with page.expect_download() as download:
        page.locator(f"#{place}").click()
    return Path(download.value.path()).read_bytes()


def appears(page, element, seconds: int = 20) -> bool:
    return comes_about(page, element.is_visible, seconds)


def comes_about(page, is_so: Callable[[], bool], seconds: int) -> bool:
    for _ in range(4 * seconds):
        if is_so():
            return True
        page.wait_for_timeout(250)
    return False


def has_picture(canvas) -> bool:
    """Whether an editor shows more than the few colors of its own parts."""
    with Image.open(io.BytesIO(canvas.screenshot())) as shown:
        return shown.convert("RGB").getcolors(1000) is None


def newest_run(server) -> Path:
    return next(iter(runs_below(server.root).values()))


def test_a_dropped_picture_becomes_variations_that_are_saved_as_a_zip(page, photo):
    fill_size(page, "instant-longest", 64)
    fill_size(page, "instant-count", 2)
    drop(page, "instant-drop", photo)
    page.locator("#instant-gallery img").first.wait_for()
    page.locator("#instant-zip").wait_for()
    shown = page.locator("#instant-gallery .grid-wrap")
    assert shown.evaluate("e => e.scrollHeight - e.clientHeight") <= 1  # none is out of sight
    image, frame = (shown.locator(part).first.bounding_box() for part in ("img", "button"))
    assert abs(image["height"] - frame["height"]) < 4  # as high as the picture, not a square
    with zipfile.ZipFile(io.BytesIO(saved(page, "instant-zip"))) as archive:
        assert archive.namelist() == ["sample_0.png", "sample_1.png"]
        with Image.open(archive.open("sample_1.png")) as picture:
            assert picture.size == (64, 48)


def test_a_hole_that_is_brushed_is_filled_and_nothing_else_is_changed(page, photo):
    open_tab(page, "Paint")
    drop(page, "paint-drop", photo)
    canvas = page.locator("#paint-editor canvas").first
    canvas.wait_for()
    fill_size(page, "paint-size", 64)
    # A stroke that comes before the picture goes with the empty canvas.
    assert comes_about(page, lambda: has_picture(canvas), 90)
    canvas.hover()
    box = canvas.bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(middle[0] + 12, middle[1] + 6, steps=4)
    page.mouse.up()
    page.locator("#paint-start").click()
    page.locator("#paint-result img").first.wait_for()
    with Image.open(io.BytesIO(saved(page, "paint-save"))) as picture:
        result = np.asarray(picture.convert("RGB"))
    changed = (result != pixels_of(photo)).any(axis=2)
    assert result.shape == (48, 64, 3)
    assert 0 < changed.mean() < 0.8
    assert not changed[:4, :4].any()


def test_the_page_is_as_wide_whatever_stands_in_it(page):
    """Else buttons move away from a click while a run is being shown."""
    widths = set()
    for name in ("Paint", "Train", "Runs"):
        open_tab(page, name)
        widths.add(page.locator(".gradio-container").first.bounding_box()["width"])
    assert widths == {1180}


def test_a_task_is_told_as_the_chosen_method_does_it_and_how_long_it_takes(page, photo):
    open_tab(page, "Paint")
    wait_for_text(page, "paint-task", "filled from what is known around it")
    page.locator("#paint-method input").click()
    page.get_by_role("option", name=re.compile("ConSinGAN")).click()
    wait_for_text(page, "paint-task", "filled by a generator trained around it")
    drop(page, "paint-drop", photo)
    wait_for_text(page, "paint-cost", "The training: 64 x 48 px")
    page.locator("#paint-task").get_by_text("Harmonization").click()
    wait_for_text(page, "paint-task", "takes on the picture's colors")


def test_a_button_cannot_be_pressed_before_it_does_something(page):
    page.get_by_role("tab", name="Paint", exact=True).click()
    answer = page.locator("#paint-message", has_text="Drop a picture first.")
    for _ in range(4):  # on a very busy machine an answer may come before the page can show it
        page.locator("#paint-start").click()  # at once; waits until it is on
        if appears(page, answer):
            break
    assert answer.is_visible()


def test_a_number_beyond_the_ends_of_a_slider_is_taken_for_the_nearest(server):
    """As the browser shows it once it has sent what was typed."""
    for size in (None, 5, 5000):
        assert server.ask("paint-size", "release", [None, None, size])["success"], size


def test_an_object_is_dropped_where_one_clicks_and_harmonized(page, server, photo, tmp_path):
    cut = np.zeros((20, 20, 4), np.uint8)
    cut[4:16, 4:16] = (250, 20, 200, 255)
    open_tab(page, "Paint")
    page.locator("#paint-task").get_by_text("Harmonization").click()
    drop(page, "paint-drop", photo)
    fill_size(page, "paint-size", 64)
    drop(page, "paint-object", save(tmp_path / "dot.png", cut))
    placed = page.locator("#paint-placed img")
    placed.wait_for()
    box = placed.bounding_box()
    before = placed.get_attribute("src")
    placed.click(position={"x": box["width"] * 0.75, "y": box["height"] * 0.75})
    page.wait_for_function(
        "before => document.querySelector('#paint-placed img').src != before", arg=before
    )
    page.locator("#paint-start").click()
    page.locator("#paint-result img").first.wait_for()
    (naive,) = server.root.glob("uploads/*/beach_painted.png")
    pasted = (pixels_of(naive).astype(int) - pixels_of(photo)).any(axis=2)
    rows, columns = np.nonzero(pasted)
    assert abs(rows.mean() / 48 - 0.75) < 0.05
    assert abs(columns.mean() / 64 - 0.75) < 0.05


def train(page, photo, **settings: int) -> None:
    open_tab(page, "Train")
    fill_size(page, "train-size", 32)
    drop(page, "train-drop", photo)
    page.get_by_role("button", name="More").locator("visible=true").first.click()
    for label, value in settings.items():
        fill(page, label.replace("_", " "), value)
    page.locator("#train-start").click()


def choose(page, place: str, name: str) -> None:
    page.locator(f"#{place} input").click()
    page.get_by_role("option", name=re.compile(name)).click()


def wait_for_more(page, place: str, name: str, value: object = None) -> None:
    """Wait until a setting stands under "More", with that value."""
    field = page.locator(f"#{place} label", has_text=re.compile(rf"^\s*{name}"))
    field.first.wait_for(state="attached")
    if value is not None:
        page.wait_for_function(
            "([e, value]) => e.querySelector('input').value == value",
            arg=[field.first.element_handle(), str(value)],
        )


def test_more_has_the_settings_of_what_was_chosen_last(page, photo):
    """The others' choices need not have what was chosen before."""
    from consingan.web.orders import recommended

    open_tab(page, "Train")
    for method, first in (
        ("DCGAN", "Ndf"),
        ("Partial conv", "Levels"),
        ("ConSinGAN", "Fine niter"),
    ):
        choose(page, "train-method", method)
        wait_for_more(page, "train-more", first)
    choose(page, "train-preset", "paper")
    wait_for_more(
        page, "train-more", "Niter", recommended("consingan", "generation", "paper").niter
    )
    page.locator("#train-more button.label-wrap").click()
    page.locator("#train-more input[type=file]").first.set_input_files(photo)
    brought = page.locator("#train-more .file-preview")
    brought.wait_for()
    choose(page, "train-preset", "fast")
    fast = recommended("consingan", "generation", "fast")
    wait_for_more(page, "train-more", "Niter", fast.niter)
    assert brought.is_visible()  # its place is still there
    choose(page, "train-task", "animation")
    brought.wait_for(state="detached")  # what was brought for another task is not sent along
    page.locator("#train-more input[type=file]").first.wait_for(state="attached")
    assert page.locator("#train-more button.open").is_visible()  # as the visitor left it
    open_tab(page, "Paint")
    choose(page, "paint-method", "Partial conv")
    wait_for_more(page, "paint-more", "Levels")
    assert page.locator("#paint-more input[type=file]").count() == 0  # the hole is painted
    page.locator("#paint-task").get_by_text("Harmonization").click()
    wait_for_more(page, "paint-more", "Patch")
    assert page.locator(".toast-wrap").inner_text() == ""  # no event met what was gone by then


def test_an_estimate_goes_by_the_pictures_that_stay_with_another_effort(page, photo):
    open_tab(page, "Train")
    choose(page, "train-method", "Training-free")
    wait_for_more(page, "train-more", "Balance")
    choose(page, "train-task", "translation")
    wait_for_more(page, "train-more", "Guidance")
    page.locator("#train-more button.label-wrap").click()
    place = page.locator("#train-more .block", has_text="Condition: bring a picture").last
    place.locator("input[type=file]").set_input_files(photo)
    place.locator(".file-preview").wait_for()
    choose(page, "train-preset", "published")
    wait_for_more(page, "train-more", "Balance", 0)
    assert place.locator(".file-preview").is_visible()
    drop(page, "train-drop", photo)
    wait_for_text(page, "train-cost", "nothing to be trained")  # not: "Condition" is missing


TINY = {"Train_stages": 2, "Min_size": 16, "Nfc": 4, "Manual_seed": 5}


def test_a_training_ends_and_shows_its_samples_and_then_makes_pictures(page, server, photo):
    train(page, photo, Niter=3, **TINY)
    wait_for_text(page, "train-message", "Put into the queue: ConSinGAN")  # so it is for ever
    wait_for_text(page, "train-cost", "32 x 24 px")
    wait_for_text(page, "watch-state", "finished")
    page.locator("#watch-sheet img").wait_for()
    run = newest_run(server)
    config = json.loads((run / "config.json").read_text())
    assert (config["niter"], config["nfc"], config["max_size"]) == (3, 4, 32)
    open_tab(page, "Runs")
    choose_newest(page, server)
    fill(page, "Num samples", 2)
    fill(page, "Sizes", "40x30")
    page.locator("#runs-make").click()
    page.locator("#runs-made img").first.wait_for()
    made = sorted((run / "Evaluation").glob("random_samples_40x30/*.png"))
    assert [pixels_of(path).shape for path in made] == [(30, 40, 3), (30, 40, 3)]
    with zipfile.ZipFile(io.BytesIO(saved(page, "runs-zip"))) as archive:
        assert "random_samples_40x30/gen_sample_1.png" in archive.namelist()


def choose_newest(page, server) -> None:
    """Click on it once the gallery shows it; until then the first may be one of another test."""
    shown = page.locator("#runs-gallery button:has(img)")
    shown.nth(len(cards(server.root)) - 1).wait_for()
    shown.first.click()


def test_a_training_is_stopped_found_after_a_reload_and_goes_on(page, server, photo):
    train(page, photo, Niter=10**6, **TINY)
    wait_for_text(page, "watch-state", "iteration")
    run = newest_run(server)
    page.reload()
    open_tab(page, "Train")
    wait_for_text(page, "watch-state", "stage 1 of 2")
    page.locator("#watch-stop").click()
    wait_for_text(page, "watch-state", "it can go on")
    page.locator("#watch-message", has_text="Stopping").wait_for(state="detached")
    assert json.loads((run / "manifest.json").read_text())["status"] == "interrupted"
    reached = _iteration(run)
    page.locator("#watch-resume").click()
    wait_for_text(page, "watch-state", "stage 1 of 2")
    page.locator("#watch-stop").click()
    wait_for_text(page, "watch-state", "it can go on")
    assert _iteration(run) > reached > 0


def _iteration(run: Path) -> int:
    from consingan.machine.files import read_tensors

    return int(read_tensors(run / "resume.safetensors")["position"][1])


def test_two_runs_stand_side_by_side_and_one_is_deleted_only_after_asking(page, server, small_runs):
    open_tab(page, "Runs")
    page.get_by_role("button", name="Look again").click()
    picture = page.locator("#runs-gallery button", has_text="first").first
    cut = picture.locator(".caption-label").evaluate("e => e.scrollWidth - e.clientWidth")
    assert cut <= 1  # runs of one picture differ at the end of their names
    picture.click()
    wait_for_text(page, "runs-facts", "first")
    before = page.locator("#runs-compare").bounding_box()
    page.locator("#runs-make").wait_for()
    assert page.locator("#runs-compare").bounding_box() == before  # a click meets it at any time
    page.locator("#runs-make").click()
    page.locator("#runs-made img").first.wait_for()
    record = json.loads((small_runs[0] / "Evaluation" / "evaluation.json").read_text())
    assert "audited_server.py evaluate" in record["command"]  # as the page itself was started
    page.locator("#runs-compare").click()
    page.locator("#runs-side-by-side").click()
    shown = page.locator("#runs-page iframe[title=Comparison]")
    shown.wait_for()
    assert shown.bounding_box()["y"] < page.locator("#runs-make").bounding_box()["y"]  # is seen
    page.locator("#runs-delete").click()
    wait_for_text(page, "runs-question", "for ever?")
    page.locator("#runs-no").click()
    page.locator("#runs-question").wait_for(state="hidden")
    assert small_runs[0].is_dir()
    page.locator("#runs-delete").click()
    page.locator("#runs-compare").click()
    page.locator("#runs-side-by-side").wait_for()
    page.locator("#runs-gallery button", has_text="second").first.click()
    for part in ("runs-yes", "runs-side-by-side", "runs-made"):  # were about the run before
        page.locator(f"#{part}").wait_for(state="hidden")
    picture.click()
    wait_for_text(page, "runs-facts", "first")
    page.locator("#runs-made img").first.wait_for()  # what was made with it is there again
    page.locator("#runs-delete").click()
    page.locator("#runs-yes").click()
    wait_for_text(page, "runs-facts", "Deleted")
    assert not small_runs[0].exists()
    picture.wait_for(state="detached")  # a click goes by the place in the gallery
    page.locator("#runs-gallery button", has_text="second").first.click()
    wait_for_text(page, "runs-facts", "second")
    page.locator("#runs-make").wait_for()  # drawn after the facts, if the run is still there
    shutil.rmtree(small_runs[1])  # in another window
    page.locator("#runs-make").click()
    wait_for_text(page, "runs-message", "That run is gone")


def bomb() -> bytes:
    """A PNG of some hundred bytes that claims 40000 x 40000 px."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        whole = kind + content
        return struct.pack(">I", len(content)) + whole + struct.pack(">I", zlib.crc32(whole))

    head = struct.pack(">IIBBBBB", 40000, 40000, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + data + chunk(b"IEND", b"")


def test_a_wrong_file_a_bomb_and_html_in_a_name_are_answered_in_place(page):
    name = "<img src=x onerror=alert(1)>.png"
    drop(page, "instant-drop", {"name": name, "mimeType": "image/png", "buffer": b"no picture"})
    text = wait_for_text(page, "instant-message", "is not a picture that can be read")
    assert "Error" not in text
    page.wait_for_timeout(1500)  # what follows a drop leaves the sentence alone
    assert "is not a picture that can be read" in page.locator("#instant-message").inner_text()
    assert page.locator("#instant-message img").count() == 0
    page.reload()
    drop(page, "instant-drop", {"name": "b.png", "mimeType": "image/png", "buffer": bomb()})
    wait_for_text(page, "instant-message", "claims more than 89 million pixels")


def test_a_name_like_a_path_leads_nowhere_and_no_upload_is_seen_by_another(page, server, photo,
                                                                           windows):  # fmt: skip
    picture = {"name": "../../secret.png", "mimeType": "image/png", "buffer": photo.read_bytes()}
    open_tab(page, "Train")
    drop(page, "train-drop", picture)
    shown = page.locator("#train-shown img")
    shown.wait_for()
    address = shown.get_attribute("src")
    second = windows().new_page()
    second.goto(server.address)
    open_tab(second, "Train")
    second.locator("#train-drop").wait_for()
    assert second.locator("#train-shown img").count() == 0
    for path in ("/etc/passwd", str(server.root / "uploads"), str(server.outside.parent)):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{server.address}gradio_api/file={path}")
        with refused.value as answer:
            assert answer.code in (403, 404)
    assert "secret" in address
    assert not list(server.root.parent.glob("*secret*"))


def test_more_than_two_hundred_megabytes_are_refused_with_a_sentence(server):
    request = urllib.request.Request(f"{server.address}gradio_api/upload", data=b"x")
    request.add_header("Content-Length", str(300 * 2**20))
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    with refused.value as answer:
        assert answer.code == 413
        assert b"200 MB" in answer.read()


def test_the_page_fits_a_phone_and_every_field_has_a_name(windows, server):
    page = windows(viewport={"width": 375, "height": 800}, color_scheme="dark").new_page()
    page.goto(server.address)
    for name in ("Instant", "Paint", "Train", "Runs"):
        open_tab(page, name)
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, name
        nameless = page.evaluate(NAMELESS)
        assert nameless == [], (name, nameless)
        assert page.evaluate(UNDER_ARROW) == [], name
    assert page.evaluate(NARROWEST_CELL) > 40  # px


UNDER_ARROW = """() => [...document.querySelectorAll('input[role=combobox]')]
  .filter(e => e.checkVisibility()).filter(e => e.getBoundingClientRect().right
          - parseFloat(getComputedStyle(e).paddingRight)
          > e.nextElementSibling.getBoundingClientRect().left)
  .map(e => e.outerHTML)"""
NARROWEST_CELL = """() => {
  const place = document.querySelector('#runs-facts');
  place.innerHTML = [['a name of many words '.repeat(9), '0.5678'], ['status', 'x'.repeat(99)]].map(
    ([name, value]) => '<table class="facts"><tr><th>' + name + '</th><td>' + value
      + '</td></tr></table>').join('');
  return Math.min(...[...place.querySelectorAll('td, th')].map(
    e => e.getBoundingClientRect().width)); }"""
NAMELESS = """() => [...document.querySelectorAll('input, select, textarea, button')]
  .filter(e => e.checkVisibility() && e.type != 'file')
  .filter(e => !(e.labels && e.labels.length) && !e.getAttribute('aria-label')
          && !e.getAttribute('aria-labelledby') && !e.title && !e.innerText.trim()
          && !e.querySelector('[aria-label], title, img'))
  .map(e => e.outerHTML.slice(0, 200))"""


def test_nothing_was_asked_of_any_other_host(server):
    hosts = {urlsplit(url).hostname for url in server.requests if url.startswith(("http", "ws"))}
    assert hosts <= {"127.0.0.1"}
    assert not server.outside.exists()
