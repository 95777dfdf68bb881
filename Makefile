# What you can say: make demo, test, check, bench [ONLY="name ..."], lock, setup, frontend, clean.
# Needs Python 3.11 or newer and make; everything else is brought by the targets.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test check bench lock setup frontend browser python clean

# Another tree's sources must not stand before this one's. What was compiled once is kept, or every process of a test
# run would compile a thousand files again.
unexport PYTHONPATH PYTHONDONTWRITEBYTECODE

# The first Python that runs and is new enough. A version manager's names may be there and not run.
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { command -v $$name; break; }; done)
RUN := .venv/bin/python
# Tests run in as many processes as there are cores, each with servers of its own; those of the plugins beside each
# other, each plugin's in one: they are few, and a process takes seconds before its first test.
TESTS := -m pytest tests -n logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder
BOOTSTRAP := core/xiangyue/local/bootstrap.py

help:
	@echo "make demo    bring up the demonstration (PORT and XIANGYUE_HOME are honoured); Ctrl-C ends it"
	@echo "make test    set up and run every test"
	@echo "make check   format, lint, types, import order, gates"
	@echo "make bench   measure against plain references; ONLY="name ..." for some"
	@echo "make lock    rewrite the requirements*.lock files after a change of requirements*.in"
	@echo "make clean   remove what was installed and built (data in .home stays)"

demo: setup frontend
	@exec .venv/bin/xiangyue demo

test: setup frontend browser
	@$(RUN) $(TESTS)
	@for plugin in $(patsubst %/tests,%,$(wildcard plugins/*/tests)); do echo "$$plugin"; done | xargs -P 8 -I '{}' sh -c \
		'said=$$(cd {} && $(CURDIR)/$(RUN) -m pytest tests 2>&1); code=$$?; printf "%s\n%s\n" {} "$$said"; exit $$code'

check: setup
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy core/xiangyue $(wildcard plugins/*/src)
	.venv/bin/lint-imports
	$(RUN) -m pytest tests/gates

bench: setup frontend
	@exec $(RUN) tests/bench/run.py $(if $(ONLY),--only $(ONLY))

lock: python
	@"$(PYTHON)" -I $(BOOTSTRAP) lock

setup: python
	@"$(PYTHON)" -I $(BOOTSTRAP) setup

frontend: setup
	@$(RUN) -m xiangyue.local.frontend

browser: setup
	@$(RUN) -m xiangyue.local.browser

python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer was not found. Install it, or name it: make PYTHON=/path/to/python3 …" >&2; exit 1; }

clean:
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	rm -rf core/xiangyue/web/static/dist core/xiangyue/web/frontend/node_modules
	find core plugins tests migrations -name __pycache__ -type d -prune -exec rm -rf {} +
