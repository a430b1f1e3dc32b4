# Two commands: `make demo` runs the product on this machine, `make test` checks everything. Needs Python 3.11+ and nothing else.
PYTHON ?= python3
RUN = @$(PYTHON) tools/bootstrap.py

.PHONY: demo stop test check fmt faults bench help

demo: ## start everything with the demo's data; PORT=8000 is the first of three ports
	$(RUN) requirements.lock tools.demo

stop: ## stop the demo of this clone
	$(RUN) requirements.lock tools.demo stop

test: ## all checks and all tests
	$(RUN) requirements-dev.lock tools.checks

check: ## checks only, no tests
	$(RUN) requirements-dev.lock tools.checks --only-checks

fmt: ## bring the code into the common form
	$(RUN) requirements-dev.lock tools.checks --format

faults: ## break real processes under load and see what holds; ARGS="--quick --seed 7 --only redis-killed"
	$(RUN) requirements-dev.lock faults $(ARGS)

bench: ## how fast this is, beside three baselines, on this machine; ARGS="--quick --only B1" or ARGS=idle
	$(RUN) requirements-dev.lock bench $(ARGS)

help:
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/'
