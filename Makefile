# Plimsoll: `make run` shows it, `make test` checks it. Both install what they need on a fresh Debian.

.NOTPARALLEL:
.DEFAULT_GOAL := help
SHELL := /bin/bash

CARGO_DENY_VERSION := 0.20.2
MUSL := x86_64-unknown-linux-musl
STATIC := target/$(MUSL)/release/plimsoll
IMAGE ?= ghcr.io/plimsoll-dev/plimsoll:$(shell sed -n 's/^appVersion: *//p' charts/plimsoll/Chart.yaml)
BIN ?= $(HOME)/.local/bin
# The binary as tests have it: without a test beside it cargo builds all dependencies anew, for fewer features.
DEBUG := cargo build --workspace --locked --bin plimsoll --test pages

PAGE := page/dist/index.html
PAGE_SOURCES := $(shell find page/src -type f) page/build.mjs page/tsconfig.json
# What npm writes last.
PAGE_PACKAGES := page/node_modules/.package-lock.json

export PATH := $(CURDIR)/target/tools/bin:$(HOME)/.cargo/bin:$(PATH)
export CARGO_TERM_COLOR ?= auto

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: rust page ## a real build dies of memory when run plainly, and comes through under Plimsoll; then an app's capacity, served until Ctrl-C
	@dev/need node=nodejs npm setpriv=util-linux
	cargo build --release --locked -p plimsoll -p plimsoll-bench
	target/release/plimsoll-bench demo
	@PLIMSOLL_STORE=$(CURDIR)/bench/work/demo-store examples/study/run target/release/plimsoll

.PHONY: example
example: rust ## what a small cluster should request, read from a real Prometheus, beside what people chose by hand
	@dev/need python3 curl
	@dev/servers
	cargo build --release --locked -p plimsoll
	examples/rightsize/run target/release/plimsoll

.PHONY: example-capacity
example-capacity: rust page ## how many people fit, learned from a real app with visitors, and served until Ctrl-C; SEED=2 for other visitors
	@dev/need node=nodejs npm setpriv=util-linux
	cargo build --release --locked -p plimsoll
	examples/study/run target/release/plimsoll

.PHONY: run-monitoring
run-monitoring: rust page controlplane ## Prometheus, Alertmanager, all that they see of ours, a cluster and an app: each alert goes its way, each panel is answered; until Ctrl-C
	@dev/need python3 node=nodejs npm
	@dev/servers
	cargo build --release --locked -p plimsoll -p plimsoll-bench
	target/release/plimsoll-bench monitoring

.PHONY: test
test: tools check-fmt lint unit page-test fuzz deny static smoke image node fuzz-api study monitoring guest ## all checks, as CI runs them
	@printf '\nall checks passed\n'

.PHONY: check-fmt
check-fmt: rust
	@dev/step 'format' cargo fmt --all --check

.PHONY: lint
lint: rust page ## clippy, warnings are errors
	@dev/step 'clippy' cargo clippy --workspace --all-targets --locked -- -D warnings

.PHONY: unit
unit: tools page ## the tests of all crates
	@dev/need python3
	@dev/step 'tests' dev/tests

.PHONY: chart
chart: rust page controlplane helm ## of these only those of the chart: what it renders and refuses, and a release's life on a real API server
	@dev/postgres
	@dev/step 'chart' cargo test --workspace --locked --test chart

.PHONY: page
page: $(PAGE) ## build the page of `plimsoll serve`, which cargo puts into the binary

$(PAGE): $(PAGE_SOURCES) $(PAGE_PACKAGES)
	npm run --prefix page build

$(PAGE_PACKAGES): page/package-lock.json
	@dev/need node=nodejs npm
	npm ci --prefix page --no-audit --no-fund

# What pictures are lettered in, so that they look alike everywhere.
.PHONY: letters
letters:
	@[ -d /usr/share/fonts/truetype/liberation ] || dev/need liberation=fonts-liberation

.PHONY: page-test
page-test: rust page letters ## the page and the pictures of boards: types, pure functions, and all of it in a real Chromium
	@dev/need chromium
	$(DEBUG)
	@PLIMSOLL=$(CURDIR)/target/debug/plimsoll dev/step --again 'page' npm test --prefix page

.PHONY: screenshots
screenshots: rust page ## take the pictures of the page in docs/ anew, of a server filled for that
	@dev/need chromium
	$(DEBUG)
	PLIMSOLL=$(CURDIR)/target/debug/plimsoll npm run --prefix page screenshots

.PHONY: boards
boards: rust page letters ## draw the dashboards in docs/boards anew, of what `make run-monitoring` plays to a real Prometheus; MINUTES=10 for longer
	@dev/need chromium python3 node=nodejs
	@dev/servers
	$(DEBUG) --bin plimsoll-bench
	dev/boards target/debug/plimsoll target/debug/plimsoll-bench $(or $(MINUTES),5)

.PHONY: fuzz
fuzz: rust ## fuzz what parses; TARGET=name picks one, SECONDS_EACH=600 searches longer
	@dev/need c++=g++
	@dev/step 'fuzz' dev/fuzz $(or $(SECONDS_EACH),5) $(TARGET)

.PHONY: deny
deny: rust ## licences, sources, doubled dependencies and known vulnerabilities
	@dev/step 'cargo-deny' dev/deny $(CARGO_DENY_VERSION)

.PHONY: static
static: rust page ## the static release binary
	@dev/need musl-gcc=musl-tools
	@dev/step 'static build' dev/static $(MUSL)

.PHONY: install
install: static ## into ~/.local/bin, or BIN=DIR, as plimsoll and as a plugin of kubectl
	install -D $(STATIC) $(BIN)/plimsoll
	ln -sf plimsoll $(BIN)/kubectl-plimsoll

.PHONY: smoke
smoke: static
	@dev/step 'manual, completions and plugin' dev/smoke $(STATIC)

.PHONY: image
image: static helm ## the image as a file that any engine or registry takes, with what is in it as CycloneDX: target/image; IMAGE=NAME:TAG
	@dev/need python3
	@python3 -c 'import ensurepip' 2>/dev/null || dev/need ensurepip=python3-venv
	@mkdir -p target/image
	@dev/image/sbom $(STATIC) $(MUSL) >target/image/plimsoll.cdx.json
	@dev/image/build $(STATIC) target/image/plimsoll.cdx.json $(IMAGE) target/image/plimsoll.tar
	@dev/step 'image' dev/image/check target/image/plimsoll.tar $(STATIC) target/image/plimsoll.cdx.json $(IMAGE)

.PHONY: node
node: image kubelet ## the chart's agent on a machine with a real kubelet, by that image
	@PLIMSOLL_IMAGE=$(CURDIR)/target/image/plimsoll.tar dev/step --again 'agent on a real node' cargo test --workspace --locked --test node -- --nocapture

.PHONY: fuzz-api
fuzz-api: static ## ask the API whatever its own document allows, and what it does not; EXAMPLES=500 asks more
	@dev/need python3
	@python3 -c 'import ensurepip' 2>/dev/null || dev/need ensurepip=python3-venv
	@dev/step 'API against its document' dev/fuzz-api $(STATIC) $(or $(EXAMPLES),50)

.PHONY: study
study: static
	@dev/need node=nodejs npm setpriv=util-linux
	@ONCE=1 dev/step --again 'a real app is learned' examples/study/run $(STATIC)

.PHONY: monitoring
monitoring: static controlplane
	@dev/need python3 node=nodejs npm
	@dev/step --again 'alerts go their way, panels are answered' dev/monitoring $(STATIC)

.PHONY: guest
guest: static ## cgroup v2 for real, in a QEMU guest
	@dev/need cpio busybox=busybox-static
	@dev/need qemu-system-x86_64=qemu-system-x86 || true
	@dev/step --again 'cgroup v2 guest' dev/guest/run.sh

.PHONY: bench-run
bench-run: rust ## real builds at real limits, four ways side by side; CASE=name picks one
	@dev/need node=nodejs npm make gcc g++ python3 java=default-jdk-headless mvn=maven
	cargo build --release --locked -p plimsoll -p plimsoll-bench
	target/release/plimsoll-bench run $(if $(CASE),--case $(CASE))

.PHONY: bench-overhead
bench-overhead: rust ## what Plimsoll itself costs: wall, CPU, memory, start-up
	cargo build --release --locked -p plimsoll -p plimsoll-bench
	target/release/plimsoll-bench overhead

.PHONY: bench-history
bench-history: rust ## what reading two weeks of a Prometheus costs, four ways side by side; SERIES=1000 for a larger one
	@dev/servers
	cargo build --release --locked -p plimsoll-bench
	target/release/plimsoll-bench history $(if $(SERIES),--series $(SERIES))

.PHONY: bench-policies
bench-policies: rust ## sizing policies side by side; DATA=DIR takes a folder of traces, else a made-up sample
	cargo build --release --locked -p plimsoll
	dev/bench-policies target/release/plimsoll $(DATA)

.PHONY: bench-formula
bench-formula: rust ## how well memory by role is foretold, several ways side by side; SEEDS=4,5,6 for other chance, APP=drifted or real for one app, REAL_MINUTES=30 plays it longer, 0 not
	@dev/need node=nodejs npm setpriv=util-linux
	cargo build --release --locked -p plimsoll-bench
	target/release/plimsoll-bench formula $(if $(SEEDS),--seeds $(SEEDS)) $(if $(APP),--app $(APP)) $(if $(REAL_MINUTES),--real-minutes $(REAL_MINUTES))

.PHONY: bench-api
bench-api: rust ## what the API of capacity bears, beside a server written by hand; STORED=1000 for fewer reservations
	@dev/need node=nodejs npm wrk
	cd bench/api && npm ci --no-audit --no-fund
	cargo build --release --locked -p plimsoll -p plimsoll-bench
	target/release/plimsoll-bench api $(if $(STORED),--stored $(STORED))

.PHONY: bench-alerts
bench-alerts: rust ## how often alerts on memory are wrong, and how early right, several side by side; EACH=40 SEED=1 DATA=DIR of real traces
	@dev/servers
	cargo build --release --locked -p plimsoll-bench
	target/release/plimsoll-bench alerts $(if $(EACH),--each $(EACH)) $(if $(SEED),--seed $(SEED)) $(if $(DATA),--real $(DATA))

.PHONY: bench-agent
bench-agent: rust ## what the agent costs with 500 cgroups, beside cAdvisor and the node exporter; CGROUPS=100 SCRAPES=8 for less
	@dev/need go=golang-go
	@dev/servers
	@dev/cadvisor >/dev/null
	cargo build --release --locked -p plimsoll -p plimsoll-bench
	target/release/plimsoll-bench agent $(if $(CGROUPS),--groups $(CGROUPS)) $(if $(SCRAPES),--scrapes $(SCRAPES)) --cadvisor target/tools/bin/cadvisor --node-exporter prometheus-node-exporter

.PHONY: bench-cluster
bench-cluster: rust controlplane ## what watching a cluster of 5,000 pods costs; PODS=500 NODES=50 DEPLOYMENTS=50 for a smaller one
	cargo build --release --locked -p plimsoll -p plimsoll-bench
	target/release/plimsoll-bench cluster $(if $(PODS),--pods $(PODS)) $(if $(NODES),--nodes $(NODES)) $(if $(DEPLOYMENTS),--deployments $(DEPLOYMENTS))

.PHONY: controlplane
controlplane: ## a Kubernetes control plane, built once from Go modules, with the Vertical Pod Autoscaler: ten minutes; see dev/controlplane
	@dev/need go=golang-go openssl
	@dev/controlplane/build vpa-recommender vpa-updater >/dev/null

.PHONY: helm
helm: controlplane ## Helm, kubectl and crane, built once from Go modules: a minute; see dev/chart/build
	@dev/chart/build >/dev/null

.PHONY: kubelet
kubelet: rust controlplane ## a machine with a real kubelet, which QEMU emulates; see dev/kubelet
	@dev/need qemu-system-x86_64=qemu-system-x86 || true
	@PATH=$$PATH:/usr/sbin dev/need cpio busybox=busybox-static mkfs.ext4=e2fsprogs
	@if command -v qemu-system-x86_64 >/dev/null; then dev/kubelet/build >/dev/null; fi

.PHONY: cluster-up
cluster-up: rust controlplane ## a cluster of four nodes without machines and a Prometheus that knows it, to try things on; prints what to export
	@dev/need python3
	@dev/servers
	@cargo build --locked -p plimsoll-real --bin cluster
	@dev/controlplane/cluster up target/debug/cluster

.PHONY: cluster-down
cluster-down: ## end it
	@dev/controlplane/cluster down

.PHONY: fmt
fmt: rust ## format the code
	cargo fmt --all

.PHONY: golden
golden: tools ## accept what the golden tests see now; read the diff before you commit it
	UPDATE_GOLDEN=1 INSTA_UPDATE=always cargo test --workspace --locked

.PHONY: rust
rust:
	@dev/need cc=gcc curl
	@dev/rust

.PHONY: tools
tools: rust controlplane kubelet helm
	@dev/need make g++ python3 node=nodejs npm script=bsdutils file openssl git rsync
	@dev/need cmake go=golang-go javac=default-jdk-headless mvn=maven gradle
	@python3 -c 'import ensurepip' 2>/dev/null || dev/need ensurepip=python3-venv
	@dev/tools
	@dev/postgres
