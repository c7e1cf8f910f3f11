"""Begin an evaluation; where no picture is named, with the one that the run was trained with."""

from __future__ import annotations

from pathlib import Path

from consingan.images.names import SCIKIT_IMAGE
from consingan.machine.files import described
from consingan.outputs.contract import Kept, Recalls, Request, Work
from consingan.outputs.registry import output_of
from consingan.runs.load import LoadedRun

NAIVE = "naive_img"


def begin_work(run: LoadedRun, request: Request) -> tuple[Work, Kept | None]:
    """The work, and the picture of the run that it is done on, if it is.

    Raises:
        UserError: it cannot be done.
    """
    code = output_of(run.model).load()
    if isinstance(code, Recalls) and not getattr(request, NAIVE, ""):
        kept = kept_picture(run)
        if kept is not None:
            return code.begin_with(run.model, request, kept), kept
    return code.begin(run.model, request), None


def kept_picture(run: LoadedRun) -> Kept | None:
    """The picture of the user's own that a run was trained with: its file, else the run's copy.

    The file counts if it is the very one that the run noted; one that lies at the same path below
    the present folder may be any other. Older runs noted none, of authors' runs there is no copy.
    """
    name, image = run.model.config.naive_img, run.tensors.get("naive")
    if not name:
        return None
    noted = run.pictures.get(NAIVE, {})
    if digest := noted.get("sha256"):
        for path in (noted["path"], name):
            if described({NAIVE: Path(path)})[NAIVE].get("sha256") == digest:
                return Kept({"path": path})
    elif name.startswith(SCIKIT_IMAGE) or Path(name).is_file():
        return Kept({"path": name})
    if image is None:
        return Kept({"path": name})
    noted = noted or {"path": name}
    return Kept(noted, image, (_why(noted["path"]),))


def _why(path: str) -> str:
    then = "is another picture by now" if Path(path).is_file() else "is not there any more"
    return f"{path} {then}; the run's own copy is taken, without a mask unless --mask names one."
