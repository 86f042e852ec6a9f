# Calor.  `make demo` shows it, `make test` proves it; both install what they need on Debian and Ubuntu.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
JOBS ?= $(shell nproc)
PYTHON := .venv/bin/python

.PHONY: help setup build demo test test-core test-scripts test-python test-mpi wheel asan fuzz tsan baseline bench bench-ladder bench-tiles bench-recipes bench-reader bench-propagator bench-edges study study-translation study-surfaces install clean test-elsewhere bench-scale peers-tests
.DEFAULT_GOAL := help

help:            ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 18

setup:           ## install the packages that the build needs (apt and .venv)
	@tools/setup

build/build.ninja: | setup
	@cmake --preset release > build-configure.log 2>&1 || { cat build-configure.log >&2; exit 1; }
	@rm -f build-configure.log

build: build/build.ninja  ## build/calor
	@cmake --build build --target calor -j $(JOBS)

demo: build      ## compare the propagator, two attentions and tuned baselines on handwritten digits; a report
	@build/calor compare digits --attention self,metric --seeds 6 --report calor-demo.html

test: test-core test-scripts test-python asan  ## all tests

test-setup:
	@tools/setup test

build-tests: test-setup build/build.ninja
	@cmake --build build -j $(JOBS)

test-core: build-tests
	@ctest --test-dir build -j $(JOBS) --output-on-failure --no-tests=error

test-scripts: build-tests
	@CALOR_TORCH_LIBRARY=build/bindings/torch/libcalor_torch.so $(PYTHON) -m pytest -q -n $(JOBS) --dist loadfile tests --ignore=tests/python --ignore=tests/mpi

# The compilers by the names that CMake finds, and our warnings: what the main build has compiled is then in the compiler cache.
WHEEL_VENV := build-python/venv
wheel: test-setup  ## build-python/dist/calor-*.whl: the Python package with its extension and the command line, for any Linux of glibc 2.34 or later
	@rm -rf build-python/dist build-python/plain
	@env CC=cc CXX=c++ $(PYTHON) -m pip wheel -q --disable-pip-version-check --no-build-isolation --no-deps -w build-python/plain \
	  -C cmake.define.CALOR_WERROR=ON -C cmake.define.CALOR_MANYLINUX=ON .
	@$(PYTHON) tools/manylinux.py build-python build-python/plain/calor-*.whl build-python/dist

# A clean environment that has the wheel, and beside it what the tests need: .venv's packages come after its own.  No compiler is on the PATH, nor any other program.
test-python: wheel  ## the Python package: its wheel in a clean environment, scikit-learn's checks of every estimator, torch's operators without a build for one torch
	@rm -rf $(WHEEL_VENV)
	@$(PYTHON) -m venv --without-pip $(WHEEL_VENV)
	@$(PYTHON) -m pip --python $(WHEEL_VENV)/bin/python install -q --disable-pip-version-check --no-deps build-python/dist/calor-*.whl
	@$(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > "$$($(WHEEL_VENV)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/tests.pth"
	@OMP_WAIT_POLICY=passive PATH=$(abspath $(WHEEL_VENV))/bin $(WHEEL_VENV)/bin/python -m pytest -q -n $(JOBS) --dist load tests/python
	@CALOR_TORCH_LIBRARY= OMP_WAIT_POLICY=passive $(WHEEL_VENV)/bin/python -m pytest -q -n $(JOBS) --dist load tests/torch/test_ops.py tests/torch/test_ops_contract.py \
	  tests/torch/test_second.py tests/torch/test_bf16.py tests/torch/test_graph.py

# Root's: debootstrap makes the system.  Compares with what the wheel computes here.
test-elsewhere:  ## the wheel of test-python in a bare Debian of another release, SUITE=trixie; SKIPPED where debootstrap is missing
	@$(PYTHON) tools/test-elsewhere $(or $(SUITE),trixie) build-python/dist/calor-*.whl $(WHEEL_VENV)/bin/python

# Beside the wheel the peers, which .venv does not have.  PEERS_UMAP names a clone of umap, whose packages have no tests.
peers-tests: wheel  ## scikit-learn's, openTSNE's and umap-learn's own tests on our classes: how many pass, and why the others do not (docs/python.md)
	@rm -rf build-peers/venv
	@$(PYTHON) -m venv --without-pip build-peers/venv
	@$(PYTHON) -m pip --python build-peers/venv/bin/python install -q --disable-pip-version-check --no-deps build-python/dist/calor-*.whl
	@$(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > "$$(build-peers/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/tests.pth"
	@$(PYTHON) -m pip --python build-peers/venv/bin/python install -q --disable-pip-version-check umap-learn openTSNE
	@OMP_WAIT_POLICY=passive build-peers/venv/bin/python bench/peers

asan: test-setup ## the core suite without torch, under the address and undefined-behaviour sanitizers
	@cmake --preset asan > /dev/null
	@cmake --build build-asan -j $(JOBS)
	@UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 ctest --test-dir build-asan -j $(JOBS) --output-on-failure --no-tests=error

FUZZ_SECONDS ?= 60
SEED ?= $(shell date +%s)
fuzz: test-setup ## attention of random sizes, strides, masks and contents against its definition, under the same sanitizers: FUZZ_SECONDS=60 SEED=N
	@cmake --preset asan > /dev/null
	@cmake --build build-asan --target attention_fuzz -j $(JOBS)
	@OMP_WAIT_POLICY=passive UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 build-asan/tests/kernels/attention_fuzz --seconds $(FUZZ_SECONDS) --seed $(SEED)

test-mpi:        ## calor-mpi in 1 to 4 processes against calor; SKIPPED where Open MPI or SLEPc is missing (tools/setup mpi installs them); MPI_TESTS="files" chooses some
	@MPI_TESTS="$(MPI_TESTS)" tools/test-mpi -j $(JOBS)

tsan:            ## the kernels under the thread sanitizer (clang-19, libomp-19-dev)
	@tools/tsan

baseline: test-setup build/build.ninja  ## counts the kernels' instructions anew, after a change that is meant: ONLY="edges neighbours" names some
	@cmake --build build --target calor_count_instructions -j $(JOBS)
	@$(PYTHON) bench/instructions --renew $(ONLY)

bench: build-tests  ## attention beside torch's (and onnxruntime's after `tools/setup bench`), as shares of what one core can do: bench/results/attention.html
	@mkdir -p bench/results && rm -f bench/results/*.json
	@build/bench/calor_bench_attention --json bench/results/attention.json
	@build/bench/calor_bench_ipn_step --json bench/results/ipn_step.json
	@OMP_NUM_THREADS=1 $(PYTHON) bench/attention_onnxruntime.py bench/results/attention.json bench/results/onnxruntime.json || [ $$? -eq 3 ]
	@build/bench/calor_bench_page bench/results/attention.html bench/results/*.json

bench-ladder: test-setup build/build.ninja  ## attention from three loops to the kernel in seven steps, each as a share of what one core can do: the table of docs/engine.md
	@cmake --build build --target calor_bench_ladder -j $(JOBS)
	@build/bench/calor_bench_ladder

bench-tiles: test-setup build/build.ninja  ## the search for the register tile: every shape of 1 to 14 rows and 1 to 4 vectors on each instruction set of this machine
	@cmake --build build --target calor_bench_tiles -j $(JOBS)
	@build/bench/calor_bench_tiles

bench-recipes: build  ## recipes against their peers on Fashion-MNIST, one thread each: BENCH="lle laplacian" names some, SIZE=N sets their size
	@tools/setup bench
	@OMP_NUM_THREADS=1 $(PYTHON) bench/recipes $(BENCH) $(if $(SIZE),--size $(SIZE))

bench-reader: build  ## the reader of tables against pandas' C reader, 200,000 x 50 with 6 and with 17 digits
	@tools/setup bench
	@cmake --build build --target calor_bench_reader -j $(JOBS)
	@$(PYTHON) bench/reader

bench-edges: build-tests  ## attention on a graph's edges beside torch's gathers and scatters, as they are and compiled, one thread each
	@OMP_NUM_THREADS=1 PYTHONPATH=python $(PYTHON) bench/edges

bench-scale: build-tests  ## constants of calor-mpi by small runs here, larger runs beside their simulation, and larger machines on paper (docs/scale.md); needs what test-mpi needs
	@tools/setup mpi
	@cmake --preset mpi > /dev/null
	@cmake --build build-mpi --target calor-mpi calor-ping -j $(JOBS)
	@CALOR_TORCH_LIBRARY=build/bindings/torch/libcalor_torch.so $(PYTHON) bench/scale measure --constants bench/results/scale.json
	@$(PYTHON) bench/scale check --constants bench/results/scale.json
	@$(PYTHON) bench/scale plan --constants bench/results/scale.json

bench-propagator: build  ## all of MNIST: the propagator beside scikit-learn's SVC and KNeighborsClassifier (CALOR_DATA names the data folder)
	@$(PYTHON) bench/propagator/mnist.py

study: build-tests study-surfaces  ## the long studies: MNIST, acceptance figures with all seeds, the propagator's table, surfaces (CALOR_DATA names the data folder)
	@tools/setup bench
	@CALOR_STUDY=1 build/tests/learn/test_acceptance
	@OMP_NUM_THREADS=1 $(PYTHON) bench/propagator

study-translation: build  ## hours: self, l2 and metric on all of Multi30k, 10 epochs, 2 seeds; goes on where it stopped (CALOR_DATA names the data folder)
	@OMP_NUM_THREADS=1 $(PYTHON) bench/translation_study.py --precision bf16

study-surfaces: build  ## about 5 core-hours: the networks on human bodies, 10 seeds of 30 epochs (docs/surfaces.md; CALOR_DATA names the data folder)
	@build/calor compare $(CALOR_DATA)/human_seg/train --labels $(CALOR_DATA)/human_seg/fseg --test $(CALOR_DATA)/human_seg/test --seeds $(or $(SEEDS),10) --epochs $(or $(EPOCHS),30) \
	  --weight-decay 1e-4 --pipeline surface-self --pipeline surface-l2 --pipeline surface-metric --pipeline surface-uniform --pipeline surface-mlp --pipeline diffusion-net --report build/surfaces.html

install: build   ## install to PREFIX (default /usr/local)
	@cmake --install build --prefix $(or $(PREFIX),/usr/local)

clean:           ## remove the build folders
	rm -rf build build-core build-asan build-tsan build-mpi build-python build-peers
