# weir: build, check and test. `make` alone lists the targets.
SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS   += --no-print-directory

GO       ?= go
PKG      ?= ./...
BENCH    ?= .
FUZZTIME ?= 10s
TIMEOUT  ?= 15m
SEED     ?= 1
SEEDS    ?= 20000
KILLS    ?= 200

# Packages tested at once: more than there are cores, because many tests wait.
AT_ONCE  ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) + 2 )))

TAKEOVERS ?= 50
IDLE      ?= 10,100,1000
BUSY      ?= 10,100,1000

.PHONY: help build check race-ready servers test torture bench bench-fleet bench-diff bench-land cover fuzz screenshots demo clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build ./weir, one static binary
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o weir ./cmd/weir

check: ## gofmt, go vet, staticcheck, import order and size budget
	@unformatted=$$(gofmt -l .); \
	if [ -n "$$unformatted" ]; then printf 'not formatted, run gofmt -w:\n%s\n' "$$unformatted" >&2; exit 1; fi
	@$(GO) vet ./...
	@$(GO) tool staticcheck ./...
	@$(GO) test ./internal/archtest ./internal/shape

race-ready:
	@if [ "$$($(GO) env CGO_ENABLED)" != 1 ] || ! command -v "$$($(GO) env CC | cut -d' ' -f1)" >/dev/null; then \
		echo "make test: the race detector needs cgo and a C compiler: install gcc and do not set CGO_ENABLED=0" >&2; \
		exit 1; \
	fi

servers:
	@./internal/servertest/install.sh
	@./internal/browsertest/install.sh

test: race-ready servers check ## everything that must hold: check, all tests with the race detector, the size table
	@$(GO) test -race -short -p $(AT_ONCE) -timeout $(TIMEOUT) $(PKG)
	@echo 'what the race detector would take minutes over, without it:'
	@$(GO) test -timeout $(TIMEOUT) ./land ./emulator
	@$(GO) test -timeout $(TIMEOUT) -run '^TestSimulation$$' ./engine
	@$(GO) test -timeout $(TIMEOUT) -run '^TestLoad$$' ./web
	@echo
	@$(GO) run ./internal/shape
	@echo
	@echo 'all green'

torture: ## simulate SEEDS (20000) scenarios from SEED (1) on, and kill the program KILLS (200) times
	@$(GO) test -count=1 -timeout 0 -run '^TestSimulation$$' ./engine -v -seed $(SEED) -seeds $(SEEDS) \
		| awk '/^=== |--- PASS|simulated in/ { next } { print } /^FAIL/ { bad = 1 } END { exit bad }'
	@$(GO) test -count=1 -timeout 0 -run '^TestKilledAtAnyMoment$$' ./cmd/weir -kills $(KILLS)

bench: ## print the simulation's figures, then run the benchmarks (BENCH=regexp PKG=./land/...)
	@$(GO) run ./cmd/weir simulate
	@$(GO) test -run '^$$' -bench '$(BENCH)' -skip '^Benchmark(Fleet|Diff$$)' -benchmem $(PKG)

bench-fleet: servers ## the figures of many servers, in half an hour (TAKEOVERS=50 IDLE=10,100,1000 BUSY=10,100,1000)
	@$(GO) test -count=1 -timeout 0 -run '^$$' -bench '^BenchmarkFleet' -benchtime 1x ./cmd/weir \
		-args -takeovers $(TAKEOVERS) -idle $(IDLE) -busy $(BUSY)
	@$(GO) test -count=1 -timeout 0 -run '^$$' -bench '^BenchmarkTick' ./ledger

bench-diff: ## compare two snapshots of 3 million rows with the built program: wall, CPU seconds, peak memory
	@$(GO) test -run '^$$' -bench '^BenchmarkDiff$$' -benchtime 1x ./cmd/weir | grep -v '^PASS'

bench-land: ## measure landing beside DuckDB and Python: minutes, 2 GB of disk (LAND='-mb 100 -compare 100' for less)
	@./bench/land.sh $(LAND)

cover: servers ## measure coverage of all packages by all tests, into coverage.out
	@$(GO) test -timeout $(TIMEOUT) -coverpkg=./... -coverprofile=coverage.out $(PKG) | awk '!/^ok|coverage: /'
	@$(GO) tool cover -func coverage.out | tail -n 1

fuzz: ## run every fuzz target for FUZZTIME (10s)
	@targets=$$($(GO) test -list '^Fuzz' $(PKG) | awk '/^Fuzz/ { names[++n] = $$1 } $$1 == "ok" { for (i = 1; i <= n; i++) print $$2, names[i]; n = 0 }'); \
	if [ -z "$$targets" ]; then echo 'make fuzz: no fuzz target found' >&2; exit 1; fi; \
	while read -r package target; do \
		echo "$$package $$target"; \
		$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$package" </dev/null; \
	done <<<"$$targets"

screenshots: servers ## make the pictures of the web page in docs/screenshots
	@$(GO) test -count=1 ./internal/browsertest -run '^TestBrowser$$/^pages$$' -shots "$(CURDIR)/docs/screenshots"

demo: ## export from the emulator into ./weir-demo, no account needed
	@$(GO) run ./cmd/weir demo

clean: ## remove what build, cover and demo leave behind
	rm -rf weir coverage.out weir-demo
