# The developer's front door. A C or C++ project that uses subpy needs none of this: see README.md.
#
#   PYTHON=/path/of/python    the Python to build for; else cmake/SelectPython.cmake finds one
#   SUBPY_VENDOR_DIR=folder   the crates, made by `cargo vendor`; else cargo downloads them
#   BUILD=build               the build tree: all that is made goes there, and what comes from PyPI
#   JOBS=2                    how many compilers, and tests, run at once; by default as many as there are cores

BUILD ?= build
JOBS ?= $(shell nproc)
TOOLS ?= $(abspath $(BUILD))/tools

SECONDS ?= 60

# What cargo compiles on the way is shared by the trees of all Pythons, so that what does not depend on the
# Python is compiled once. (Cargo before 1.91 ignores it.)
CARGO_BUILD_BUILD_DIR ?= $(abspath $(BUILD))/crates
# A compiler cache, where one is at hand.
CMAKE_C_COMPILER_LAUNCHER ?= $(firstword $(shell command -v sccache || command -v ccache))
CMAKE_CXX_COMPILER_LAUNCHER ?= $(CMAKE_C_COMPILER_LAUNCHER)
RUSTC_WRAPPER ?= $(shell command -v sccache)

export TOOLS PYTHON BENCH_OPTIONS SWEEP_OPTIONS SWEEP_NAMES
export CARGO_BUILD_BUILD_DIR CMAKE_C_COMPILER_LAUNCHER CMAKE_CXX_COMPILER_LAUNCHER RUSTC_WRAPPER
export PATH := $(TOOLS)/bin:$(PATH)
export CMAKE_BUILD_PARALLEL_LEVEL := $(JOBS)
export CARGO_BUILD_JOBS := $(JOBS)

prefix = $(abspath $(BUILD))/prefix
# Tests with these labels are left out: see c-tests/CMakeLists.txt.
left_out = $(if $(CI),none,long)
configure = cmake -S . -B '$(BUILD)' -G Ninja $(if $(PYTHON),-DPython3_EXECUTABLE='$(PYTHON)') \
	$(if $(SUBPY_VENDOR_DIR),-DSUBPY_VENDOR_DIR='$(SUBPY_VENDOR_DIR)')
c_sources = git ls-files -co --exclude-standard '*.c' '*.cpp' '*.h' '*.hpp' ':!include/subpy.h' ':!crates'

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo: install ## Build and install subpy, and parse Python's standard library with it, on every core
	cmake -S examples/stdlib_parse -B '$(BUILD)/demo' -G Ninja -DCMAKE_BUILD_TYPE=Release \
		-DCMAKE_PREFIX_PATH='$(prefix)'
	cmake --build '$(BUILD)/demo'
	'$(BUILD)/demo/stdlib_parse' $(DEMO_ARGS)

test: cargo-test ctest ## Run cargo's tests, and the C and C++ tests

test-python: left_out = once|long
test-python: cargo-test ctest ## Run those of them that depend on the Python

test-all: ## Run the tests for each Python found, 3.10 to 3.15, and sum up in a table
	@BUILD='$(BUILD)' tools/test_all.sh

test-debian: ## The same in a tree of Debian unstable, with its Pythons (needs root)
	@BUILD='$(BUILD)' JOBS='$(JOBS)' tools/test_debian.sh $(DEBIAN_TARGETS)

test-debug: ## The C tests and the hazards with Debian's Pythons that have CPython's assertions on (needs root)
	@BUILD='$(BUILD)' JOBS='$(JOBS)' tools/test_debian.sh debug-pythons

debug-pythons:
	@BUILD='$(BUILD)' PYTHONS='python3.13-dbg python3.14-dbg python3.15-dbg' tools/test_all.sh debug-python

# The packages from PyPI have no wheels for a debug build.
debug-python: configure-tests
	$(configure) -DSUBPY_BUILD_HAZARDS=ON
	cmake --build '$(BUILD)'
	cd '$(BUILD)' && ctest --output-on-failure -j '$(JOBS)' -R '^(c|cpp|hazard)\.' -E '^hazard\.packages' \
		-LE '$(left_out)' $(CTEST_OPTIONS)

build: ## Build the libraries
	@tools/setup.sh build
	$(configure)
	cmake --build '$(BUILD)' --target subpy

install: build
	cmake --install '$(BUILD)' --prefix '$(prefix)'

configure-tests:
	@tools/setup.sh build tests
	$(configure) -DSUBPY_BUILD_TESTS=ON

# With all that ctest needs, so that one's compilers don't wait for the other's.
cargo-test: configure-tests
	cmake --build '$(BUILD)' --target all cargo-test

ctest: configure-tests
	cmake --build '$(BUILD)'
	cd '$(BUILD)' && ctest --output-on-failure -j '$(JOBS)' -E '^hazard' -LE '$(left_out)' $(CTEST_OPTIONS)

hazards-all: ## The same as hazards, for each Python found
	@BUILD='$(BUILD)' tools/test_all.sh hazards

hazards: ## Put the catalogue of hazards to subpy
	@tools/setup.sh build tests
	$(configure) -DSUBPY_BUILD_TESTS=ON -DSUBPY_BUILD_HAZARDS=ON
	cmake --build '$(BUILD)'
	cd '$(BUILD)' && ctest --output-on-failure -j '$(JOBS)' -R '^hazard'

shared-ground: ## Sweep what interpreters have in common: each pair of actions; SWEEP_OPTIONS, SWEEP_NAMES
	@tools/setup.sh build tests
	$(configure) -DSUBPY_BUILD_TESTS=ON -DSUBPY_BUILD_SHARED_GROUND=ON
	cmake --build '$(BUILD)' --target shared-ground

bench: ## Run the benchmarks; BENCH_OPTIONS go to them
	@tools/setup.sh build benches
	$(configure) -DSUBPY_BUILD_BENCHES=ON
	cmake --build '$(BUILD)' --target bench

packages: install ## Use a hundred packages with C code in each kind of interpreter; PACKAGES_OPTIONS go to run.py
	@BUILD='$(BUILD)' tools/with_host.sh packages --jobs '$(JOBS)' $(PACKAGES_OPTIONS)

cpython-tests: install ## Run CPython's own tests in an interpreter and in a plain Python; CPYTHON_TESTS_OPTIONS go to run.py
	@BUILD='$(BUILD)' tools/with_host.sh cpython_tests --jobs '$(JOBS)' $(CPYTHON_TESTS_OPTIONS)

readme: install ## Compile and run the programs that README.md shows
	@tools/setup.sh pkg-config
	tools/readme_programs.sh '$(BUILD)/readme' '$(prefix)'

header: build ## Generate include/subpy.h from crates/ffi
	cmake --build '$(BUILD)' --target cargo-header

fmt: ## Format Rust, C and C++
	@tools/setup.sh clang-format
	cargo fmt --all
	$(c_sources) | xargs clang-format -i

lint: ## Check the format of Rust, C and C++, run clippy, and check that include/subpy.h is up to date
	@tools/setup.sh build clang-format
	cargo fmt --all --check
	$(c_sources) | xargs clang-format --dry-run -Werror
	$(configure)
	cmake --build '$(BUILD)' --target cargo-clippy cargo-drift

docs: ## Generate the reference of the C and C++ interfaces; a warning is an error
	@tools/setup.sh doxygen
	mkdir -p '$(BUILD)/docs'
	SUBPY_DOCS='$(BUILD)/docs' doxygen docs/Doxyfile

model: build ## Check the interpreter's state under every order of events, with loom
	cmake --build '$(BUILD)' --target cargo-model

fuzz: build ## Run random bytes, and play random calls against a model, for SECONDS=60 each
	@BUILD='$(BUILD)' SECONDS_OF='$(SECONDS)' tools/proof.sh fuzz

fuzz-all: ## The same as fuzz, for each Python found
	@BUILD='$(BUILD)' tools/test_all.sh fuzz

soak: build ## Keep eight host threads at it for SECONDS=60
	@BUILD='$(BUILD)' SECONDS_OF='$(SECONDS)' tools/proof.sh soak

faults: configure-tests ## Have the system refuse each block of memory once
	cmake --build '$(BUILD)' --target faults
	@BUILD='$(BUILD)' tools/proof.sh faults

check-targets: ## Compile for AArch64, and for musl: rustup gets their standard libraries
	@tools/check_targets.sh

asan: build ## The same under AddressSanitizer with leak checking; Rust, too, where there is clang
	@BUILD='$(BUILD)' SECONDS_OF='$(SECONDS)' tools/proof.sh asan

valgrind: build ## The same under valgrind's memcheck
	@tools/setup.sh valgrind
	@BUILD='$(BUILD)' SECONDS_OF='$(SECONDS)' tools/proof.sh valgrind

ci: ## What a change has to pass: all for one Python, and of the rest what has its turn (docs/testing.md)
	.ci/run

ci-full: ## The same with all of the rest: hours
	.ci/run full

clean: ## Remove the build tree
	rm -rf '$(BUILD)'

.PHONY: help demo test test-python test-all test-debian test-debug debug-pythons debug-python build install configure-tests cargo-test ctest hazards hazards-all shared-ground bench packages cpython-tests readme header fmt lint docs model fuzz fuzz-all soak faults check-targets asan valgrind ci ci-full clean
.NOTPARALLEL:
