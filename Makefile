# siamese-nas: predictor-based neural architecture search with MPI.
#
#   make deps run     install what is missing, build, run a small experiment
#   make deps check   install what is missing, build, run all tests
#   make help         all targets and knobs

# Knobs (override on the command line or in the environment)
CC        := $(if $(filter default,$(origin CC)),mpicc,$(CC))
CFLAGS    ?= -O3 -g
ARCH      ?= native# CPU to build for; ARCH=x86-64-v2 runs anywhere
PREFIX    ?= /usr/local
DESTDIR   ?=
SANITIZE  ?=# address,undefined
DEVELOPER ?=# 1: strict warnings are errors
V         ?=# 1: show the commands
SPACE     ?= inputs/nas-bench-201-digits.nc# space file or NAS-Bench-201 table (.csv) for `make run`
DATASET   ?= digits# and which of its data sets: cifar10, cifar100, ...
RANKS     ?= 2# ranks of `make run`
SECONDS   ?= 60# of `make fuzz` for each target

# ------------------------------------------------------------------------------------------------------------
VERSION  := 0.1.0
REVISION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
BUILD    := build$(if $(SANITIZE),/sanitize)$(if $(DEVELOPER),/developer)$(if $(filter-out native,$(ARCH)),/$(ARCH))
PROGRAM  := $(BUILD)/siamese-nas
LIBRARY  := $(BUILD)/libsiamese-nas.a
Q        := $(if $(V),,@)

.SUFFIXES:
.SECONDARY:
.DELETE_ON_ERROR:
.PHONY: all deps run figures check check-slurm check-valgrind unit property tests sanitize valgrind fuzz fuzz-targets bench scaling install uninstall clean help always
all: $(PROGRAM) ## build the program (the default)

# Debian's name is netcdf-mpi; its .pc leaves out the folder of netcdf.h.
NETCDF    := $(shell pkg-config --exists netcdf-mpi 2>/dev/null && echo netcdf-mpi || echo netcdf)
PACKAGES  := $(NETCDF) inih jansson $(if $(filter mpi%,$(notdir $(CC))),,ompi-c)# mpicc knows where MPI is, others ask
NETCDF_PREFIX := $(shell pkg-config --variable=prefix $(NETCDF) 2>/dev/null)
OWN_FLAGS := -std=c11 -D_POSIX_C_SOURCE=200809L -Iinclude $(addprefix -I,$(wildcard $(NETCDF_PREFIX)/include)) \
             $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null) -MMD -MP -march=$(ARCH) \
             -ffp-contract=fast -fno-math-errno -fno-trapping-math -Wall -Wextra
LIBS      := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -ldnnl -lgomp -lm# oneDNN has no pkg-config module
ifneq ($(DEVELOPER),)
OWN_FLAGS += -Werror -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wwrite-strings -Wundef \
             -Wpointer-arith -Wold-style-definition -Wno-overlength-strings
endif
ifneq ($(SANITIZE),)
OWN_FLAGS += -fsanitize=$(SANITIZE) -fno-sanitize-recover=undefined -fno-omit-frame-pointer -O1
endif

# ------------------------------------------------------------------------------------------------------------
# What deps installs decides what the lines above find, so the goals beside it are left to a second make.
ifneq ($(filter deps,$(MAKECMDGOALS)),)
LATER := $(filter-out deps,$(MAKECMDGOALS))
$(firstword $(LATER)): deps
	$(Q)$(MAKE) --no-print-directory $(LATER)
$(wordlist 2,99,$(LATER)): $(firstword $(LATER))
	@:
else

SOURCES  := $(wildcard src/*/*.c)
OBJECTS  := $(SOURCES:src/%.c=$(BUILD)/%.o)
# Layers and predictors once more in float64, for gradient checks against central differences.
DOUBLE   := $(patsubst src/%.c,$(BUILD)/double/%.o,$(wildcard src/nn/*.c src/predictor/siamese*.c src/predictor/mlp.c src/predictor/pairwise.c))
TESTS    := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c tests/unit/double_*.c))
CMOCKA    = $(shell pkg-config --cflags --libs cmocka)
# The peak that bench compares with needs OpenBLAS, the program does not.
BLAS     := $(shell pkg-config --cflags --libs openblas 2>/dev/null)
XSMM     := $(shell pkg-config --exists libxsmm 2>/dev/null && echo -DWITH_LIBXSMM && pkg-config --cflags --libs libxsmm)
BENCH    := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(filter-out $(if $(BLAS),,%/gemm.c),$(wildcard tests/bench/*.c)))
PEER     := $(patsubst tests/peer/%.c,$(BUILD)/peer/%,$(wildcard tests/peer/*.c))
COUNTED  := $(BUILD)/scaling/siamese-nas# the program with a counter of its calls of MPI

# A changed compiler or flag rebuilds everything, a changed revision only what names it.
stamp = mkdir -p $(@D); printf '%s\n' '$(1)' | cmp -s - $@ || printf '%s\n' '$(1)' > $@
FLAGS_NOW := $(CC) $(CFLAGS) $(OWN_FLAGS)
$(BUILD)/flags: always
	@command -v $(CC) >/dev/null && pkg-config --print-errors --exists $(PACKAGES) || \
	    { echo "A compiler or library is missing: make deps" >&2; exit 1; }
	$(Q)$(call stamp,$(FLAGS_NOW))
$(BUILD)/revision: always
	$(Q)$(call stamp,$(VERSION) $(REVISION))

say = $(if $(V),,echo "  $(1)  $@";) mkdir -p $(@D);
$(BUILD)/base/version.o: $(BUILD)/revision
$(BUILD)/base/version.o: OWN_FLAGS += -DVERSION='"$(VERSION)"' -DREVISION='"$(REVISION)"' \
                                      -DFLAGS='"$(CFLAGS) -march=$(ARCH)"'
$(BUILD)/%.o: src/%.c $(BUILD)/flags
	$(Q)$(call say,CC   ) $(CC) $(CFLAGS) $(OWN_FLAGS) -c $< -o $@
$(BUILD)/double/%.o: src/%.c $(BUILD)/flags
	$(Q)$(call say,CC64 ) $(CC) $(CFLAGS) $(OWN_FLAGS) -DREAL_DOUBLE -c $< -o $@
$(LIBRARY): $(OBJECTS)
	$(Q)$(call say,AR   ) rm -f $@; $(AR) rcs $@ $^
$(PROGRAM): $(BUILD)/main.o $(LIBRARY)
	$(Q)$(call say,LINK ) $(CC) $(CFLAGS) $(OWN_FLAGS) $^ -o $@ $(LDFLAGS) $(LIBS)

# Unit tests: tests/unit/test_X.c; tests/unit/double_X.c runs on the float64 layers. Benchmarks: tests/bench/X.c.
# What other implementations are compared with: tests/peer/X.c.
LINK_ALL = $(CC) $(CFLAGS) $(OWN_FLAGS) $(filter %.c %.o %.a,$^) -o $@ $(LDFLAGS)
$(BUILD)/tests/double_%: tests/unit/double_%.c $(DOUBLE) $(LIBRARY)
	$(Q)$(call say,TEST ) $(LINK_ALL) -DREAL_DOUBLE $(CMOCKA) $(LIBS)
$(BUILD)/tests/test_%: tests/unit/test_%.c $(LIBRARY)
	$(Q)$(call say,TEST ) $(LINK_ALL) $(CMOCKA) $(LIBS)
$(BUILD)/bench/gemm: LIBS += $(BLAS) $(XSMM)
$(BUILD)/bench/%: tests/bench/%.c $(LIBRARY)
	$(Q)$(call say,BENCH) $(LINK_ALL) $(LIBS)
$(BUILD)/peer/%: tests/peer/%.c $(LIBRARY)
	$(Q)$(call say,PEER ) $(LINK_ALL) $(LIBS)
# -rdynamic: what libraries ask of MPI is counted, too.
$(COUNTED): tests/scaling/mpi_count.c $(BUILD)/main.o $(LIBRARY)
	$(Q)$(call say,COUNT) $(LINK_ALL) -rdynamic $(LIBS)
$(BUILD)/scaling/simulate: tests/scaling/simulate.c $(LIBRARY)
	$(Q)$(call say,SIMUL) $(LINK_ALL) $(LIBS)

-include $(OBJECTS:.o=.d) $(DOUBLE:.o=.d) $(BUILD)/main.d $(TESTS:=.d) $(BENCH:=.d) $(PEER:=.d) $(COUNTED).d \
         $(patsubst tests/fuzz/%.c,$(BUILD)/targets/%.d,$(wildcard tests/fuzz/fuzz_*.c))

# ------------------------------------------------------------------------------------------------------------
run figures: export OMPI_MCA_rmaps_base_oversubscribe := 1
ifeq ($(shell id -u),0)
run figures bench: export OMPI_ALLOW_RUN_AS_ROOT := 1
run figures bench: export OMPI_ALLOW_RUN_AS_ROOT_CONFIRM := 1
endif
NC := $(SPACE:%.csv=results/space.nc)
run: $(PROGRAM) ## run jobs/quick.ini on SPACE and print its table
	@mkdir -p results
	$(if $(filter %.csv,$(SPACE)),$(PROGRAM) import $(SPACE) -o $(NC))
	mpirun -np $(RANKS) $(PROGRAM) run jobs/quick.ini -P space.file=$(NC) -P space.dataset=$(DATASET) -P output.file=results/quick.nc
	$(PROGRAM) report results/quick.nc

figures: run ## make run, then draw its table and all results in results/ into results/figures
	mpirun -np $(RANKS) $(PROGRAM) analyse $(NC) -o results/space.analysis.nc >results/space.analysis.txt
	/usr/bin/python3 jobs/plot.py results/*.nc $(filter-out results/%,$(NC)) -o results/figures

tests: $(TESTS) $(BENCH) $(PEER) $(COUNTED) ## build the unit tests and benchmarks
check: $(PROGRAM) $(TESTS) $(PEER) $(COUNTED) ## run all tests
	$(Q)tests/run.sh $(BUILD) unit property
unit: $(TESTS) ## run the unit tests
	$(Q)tests/run.sh $(BUILD) unit
property: $(PROGRAM) $(PEER) $(COUNTED) ## run the scripts that test the program from outside
	$(Q)tests/run.sh $(BUILD) property
check-slurm: $(PROGRAM) ## run the scripts of slurm/ on a Slurm of their own; only root can
	$(Q)tests/run.sh $(BUILD) slurm
sanitize: ## all tests under the address and undefined-behaviour sanitizers
	$(Q)$(MAKE) --no-print-directory SANITIZE=address,undefined check
# valgrind knows no AVX-512.
valgrind: ## run the program under valgrind
	$(Q)$(MAKE) --no-print-directory ARCH=x86-64-v3 check-valgrind
check-valgrind: $(PROGRAM)
	$(Q)tests/run.sh $(BUILD) valgrind
# libFuzzer comes with clang. What readers are told of NetCDF files is not all true (tests/fuzz/plan.h).
WRAP := $(shell sed -n 's/^[a-z]* __wrap_\([a-z_]*\).*;$$/-Wl,--wrap=\1/p' tests/fuzz/plan.h)
FUZZ := $(patsubst tests/fuzz/%.c,$(BUILD)/targets/%,$(wildcard tests/fuzz/fuzz_*.c))
$(BUILD)/targets/%: tests/fuzz/%.c $(LIBRARY)
	$(Q)$(call say,FUZZ ) $(LINK_ALL) -fsanitize=fuzzer $$(grep -q 'plan.h\|mend.h' $< && echo '$(WRAP)') $(LIBS)
fuzz-targets: $(FUZZ)
fuzz: ## let libFuzzer make up files for every reader; needs clang and libclang-rt-dev
	$(Q)$(MAKE) --no-print-directory CC=clang BUILD=build/fuzz SANITIZE=fuzzer-no-link,address,undefined fuzz-targets
	$(Q)tests/fuzz/run.sh build/fuzz $(SECONDS)
bench: $(PROGRAM) $(BENCH) $(PEER) ## build and run the benchmarks
	$(Q)tests/bench/run.sh $(BUILD)
scaling: $(PROGRAM) $(COUNTED) $(BUILD)/scaling/simulate $(BUILD)/bench/parallel ## count and measure what many ranks cost
	$(Q)tests/scaling/run.sh $(BUILD)

SHARE := $(DESTDIR)$(PREFIX)/share/siamese-nas
install: $(PROGRAM) ## into PREFIX/bin and PREFIX/share/siamese-nas
	install -d $(DESTDIR)$(PREFIX)/bin $(SHARE)/jobs $(SHARE)/inputs $(SHARE)/slurm
	install $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/siamese-nas
	install -m 644 jobs/* $(SHARE)/jobs
	install -m 644 inputs/* $(SHARE)/inputs
	install -m 644 slurm/* $(SHARE)/slurm
uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/siamese-nas
	rm -rf $(SHARE)
clean: ## remove build/
	rm -rf build
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' Makefile
	@echo; sed -n '/^# Knobs/,/^# ---/s/^\([A-Z]* *\)[?:]= */  \1/p' Makefile | sed 's/[$$](if.*/mpicc/; s/# / # /'
endif

# ------------------------------------------------------------------------------------------------------------
DEBIAN := libc6-dev pkg-config libopenmpi-dev openmpi-bin libnetcdf-mpi-dev libinih-dev libjansson-dev librandom123-dev libdnnl-dev \
          libscalapack-openmpi-dev libopenblas-dev libcmocka-dev netcdf-bin python3-xarray python3-netcdf4 python3-matplotlib nco# the last six for tests and figures
DEBIAN += $(if $(filter check-slurm,$(MAKECMDGOALS)),slurm-wlm munge)
DEBIAN += $(if $(filter valgrind,$(MAKECMDGOALS)),valgrind)
DEBIAN += $(if $(filter fuzz,$(MAKECMDGOALS)),clang libclang-rt-dev)
deps: ## install what is missing from Debian's packages; without apt, name what to load
	$(Q)if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then \
	    missing= sudo=; for p in $(DEBIAN); do \
	        dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; \
	    done; \
	    test -n "$$missing" || exit 0; \
	    test "$$(id -u)" = 0 || { command -v sudo >/dev/null && sudo=sudo; } || \
	        { echo "Ask an administrator to install:$$missing" >&2; exit 1; }; \
	    echo "installing$$missing"; apt="$$sudo env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300"; \
	    $$apt update && $$apt install -y --no-install-recommends $$missing; \
	else \
	    echo "No apt-get here. Load what is not there yet: MPI, NetCDF-C with parallel NetCDF-4, inih, jansson, Random123"; \
	    echo "and, for the tests, cmocka; for instance: module load openmpi netcdf-c-mpi inih jansson random123 cmocka"; \
	    command -v mpicc >/dev/null || { echo "missing: mpicc" >&2; exit 1; }; \
	    pkg-config --print-errors --exists $(PACKAGES) || { echo "missing: a pkg-config module" >&2; exit 1; }; \
	fi
