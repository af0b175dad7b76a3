# The two that matter: `make demo` and `make test`. Everything a fresh machine lacks beside Swift is
# installed by `make dependencies`, which both of them run first.

SWIFT ?= swift
PYTHON ?= python3
CONFIGURATION ?= debug
SEEDS ?= 8

.PHONY: demo test build release dependencies contract format lint clean help

help:
	@echo "make demo      install what is missing, build, run the reference scenario"
	@echo "make test      the same, then every test"
	@echo "make release   the optimised command, .build/release/tidemark"
	@echo "make contract  the command's contract, checked from outside (SEEDS=$(SEEDS))"
	@echo "make lint      formatting and house rules"
	@echo "make format    format every file"

dependencies:
	@Scripts/install-dependencies

build: dependencies
	$(SWIFT) build --configuration $(CONFIGURATION) --product tidemark

release:
	@$(MAKE) build CONFIGURATION=release

demo: build
	@.build/$(CONFIGURATION)/tidemark demo

test: dependencies lint
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build
	@$(MAKE) contract

contract: build
	@if command -v $(PYTHON) > /dev/null; then \
	  TIDEMARK=.build/$(CONFIGURATION)/tidemark $(PYTHON) Tests/Contract/run.py --seeds $(SEEDS); \
	else \
	  echo "no $(PYTHON): the contract tests are skipped; install it to run them"; \
	fi

format:
	$(SWIFT) format --in-place --recursive Package.swift Sources Tests

lint:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests
	@Scripts/check-tree

clean:
	$(SWIFT) package clean
