# What can be done here: `make help`. Everything is made in this folder: the packages in .venv, the
# browser libraries in static/vendor, the data in instance/.

.DEFAULT_GOAL := help
.PHONY: help install run demo test lint advisories bench soak screenshots
SHELL := /bin/sh

# Settings meant for a server that is really run must not reach the tests, the checks or the
# benchmarks: an exported DATABASE_URL would have them work on the lab's own records.
own_environment := env -u DATABASE_URL -u SECRET_KEY -u HOST -u PORT -u WEB_CONCURRENCY \
	-u LAB_TIMEZONE -u LAB_NAME -u DATA_ROOTS -u TRUSTED_PROXIES -u TRUSTED_HOSTS -u AUDIT_DAYS -u SIGN_IN_HOURS -u SIGN_IN_DAYS -u LOG_LEVEL \
	-u LOG_FORMAT -u FLASK_APP -u FLASK_DEBUG -u FLASK_ENV -u GUNICORN_CMD_ARGS \
	-u PYTHONHOME -u PYTHONPATH

help:  ## Show what can be done
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-16s %s\n", $$1, $$2}'

install:  ## Install what the server needs (Python packages, browser libraries); quick when nothing changed
	@tools/install.sh
	@tools/browser_libs.sh || true

run: install  ## Install, bring the database up to date, and serve on http://127.0.0.1:8000
	@exec .venv/bin/python -m brainstem.serve

demo: install  ## Load 39 real sessions (Steinmetz et al. 2019) to try the program with
	@.venv/bin/flask upgrade
	@.venv/bin/flask demo

test: install  ## Install what the tests need, Chromium and PostgreSQL too, and run every test
	@tools/install.sh dev
	@tools/test_needs.sh
	@$(own_environment) .venv/bin/python -m pytest -n auto $(ARGS)

lint:  ## Check the style of the code
	@tools/install.sh dev
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check

advisories:  ## Ask the Python Package Index for known holes in what is pinned (needs the internet)
	@tools/install.sh dev
	@test -x .venv/advisories/bin/pip-audit || { .venv/bin/python -m venv .venv/advisories && \
		.venv/advisories/bin/python -m pip install -qq --disable-pip-version-check pip-audit==2.10.1; }
	@.venv/advisories/bin/pip-audit --strict --no-deps --disable-pip -r requirements-dev.txt

bench: install  ## Measure how fast it is, beside hand-written SQL; ARGS="--help" tells more
	@$(own_environment) .venv/bin/python -m bench $(ARGS)

soak: install  ## Kill it, load it, and ask it thousands of questions, for half an hour; ARGS="--help" tells more
	@tools/install.sh dev
	@tools/test_needs.sh
	@$(own_environment) .venv/bin/python -u -m tests.soak $(ARGS)

screenshots: install  ## Take the README's pictures anew
	@tools/install.sh dev
	@tools/test_needs.sh
	@$(own_environment) .venv/bin/python tools/screenshots.py
