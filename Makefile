SHELL := /bin/bash
.DEFAULT_GOAL := help

FILM ?= PrefixCache
TRACE ?=
QUALITY ?= final
SECONDS ?=
FRAME ?=
THEME ?=
AT ?=
NAME ?=
DIFF ?=
SCENARIO ?= promo
WORKLOAD ?=
DEVICE ?=
OUT ?= assets/traces/$(notdir $(basename $(SCENARIO))).jsonl.gz

PY := .venv/bin/python
READY := .venv/.ready
SMOLLM2 := .venv/.smollm2
REFERENCE := .venv/.reference
scenario_file = $(if $(wildcard $(SCENARIO)),$(SCENARIO),assets/scenarios/$(SCENARIO).toml)
scenario_needs = $(if $(shell grep -sE "^kind *= *[\"']smollm2" "$(scenario_file)"),$(SMOLLM2))
plotted = $(if $(TRACE),$(TRACE),assets/traces/$(SCENARIO).jsonl.gz)
trace_option = $(if $(TRACE), --trace "$(TRACE)")
seconds_option = $(if $(SECONDS), --seconds "$(SECONDS)")
look_options = $(if $(FRAME), --frame "$(FRAME)")$(if $(THEME), --theme "$(THEME)")

.PHONY: help film films test test-all check-code record plot verify bench lint-film check-film stills sheet gallery new-film gif list docs setup clean

help: ## show these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-11s %s\n", $$1, $$2 }'
	@echo
	@echo "  FILM=$(FILM)  TRACE=(the film's own)  QUALITY=final|preview  SECONDS=(what it takes)"
	@echo "  FRAME=16:9|9:16|1:1  THEME=dark|light"
	@echo "  AT=12.5,13.2 (film seconds)  DIFF=(a commit to set stills beside)  NAME=(of a new film)"
	@echo "  SCENARIO=$(SCENARIO)  DEVICE=cpu|cuda (default: cuda where there is one)  OUT=$(OUT)"
	@echo "  WORKLOAD=(a production trace, for scenarios that run one)"

film: $(READY) ## render FILM from TRACE at QUALITY to media/films
	@$(PY) -m scenes render "$(FILM)"$(trace_option)$(seconds_option)$(look_options) --quality "$(QUALITY)"

films: $(READY) ## render every film from its own trace
	@$(PY) -m scenes render --all$(seconds_option)$(look_options) --quality "$(QUALITY)"

list: $(READY) ## name the films with their length and trace
	@$(PY) -m scenes list$(seconds_option)

lint-film: $(READY) ## check the picture of FILM against the rules, without encoding
	@$(PY) -m scenes lint "$(FILM)"$(trace_option)$(seconds_option)$(look_options)

check-film: $(READY) ## compare what FILM shows with what TRACE recorded
	@$(PY) -m scenes check "$(FILM)"$(trace_option)$(seconds_option)$(look_options)

stills: $(READY) ## draw FILM at film seconds AT (default: after every beat) to media/stills
	@$(PY) -m scenes stills "$(FILM)"$(trace_option)$(seconds_option)$(look_options) $(if $(AT),--at "$(AT)",--beats)$(if $(DIFF), --diff "$(DIFF)") -o "media/stills/$(FILM).png"

sheet: $(READY) ## draw a contact sheet of the rendered FILM
	@$(PY) -m scenes sheet "$(FILM)"

gallery: $(READY) ## draw one still of every part of the stage to media/gallery
	@$(PY) -m scenes gallery

new-film: $(READY) ## write scenes/NAME.py, a film that renders
	@$(PY) -m scenes new-film "$(NAME)"

gif: $(READY) ## make the README's GIF from the rendered FILM
	@$(PY) -m scenes gif "$(FILM)" -o assets/readme.gif --start 34 --seconds 44 --speed 2.5 --fps 10

record: $(READY) $(scenario_needs) ## run SCENARIO on DEVICE and record its trace to OUT
	@$(PY) -m astrai_sim record "$(scenario_file)" -o "$(OUT)"$(if $(DEVICE), --device "$(DEVICE)")$(if $(WORKLOAD), --workload "$(WORKLOAD)")

plot: $(READY) ## draw TRACE (default: that of SCENARIO) at a glance to media/plots
	@$(PY) -m astrai_sim plot "$(plotted)" -o "media/plots/$(basename $(basename $(notdir $(plotted)))).png"

verify: $(READY) ## replay TRACE (default: all that are shipped) and check every event
	@for trace in $(if $(TRACE),"$(TRACE)",assets/traces/*.jsonl*); do $(PY) -m astrai_sim verify $(if $(REPRODUCE),--reproduce) "$$trace"; done

bench: $(READY) ## measure what paging, prefix reuse and recording cost on DEVICE
	@$(PY) -m astrai_sim bench $(if $(DEVICE),--device "$(DEVICE)")

check-code: $(READY) ## check form, types and imports of the source
	@.venv/bin/ruff check --quiet
	@.venv/bin/ruff format --check --quiet
	@.venv/bin/lint-imports --no-logo --no-cache
	@.venv/bin/pyright

test: check-code ## check the source, run the tests
	@$(PY) -m pytest -n 2 --dist worksteal -m "not slow"

test-all: $(SMOLLM2) $(REFERENCE) check-code ## check the source, run all tests, the slow ones too
	@$(PY) -m pytest -n 2 --dist worksteal

docs: $(READY) ## write the picture and the list of modules in docs anew
	@$(PY) docs/architecture.py

setup: $(READY) ## install what the other commands need

clean: ## remove rendered media and caches, keep .venv
	rm -rf media .pytest_cache .hypothesis .ruff_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

# ./setup.sh sets the machine up once; these mark that it is done.

$(READY): pyproject.toml setup.sh
	@./setup.sh

$(SMOLLM2): $(READY)
	@./setup.sh smollm2

$(REFERENCE): $(READY)
	@./setup.sh reference
