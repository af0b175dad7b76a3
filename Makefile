# The two that matter: `make demo` and `make test`. Everything a fresh machine lacks beside Swift is
# installed by `make dependencies`, which both of them run first.

SWIFT ?= swift
PYTHON ?= python3
CONFIGURATION ?= debug
SEEDS ?= 8
STATES ?= 5000
BENCH ?=

.PHONY: demo test build release dependencies contract mutants crash bench format lint clean help

help:
	@echo "make demo      install what is missing, build, run the reference scenario"
	@echo "make test      the same, then every test"
	@echo "make release   the optimised command, .build/release/tidemark"
	@echo "make contract  the command's contract, checked from outside (SEEDS=$(SEEDS))"
	@echo "make mutants   faults planted in the engine, each of which a test must catch"
	@echo "make crash     power cuts, kills and disk faults by the thousand (STATES=$(STATES))"
	@echo "make bench     offline writes beside SQLite, raw LMDB and the CRDT libraries (BENCH=--quick)"
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
	@$(MAKE) crash CRASH=--slice

contract: build
	@if command -v $(PYTHON) > /dev/null; then \
	  TIDEMARK=.build/$(CONFIGURATION)/tidemark $(PYTHON) Tests/Contract/run.py --seeds $(SEEDS); \
	else \
	  echo "no $(PYTHON): the contract tests are skipped; install it to run them"; \
	fi

mutants: dependencies
	$(PYTHON) Tests/Mutants/run.py

# Without a compiler or Python there is nothing to inject faults with; the rest of the tests do not
# need them.
CRASH ?= --states $(STATES)
crash: build
	@if command -v $(PYTHON) > /dev/null; then \
	  for durability in full relaxed; do \
	    TIDEMARK=.build/$(CONFIGURATION)/tidemark \
	      $(PYTHON) Tests/Faults/run.py $(CRASH) --durability $$durability || exit 1; \
	  done; \
	else \
	  echo "no $(PYTHON): the fault campaigns are skipped; install it to run them"; \
	fi

# The package of the benchmarks depends on this one by its path, and would not see new files in it.
bench: dependencies
	@Scripts/install-dependencies lmdb.h:liblmdb-dev sqlite3.h:libsqlite3-dev
	$(SWIFT) run --configuration release --disable-build-manifest-caching \
	  --package-path Benchmarks tidemark-benchmarks $(BENCH)

format:
	$(SWIFT) format --in-place --recursive Package.swift Sources Tests Benchmarks/Package.swift \
	  Benchmarks/Sources

lint:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests \
	  Benchmarks/Package.swift Benchmarks/Sources
	@Scripts/check-tree

clean:
	$(SWIFT) package clean
