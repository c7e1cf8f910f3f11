# make demo   train on a picture of Images/ in a new virtual environment and look at the result
# make test   everything that is checked: set-up, format, lint, types, tests
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
DEMO_IMAGE = Images/Generation/stone_wall.jpg
# One thread per test process: two processes share the cores, and OpenMP threads that wait for one
# another on a busy core cost far more than they bring.
TEST_ENV = OMP_NUM_THREADS=1 MPLBACKEND=Agg

.PHONY: demo test setup format clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: requirements.txt constraints.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/.test: requirements.txt constraints.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev,docs,video]"
	touch $@

demo: $(VENV)/.demo
	$(BIN)/python main_train.py --input_name $(DEMO_IMAGE) --max_size 80 --train_stages 4 \
		--niter 400 --manualSeed 1 --threads 1 --output_dir TrainedModels/demo
	$(BIN)/python evaluate_model.py --num_samples 8 --threads 1 --model_dir \
		"$$(ls -td TrainedModels/demo/*/*/ | head -n 1)"

setup: $(VENV)/.test

test: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(TEST_ENV) $(BIN)/python -m pytest -n 2

format: $(VENV)/.test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
