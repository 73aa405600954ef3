# make demo   upscale the bundled clip and write out/demo.mp4 and out/compare.png
# make test   run all tests, with a real ComfyUI in .comfyui/
# make lint   check style
# make clean  remove what these made
#
# make browser-test  open and compare every workflow in the real editor, run one; needs Chromium
# make locale        write locales/en/nodeDefs.json anew from the nodes
# make pictures      write the pictures of the help pages anew

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := workflows/assets/night_city_240p.mp4

.PHONY: demo test lint clean browser-test locale pictures

demo: $(VENV)/.installed
	$(BIN)/python -m vsr_core upscale $(DEMO) out/demo.mp4 --overwrite --compare out/compare.png

test: $(VENV)/.installed-for-tests
	$(BIN)/python -m ruff check .
	$(BIN)/python -m pytest

lint: $(VENV)/.installed-for-tests
	$(BIN)/python -m ruff check . && $(BIN)/python -m ruff format --check .

browser-test: $(VENV)/.installed-for-tests
	$(BIN)/python -m pytest tests/browser

locale: $(VENV)/.installed-for-tests
	PYTHONPATH=tests $(BIN)/python -m comfyui.locale

pictures: $(VENV)/.installed
	$(BIN)/python docs/help_pictures.py

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

$(VENV)/.installed-for-tests: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	touch $@

clean:
	rm -rf $(VENV) .comfyui out
