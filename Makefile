# make demo   variations of a picture of Images/ in seconds, then a training on it, in a new virtual environment
# make test   everything that is checked: set-up, format, lint, types, tests
# make quick  what takes less than a minute of it, for the inner loop
# make docs   the documentation as a site: docs/_build/html/index.html
# make dist   the wheel and the source distribution, checked
# With other versions of the packages than the pinned ones: make test CONSTRAINTS=
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
DEMO_IMAGE = Images/Generation/stone_wall.jpg
CONSTRAINTS ?= constraints.txt
PINNED = $(addprefix -c ,$(CONSTRAINTS))
PIP = $(BIN)/python -m pip install --disable-pip-version-check $(PINNED)

.PHONY: demo test quick setup format docs dist clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: requirements.txt constraints.txt pyproject.toml | $(BIN)/python
	@echo "Installing PyTorch and a few other packages (some 200 MB; gigabytes where CUDA comes with it)"
	$(PIP) --progress-bar on -e .
	touch $@

# PyTorch by pip, which may have been told of a smaller build; the other 200 packages in seconds by
# uv, or by pip where uv does not run or reach them.
CHECKED = -e ".[dev,docs,video,ray,web]"
$(VENV)/.test: requirements.txt constraints.txt pyproject.toml | $(BIN)/python
	$(PIP) --quiet --no-compile torch
	$(PIP) --quiet --no-compile uv && $(BIN)/python -m uv pip install --quiet $(PINNED) $(CHECKED) \
		|| $(PIP) --quiet --no-compile $(CHECKED)
	touch $@

demo: $(VENV)/.demo
	$(BIN)/consingan sample $(DEMO_IMAGE) --max_size 250 -n 4 --output TrainedModels/demo_samples
	$(BIN)/python main_train.py --input_name $(DEMO_IMAGE) --preset draft --max_size 128 \
		--manualSeed 1 --threads 1 --output_dir TrainedModels/demo
	$(BIN)/python evaluate_model.py --num_samples 8 --threads 1 --model_dir TrainedModels/demo

setup: $(VENV)/.test

test: $(VENV)/.test
	$(BIN)/python .ci/checks.py

quick: $(VENV)/.test
	$(BIN)/python .ci/checks.py format lint types arrows rules quick

format: $(VENV)/.test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

dist: $(VENV)/.test
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/python -m twine check --strict dist/*

docs: $(VENV)/.test
	$(BIN)/python -m sphinx -W -n -b html docs docs/_build/html

clean:
	rm -rf $(VENV) build dist docs/_build *.egg-info .mypy_cache .ruff_cache .pytest_cache
