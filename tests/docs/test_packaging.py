"""What is built and published: both distributions, versions, citation, and what the checks name."""

from __future__ import annotations

import ast
import builtins
import email.message
import email.parser
import fnmatch
import importlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from click.testing import CliRunner
from packaging.requirements import Requirement

from consingan._version import __version__
from consingan.cli import main
from consingan.machine import extras

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github/workflows/checks.yml"
LITTER = (
    ".git", ".venv*", ".*_cache", ".hypothesis", "__pycache__", "*.pyc", "*.egg-info", "build",
    "dist", "_build", "site", ".coverage*", "coverage.xml",
)  # fmt: skip
EXTRA_OF = {
    "imageio_ffmpeg": "video",
    "ray": "ray",
    "gradio": "web",
    "tomli": "Python 3.10 alone",
    "tomllib": "Python from 3.11 on",
    "pillow_heif": "heic",
    "IPython": "notebooks bring it",
    "triton": "torch for CUDA brings it on Linux",
}


def python(*arguments: object, folder: Path, **variables: str) -> str:
    """Output of a Python process in `folder`, which must end well."""
    done = subprocess.run(
        [sys.executable, *(str(a) for a in arguments)],
        cwd=folder, env={**os.environ, "OMP_NUM_THREADS": "1", **variables},
        capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def is_litter(path: Path) -> bool:
    """Whether tools or trainings left it: no part of the project."""
    names = (*LITTER, "TrainedModels")
    return any(fnmatch.fnmatch(part, name) for part in path.parts for name in names)


@dataclass(frozen=True)
class Built:
    """Both distributions and what the build printed."""

    sdist: Path
    wheel: Path
    log: str

    def names(self) -> tuple[set[str], set[str]]:
        """Files of the source distribution (without its top folder) and of the wheel."""
        with tarfile.open(self.sdist) as archive:
            files = [m.name.partition("/")[2] for m in archive.getmembers() if m.isfile()]
        return set(files), set(zipfile.ZipFile(self.wheel).namelist())

    def metadata(self) -> email.message.Message:
        with zipfile.ZipFile(self.wheel) as wheel:
            (name,) = (n for n in wheel.namelist() if n.endswith(".dist-info/METADATA"))
            return email.parser.Parser().parsestr(wheel.read(name).decode("utf-8"))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The source distribution, made in a copy of the project, and the wheel made from it."""
    top = tmp_path_factory.mktemp("packaging")
    copy = top / "project"
    shutil.copytree(ROOT, copy, ignore=lambda _, names: [n for n in names if is_litter(Path(n))])
    runs = copy / "TrainedModels"
    runs.mkdir()
    shutil.copy(ROOT / runs.name / "README.md", runs)
    log = python("-m", "build", "--no-isolation", "--outdir", top / "dist", folder=copy)
    (sdist,) = (top / "dist").glob("*.tar.gz")
    (wheel,) = (top / "dist").glob("*.whl")
    return Built(sdist, wheel, log)


def test_names_and_warnings_of_the_build(built: Built) -> None:
    assert built.wheel.name == f"consingan-{__version__}-py3-none-any.whl"
    assert built.sdist.name == f"consingan-{__version__}.tar.gz"
    assert "deprecat" not in built.log.lower()
    assert not re.search(r"warning: no (?:files|directories) found", built.log)


def test_twine_finds_nothing(built: Built) -> None:
    said = python("-m", "twine", "check", "--strict", built.sdist, built.wheel, folder=ROOT)
    assert said.count("PASSED") == 2


def test_wheel_holds_the_package_and_nothing_else(built: Built) -> None:
    _, wheel = built.names()
    code = {p.relative_to(ROOT).as_posix() for p in (ROOT / "consingan").rglob("*.py")}
    rest = {name for name in wheel if ".dist-info/" not in name}
    assert code <= rest
    assert "consingan/py.typed" in rest
    assert all(name.startswith("consingan/") for name in rest)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in wheel)


def test_source_distribution_holds_all_that_the_checks_need(built: Built) -> None:
    sdist, _ = built.names()
    folders = ("consingan", "tests", "benchmarks", "Images", "docs", "notebooks", "examples",
               ".ci", ".github")  # fmt: skip
    needed = {
        "main_train.py", "evaluate_model.py", "Makefile", "pyproject.toml", "setup.py",
        "MANIFEST.in", "requirements.txt", "constraints.txt", "README.md", "LICENSE",
        "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", ".pre-commit-config.yaml",
        "TrainedModels/README.md",
    }  # fmt: skip
    for folder in folders:
        files = (p.relative_to(ROOT) for p in (ROOT / folder).rglob("*") if p.is_file())
        needed |= {p.as_posix() for p in files if not is_litter(p)}
    assert not needed - sdist
    assert not [name for name in sdist if name.endswith(".pyc") or "/." in f"/{name}"[1:]]


@pytest.mark.parametrize("program", ["main_train", "evaluate_model", "command"])
def test_ctrl_c_while_a_program_is_being_loaded_is_no_traceback(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    (home,) = re.findall(r'^consingan = "(.*):main"$', text, re.M)
    home = home if program == "command" else program
    load = builtins.__import__

    def interrupted(name: str, *rest: Any) -> Any:
        if name == "consingan.cli":
            raise KeyboardInterrupt
        return load(name, *rest)

    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.delitem(sys.modules, home, raising=False)
    monkeypatch.setattr(builtins, "__import__", interrupted)
    with pytest.raises(SystemExit) as stopped:
        importlib.import_module(home)
    assert stopped.value.code == 130


def test_the_wheel_works_from_an_empty_folder(built: Built, tmp_path: Path) -> None:
    """A wheel is installed by unpacking it; the console script calls `main`."""
    site, empty = tmp_path / "site", tmp_path / "empty"
    empty.mkdir()
    with zipfile.ZipFile(built.wheel) as wheel:
        wheel.extractall(site)
    (points,) = site.glob("*.dist-info/entry_points.txt")
    assert "consingan = consingan.__main__:main" in points.read_text("utf-8")
    script = "import sys; from consingan.__main__ import main; sys.argv[0] = 'consingan'; main()"
    said = python("-c", script, "doctor", "--json", folder=empty, PYTHONPATH=str(site))
    report = json.loads(said[said.index("{") :])
    assert report["ok"], said
    assert str(site) in report["versions"]["consingan"] or "~" in report["versions"]["consingan"]
    assert not list(empty.iterdir())


def test_metadata(built: Built) -> None:
    said = built.metadata()
    assert said["License-Expression"] == "MIT"
    assert said["Requires-Python"] == ">=3.10"
    assert set(said.get_all("Provides-Extra", [])) >= {"video", "docs", "dev"}
    listed = [Requirement(r) for r in said.get_all("Requires-Dist", []) if "extra" not in r]
    assert set(listed) == set(required())
    assert not [c for c in said.get_all("Classifier", []) if c.startswith("License")]


def test_long_description_has_no_link_that_only_the_repository_knows(built: Built) -> None:
    said = built.metadata()
    assert said["Description-Content-Type"] == "text/markdown"
    text = str(said.get_payload())
    assert text.startswith("# ConSinGAN")
    targets = re.findall(r"\]\(([^)\s]+)|(?:src|href)=\"([^\"]+)\"", text)
    assert targets
    for target in (a or b for a, b in targets):
        assert target.startswith(("https://", "#")), target


def test_relative_links_and_pictures_leave_their_words() -> None:
    namespace: dict[str, Any] = {}
    source = ast.parse((ROOT / "setup.py").read_text("utf-8"))
    source.body = [node for node in source.body if not isinstance(node, ast.Expr | ast.ImportFrom)]
    exec(compile(source, "setup.py", "exec"), namespace)
    text = (
        'A <img src="docs/a.jpg" width="9">\n![B](b.png)\n[page](docs/page.md#top), '
        "[paper](https://arxiv.org) [below](#below)"
    )
    assert namespace["long_description"](text) == (
        "A page, [paper](https://arxiv.org) [below](#below)"
    )


# One version, everywhere


def changelog_versions() -> list[tuple[str, str]]:
    """(version, date) of each entry, the newest first."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    return re.findall(r"^## \[([^\]]+)\] - (\S+)$", text, re.M)


def citation() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))


def test_version_is_the_same_everywhere(built: Built) -> None:
    assert changelog_versions()[0][0] == __version__
    assert citation()["version"] == __version__
    assert built.metadata()["Version"] == __version__
    assert f"version {__version__}" in CliRunner().invoke(main, ["--version"]).output


def test_changelog_form() -> None:
    entries = changelog_versions()
    dates = [date for _, date in entries]
    assert all(re.fullmatch(r"\d{4}-\d{2}-\d{2}", date) for date in dates)
    assert dates == sorted(dates, reverse=True)
    kinds = re.findall(r"^### (\w+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    allowed = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "Compatible"}
    assert kinds
    assert set(kinds) <= allowed


def test_citation_names_the_paper() -> None:
    """The fields that version 1.2.0 of the format requires, and the paper's authors in order."""
    cited = citation()
    assert cited["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(cited)
    assert cited["type"] == "software"
    assert str(cited["date-released"]) == changelog_versions()[0][1]
    paper = cited["preferred-citation"]
    assert paper["type"] == "conference-paper"
    names = [author["family-names"] for author in paper["authors"]]
    assert names == ["Hinz", "Fisher", "Wang", "Wermter"]
    assert (paper["year"], paper["start"], paper["end"]) == (2021, 1300, 1309)
    bibtex = (ROOT / "README.md").read_text("utf-8")
    assert f"title     = {{{paper['title']}}}" in bibtex


# Requirements


def imported() -> dict[str, str]:
    """Top-level names that the package imports from others, and a file that does."""
    found = {}
    for path in (ROOT / "consingan").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            found |= {name.partition(".")[0]: path.name for name in names}
    return {n: f for n, f in found.items() if n not in sys.stdlib_module_names | {"consingan"}}


def required() -> list[Requirement]:
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    return [Requirement(line) for line in lines]


def test_every_import_is_required() -> None:
    """Of the package's requirements, or of an extra, or of what the code runs in."""
    names = {requirement.name.lower() for requirement in required()}
    distributions = metadata.packages_distributions()
    for name, file in imported().items():
        if name in EXTRA_OF:
            continue
        providers = {d.lower() for d in distributions.get(name, [name])}
        assert providers & names, f"{file} imports {name}, which requirements.txt lacks"


def test_pins_are_within_the_ranges() -> None:
    pinned = dict(
        line.split(";")[0].strip().lower().split("==")
        for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
        if "==" in line.split(";")[0]
    )
    for requirement in required():
        assert pinned[requirement.name.lower()] in requirement.specifier, requirement.name


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("click", "8.2.2"),  # an option --x/--no_x that was left out is False, not None
        ("tifffile", "2024.5.10"),  # imwrite knows no iccprofile
    ],
)
def test_versions_that_are_known_to_fail_are_not_in_the_ranges(name: str, version: str) -> None:
    (requirement,) = (r for r in required() if r.name == name)
    assert version not in requirement.specifier


def test_what_one_is_told_to_install_is_what_the_extras_hold(built: Built) -> None:
    told = {extras.FFMPEG, extras.HEIF, extras.RAY, extras.GRADIO}
    listed = map(Requirement, built.metadata().get_all("Requires-Dist", []))
    held = {f"{r.name}{r.specifier}" for r in listed if r.marker and "dev" not in str(r.marker)}
    assert told <= held
    names = "|".join(Requirement(line).name for line in told)
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for line in re.findall(rf"\b(?:{names})>=[\d.]+", page.read_text("utf-8")):
            assert line in told, page


# What the checks name exists


def checks_script() -> Any:
    spec = importlib.util.spec_from_file_location("checks", ROOT / ".ci/checks.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_checks_script_runs_what_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checks = checks_script()
    ran: list[tuple[str, ...]] = []

    def fake(command: list[str], **_: Any) -> Any:
        ran.append(tuple(command[1:]))
        return subprocess.CompletedProcess(command, int("mypy" in command), "an error of types\n")

    monkeypatch.setattr(checks.subprocess, "run", fake)
    monkeypatch.setattr(sys, "argv", ["checks.py"])
    assert checks.main() == 1
    assert list(checks.CHECKS) == ["format", "lint", "types", "arrows", "rules", "tests"]
    assert sorted(ran) == sorted(checks.CHECKS.values())
    told = capsys.readouterr().out
    assert told.index("tests: passed") < told.index("an error of types\ntypes: FAILED")
    assert told.endswith("failed: types\n")
    monkeypatch.setattr(sys, "argv", ["checks.py", "lint"])
    assert checks.main() == 0
    assert ran[-1] == checks.CHECKS["lint"]
    monkeypatch.setattr(sys, "argv", ["checks.py", "nonsense"])
    with pytest.raises(SystemExit, match="2"):
        checks.main()


def workflow() -> dict[Any, Any]:
    return yaml.safe_load(WORKFLOW.read_text("utf-8"))


def steps() -> list[dict[str, Any]]:
    return [step for job in workflow()["jobs"].values() for step in job["steps"]]


def test_workflow_has_few_rights_and_stops_what_is_outdated() -> None:
    flow = workflow()
    assert flow["permissions"] == {"contents": "read"}
    assert flow["concurrency"]["cancel-in-progress"] is True
    # YAML 1.1 reads the key `on` as true.
    assert {"push", "pull_request"} <= set(flow[True])
    for job in flow["jobs"].values():
        assert job["timeout-minutes"] <= 30


def test_workflow_covers_the_ends_of_the_range(built: Built) -> None:
    rows = workflow()["jobs"]["range"]["strategy"]["matrix"]["include"]
    oldest = [row["python"] for row in rows if row["versions"] == "oldest"]
    assert [f">={version}" for version in oldest] == [built.metadata()["Requires-Python"]]
    systems = {row["os"].partition("-")[0] for row in rows if row["versions"] == "newest"}
    assert systems == {"ubuntu", "windows", "macos"}


def test_what_the_workflow_runs_exists(built: Built) -> None:
    checks = checks_script()
    commands = "\n".join(step["run"] for step in steps() if "run" in step)
    assert ".ci/run" in commands.splitlines()
    assert os.access(ROOT / ".ci/run", os.X_OK) or os.name == "nt"
    asked = re.findall(r"python \.ci/checks\.py ?(.*)$", commands, re.M)
    assert {"tests", "coverage"} <= {name for names in asked for name in names.split()}
    for names in asked:
        assert set(names.split()) <= set(checks.CHECKS | checks.NAMED)
    for command in re.findall(r"^consingan (\w+)", commands, re.M):
        assert command in main.commands
    for extra in re.search(r"\.\[([\w,]+)\]", commands)[1].split(","):
        assert extra in built.metadata().get_all("Provides-Extra")
    files = re.findall(r"[\w./]+\.(?:txt|toml)", WORKFLOW.read_text("utf-8"))
    assert {"requirements.txt", "constraints.txt", "pyproject.toml"} <= set(files)
    for name in set(files) - {"bounds.txt"}:
        assert (ROOT / name).is_file(), name


def test_hooks_are_local_and_exist() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    hooks = config["repos"][0]["hooks"]
    assert {"ruff-format", "ruff-check", "mypy", "notebook-outputs"} == {h["id"] for h in hooks}
    for hook in hooks:
        words = hook["entry"].split()
        assert words[0] == "python"
        if words[1] == "-m":
            assert importlib.util.find_spec(words[2])
        else:
            assert (ROOT / words[1]).is_file()


def test_links_of_the_pages_for_contributors_resolve() -> None:
    for page in ("CONTRIBUTING.md", "CHANGELOG.md"):
        text = (ROOT / page).read_text("utf-8")
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (ROOT / target).exists(), f"{page}: {target}"
        for path in re.findall(r"`((?:tests|docs|consingan|\.github)/[\w./]+)`", text):
            assert (ROOT / path).exists(), f"{page}: {path}"


# Notebooks are kept without outputs


def notebook_with_output(path: Path) -> Path:
    output = nbformat.v4.new_output("stream", text="a line\n")
    cell = nbformat.v4.new_code_cell("print('a line')", execution_count=3, outputs=[output])
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    return path


def test_outputs_of_notebooks_are_removed(tmp_path: Path) -> None:
    path = notebook_with_output(tmp_path / "a.ipynb")
    command = [sys.executable, str(ROOT / ".ci/notebooks.py"), str(path)]
    assert subprocess.run(command, capture_output=True).returncode == 1
    (cell,) = nbformat.read(path, as_version=4).cells
    assert (cell.source, cell.outputs, cell.execution_count) == ("print('a line')", [], None)
    content = path.read_bytes()
    assert subprocess.run(command, capture_output=True).returncode == 0
    assert path.read_bytes() == content


def test_notebooks_of_the_project_have_no_outputs() -> None:
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            assert not cell.get("outputs"), path.name
            assert cell.get("execution_count") is None, path.name
