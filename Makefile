# What .ci/run and you use. `make help` lists it. PLOTLINE_SETUP=ask|auto|never: may set-up install what is missing?
.DEFAULT_GOAL := help
.PHONY: help demo run test chaos check bench image lock uninstall

SET ?= core
SETUP := setup/run
PYTHON := .venv/bin/python

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*##  *\(.*\)/  make \1\t\2/p' Makefile | expand -t 18

demo:  ## the main job on real files, no keys needed: installs what is missing, then starts
	@$(SETUP) python engine image:$(SET)
	@exec $(PYTHON) -m examples.demo

run:  ## the bot, as configured by the environment
	@$(SETUP) python engine image:$(SET)
	@exec .venv/bin/plotline serve

test:  ## all behaviour, and a sample of the long trials
	@$(SETUP) python engine image:core
	$(PYTHON) -m pytest -m "not chaos and not gvisor" -n 3 --dist loadfile

chaos:  ## the long trials: what kills, freezes and floods on purpose, and the sandbox under gVisor
	@$(SETUP) python engine image:core gvisor
	@$(PYTHON) -m pytest -m "chaos or gvisor"; code=$$?; if [ $$code -eq 5 ]; then echo "No chaos tests were found."; else exit $$code; fi

check:  ## style, types and import rules; needs no engine
	@$(SETUP) python
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

bench:  ## measure, and compare with references: all figures, or ONLY=name
	@$(SETUP) python engine image:core
	$(PYTHON) -m benchmarks $(ONLY)

image:  ## the sandbox's image: SET=core (0.5 GB) or SET=full (3.6 GB); the bot's own: SET=bot
	@$(SETUP) engine image:$(SET)

lock:  ## pin anew what pyproject.toml and the image's package lists ask for (UPGRADE=1: the newest)
	@setup/lock $(if $(UPGRADE),--upgrade)

uninstall:  ## take away what set-up added; lists what it leaves
	@setup/uninstall
