"""Every mistake a user can make: one sentence that helps, exit code 2, nothing written."""

from __future__ import annotations

import errno
import json
import re
import shlex
import shutil
import struct
import sys
import zlib

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from commands import (
    TINY,
    copy_of_run,
    evaluate_model,
    files_below,
    main_train,
    naive_scene,
    save,
    scene,
    trained,
)
from safetensors.torch import load_file, save_file

from benchmarks import quality
from consingan import cli
from consingan.errors import UserError
from consingan.machine.device import choose_device
from consingan.machine.precision import choose_arithmetic
from consingan.runs.folder import RunFolder
from consingan.runs.manifest import FORMAT

USER_ERROR = 2


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with good and bad pictures and runs, as users have them."""
    folder = tmp_path_factory.mktemp("bad input")
    save(folder / "good.png", scene())
    save(folder / "naive.png", naive_scene())
    save(folder / "wide.png", naive_scene(40, 90))
    save(folder / "other.png", scene()[::-1].copy())
    save(folder / "tiny.png", scene(3, 3))
    save(folder / "small.png", scene(10, 14))
    save(folder / "narrow.png", scene(20, 400))
    save(folder / "short.png", scene(30, 60))
    (folder / "text.png").write_text("this is no picture")
    (folder / "empty.png").touch()
    photo = save(folder / "photo.jpg", scene(80, 80)).read_bytes()
    (folder / "cut.jpg").write_bytes(photo[: len(photo) // 2])
    (folder / "bomb.png").write_bytes(_bomb())
    np.savez(folder / "array.npz", scene())
    (folder / "blocked").write_text("a file where a folder is wanted")
    (folder / "empty folder").mkdir()
    (folder / "folder.png").mkdir()
    save(folder / "two" / "a.png", scene())
    save(folder / "two" / "b.png", naive_scene())
    _bad_runs(folder)
    return folder


def _bomb() -> bytes:
    """A PNG of 40000x40000 px in a hundred bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 40000, 40000, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


def _bad_runs(folder) -> None:
    run = copy_of_run("generation", folder / "parent" / "image")
    shutil.copytree(run, folder / "finished")
    shutil.copytree(trained("harmonization"), folder / "harmonized")
    shutil.copytree(trained("animation"), folder / "animated")

    newer = shutil.copytree(run, folder / "newer")
    manifest = json.loads((newer / "manifest.json").read_text())
    (newer / "manifest.json").write_text(json.dumps(manifest | {"format": 99}))

    corrupt = shutil.copytree(run, folder / "corrupt")
    weights = corrupt / "1" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-40])

    garbled = shutil.copytree(run, folder / "garbled")
    (garbled / "manifest.json").write_text("{")

    incomplete = shutil.copytree(run, folder / "incomplete")
    (incomplete / "pyramid.safetensors").unlink()

    strange = shutil.copytree(run, folder / "strange")
    config = json.loads((strange / "config.json").read_text())
    (strange / "config.json").write_text(json.dumps(config | {"nfc": 8}))

    for name, value in {"execution": 5, "versions": []}.items():
        wrong = shutil.copytree(run, folder / f"wrong {name}")
        manifest = json.loads((wrong / "manifest.json").read_text())
        (wrong / "manifest.json").write_text(json.dumps(manifest | {name: value}))

    future = shutil.copytree(run, folder / "future")
    (future / "config.json").write_text(json.dumps(config | {"warp": 8}))

    blocked = shutil.copytree(run, folder / "no room")
    (blocked / "Evaluation").write_text("a file where a folder is wanted")

    not_finite = shutil.copytree(run, folder / "not finite")
    weights = not_finite / "1" / "weights.safetensors"
    tensors = load_file(weights)
    weight = next(name for name in tensors if name.startswith("generator."))
    save_file(tensors | {weight: tensors[weight] * torch.nan}, weights)

    unfinished = shutil.copytree(trained("harmonization"), folder / "unfinished")
    manifest = json.loads((unfinished / "manifest.json").read_text())
    early = {"status": "interrupted", "finished_stages": 1}
    (unfinished / "manifest.json").write_text(json.dumps(manifest | early))

    unbegun = shutil.copytree(unfinished, folder / "unbegun")
    (unbegun / "manifest.json").write_text(json.dumps(manifest | early | {"finished_stages": 0}))


GOOD = "--input_name good.png"
FINE_TUNE = "--fine_tune --train_mode harmonization"

TRAIN = [
    # the picture
    ("", "--input_name is missing"),
    ("--model_dir finished", "--model_dir goes with --fine_tune or --resume"),
    ("--input_name absent.png", "There is no picture absent.png"),
    ("--input_name 'no/such folder/x.png'", "There is no picture"),
    ("--input_name https://a.b/c.png", "not fetched (https://...); download c.png and name the"),
    (f"--input_name {'x' * 300}.png", "There is no picture"),
    ("--input_name ''", "'--input_name': it is empty; give a value or leave it out."),
    ("--input_name text.png", "is not a picture that can be read"),
    ("--input_name empty.png", "empty.png is empty; name a picture file"),
    ("--input_name array.npz", "is not a picture that can be read"),
    ("--input_name cut.jpg", "is damaged or cut short"),
    ("--input_name bomb.png", "million pixels; make it smaller"),
    ("--input_name tiny.png", "use a larger image"),
    ("--input_name small.png --min_size 11", "use a larger image"),
    ("--input_name short.png --min_size 28 --max_size 40", "--max_size 56 or more"),
    ("--input_name narrow.png --max_size 200 --min_size 12", "--max_size 240 or more"),
    ("--input_name skimage:nothing", "There is no photograph skimage:nothing"),
    ("--input_name skimage:", "There is no photograph"),
    # a folder of pictures
    ("--input_name 'empty folder'", "There is no picture in the folder empty folder"),
    ("--input_name folder.png", "There is no picture in the folder folder.png"),
    ("--input_name two --fine_tune", "--fine_tune is for one training image"),
    ("--input_name two --naive_img naive.png", "--naive_img is for one training image"),
    ("--input_name two --model_dir finished", "--model_dir names one run"),
    ("--input_name two --niter 0", "--niter 0 must be 1 or more"),
    ("--input_name two --min_size 100 --max_size 50", "--min_size 100 is above"),
    ("--input_name two --device tpu", "--device tpu is unknown"),
    ("--input_name two --engine slow", "--engine slow is unknown"),
    ("--input_name two --resume --model_dir unfinished", "leave out --input_name"),
    # numbers
    (f"{GOOD} --train_stages 0", "--train_stages 0 must be 1 or more"),
    (f"{GOOD} --train_stages -3", "--train_stages -3 must be 1 or more"),
    (f"{GOOD} --train_stages many", "'many' is not a valid integer"),
    (f"{GOOD} --train_depth 0", "--train_depth 0 must be 1 or more"),
    (f"{GOOD} --niter -1", "--niter -1 must be 1 or more"),
    (f"{GOOD} --niter 1.5", "is not a valid integer"),
    (f"{GOOD} --nfc 0", "--nfc 0 must be 1 or more"),
    (f"{GOOD} --num_layer -1", "--num_layer -1 must be 1 or more"),
    (f"{GOOD} --Gsteps 0", "--Gsteps 0 must be 1 or more"),
    (f"{GOOD} --Dsteps 0", "--Dsteps 0 must be 1 or more"),
    (f"{GOOD} --nc_im 1", "--nc_im 1 is not what the picture has, 3; leave it out"),
    (f"{GOOD} --nc_im 0", "--nc_im 0 must be 1 or more"),
    (f"{GOOD} --lr_g nan", "--lr_g nan must be a finite number"),
    (f"{GOOD} --lr_d inf", "--lr_d inf must be a finite number"),
    (f"{GOOD} --lr_g 0", "--lr_g 0.0 must be above 0"),
    (f"{GOOD} --lr_d -1e-4", "--lr_d -0.0001 must be above 0"),
    (f"{GOOD} --lr_scale -0.1", "--lr_scale -0.1 must be 0 or more"),
    (f"{GOOD} --lr_scale 2", "--lr_scale 2.0 must be 1 or less"),
    (f"{GOOD} --alpha nan", "--alpha nan must be a finite number"),
    (f"{GOOD} --noise_amp -inf", "--noise_amp -inf must be a finite number"),
    (f"{GOOD} --lambda_grad -1", "--lambda_grad -1.0 must be 0 or more"),
    (f"{GOOD} --beta1 1", "--beta1 1.0 must be 0.9999 or less"),
    (f"{GOOD} --gamma 7", "--gamma 7.0 must be 1 or less"),
    (f"{GOOD} --manualSeed -1", "--manualSeed -1 must be 0 or more"),
    (f"{GOOD} --manualSeed 99999999999", "--manualSeed 99999999999 must be"),
    (f"{GOOD} --min_size 100 --max_size 50", "--min_size 100 is above --max_size 50"),
    (f"{GOOD} --min_size 10", "--min_size 10 is smaller than the patches"),
    (f"{GOOD} --min_size 18 --ker_size 5", "use 21 or more"),
    (f"{GOOD} --ker_size 4", "--ker_size 4 must be odd"),
    (f"{GOOD} --padd_size 2", "--padd_size 2 is too large for --ker_size 3; use 1 or less"),
    (f"{GOOD} --padd_size -1", "--padd_size -1 must be 0 or more"),
    (f"{GOOD} --save_every 0", "0 is not in the range"),
    # names
    (f"{GOOD} --train_mode painting", "--train_mode painting is unknown; --method consingan has "),
    (f"{GOOD} --method crn --train_mode painting", "is unknown; --method crn has translation; "),
    (f"{GOOD} --activation relu", "'relu' is not one of"),
    (f"{GOOD} --no_such_flag", "No such option"),
    # where and how
    (f"{GOOD} --device nonsense", "--device nonsense is unknown"),
    (f"{GOOD} --device tpu", "--device tpu is unknown"),
    (f"{GOOD} --device ''", "'--device': it is empty"),
    (f"{GOOD} --device cpu --gpu 0", "--device and --gpu both say where to compute"),
    (f"{GOOD} --device cuda --not_cuda", "--device and --not_cuda both say where"),
    (f"{GOOD} --gpu 0 --not_cuda", "--gpu and --not_cuda both say where"),
    (f"{GOOD} --method partial_conv --mask auto", "--mask auto is no file and no word that it"),
    (f"{GOOD} --method patches --train_mode translation --condition edge", "edges, gray, blur or"),
    (f"{GOOD} --gpu -2", "-2 is not in the range"),
    (f"{GOOD} --gpu first", "'first' is not a valid number of a GPU; --device takes names"),
    (f"{GOOD} --threads 0", "0 is not in the range"),
    (f"{GOOD} --threads 99999", "99999 is not in the range"),
    (f"{GOOD} --precision half", "'half' is not one of"),
    (f"{GOOD} --engine slow", "--engine slow is unknown to --method consingan; choose one of auto"),
    (f"{GOOD} --device cuda:x", "--device cuda:x is unknown"),
    (f"{GOOD} --device cuda:99", "--device cuda:99: there"),
    (f"{GOOD} --device cpu --precision tf32", "--precision tf32 needs an NVIDIA GPU"),
    (f"{GOOD} --engine plain --checkpointing", "--checkpointing needs --engine fast"),
    (f"{GOOD} --nfc 4 --output_dir blocked", "cannot be created"),
    (f"{GOOD} --output_dir ''", "'--output_dir': it is empty"),
    # pictures of one's own
    (f"{GOOD} --naive_img naive.png", "--naive_img does not go with --train_mode generation"),
    (f"{GOOD} --train_mode harmonization --naive_img absent.png", "There is no picture absent.png"),
    (f"{GOOD} --train_mode harmonization --naive_img wide.png", "--fit crop or --fit stretch"),
    (f"{GOOD} --train_mode editing --naive_img text.png", "is not a picture that can be read"),
    (f"{GOOD} --train_mode editing --naive_img folder.png", "is a folder; name a picture file"),
    (f"{GOOD} --train_mode editing --naive_img ''", "'--naive_img': it is empty"),
    (f"{GOOD} --train_mode editing --naive_img naive.png --fit zoom", "'zoom' is not one of"),
    (f"{GOOD} --preset slow", "--preset slow is unknown; choose one of paper, best, fast, draft."),
    (f"{GOOD} --method dcgan --preset slow", "choose one of small, paper."),
    # fine-tuning
    (f"{GOOD} {FINE_TUNE}", "--fine_tune needs --model_dir"),
    (f"{GOOD} {FINE_TUNE} --model_dir harmonized", "--fine_tune needs --naive_img"),
    (
        f"{GOOD} {FINE_TUNE} --model_dir finished --naive_img naive.png",
        "finished was trained for generation",
    ),
    (
        f"{GOOD} --fine_tune --train_mode editing --model_dir harmonized --naive_img naive.png",
        "harmonized was trained for harmonization",
    ),
    (f"{FINE_TUNE} --model_dir unfinished --naive_img naive.png", "is not finished"),
    (f"{FINE_TUNE} --model_dir harmonized --naive_img absent.png", "There is no picture"),
    (f"{FINE_TUNE} --model_dir harmonized --naive_img wide.png", "--fit crop or --fit stretch"),
    (f"{FINE_TUNE} --model_dir absent --naive_img naive.png", "There is no run folder absent"),
    (
        f"--input_name other.png {FINE_TUNE} --model_dir harmonized --naive_img naive.png",
        "--input_name is not the picture that harmonized was trained on",
    ),
    (
        f"{GOOD} {FINE_TUNE} --model_dir harmonized --naive_img naive.png --nfc 8",
        "--nfc 8 differs from the run's 4",
    ),
    (f"{GOOD} --model_dir harmonized", "--model_dir goes with --fine_tune or --resume"),
    # resuming
    ("--resume", "--resume needs --model_dir"),
    ("--resume --model_dir finished", "is finished; evaluate it with"),
    (
        "--resume --model_dir unfinished --niter 5",
        "go on with it first, by --resume without --niter",
    ),
    ("--resume --model_dir unfinished --manualSeed 5", "leave out --manualSeed"),
    ("--resume --model_dir unfinished --Gsteps 5", "leave out --Gsteps"),
    ("--resume --model_dir unfinished --no_batch_norm", "leave out --batch_norm"),
    ("--resume --model_dir unfinished --dry_run", "leave out --dry_run"),
    ("--resume --model_dir unfinished --output_dir x", "leave out --output_dir"),
    ("--resume --model_dir unfinished --fine_tune", "leave out --fine_tune"),
    ("--resume --model_dir ''", "'--model_dir': it is empty"),
    ("--resume --model_dir finished/1", "did you mean finished?"),
    ("--resume --model_dir 'wrong execution'", "its execution is 5"),
    ("--resume --model_dir unfinished --engine slow", "--engine slow is unknown"),
    ("--resume --model_dir absent", "There is no run folder absent"),
    ("--resume --model_dir good.png", "There is no run folder good.png"),
    ("--resume --model_dir 'empty folder'", "is not a run of this program"),
    ("--resume --model_dir newer", "written in format 99"),
    ("--resume --model_dir garbled", "manifest.json is damaged"),
]

EVALUATE = [
    ("", "--model_dir is missing"),
    ("--model_dir absent", "There is no run folder absent"),
    ("--model_dir good.png", "There is no run folder good.png; check the path."),
    ("--model_dir finished/manifest.json", "manifest.json; did you mean finished?"),
    ("--model_dir 'empty folder'", "is not a run of this program"),
    ("--model_dir ''", "'--model_dir': it is empty"),
    ("--model_dir finished/1", "did you mean finished?"),
    ("--model_dir folder.png", "is not a run of this program"),
    ("--model_dir future", "Unknown setting 'warp'"),
    ("--model_dir 'wrong execution'", "its execution is 5"),
    ("--model_dir 'wrong versions'", "its versions is []"),
    ("--model_dir 'not finite'", "weights that are not finite"),
    ("--model_dir 'no room'", "cannot be created"),
    ("--model_dir newer", f"written in format 99, this program reads format {FORMAT}"),
    ("--model_dir garbled", "manifest.json is damaged"),
    ("--model_dir corrupt", "weights.safetensors is damaged"),
    ("--model_dir incomplete", "pyramid.safetensors is missing"),
    ("--model_dir strange", "does not fit its config.json"),
    ("--model_dir unbegun", "has 0 finished stages"),
    ("--model_dir finished --size 400", "'400' is not of the form WxH"),
    ("--model_dir finished --size -4x40", "is not of the form WxH"),
    ("--model_dir finished --size 40*40", "is not of the form WxH"),
    ("--model_dir finished --size 0x0", "The output size 0x0 (WxH) is too small"),
    ("--model_dir finished --size 5x200", "too small for this model; use 8x8 or more"),
    ("--model_dir finished --scale_w 0.01 --scale_h 1", "is too small"),
    ("--model_dir finished --scale_w 2 --scale_w 3 --scale_h 2", "go in pairs"),
    ("--model_dir finished --scale_w 0", "0.0 is not in the range"),
    ("--model_dir finished --scale_w -2", "-2.0 is not in the range"),
    ("--model_dir finished --scale_w nan", "must be a finite number"),
    ("--model_dir finished --scale_h inf", "must be a finite number"),
    ("--model_dir finished --scale_w 1e300", "is too large; stay below"),
    ("--model_dir finished --scale_w 1e308", "is too large; stay below"),
    ("--model_dir finished --size 99999999x99999999", "is too large; stay below"),
    ("--model_dir finished --num_samples -1", "-1 is not in the range"),
    ("--model_dir finished --seed -1", "-1 is not in the range"),
    ("--model_dir finished --batch_size 0", "0 is not in the range"),
    ("--model_dir finished --format bmp", "'bmp' is not one of"),
    (
        "--model_dir finished --iteration 50",
        "has no snapshots, which only fine-tuned runs have; leave",
    ),
    ("--model_dir finished --naive_img naive.png", "does not go with --train_mode generation"),
    ("--model_dir finished --device nonsense", "--device nonsense is unknown"),
    ("--model_dir finished --device cpu --precision tf32", "--precision tf32 needs"),
    ("--model_dir animated --start_stage 2", "--start_stage 2 is beyond the model; use 0 to 1"),
    ("--model_dir animated --start_stage first", "give a stage number, or all"),
    ("--model_dir animated --start_stage -1", "give a stage number, or all"),
    ("--model_dir animated --start_stage \u00b2", "give a stage number, or all"),
    ("--model_dir animated --beta 2", "2.0 is not in the range"),
    ("--model_dir animated --beta nan", "must be a finite number"),
    ("--model_dir animated --alpha nan", "must be a finite number"),
    ("--model_dir animated --fps nan", "must be a finite number"),
    ("--model_dir animated --frames 0", "0 is not in the range"),
    ("--model_dir animated --video avi", "'avi' is not one of"),
    ("--model_dir animated --size 40x30 --size 2x2", "is too small for this model"),
    ("--model_dir animated --scale_w 0.01", "is too small for this model"),
    ("--model_dir animated --naive_img naive.png", "does not go with --train_mode animation"),
    ("--model_dir animated --size 2x2", "is too small for this model"),
    ("--model_dir harmonized --naive_img absent.png", "There is no picture absent.png"),
    ("--model_dir harmonized --naive_img wide.png", "--fit crop or --fit stretch"),
    ("--model_dir harmonized --naive_img naive.png --mask absent.png", "no picture absent.png"),
    ("--model_dir harmonized --naive_img naive.png --mask text.png", "is not a picture"),
    ("--model_dir harmonized --naive_img naive.png --mask ''", "'--mask': it is empty"),
    ("--model_dir harmonized --naive_img naive.png --mask folder.png", "is a folder"),
    ("--model_dir harmonized --naive_img folder.png", "is a folder"),
    ("--model_dir harmonized --mask good.png", "--mask is about a picture of your own"),
    ("--model_dir harmonized --start_stage 1", "--start_stage is about a picture of your own"),
    ("--model_dir harmonized --naive_img naive.png --start_stage 2", "use 0 to 1"),
    ("--model_dir harmonized --naive_img naive.png --mask_dilation -1", "is not in the range"),
    ("--model_dir harmonized --naive_img naive.png --mask_feather nan", "finite number"),
    ("--model_dir harmonized --naive_img naive.png --mask_feather -2", "is not in the range"),
]


METRICS = [
    ("", "Missing argument 'REAL'"),
    ("good.png", "Missing argument 'SAMPLE...'"),
    ("absent.png good.png", "There is no picture absent.png"),
    ("good.png absent.png", "There is no picture absent.png"),
    ("good.png text.png", "is not a picture that can be read"),
    ("two good.png", "is a folder; name a picture file"),
    ("good.png 'empty folder'", "There is no picture in the folder empty folder"),
    ("good.png ''", "'SAMPLE...': it is empty"),
    ("good.png tiny.png", "px; metrics compare patches of 7x7 px, take a larger one"),
    ("good.png naive.png --reconstruction wide.png", "must have the real picture's size"),
    ("good.png naive.png --reconstruction absent.png", "There is no picture absent.png"),
    ("good.png naive.png --seed -1", "-1 is not in the range"),
    ("good.png naive.png --seed 99999999999999999999", "is not in the range"),
    ("good.png naive.png --json folder.png", "folder.png is a folder; name a file"),
    ("good.png naive.png --json nowhere/x.json", "there is no folder nowhere"),
    ("good.png naive.png --json good.png/x.json", "there is no folder good.png"),
    ("good.png naive.png --inception-weights absent.pth", "no file of Inception-v3 weights"),
    ("good.png naive.png --inception_weights good.png", "is not a file of Inception-v3 weights"),
]

COMPARE = [
    ("", "Missing argument 'RUN RUN...|STUDY'"),
    ("finished", "Name at least two run folders"),
    ("finished ./finished", "is named twice"),
    ("finished absent", "There is no run folder absent"),
    ("finished good.png", "There is no run folder good.png"),
    ("finished corrupt", "weights.safetensors is damaged"),
    ("finished animated --output folder.png", "folder.png is a folder; name a file"),
    ("finished animated --output nowhere/x.html", "there is no folder nowhere"),
    ("finished animated --output ''", "'--output': it is empty"),
    ("finished animated --num-samples -1", "-1 is not in the range"),
    ("finished animated --device tpu", "--device tpu is unknown"),
]

QUALITY = [
    ("", "Missing argument 'FOLDER'"),
    ("absent", "There is no folder absent"),
    ("good.png", "There is no folder good.png"),
    ("'empty folder'", "There is no picture in the folder empty folder"),
    ("two --input_name good.png", "leave out --input_name"),
    ("two --naive_img naive.png", "leave out --naive_img"),
    ("two --fine_tune", "leave out --fine_tune"),
    ("two --niter 0", "--niter 0 must be 1 or more"),
    ("two --train_mode painting", "--train_mode painting is unknown"),
    ("two --samples 0", "0 is not in the range"),
    ("two --device tpu", "--device tpu is unknown"),
    ("two --precision half", "--precision half is unknown"),
    ("two --inception_weights absent.pth", "no file of Inception-v3 weights"),
    ("two --output blocked", "cannot be created"),
    ("two --output ''", "'--output': it is empty"),
]

OTHERS = [
    (command, *row)
    for command, rows in (
        (cli.main.commands["metrics"], METRICS),
        (cli.main.commands["compare"], COMPARE),
        (quality.main, QUALITY),
    )
    for row in rows
]


def assert_sentence(result, expected):
    """Exit code 2 and one sentence on standard error, without a traceback."""
    assert result.exit_code == USER_ERROR, result.output
    *hints, sentence = result.stderr.strip().splitlines()
    assert expected in sentence
    assert sentence.startswith("Error: ")
    # Older versions of click end a sentence on an unknown flag with the flag.
    assert re.search(r"[.?]$|--model_dir \S+$|: --no_such_flag$", sentence), sentence
    assert all(re.match(r"Usage: |Try |$", line) for line in hints), result.stderr
    assert "Traceback" not in result.output


def state_of(folder):
    """Names, sizes and times of all that lies below a folder."""
    return [(name, (folder / name).stat().st_mtime_ns) for name in files_below(folder)]


@pytest.mark.parametrize(("arguments", "expected"), TRAIN)
def test_training_says_what_is_wrong(place, monkeypatch, arguments, expected):
    monkeypatch.chdir(place)
    before = state_of(place)
    assert_sentence(main_train(*shlex.split(arguments)), expected)
    assert state_of(place) == before


@pytest.mark.parametrize(("arguments", "expected"), EVALUATE)
def test_evaluation_says_what_is_wrong(place, monkeypatch, arguments, expected):
    monkeypatch.chdir(place)
    before = state_of(place)
    assert_sentence(evaluate_model(*shlex.split(arguments)), expected)
    assert state_of(place) == before


@pytest.mark.parametrize(("command", "arguments", "expected"), OTHERS)
def test_other_commands_say_what_is_wrong(place, monkeypatch, command, arguments, expected):
    monkeypatch.chdir(place)
    before = state_of(place)
    result = CliRunner().invoke(command, shlex.split(arguments), catch_exceptions=False)
    assert_sentence(result, expected)
    assert state_of(place) == before


@pytest.mark.parametrize(
    "arguments",
    [
        "--input_name short.png --min_size 28 --max_size 40",
        "--input_name narrow.png --max_size 200 --min_size 12",
        "--input_name narrow.png --max_size 260 --min_size 15",
        "--input_name short.png --min_size 200 --max_size 240",
    ],
)
def test_values_named_by_the_sentence_work(place, monkeypatch, tmp_path, arguments):
    """Each remedy that the sentence on a picture too small names is taken."""
    monkeypatch.chdir(place)
    monkeypatch.setattr("consingan.cli.training._finish", lambda *_: None)
    monkeypatch.setattr("consingan.training.outlook.outlook", lambda *_: iter(()))
    typed = [*shlex.split(arguments), "--output_dir", str(tmp_path)]
    sentence = main_train(*typed).stderr
    remedies = re.findall(r"--(?:min|max)_size \d+(?= or| \(|\.)", sentence.split(";")[1])
    assert remedies
    for remedy in remedies:
        assert main_train(*typed, *remedy.split()).exit_code == 0, remedy
    for least in re.findall(r"down to (\d+)", sentence):
        assert main_train(*typed, "--min_size", least).exit_code == 0


def test_size_named_by_the_sentence_works(place, tmp_path):
    run = copy_of_run("generation", tmp_path)
    sentence = evaluate_model("--model_dir", run, "--size", "1x1").stderr
    size = re.search(r"use (\d+x\d+) or more", sentence).group(1)
    result = evaluate_model("--model_dir", run, "--size", size, "--num_samples", 1)
    assert result.exit_code == 0
    assert (run / "Evaluation" / f"random_samples_{size}" / "gen_sample_0.png").is_file()


def test_a_training_too_large_for_memory_is_refused_before_anything_is_tried_out(
    place, monkeypatch
):
    def tried(*_):
        raise AssertionError("tried out")

    monkeypatch.chdir(place)
    monkeypatch.setattr("consingan.training.plan.free_memory", lambda _: 10 * 2**20)
    monkeypatch.setattr("consingan.methods.consingan.planning.rehearse", tried)
    words = shlex.split("--input_name good.png --max_size 32 --min_size 16")
    assert_sentence(main_train(*words), "that is more than the 10 MiB that are free; close other")
    planned = main_train(*words, "--dry_run")
    assert planned.exit_code == 0
    assert "time: not timed, for it does not fit into memory\n" in planned.stdout


def test_cuda_is_asked_for_where_there_is_none(place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    expected = "--device cuda: there is no CUDA device here; use --device auto."
    assert_sentence(main_train("--input_name", "good.png", "--device", "cuda"), expected)


def test_bf16_is_asked_for_where_it_is_impossible(monkeypatch):
    with pytest.raises(UserError, match="--precision bf16 does not work on this device"):
        choose_arithmetic("bf16", torch.device("mps"))


def test_mps_is_asked_for_where_there_is_none(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(UserError, match="there is no Apple GPU here"):
        choose_device("mps")


def test_mp4_without_its_package(place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    before = state_of(place)
    result = evaluate_model("--model_dir", "animated", "--video", "mp4")
    assert_sentence(result, 'pip install "imageio-ffmpeg>=0.5" (or choose gif or webp)')
    assert state_of(place) == before


def test_photograph_that_scikit_image_cannot_give(place, monkeypatch):
    def offline():
        raise ConnectionError("no network")

    monkeypatch.setattr("skimage.data.coffee", offline)
    assert_sentence(main_train("--input_name", "skimage:coffee"), "could not give its photograph")


def test_unreadable_file(place, monkeypatch):
    def forbidden(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("PIL.Image.open", forbidden)
    result = main_train("--input_name", place / "good.png")
    assert_sentence(result, "may not be read; check its permissions")


@pytest.mark.parametrize(("number", "advice"), [(errno.EACCES, "check its permissions"),
                                                (errno.EROFS, "choose another place")])  # fmt: skip
def test_folder_of_a_run_that_may_not_be_entered(place, monkeypatch, number, advice):
    def forbidden(path, _):
        raise OSError(number, "Not for you", str(path))

    monkeypatch.setattr("consingan.runs.newest.find_run", forbidden)
    result = evaluate_model("--model_dir", place / "finished")
    assert_sentence(result, f"finished cannot be read or written (Not for you); {advice}.")


@pytest.mark.parametrize("name", ["real_image.png", "random_samples/gen_sample_0.png"])
def test_folder_where_a_picture_is_to_be_written(tmp_path, name):
    run = copy_of_run("generation", tmp_path)
    (run / "Evaluation" / name).mkdir(parents=True)
    result = evaluate_model("--model_dir", run, "--num_samples", 1, "--no_metrics")
    assert_sentence(result, f"{run / 'Evaluation' / name} is in the way")
    assert not list(run.rglob("*.tmp"))


def test_damaged_curves_are_left_out(tmp_path):
    run = copy_of_run("generation", tmp_path)
    (run / "0" / "losses.csv").write_text("nonsense\n1,2\n")
    result = evaluate_model("--model_dir", run, "--num_samples", 1, "--scale_w", 1)
    assert result.exit_code == 0, result.output
    assert "losses.csv is damaged" in result.stderr
    assert "<svg" not in (run / "Evaluation" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("--niter 3 --niter 4", "--niter is given more than once; the last one counts."),
        ("--fit crop", "--fit does nothing without --naive_img."),
        ("--lrelu_alpha 0.1 --activation elu", "--lrelu_alpha does nothing with --activation elu."),
        ("--noise_amp 0.2 --train_stages 1", "--noise_amp does nothing with one stage."),
        ("--lr_scale 0.2 --train_depth 1", "--lr_scale does nothing with --train_depth 1."),
        ("--fine_Dsteps 1 --train_stages 1", "--fine_Dsteps does nothing with one stage."),
        ("--fine_niter 9 --niter 3", "--fine_niter does nothing above --niter 3."),
        (
            "--preset fast --layout 17 --fine_Dsteps 3",
            "--fine_Dsteps does nothing with --layout 17: finer stages are only begun.",
        ),
        (
            "--preset fast --train_stages 1 --train_mode editing",
            "--preset does nothing with one stage.",
        ),
    ],
)
def test_what_has_no_effect_on_a_training_is_said(place, monkeypatch, typed, said):
    monkeypatch.chdir(place)
    monkeypatch.setattr("consingan.training.plan.time_iteration", lambda *_: 0.0)
    words = ["--input_name", "good.png", "--max_size", "32", "--min_size", "16", "--dry_run"]
    result = main_train(*words, "--nfc", "4", *shlex.split(typed))
    assert result.exit_code == 0, result.output
    assert result.stderr.splitlines() == [f"Note: {said}"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            "--method patches --train_mode translation --naive_img good.png",
            "--naive_img does nothing in a training of a pair; a new A is for an evaluation.",
        ),
        (
            "--method patches --train_mode translation --fit crop",
            "--fit does nothing for a pair.",
        ),
        (
            "--method patches --train_mode translation --checkpointing",
            "--checkpointing does nothing where nothing is trained.",
        ),
        (
            "--method patches --train_mode translation --save_every 3",
            "--save_every does nothing where nothing is trained.",
        ),
        (
            "--method patches --train_mode translation --precision float32",
            "--precision does nothing where nothing is trained.",
        ),
        ("--method pix2pix --checkpointing", "--checkpointing does nothing with --method pix2pix."),
        ("--method crn --checkpointing", "--checkpointing does nothing with --method crn."),
    ],
)
def test_what_has_no_effect_on_a_pair_is_said(place, monkeypatch, typed, said):
    monkeypatch.chdir(place)
    monkeypatch.setattr("consingan.training.plan.time_iteration", lambda *_: 0.0)
    words = ["--input_name", "good.png", "--condition", "colors:4", "--max_size", "32"]
    result = main_train(*words, "--dry_run", *shlex.split(typed))
    assert result.exit_code == 0, result.output
    assert result.stderr.splitlines() == [f"Note: {said}"]


def test_what_has_no_effect_on_a_folder_of_pictures_is_said_once(place, tmp_path):
    for name in ("a.png", "b.png"):
        save(tmp_path / "many" / name, scene())
    words = [
        "--input_name",
        tmp_path / "many",
        "--max_size",
        "32",
        "--dry_run",
        "--save_every",
        "3",
    ]
    result = main_train(*words, "--method", "patches", "--checkpointing")
    assert result.exit_code == 0, result.output
    assert result.stderr.splitlines() == [
        f"Note: --{name} does nothing where nothing is trained."
        for name in ("checkpointing", "save_every")
    ]


def test_what_has_no_effect_on_a_run_that_goes_on_is_said(tmp_path):
    save(tmp_path / "b.png", scene())
    size = ["--method", "dcgan", "--niter", "1", "--max_size", "32", "--ngf", "4"]
    words = ["--input_name", tmp_path / "b.png", "--output_dir", tmp_path / "runs"]
    assert main_train(*words, *size, "--device", "cpu").exit_code == 0
    (run,) = (tmp_path / "runs").glob("*/*")
    RunFolder(run).note(status="interrupted")
    result = main_train("--resume", "--model_dir", run, "--checkpointing")
    assert result.exit_code == 0, result.output
    assert result.stderr.count("Note: --checkpointing does nothing with --method dcgan.") == 1


def test_how_often_a_run_is_saved_that_goes_on_is_said(tmp_path):
    save(tmp_path / "b.png", scene())
    words = ["--input_name", tmp_path / "b.png", "--output_dir", tmp_path / "runs", *TINY]
    assert main_train(*words, "--save_every", 3, "--checkpointing").exit_code == 0
    (run,) = (tmp_path / "runs").glob("*/*")
    for typed, said, kept in (
        ((), "saved every 3 iterations, as before", 3),
        (("--save_every", 2), "Note: it was saved every 3 iterations, from here on every 2.", 2),
    ):
        RunFolder(run).note(status="interrupted")
        result = main_train("--resume", "--model_dir", run, *typed)
        assert result.exit_code == 0, result.output
        assert said in result.output.splitlines()
        assert ", checkpointing" in result.output
        assert RunFolder(run).manifest["save_every"] == kept


def test_a_run_that_is_renamed_while_it_is_trained_is_told_apart_from_a_broken_one(
    tmp_path, monkeypatch
):
    save(tmp_path / "b.png", scene())
    kept = RunFolder.save_progress

    def renamed(folder, *state):
        kept(folder, *state)
        folder.path.rename(tmp_path / "renamed")

    monkeypatch.setattr(RunFolder, "save_progress", renamed)
    words = ["--input_name", tmp_path / "b.png", "--output_dir", tmp_path / "runs", *TINY]
    result = main_train(*words, "--save_every", 1)
    assert_sentence(result, "is not there any more")
    monkeypatch.setattr(RunFolder, "save_progress", kept)
    assert main_train("--resume", "--model_dir", tmp_path / "renamed").exit_code == 0


def test_full_disk_during_evaluation(tmp_path, monkeypatch):
    run = copy_of_run("generation", tmp_path)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("PIL.Image.Image.save", full)
    result = evaluate_model("--model_dir", run)
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert not list(run.rglob("*.tmp"))


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried ...")],
    ids=["Python", "torch"],
)
def test_sizes_beyond_the_memory(tmp_path, monkeypatch, error):
    run = copy_of_run("generation", tmp_path)

    def too_much(*_, **__):
        raise error

    monkeypatch.setattr("consingan.outputs.samples.random_samples", too_much)
    result = evaluate_model("--model_dir", run)
    assert result.exit_code == 1
    assert "Error: There is not enough memory; make smaller pictures" in result.stderr


def test_a_bug_stays_a_traceback(tmp_path, monkeypatch):
    def wrong(*_, **__):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr("consingan.outputs.samples.random_samples", wrong)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        evaluate_model("--model_dir", copy_of_run("generation", tmp_path))


def test_folder_that_cannot_be_written(place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setattr("os.access", lambda *_: False)
    result = main_train("--input_name", "good.png", *TINY)
    shutil.rmtree(place / "TrainedModels")
    assert_sentence(result, "cannot be written to; choose another place")
