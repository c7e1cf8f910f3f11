"""`consingan doctor`: true facts, and a sentence and exit code 1 where something is wrong."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
import warnings
from importlib import metadata
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from click.testing import CliRunner, Result

from consingan._version import __version__
from consingan.api import train, trained
from consingan.cli import main
from consingan.doctor import examine, facts, trial
from consingan.doctor.trial import Check
from consingan.errors import UserError
from consingan.machine.graphs import NOT_RECORDED, WARM_UP
from consingan.nn.architecture import Architecture
from consingan.nn.fused import choice
from consingan.nn.fused.choice import NOT_COMPILED, fits

CPU = torch.device("cpu")
REQUIREMENTS = Path(__file__).parents[2] / "requirements.txt"


def run(*arguments: object) -> Result:
    texts = [str(a) for a in arguments]
    return CliRunner().invoke(main, ["doctor", *texts], catch_exceptions=False)


@pytest.fixture(autouse=True)
def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the self test's own test trains, and none asks how busy the machine is."""
    monkeypatch.setattr(facts, "crowded", lambda device: "")


@pytest.fixture
def healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_train_and_load", lambda device: None)


def below(section: str, output: str) -> dict[str, str]:
    """The facts of one section of the text."""
    lines = output.splitlines()
    facts = {}
    for line in lines[lines.index(section) + 1 :]:
        if not line.startswith("  "):
            break
        name, words = line.strip().split("  ", 1)
        facts[name] = words.strip()
    return facts


# The command


def test_all_is_well_on_this_machine(tmp_path: Path) -> None:
    """The one test that really trains: in a new folder, nothing is left there."""
    result = run("--device", "cpu", "--output_dir", tmp_path / "runs")
    assert result.exit_code == 0, result.output
    versions = below("versions", result.output)
    assert versions["consingan"].startswith(f"{__version__} (")
    assert versions["python"].startswith(f"{platform.python_version()} (")
    assert versions["torch"].startswith(torch.__version__)
    assert versions["numpy"] == numpy.__version__
    assert platform.system() in versions["system"]
    precision = below("precision on cpu", result.output)
    assert list(precision) == ["auto", "float32", "tf32", "bf16"]
    assert "needs an NVIDIA GPU" in precision["tf32"]
    assert re.fullmatch(r"yes, [\d.]+ times as fast as float32", precision["bf16"])
    assert "can be made" in below("folders", result.output)["output"]
    assert below("self test", result.output)["result"].startswith("ok: trained, sampled, saved")
    assert result.output.endswith("All is well.\n")
    assert not (tmp_path / "runs").exists()


@pytest.mark.usefixtures("healthy")
def test_json_says_the_same(tmp_path: Path) -> None:
    result = run("--json", "--device", "cpu", "--output-dir", tmp_path)
    assert result.exit_code == 0
    report = json.loads(result.output)
    assert report["ok"] is True
    assert report["problems"] == []
    text = run("--device", "cpu", "--output-dir", tmp_path).output
    for section in ("versions", "extras", "load"):
        assert report[section] == below(section, text)


def test_a_broken_self_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError(f"cannot open\n{Path.home()}/lib/libcudnn.so: no such file")

    monkeypatch.setattr(train, "train", broken)
    result = run("--device", "cpu", "--output_dir", tmp_path)
    assert result.exit_code == 1
    sentence = (
        "The self test on cpu failed: RuntimeError: cannot open ~/lib/libcudnn.so: no such file"
    )
    assert result.output.splitlines()[-2:] == ["Not all is well:", f"  {sentence}"]
    assert "Traceback" not in result.output
    report = json.loads(run("--json", "--device", "cpu", "--output_dir", tmp_path).output)
    assert (report["ok"], report["problems"]) == (False, [sentence])


@pytest.mark.usefixtures("healthy")
def test_a_driver_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All else is said nevertheless."""

    def broken(*_: Any) -> float:
        raise RuntimeError("CUDA error: no kernel image is available\nmore")

    monkeypatch.setattr(facts, "_convolution_time", broken)
    result = run("--device", "cpu", "--output_dir", tmp_path)
    assert result.exit_code == 1
    words = "RuntimeError: CUDA error: no kernel image is available more"
    assert below("precision on cpu", result.output) == {"failed": words}
    assert result.output.endswith(f"  The precision on cpu cannot be told: {words}\n")
    assert below("versions", result.output)["numpy"] == numpy.__version__


@pytest.mark.usefixtures("healthy")
def test_a_library_that_is_not_as_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = ["numpy<1", "no-such-library>=2", "click", "torch>=99; extra == 'web'"]
    monkeypatch.setattr("importlib.metadata.requires", lambda name: needed)
    result = run("--device", "cpu", "--output_dir", tmp_path)
    assert result.exit_code == 1
    assert result.output.split("Not all is well:\n")[1].splitlines() == [
        f'  numpy {numpy.__version__} is not one that works here; run: pip install "numpy<1".',
        '  no-such-library is missing; run: pip install "no-such-library>=2".',
    ]


@pytest.mark.usefixtures("healthy")
@pytest.mark.parametrize("below_it", ["", "deeper/still"])
def test_a_file_in_the_way_of_the_output_folder(tmp_path: Path, below_it: str) -> None:
    blocked = tmp_path / "TrainedModels"
    blocked.write_text("a file")
    result = run("--device", "cpu", "--output_dir", blocked / below_it)
    assert result.exit_code == 1
    (problem,) = result.output.split("Not all is well:\n")[1].splitlines()
    assert str(blocked / below_it) in problem
    assert "cannot be written" in problem
    assert "choose another place" in problem
    assert blocked.read_text() == "a file"


def test_a_device_that_is_not_there() -> None:
    result = run("--device", "cuda:99")
    assert result.exit_code == 2
    assert "--device cuda:99: there" in result.output


def test_a_library_that_breaks_while_it_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise AttributeError("numpy has no attribute 'float'")

    monkeypatch.setattr("importlib.import_module", broken)
    result = run()
    assert result.exit_code == 1
    assert "a library cannot be imported (numpy has no attribute 'float')" in result.output


def test_torch_that_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "consingan.doctor.examine", None)
    result = run()
    assert result.exit_code == 1
    assert f"consingan {__version__}, Python {platform.python_version()}" in result.output
    assert "a library cannot be imported" in result.output
    assert "Traceback" not in result.output


# The facts


def not_installed(name: str) -> None:
    raise PackageNotFoundError(name)


def test_libraries_where_the_package_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.requires", not_installed)
    lines = REQUIREMENTS.read_text("utf-8").splitlines()
    new = sys.version_info >= (3, 11)
    listed = [
        re.split("[<>=!]", line)[0] for line in lines if not (new and "python_version" in line)
    ]
    assert [needed.name for needed in facts.requirements().pop("")] == listed
    said = facts.versions()
    assert all(re.match(r"\d", said[name]) for name in listed)
    assert list(facts.extras()) == ["unknown"]


def test_a_missing_library_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.requires", lambda name: ["no-such-library>=2"])
    assert facts.versions()["no-such-library"] == "MISSING"


def test_a_library_out_of_its_range_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = ["numpy<1", f"click=={metadata.version('click')}"]
    monkeypatch.setattr("importlib.metadata.requires", lambda name: needed)
    said = facts.versions()
    assert said["numpy"] == f"{numpy.__version__}; needed: <1"
    assert said["click"] == metadata.version("click")


def test_variables_that_matter_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    monkeypatch.setenv("SECRET_TOKEN", "hidden")
    said = facts.versions()
    assert said["CUDA_VISIBLE_DEVICES"] == "3"
    assert "hidden" not in str(said)


def test_extras_present_and_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = [
        "torch>=2.4",
        'numpy>=1; extra == "video"',
        'numpy>=1 ; python_version > "3" and extra == "dev"',
        "no-such.library>=2; extra == 'dev'",
        'numpy>=99; extra == "web"',
        'numpy>=99; python_version < "3" and extra == "docs"',
    ]
    monkeypatch.setattr("importlib.metadata.requires", lambda name: needed)
    assert facts.extras() == {
        "video": "present",
        "dev": 'missing; get it with: pip install "no-such.library>=2"',
        "web": f'too old (numpy {numpy.__version__}); get it with: pip install "numpy>=99"',
    }


def test_devices_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    found = facts.devices()
    assert (found["cuda"], found["mps"]) == ("none", "none")
    assert found["cpu"].startswith(f"{facts.processor()}, cores: ")
    assert f", threads used: {torch.get_num_threads()}, " in found["cpu"]
    assert facts.processor()


def test_devices_with_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    class Properties:
        name, major, minor, total_memory = "Some GPU", 8, 6, 24 * facts.GIB

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: Properties)
    free = {None: 3, 0: 20, 1: 19}
    monkeypatch.setattr(facts, "free_memory", lambda device: free[device.index] * facts.GIB)
    found = facts.devices()
    assert found["cuda:0"] == "Some GPU, compute capability 8.6, 20.0 of 24.0 GiB free"
    assert found["cuda:1"].endswith("19.0 of 24.0 GiB free")
    assert found["triton"].startswith(("missing", "3."))
    assert "cuda" not in found
    assert found["cpu"].endswith(", 3.0 GiB free")


@pytest.mark.parametrize(
    ("version", "said"),
    [(None, "missing; without 3.3 or newer bf16 trainings take 1.5 times as long"),
     ("3.2.0", "3.2.0; without 3.3 or newer bf16 trainings take 1.5 times as long"),
     ("3.10.1+git1", "3.10.1+git1")],
)  # fmt: skip
def test_an_old_triton_is_told(
    version: str | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    for module in (choice, facts):
        monkeypatch.setattr(module, "triton_version", lambda: version)
    assert facts.devices()["triton"] == said


def test_measured_precision_is_relative_to_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {"float32": 0.004, "bf16": 0.001}
    monkeypatch.setattr(facts, "_convolution_time", lambda arithmetic, _: seconds[arithmetic.name])
    found = facts.precisions(CPU)
    assert found["float32"].startswith("yes, 4.00 ms")
    assert found["bf16"] == "yes, 4.0 times as fast as float32"


def test_memory_where_the_system_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "free_memory", lambda device: None)
    assert facts.devices()["cpu"].endswith(", free memory unknown")


def test_busy_cores_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "crowded", lambda device: f"{device} is busy")
    assert facts.load(CPU) == {"cores": "cpu is busy"}


def test_a_writable_folder_is_left_as_it_was(tmp_path: Path) -> None:
    check = trial.writable(tmp_path)
    assert check.ok
    assert "writable" in check.words
    assert not list(tmp_path.iterdir())


def test_a_link_to_nowhere_is_no_folder(tmp_path: Path) -> None:
    link = tmp_path / "runs"
    try:
        link.symlink_to(tmp_path / "unmounted")
    except OSError:
        pytest.skip("no symbolic links here")
    assert not trial.writable(link).ok


def test_no_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> str:
        raise FileNotFoundError

    monkeypatch.setattr("tempfile.gettempdir", none)
    checks = trial.folders(tmp_path)
    assert checks["output"].ok
    assert not checks["temporary"].ok


# The self test


@pytest.fixture
def model() -> trained.TrainedModel:
    rng = torch.Generator().manual_seed(0)
    return train.train(torch.rand(1, 3, 24, 32, generator=rng) * 2 - 1, **trial.SMALL)


def test_a_sample_that_is_not_finite(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        trained.TrainedModel, "sample", lambda *_, **__: torch.full((1, 3, 24, 32), torch.nan)
    )
    check = trial.self_test(CPU)
    assert not check.ok
    assert "is not a finite picture" in check.words


def test_a_loaded_model_that_differs(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trained, "load", lambda *_, **__: model)
    check = trial.self_test(CPU)
    assert not check.ok
    assert "the loaded model's sample differs by" in check.words


@pytest.mark.parametrize("what", [NOT_RECORDED, NOT_COMPILED])
def test_what_makes_a_gpu_slow_is_told(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def warned(_: torch.device) -> None:
        for _ in range(2):
            warnings.warn(f"{what}, going on without (a reason).", stacklevel=2)
        warnings.warn("something else", stacklevel=2)

    monkeypatch.setattr(trial, "_train_and_load", warned)
    check = trial.self_test(CPU)
    assert check.ok
    assert check.words.endswith(f" s. {what}, going on without (a reason).")


def test_the_self_test_gets_as_far_as_a_graph() -> None:
    assert trial.SMALL["niter"] > WARM_UP + 1  # one is recorded, then repeated
    assert fits(Architecture(channels=trial.COMPILED["nfc"]))


def test_the_number_of_threads_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    before = torch.get_num_threads()
    monkeypatch.setattr(trial, "_train_and_load", lambda _: seen.append(torch.get_num_threads()))
    torch.set_num_threads(3)
    try:
        assert trial.self_test(CPU).ok
        assert seen == [1]
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_an_unknown_device_is_the_users_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is unknown"):
        examine.examine(tmp_path, "toaster")


# Privacy


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{home}", "~"),
        ("{home}{sep}venv{sep}python", "~{sep}venv{sep}python"),
        ("No file '{home}{sep}a': {home}", "No file '~{sep}a': ~"),
        ("{home}stead{sep}b", "{home}stead{sep}b"),
        ("{sep}elsewhere", "{sep}elsewhere"),
    ],
)
def test_the_home_folder_is_a_tilde(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    names = {"home": str(tmp_path), "sep": os.sep}
    assert facts.without_home(text.format(**names)) == said.format(**names)


def test_a_home_at_the_root_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/"))
    assert facts.without_home("/usr/lib") == "/usr/lib"


def test_without_a_home_paths_are_told_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", none)
    assert facts.without_home("/usr/lib") == "/usr/lib"


def test_neither_host_nor_user_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "node", lambda: "secret-host")
    monkeypatch.setattr(Path, "home", lambda: Path(sys.prefix))
    monkeypatch.setattr(examine, "self_test", lambda device: Check("ok"))
    report = examine.examine(tmp_path, "cpu")
    text = "\n".join(report.lines())
    assert "secret-host" not in text
    assert sys.prefix not in text
    assert f"(~{os.sep}" in text
