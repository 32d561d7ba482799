# Targets that are not files. Included by the Makefile.

.PHONY: all plugins help deps deps-build deps-test run test check scenario bench install clean format format-check lint \
	layers abi shellcheck tidy man deb test-deb build-tests \
	fuzz build-fuzz bench-recordings bench-viewer bench-delta bench-mesh
.DEFAULT_GOAL := all

# `make run` and `make test` use all cores unless told otherwise.
JOBS = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc)) --no-print-directory

help: ## this list
	@grep -hE '^[a-z-]+:.*##' src/tools/targets.mk Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 20

run: deps-build ## install what is missing, build, start a live race
	@$(MAKE) $(JOBS) all
	@src/tools/run.sh $(B)

test: deps-test ## install what is missing, build, run all tests
	@$(MAKE) $(JOBS) build-tests
	@tests/run.sh $(B)

install: all ## copy what was built to $(DESTDIR)$(PREFIX), by default /usr/local
	@src/tools/install.sh $(B) "$(DESTDIR)" "$(PREFIX)" "$(VERSION)"

deb: ## Debian packages, in build/deb
	@src/tools/deps.sh deb
	@$(MAKE) $(JOBS) all
	@src/tools/deb.sh $(B) "$(VERSION)"

test-deb: deb ## install them into a clean system and try them there (root, minutes)
	tests/deb/run.sh $(B)

deps: ## only install packages, with apt and npm, those of `make lint` too
	@src/tools/deps.sh all

deps-build:
	@src/tools/deps.sh build

deps-test:
	@src/tools/deps.sh test

check: build-tests ## unit tests only
	tests/run.sh $(B) unit

scenario: build-tests ## end-to-end tests against the real daemon only
	tests/run.sh $(B) scenario

FUZZ_SECONDS ?= 60
fuzz: ## feed the parsers with random input for FUZZ_SECONDS each
	$(MAKE) B=build/fuzz SAN=1 CC=clang CFLAGS="$(CFLAGS) -fsanitize=fuzzer-no-link" build-fuzz
	tests/fuzz/run.sh build/fuzz $(FUZZ_SECONDS) $(FUZZ_TARGETS)

build-fuzz: $(FUZZ_TARGETS:%=$(B)/fuzz/%)

bench: all ## measure the router beside an ideal one
	tests/bench/bench.sh $(B)

bench-viewer: all ## bytes, time to the first data and script time of the page
	node tests/bench/viewer.mjs $(B)

bench-delta: all ## bytes of a viewer-hour by the full topic and by differences
	LT_BUILD=$(B) node tests/bench/delta_bench.mjs

bench-mesh: all ## several daemons beside one: latency, processor time, fail-over
	LT_BUILD=$(B) node tests/bench/mesh_bench.mjs

bench-recordings: all ## recordings of a whole day: analysis, seeking, timeline, lag of the loop
	tests/bench/recording_bench.sh $(B)

format: ## rewrite the sources in our style
	git ls-files '*.c' '*.h' | xargs clang-format -i

format-check: ## fail if a source is not in our style
	git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror

layers: ## fail if a layer includes one above it
	tests/arch/check_layers.sh

abi: ## check the plugin header: layout, C99 and C++11
	tests/abi/check_abi.sh $(B)

lint: format-check layers abi shellcheck man tidy ## every check that runs without the daemon

shellcheck:
	shellcheck $$(git ls-files '*.sh') .ci/run

man: ## check the man pages
	mandoc -Tlint -Wwarning docs/man/*

tidy: $(HEADER)
	git ls-files 'src/*.c' 'plugins/*.c' | xargs -P 2 -n 8 tests/arch/tidy.sh $(LT_CFLAGS) --files

clean: ## remove everything that was built
	rm -rf build
