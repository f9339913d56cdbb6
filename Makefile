SHELL := /bin/bash
.DEFAULT_GOAL := help

FILM ?= PrefixCache
QUALITY ?= final
SCENARIO ?= promo
TRACE ?=
SECONDS ?=
FRAME ?=
THEME ?=
AT ?=
NAME ?=
DIFF ?=
WORKLOAD ?=
DEVICE ?=
OUT ?=
START ?=
SPEED ?=
ONLY ?=
FORMAT ?=
BEATS ?=
BACKGROUND ?=
AUDIO ?=
SCHEDULER ?=
TALK ?=
PROMO ?= astrai
REPRODUCE ?=
TO ?= perfetto
PRIVATE ?=
ASTRAI ?=
NANO ?=
MINI_SGLANG ?=
ENGINE_PYTHON ?=

PY := .venv/bin/python
READY := .venv/.ready
SMOLLM2 := .venv/.smollm2
REFERENCE := .venv/.reference
FUZZ := .venv/.fuzz
option = $(if $($(1)), --$(2) "$($(1))")
to = -o "$(if $(OUT),$(OUT),$(1))"
look = $(call option,TRACE,trace)$(call option,SECONDS,seconds)$(call option,FRAME,frame)$(call option,THEME,theme)
recorded = $(if $(TRACE),$(TRACE),assets/traces/$(SCENARIO).jsonl.gz)
stem = $(basename $(basename $(notdir $(1))))

# The variables that each command takes; others are refused.
looks := TRACE SECONDS FRAME THEME
takes_film := FILM QUALITY OUT AUDIO SCHEDULER $(looks)
takes_films := QUALITY SCHEDULER $(looks)
takes_list := TRACE SECONDS
takes_lint-film := FILM $(looks)
takes_check-film := FILM $(looks)
takes_stills := FILM AT DIFF OUT $(looks)
takes_clips := FILM ONLY FORMAT BEATS BACKGROUND AUDIO SCHEDULER OUT $(looks)
takes_promo := PROMO SCHEDULER OUT
takes_embed := FILM QUALITY SCHEDULER OUT $(looks)
takes_slides := FILM TALK SCHEDULER OUT FRAME THEME
takes_sheet := FILM OUT
takes_gallery := OUT
takes_new-film := NAME
takes_gif := FILM START SECONDS SPEED OUT
takes_record := SCENARIO DEVICE WORKLOAD PRIVATE OUT
takes_record-all := DEVICE WORKLOAD OUT
takes_plot := TRACE SCENARIO OUT
takes_export := TRACE SCENARIO TO OUT
takes_doctor := TRACE SCENARIO OUT
takes_verify := TRACE REPRODUCE WORKLOAD
takes_bench := DEVICE EVENTS FILM
takes_test-engines := ASTRAI NANO MINI_SGLANG ENGINE_PYTHON
commands := film films list lint-film check-film stills clips slides embed promo sheet gallery new-film gif record record-all plot export verify doctor bench test-engines
known := $(sort $(foreach command,$(commands),$(takes_$(command))))
taken := $(foreach goal,$(MAKECMDGOALS),$(takes_$(goal)))
given := $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name)))
ifneq ($(filter-out $(known),$(given)),)
$(error $(filter-out $(known),$(given)) is not known here: choose from $(known))
endif
ifneq ($(filter-out $(taken) $(if $(MAKECMDGOALS),,$(known)),$(given)),)
$(error $(MAKECMDGOALS) does not take $(filter-out $(taken),$(given))$(if $(taken),: it takes $(sort $(taken))))
endif

.PHONY: help $(commands) test test-all check-code docs setup clean

help: ## show these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-11s %s\n", $$1, $$2 }'
	@echo
	@echo "  FILM=$(FILM)  TRACE=(the film's own)  QUALITY=final|preview  SECONDS=(what it takes)"
	@echo "  FRAME=16:9|9:16|1:1  THEME=dark|light  OUT=(a file; without it below media, traces for record)"
	@echo "  AT=12.5,13.2 (film seconds)  DIFF=(a commit to set stills beside)  NAME=(of a new film)"
	@echo "  ONLY=(keys of sections)  FORMAT=\"mp4 webm mov gif png\"  BEATS=1  BACKGROUND=(transparent or a colour)"
	@echo "  TALK=(a talk.toml)  PROMO=astrai|astrai-vertical|loop or a file  AUDIO=(a file of sound)  START=, SECONDS= and SPEED= of a GIF"
	@echo "  SCENARIO=$(SCENARIO) (a name or a file)  DEVICE=cpu|cuda (default: cuda where there is one)"
	@echo "  WORKLOAD=(a production trace, for scenarios that run one)  REPRODUCE=1 (verify by running again)"
	@echo "  TO=perfetto|parquet|csv (the form of an export)"
	@echo "  PRIVATE=1 (record hashes for tokens, letters for names)"
	@echo "  SCHEDULER=tcp://host:8786 (render on the workers of a Dask cluster: docs/render-farm.md)"
	@echo "  ASTRAI=, NANO= and MINI_SGLANG= (checkouts of engines)  ENGINE_PYTHON=(an interpreter that has what they need)"

film: $(READY) ## render FILM from TRACE at QUALITY to OUT
	@$(PY) -m scenes render "$(FILM)"$(look) --quality "$(QUALITY)"$(call option,AUDIO,audio)$(call option,SCHEDULER,scheduler)$(if $(OUT), -o "$(OUT)")

films: $(READY) ## render every film from its own trace, or those that apply to TRACE
	@$(PY) -m scenes render --all$(look) --quality "$(QUALITY)"$(call option,SCHEDULER,scheduler)

list: $(READY) ## name the films, or say which apply to TRACE and why the others do not
	@$(PY) -m scenes list$(call option,TRACE,trace)$(call option,SECONDS,seconds)

lint-film: $(READY) ## check the picture of FILM against the rules, without encoding
	@$(PY) -m scenes lint "$(FILM)"$(look)

check-film: $(READY) ## compare what FILM shows with what TRACE recorded
	@$(PY) -m scenes check "$(FILM)"$(look)

stills: $(READY) ## draw FILM at film seconds AT (default: after every beat) to OUT
	@$(PY) -m scenes stills "$(FILM)"$(look) $(if $(AT),--at "$(AT)",--beats)$(call option,DIFF,diff) $(call to,media/stills/$(FILM).png)

clips: $(READY) ## cut FILM into clips for talks and pages, to the folder OUT
	@$(PY) -m scenes clips "$(FILM)"$(look)$(foreach name,$(ONLY), --only "$(name)")$(foreach name,$(FORMAT), --format "$(name)")$(if $(BEATS), --beats)$(call option,BACKGROUND,background)$(call option,AUDIO,audio)$(call option,SCHEDULER,scheduler)$(if $(OUT), -o "$(OUT)")

slides: $(READY) ## make a deck of FILM, or of TALK, to OUT: a page in .html, a .pptx, or a folder for manim-slides
	@$(PY) -m scenes slides "$(if $(TALK),$(TALK),$(FILM))"$(call option,FRAME,frame)$(call option,THEME,theme)$(call option,SCHEDULER,scheduler) $(call to,media/decks/$(if $(TALK),$(call stem,$(TALK).x),$(FILM)).html)

embed: $(READY) ## make a page of FILM with its chapters, sentences and events, to OUT
	@$(PY) -m scenes embed "$(FILM)"$(look) --quality "$(QUALITY)"$(call option,SCHEDULER,scheduler)$(if $(OUT), -o "$(OUT)")

promo: $(READY) ## make the promo PROMO, one of assets/promos or a file, to OUT
	@$(PY) -m scenes promo "$(if $(wildcard assets/promos/$(PROMO).toml),assets/promos/$(PROMO).toml,$(PROMO))"$(call option,SCHEDULER,scheduler)$(if $(OUT), -o "$(OUT)")

sheet: $(READY) ## draw a contact sheet of the rendered FILM to OUT
	@$(PY) -m scenes sheet "$(FILM)"$(if $(OUT), -o "$(OUT)")

gallery: $(READY) ## draw one still of every part of the stage to OUT
	@$(PY) -m scenes gallery$(if $(OUT), -o "$(OUT)")

new-film: $(READY) ## write scenes/NAME.py, a film that renders
	@$(PY) -m scenes new-film "$(NAME)"

gif: $(READY) ## make a GIF of the rendered FILM
	@$(PY) -m scenes gif "$(FILM)"$(call option,START,start)$(call option,SECONDS,seconds)$(call option,SPEED,speed)$(if $(OUT), -o "$(OUT)")

record: $(READY) $(if $(shell grep -sE "^kind *= *[\"']smollm2" "$(SCENARIO)" "assets/scenarios/$(SCENARIO).toml"),$(SMOLLM2)) ## run SCENARIO on DEVICE and record its trace to OUT
	@$(PY) -m astrai_sim record "$(SCENARIO)"$(call option,DEVICE,device)$(call option,WORKLOAD,workload)$(if $(PRIVATE), --private)$(if $(OUT), -o "$(OUT)")

record-all: $(SMOLLM2) ## run every scenario on DEVICE and record its trace into the folder OUT
	@$(PY) -m astrai_sim record-all$(call option,DEVICE,device)$(call option,WORKLOAD,workload)$(if $(OUT), -o "$(OUT)")

plot: $(READY) ## draw TRACE (default: that of SCENARIO) at a glance to OUT
	@$(PY) -m astrai_sim plot "$(recorded)" $(call to,media/plots/$(call stem,$(recorded)).png)

export: $(READY) ## write TRACE (default: that of SCENARIO) in the form TO to OUT: a file, for parquet and csv a folder
	@$(PY) -m astrai_sim export "$(recorded)" --to "$(TO)" $(call to,media/exports/$(call stem,$(recorded))$(if $(filter perfetto,$(TO)),.pftrace,-$(TO)))

verify: $(READY) ## replay TRACE (default: all that are shipped) and check every event
	@$(PY) -m astrai_sim verify$(if $(REPRODUCE), --reproduce)$(call option,WORKLOAD,workload) $(if $(TRACE),"$(TRACE)",assets/traces/*.jsonl.gz)

doctor: $(READY) ## find in TRACE (default: that of SCENARIO) what is wrong with the engine's memory management; a film of it to OUT
	@$(PY) -m astrai_sim doctor "$(recorded)"$(if $(OUT), --film -o "$(OUT)")

bench: $(READY) ## measure what paging, prefix reuse and recording cost on DEVICE, and rendering FILM anew
	@$(PY) -m astrai_sim bench $(call option,DEVICE,device)$(call option,EVENTS,events)
	@$(PY) -m scenes bench "$(FILM)"

check-code: $(READY) ## check form, types and imports of the source
	@.venv/bin/ruff check --quiet
	@.venv/bin/ruff format --check --quiet
	@.venv/bin/lint-imports --no-logo --no-cache
	@.venv/bin/pyright

test: check-code ## check the source, run the tests
	@$(PY) -m pytest -n 2 --dist worksteal -m "not slow"

test-all: $(SMOLLM2) $(REFERENCE) $(FUZZ) check-code ## check the source, run all tests, the slow ones too
	@$(PY) -m pytest -n 2 --dist worksteal

test-engines: $(READY) ## record, verify and film the engines in the checkouts ASTRAI, NANO and MINI_SGLANG, with ENGINE_PYTHON
	@$(PY) tests/engines/try_engines.py$(foreach path,$(ASTRAI), --astrai "$(path)")$(foreach path,$(NANO), --nano "$(path)")$(foreach path,$(MINI_SGLANG), --mini-sglang "$(path)")$(call option,ENGINE_PYTHON,python)

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

$(FUZZ): $(READY)
	@./setup.sh fuzz
