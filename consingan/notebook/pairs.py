"""The notebook's cells for a pair of pictures: learn B from A, then make a B of any new A."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from consingan.api.trained import TrainedModel
from consingan.errors import UserError
from consingan.images.folder import is_folder, pictures_in
from consingan.images.io import read_image, write_image
from consingan.images.names import distinct_stems, result_name
from consingan.methods.pairs import recipe_of
from consingan.notebook import show
from consingan.notebook.inputs import find_picture, found_path
from consingan.notebook.learning import learned
from consingan.notebook.messages import explained
from consingan.report.write import evaluation_folder

RESULTS = "Notebook/translations"  # inside the run's folder


class PairStudio:
    """What these cells work on.

    Args:
        output_dir: where runs are kept, `Studio.output_dir`.
    """

    def __init__(self, output_dir: Path) -> None:
        self.output_dir = output_dir
        self._trained: TrainedModel | None = None

    @explained
    def train(self, image: str, condition: str, start_anew: bool = False, **settings: Any) -> None:
        """Learn `image`, B of the pair, from A; nothing where no picture is named.

        Args:
            image: a path, or the name of a picture of the repository.
            condition: likewise, or what A is made from B by: edges, gray, blur, colors:8.
            start_anew: train a new run even so.
            **settings: of the method; 0 in a number that must be above 0 means "as recommended".
        """
        self._trained = None
        if not image.strip():
            print("No picture is named: this section is skipped.")
            return
        given = {k: v for k, v in settings.items() if v or k == "manual_seed"}
        condition = condition.strip()
        named = bool(condition) and recipe_of(condition) is None
        pair = {
            "input_name": find_picture(image),
            "condition": find_picture(condition) if named else condition,
        }
        self._trained = learned({**given, **pair}, self.output_dir, start_anew)
        model = self._trained.model
        show.show([model.condition.cpu(), model.real.cpu()], ["A of the pair", "B of the pair"])

    @explained
    def translate(self, new_a: str) -> None:
        """Show and save what becomes of a new A, or of every picture of a folder."""
        if not new_a.strip():
            print("No new A is named: this cell is skipped.")
            return
        if self._trained is None:
            raise UserError("There is no trained pair yet; run the cell before this one first.")
        files = pictures_named(new_a)
        assert self._trained.folder is not None
        folder = evaluation_folder(self._trained.folder, RESULTS)
        for name, file in zip(distinct_stems(files), files, strict=True):
            made = self._trained.translate(file)
            for number, result in enumerate(made.split(1)):
                ending = f"_{number}" if len(made) > 1 else ""
                write_image(folder / f"{result_name(name, ending)}.png", result)
            shown = [read_image(file), *made.split(1)]
            show.show(shown, [f"new A: {name}", *["result"] * len(made)])
        print(f"Saved in {folder}")


def pictures_named(name: str) -> list[str]:
    """The pictures of the folder `name`, or the one picture."""
    path = found_path(name)
    return [str(p) for p in pictures_in(Path(path))] if is_folder(path) else [find_picture(name)]
