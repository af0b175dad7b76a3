# The two that matter: `make demo` and `make test`. Everything a fresh machine lacks beside Swift is
# installed by `make dependencies`, which both of them run first.

SWIFT ?= swift
PYTHON ?= python3
CONFIGURATION ?= debug
SEEDS ?= 8
STATES ?= 5000
BENCH ?=
HOURS ?= 1
FUZZ ?= transaction schema operation merge
FUZZ_SECONDS ?= 60

.PHONY: demo test build release dependencies contract crash simulate mutants fuzz coverage bench \
  format lint clean help

help:
	@echo "make demo      install what is missing, build, run the reference scenario"
	@echo "make test      the same, then every test"
	@echo "make release   the optimised command, .build/release/tidemark"
	@echo "make contract  the command's contract, checked from outside (SEEDS=$(SEEDS))"
	@echo "make crash     power cuts, kills and disk faults by the thousand (STATES=$(STATES))"
	@echo "make simulate  stores in simulated worlds, for hours (HOURS=$(HOURS)), from a new seed"
	@echo "make mutants   planted faults, each of which the simulator or a test must catch"
	@echo "make fuzz      libFuzzer on what reads bytes from elsewhere (FUZZ_SECONDS=$(FUZZ_SECONDS))"
	@echo "make coverage  line coverage of the layers that touch no disk, and each line that no test runs"
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
	.build/$(CONFIGURATION)/tidemark simulate --runs 1000000 --seconds 50
	.build/$(CONFIGURATION)/tidemark simulate --runs 1000000 --seconds 10 --store lmdb \
	  --directory "$$(test -d /dev/shm && echo /dev/shm || echo /tmp)"

contract: build
	@if command -v $(PYTHON) > /dev/null; then \
	  TIDEMARK=.build/$(CONFIGURATION)/tidemark $(PYTHON) Tests/Contract/run.py --seeds $(SEEDS); \
	else \
	  echo "no $(PYTHON): the contract tests are skipped; install it to run them"; \
	fi

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

# A new seed each time; a failure prints the command that replays it.
simulate: release
	.build/release/tidemark simulate --seed "$$(date +%s)000000" --runs 1000000000 \
	  --seconds "$$(($(HOURS) * 3600))"

mutants: dependencies
	$(PYTHON) Tests/Mutants/simulation.py
	$(PYTHON) Tests/Mutants/engine.py

# Inputs that were found go into a directory of their own; what is worth keeping is put into the corpus
# by hand.
fuzz: dependencies
	@for target in $(FUZZ); do \
	  case $$target in transaction) name=FuzzTransaction;; schema) name=FuzzSchema;; \
	    operation) name=FuzzOperation;; *) name=FuzzMerge;; esac; \
	  $(SWIFT) build --package-path Fuzzing --sanitize=fuzzer --sanitize=address \
	    -Xswiftc -sanitize-coverage=edge,indirect-calls,trace-cmp,inline-8bit-counters,pc-table \
	    --product $$name || exit 1; \
	  mkdir -p Fuzzing/.build/found/$$target; \
	  SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0 Fuzzing/.build/debug/$$name \
	    -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=Fuzzing/.build/found/$$target- \
	    Fuzzing/.build/found/$$target Fuzzing/Corpus/$$target || exit 1; \
	done

coverage: dependencies
	@Scripts/coverage

# The package of the benchmarks depends on this one by its path, and would not see new files in it.
bench: dependencies
	@Scripts/install-dependencies lmdb.h:liblmdb-dev sqlite3.h:libsqlite3-dev
	$(SWIFT) run --configuration release --disable-build-manifest-caching \
	  --package-path Benchmarks tidemark-benchmarks $(BENCH)

format:
	$(SWIFT) format --in-place --recursive Package.swift Sources Tests Plugins Benchmarks/Package.swift \
	  Benchmarks/Sources Fuzzing/Package.swift Fuzzing/Sources

lint:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests Plugins \
	  Benchmarks/Package.swift Benchmarks/Sources Fuzzing/Package.swift Fuzzing/Sources
	@Scripts/check-tree

clean:
	$(SWIFT) package clean
