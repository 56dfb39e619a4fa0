# make, or make help, lists what can be made.

GOLANGCI_LINT_VERSION = v2.15.0

# What is built and fetched here; git ignores it.
BIN  = .bin
LINT = $(BIN)/golangci-lint-$(GOLANGCI_LINT_VERSION)

VERSION = $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

.DEFAULT_GOAL := help
.PHONY: help run build test test-slow bench bench-calls bench-edits chaos e2e fmt lint clean postgres

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: postgres build ## build, and serve the demo world from a private PostgreSQL (make run ARGS='--listen 127.0.0.1:8081')
	@exec $(BIN)/xmlcurld serve --demo $(ARGS)

build: ## build .bin/xmlcurld
	go build -ldflags '-X main.buildVersion=$(VERSION)' -o $(BIN)/xmlcurld ./cmd/xmlcurld

test: postgres ## all tests, with the race detector, against a real PostgreSQL
	go run ./db/dbtest/withserver go test -race -shuffle=on ./...
	go test -count=1 -run Allocations ./sections ./xmlcurl # the race detector allocates itself

test-slow: postgres ## what needs the machine to itself: crowds of connections, and a minute of chaos
	go test -tags slow -count=1 -p 1 -run 'Crowds|Chaos' ./cmd/xmlcurld ./cmd/lab/chaos

bench: postgres ## measure against nginx on this machine
	@.ci/need nginx-light
	go run ./cmd/lab bench $(ARGS)

bench-calls: postgres ## measure what a caller waits for: make bench-calls FREESWITCH=/path/to/freeswitch
	@.ci/need sip-tester
	@.ci/need nginx-light
	go run ./cmd/lab calls -freeswitch '$(abspath $(FREESWITCH))' $(ARGS)

bench-edits: postgres ## measure how long an edit takes: make bench-edits FREESWITCH=/path/to/freeswitch
	go run ./cmd/lab edits -freeswitch '$(abspath $(FREESWITCH))' $(ARGS)

chaos: postgres ## break everything around a running server for 10 minutes, and judge what callers notice
	go run ./cmd/lab chaos $(ARGS)

e2e: postgres ## prove it on a real switch: make e2e FREESWITCH=/path/to/freeswitch
	@test -n '$(FREESWITCH)' || { echo 'make e2e needs a FreeSWITCH: make e2e FREESWITCH=/path/to/freeswitch' >&2; exit 1; }
	@test -x '$(FREESWITCH)' || { echo 'FREESWITCH=$(FREESWITCH): no such program' >&2; exit 1; }
	@.ci/need sip-tester
	FREESWITCH='$(abspath $(FREESWITCH))' go test -tags e2e -count=1 -v ./cmd/xmlcurld/e2e

fmt: ## format the Go files
	gofmt -w .

lint: $(LINT) ## lint, and hold the imports to the layout
	$(LINT) run ./...

clean: ## remove what was built
	rm -rf $(BIN)

# Sees that a PostgreSQL server is installed, and installs Debian's if it can.
postgres:
	@.ci/need postgresql

$(LINT):
	GOBIN='$(abspath $(BIN))' go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	mv $(BIN)/golangci-lint $@
