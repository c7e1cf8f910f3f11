"""The documentation is true: its commands and programs run, its links lead somewhere, it builds."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import importlib.util
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from commands_in_text import (
    OWN,
    ROOT,
    TINY,
    Workplace,
    anchors,
    is_ours,
    links,
    program,
    programs,
    shell_commands,
    small_images,
)
from fake_jobs import in_this_process

import consingan
from consingan.api import train as api
from consingan.batch import places
from consingan.images.io import read_image, unit
from consingan.images.resize import resize_to
from consingan.methods.choose import choose_settings
from consingan.methods.consingan.large import fitted
from consingan.methods.consingan.tasks import TASKS
from consingan.methods.registry import METHODS
from consingan.metrics.judge import METRICS
from consingan.metrics.swd import sliced_wasserstein
from consingan.nn.noise import stream
from consingan.training.records import StepRecord

DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text("utf-8")
PAGES = sorted(DOCS.glob("*.md"))
LINKED = [
    *PAGES,
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *(ROOT / name / "README.md" for name in ("Images", "benchmarks")),
]
FOREIGN = ("pip", "make", "source")  # programs of others in shell blocks
EXAMPLES = ("add_a_method", "add_a_task", "add_a_trained_method")
OF_EXAMPLES = ("_painting_", "_quilt_", "_texture_net_")  # in the names of their runs


def module(path: Path) -> ModuleType:
    """A script of the project, imported."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@dataclass
class Followed:
    """What came of doing all that the pages say, in one folder."""

    root: Path
    commands: int = 0
    failures: list[str] = field(default_factory=list)
    files: set[str] = field(default_factory=set)  # left by any command; the next may remove them


@contextlib.contextmanager
def tables_restored() -> Iterator[None]:
    """Afterwards the methods and ConSinGAN's tasks are what they were."""
    tables: tuple[dict[str, Any], ...] = (TASKS, METHODS)
    before = [dict(table) for table in tables]
    yield
    for table, rows in zip(tables, before, strict=True):
        table.clear()
        table.update(rows)


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Followed:
    """Every command and every program of the pages was run, page after page."""
    root = tmp_path_factory.mktemp("docs")
    (root / "examples").symlink_to(ROOT / "examples")
    small_images(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr(sys, "path", [*sys.path])
        patch.setattr(places, "run_here", in_this_process)
        patch.setattr(consingan, "train", lambda image, **s: api.train(image, **{**s, **TINY}))
        place, found = Workplace(), Followed(root)
        with tables_restored():
            for page in PAGES:
                _follow(page, place, found)
        for name in EXAMPLES:
            sys.modules.pop(name, None)
        _interrupted()
    return found


def _follow(page: Path, place: Workplace, found: Followed) -> None:
    text = page.read_text("utf-8")
    for words in filter(is_ours, shell_commands(text)):
        found.commands += 1
        result = place.run(words)
        found.files |= left(found.root)
        if result is None or result.exit_code == 0:
            continue
        if "--resume" in words and "is finished" in result.output:
            continue
        found.failures.append(
            f"{page.name}: {shlex.join(words)}\n{result.output}{result.exception}"
        )
    known: dict[str, Any] = {}
    for block in programs(text):
        exec(compile(block, page.name, "exec"), known)


def _interrupted() -> None:
    """Leave a run that was stopped in mid-stage."""

    def stop(record: object) -> None:
        if isinstance(record, StepRecord):
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        api.train("skimage:coffee", output_dir="TrainedModels", callback=stop, **TINY)


def test_every_command_runs(followed: Followed) -> None:
    assert followed.failures == []
    assert followed.commands > 20


def test_every_page_is_reached() -> None:
    index = (DOCS / "index.md").read_text("utf-8")
    tree = set(re.findall(r"^([a-z_]+)$", index, re.M))
    named = set(re.findall(r"\]\(([a-z_]+)\.md\)", index))
    assert tree == named == {page.stem for page in PAGES} - {"index"}


@pytest.mark.parametrize("page", LINKED, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    for link in links(text):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            assert anchor in anchors(target.read_text("utf-8")), link
            # The site offers a file from outside as a download, and such a name has no part.
            assert page.parent != DOCS or target.is_relative_to(DOCS), link


def test_other_programs_commands_are_sound() -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.M)
    extras = re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text("utf-8"), re.M)
    for page in PAGES:
        text = page.read_text("utf-8")
        for words in shell_commands(text):
            if not is_ours(words):
                assert program(words)[0] in (*FOREIGN, "venv"), words
        for extra in re.findall(r"pip install \"\.\[(\w+)\]\"", text):
            assert extra in extras
        for target in re.findall(r"`make (\w+)`", text):
            assert target in targets


def test_the_options_are_those_of_the_code() -> None:
    """If this fails: python docs/options_table.py."""
    page = module(DOCS / "options_table.py").page()
    assert (DOCS / "options.md").read_text("utf-8") == page


def explained() -> dict[str, re.Pattern[str]]:
    """Files that the page explains, and what their names look like."""
    text = (DOCS / "outputs.md").read_text("utf-8")
    names = re.findall(r"^\| `([^`]+)` \|", text, re.M)
    return {name: _pattern(name) for name in names}


def _pattern(name: str) -> re.Pattern[str]:
    parts = re.split(r"<\w+>", name)
    return re.compile("[^/]+".join(map(re.escape, parts)))


def left(root: Path) -> set[str]:
    """Files that runs left, named from the run's folder on; others from `root` on."""
    found = set()
    homes: dict[Path, Path] = {}  # folder -> the run's folder that it is in, or root
    for name, folders, files in os.walk(root):
        folder = Path(name)
        if folder == root:
            folders[:] = [inner for inner in folders if inner not in ("Images", "examples")]
        is_run = "manifest.json" in files
        home = homes[folder] = folder if is_run else homes.get(folder.parent, root)
        if not any(word in home.name for word in OF_EXAMPLES):
            found |= {(folder / file).relative_to(home).as_posix() for file in files}
    return found


def test_the_files_are_those_that_runs_leave(followed: Followed) -> None:
    known, found = explained(), followed.files | left(followed.root)
    found -= {"harmonized.png", OWN}  # what a program on the page of the Python API writes; given
    names = known.values()
    assert [f for f in sorted(found) if not any(name.fullmatch(f) for name in names)] == []
    del known[".lock"]  # whether it stays depends on the system
    del known["progress.json"]  # only there while a training runs
    del known["uploads/<digest>/<picture>"]  # of the page, see tests/web
    for name, pattern in known.items():
        assert any(pattern.fullmatch(file) for file in found), f"{name}: nothing leaves it"


def test_a_name_stands_for_one_thing() -> None:
    """The patterns of the page are narrow enough to tell its files apart."""
    pattern = _pattern("<stage>/samples.png")
    assert pattern.fullmatch("3/samples.png")
    assert not pattern.fullmatch("samples.png")
    assert not pattern.fullmatch("3/4/samples.png")
    assert not pattern.fullmatch("3/samplesXpng")


@pytest.mark.parametrize("page", ["README.md", "docs/variations.md", "docs/large.md"])
def test_up_to_what_size_the_layout_alone_is_trained(page: str) -> None:
    asked = choose_settings({"input_name": "a.png", "preset": "fast", "max_size": 2000})
    trained = [fitted(asked, (side, 1000))[0].config.layout for side in (800, 850)]
    assert (trained[0] > 0, trained[1]) == (True, 0)
    assert "0.8 megapixels" in (ROOT / page).read_text("utf-8")


def test_the_first_command_makes_the_pictures_below_it() -> None:
    """By nothing but the picture's name, as the figure was made."""
    found = re.search(r"```bash\n(.+)\n```\n\n<img src=\"docs/images/in_seconds", README)
    assert found is not None
    *_, picture = words = shlex.split(found[1])
    assert words[:2] == ["consingan", "sample"]
    assert len(words) == 3
    figure = (DOCS / "make_figures.py").read_text("utf-8").partition("def in_seconds(")[2]
    assert f'"{Path(picture).name}", method="patches"' in figure.partition("\ndef ")[0]


def test_what_may_be_fetched_is_named() -> None:
    """Every option that takes an address of weights."""
    told = (DOCS / "installing.md").read_text("utf-8")
    settings = (f for m in METHODS.values() for f in dataclasses.fields(m.config))
    addressed = {f.name for f in settings if "or address" in f.metadata.get("help", "")}
    assert addressed
    assert [name for name in addressed | {"inception_weights"} if f"`--{name}`" not in told] == []


def test_results_are_named_as_every_task_names_them() -> None:
    told = (DOCS / "outputs.md").read_text("utf-8")
    words = {task.result for m in METHODS.values() for task in m.tasks.values() if task.result}
    assert [word for word in words if not re.search(rf"`(Evaluation/)?{word}[_`]", told)] == []


def test_every_metric_is_explained() -> None:
    table = (DOCS / "judging.md").read_text("utf-8")
    for metric in METRICS.values():
        assert f"| {metric.title} | {metric.better} |" in table


CODE_PAGE = (DOCS / "code.md").read_text("utf-8")


def section(title: str) -> str:
    """A section of the page on the code."""
    return CODE_PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_every_wing_has_its_line() -> None:
    package = Path(consingan.__file__).parent
    modules = {p.stem for p in package.glob("*.py")}
    modules |= {p.parent.name for p in package.glob("*/__init__.py")}
    cells = re.findall(r"^\| (`.*?) \|", section("Wing by wing"), re.M)
    named = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(named) == sorted(name for name in modules if not name.startswith("_"))


NAMED = re.findall(
    r"`([a-z_]+(?:\.\w+)+)`",
    "".join(map(section, ("Where the paper is", "Engines", "Randomness"))),
)


@pytest.mark.parametrize("name", sorted(set(NAMED)))
def test_what_the_code_page_names_exists(name: str) -> None:
    thing: Any = consingan
    for part in name.split("."):
        if isinstance(thing, ModuleType) and not hasattr(thing, part):
            importlib.import_module(f"{thing.__name__}.{part}")
        thing = getattr(thing, part)
    assert callable(thing) or isinstance(thing, property)


def test_the_examples_task_paints() -> None:
    """What it was made for: flat colors come out nearer to the image, a new painting's, too."""
    picture = read_image(ROOT / "Images" / "Generation" / "aurora.jpg")
    real = resize_to(picture, (40, 56)).clamp(-1, 1)
    settings = {**TINY, "min_size": 28, "max_size": 56, "niter": 40, "nfc": 8, "manual_seed": 1}
    with tables_restored():
        example = module(ROOT / "examples" / "add_a_task.py")
        model = api.train(real, train_mode="painting", **settings)
        assert model.config.batch_norm  # the row's own settings hold
        seen, new = (example.painted(image, stream(0)) for image in (real, real.flip(3)))
        made = [model.compose(painting) for painting in (seen, new)]
    assert (made[0] - real).square().mean() < 0.5 * (seen - real).square().mean()
    before, after = sliced_wasserstein(unit(real), torch.cat([unit(new), unit(made[1])]))
    assert after < before


def test_the_site_builds(tmp_path: Path) -> None:
    """Without a warning, and without a network."""
    for name in ("sphinx", "myst_parser", "furo"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is missing; pip install '.[docs]'")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-q", "-b", "html"]
    nowhere = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    done = subprocess.run(
        [*command, "-d", str(tmp_path / "trees"), str(DOCS), str(tmp_path / "site")],
        env={**os.environ, **nowhere, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for page in PAGES:
        assert (tmp_path / "site" / f"{page.stem}.html").is_file()
