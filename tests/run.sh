#!/usr/bin/env bash
# Run the tests of a build and say how many passed: tests/run.sh BUILD unit|property|slurm...
#   unit      every BUILD/tests/NAME; those that include ranks.h with 1, 2, 3, 4 and 7 ranks
#   property  every tests/property/*.sh, which runs BUILD/siamese-nas; exit status 77 means skipped
#   slurm     every tests/slurm/*.sh, which runs it under a Slurm that it starts for itself; needs root
# One line a run, with its time from 5 s on; the output of a run only when it fails. Knobs: TEST_TIMEOUT seconds a run (600), TEST_SKIP
# scripts to leave out ("faults.sh scaling.sh"), MPIRUN.
set -u
cd "$(dirname "$0")/.." || exit 1
build=$(realpath "$1")
shift

export MPIRUN=${MPIRUN:-mpirun --oversubscribe}
export PROGRAM=$build/siamese-nas
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1 # more ranks than cores
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
# Without the slow unwinder the stacks end too early for the suppressions to match.
export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0:fast_unwind_on_malloc=0
# gcc 12's leak check misreads the thread-local blocks of libraries that Open MPI loads late, and dies of it.
export ASAN_OPTIONS=intercept_tls_get_addr=0
export UBSAN_OPTIONS=print_stacktrace=1

passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

run() { # run NAME COMMAND...
    local name=$1 status note begin=$SECONDS took
    shift
    timeout "${TEST_TIMEOUT:-600}" "$@" >"$log" 2>&1 </dev/null
    status=$?
    took=$((SECONDS - begin))
    took=$([ $took -ge 5 ] && echo "  $took s")
    case $status in
    0)
        passed=$((passed + 1))
        note=$(grep -c '^\[  SKIPPED \] test' "$log")
        echo "ok    $name$took$([ "$note" -gt 0 ] && echo "  ($note of its tests skipped)")" ;;
    77)
        skipped=$((skipped + 1))
        echo "skip  $name  $(grep -m 1 SKIP "$log")" ;;
    *)
        failed=$((failed + 1))
        echo "FAIL  $name  (exit status $status$([ $status = 124 ] && echo ', out of time'))"
        sed 's/^/      | /' "$log" ;;
    esac
}

for kind; do
    case $kind in
    unit)
        for source in tests/unit/test_*.c tests/unit/double_*.c; do
            [ -e "$source" ] || continue
            name=$(basename "$source" .c)
            if grep -q '^#include "ranks.h"' "$source"; then
                for ranks in 1 2 3 4 7; do run "$name, ranks: $ranks" $MPIRUN -np $ranks "$build/tests/$name"; done
            else
                run "$name" "$build/tests/$name"
            fi
        done ;;
    property | slurm)
        for script in tests/"$kind"/*.sh; do
            name=$(basename "$script")
            case " ${TEST_SKIP:-} " in
            *" $name "*) skipped=$((skipped + 1)) && echo "skip  $name  as TEST_SKIP says" ;;
            *) if [ -e "$script" ]; then run "$name" bash "$script"; fi ;;
            esac
        done ;;
    *)
        echo "tests/run.sh: unknown kind '$kind'" >&2
        exit 2 ;;
    esac
done
echo "$passed passed, $failed failed$([ $skipped -gt 0 ] && echo ", $skipped skipped")"
[ $failed = 0 ] && [ $((passed + skipped)) -gt 0 ]
