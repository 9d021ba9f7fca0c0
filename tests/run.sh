#!/usr/bin/env bash
# Run the tests of a build and say how many passed: tests/run.sh BUILD unit|property|slurm|valgrind...
#   unit      every BUILD/tests/NAME; those that include ranks.h with 1, 2, 3, 4 and 7 ranks
#   property  every tests/property/*.sh, which runs BUILD/siamese-nas; exit status 77 means skipped
#   slurm     every tests/slurm/*.sh, which runs it under a Slurm that it starts for itself; needs root
#   valgrind  every tests/valgrind/*.sh, which runs it under valgrind
# One line a run, in order, with its time from 5 s on; the output of a run only when it fails. Knobs: TEST_JOBS runs at a time (2 on two
# cores), TEST_RANKS numbers of ranks (1 2 3 4 7), TEST_TIMEOUT seconds a run (1800), TEST_SKIP scripts to leave out
# ("faults.sh scaling.sh"), TEST_AGAIN 1: a run that fails beside others on a loaded machine is repeated by itself, MPIRUN.
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

export OMPI_MCA_hwloc_base_binding_policy=none # what runs side by side must not be bound to the same core

passed=0 failed=0 skipped=0 begun=0 shown=0
# Ledgers and results wait for the disk at every step, and disks may be slow: memory will do, where there is enough that runs programs.
place=${TMPDIR:-/tmp}
if [ "$(df --output=avail /dev/shm 2>/dev/null | tail -n 1)" -gt 2000000 ] 2>/dev/null && try=$(mktemp -p /dev/shm 2>/dev/null); then
    echo '#!/bin/sh' >"$try" && chmod 700 "$try" && "$try" 2>/dev/null && place=/dev/shm
    rm -f "$try"
fi
folder=$(mktemp -d -p "$place")
chmod 711 "$folder" # a Slurm wants its sockets within reach of all
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM HUP

# run NAME COMMAND...: begin it, as soon as fewer than TEST_JOBS others are at work
run() {
    local number=$((begun += 1))
    names[number]=$1
    shift
    commands[number]=$(printf '%q ' "$@")
    while [ "$(jobs -pr | wc -l)" -ge "$at_once" ]; do wait -n; done
    show
    mkdir -m 711 "$folder/$number" # where all that it makes goes, also Open MPI's own files, which are no others' then
    (
        SECONDS=0
        # killed ranks leave their shared memory behind
        if [ "$place" = /dev/shm ]; then export OMPI_MCA_btl_vader_backing_directory=$folder/$number; fi
        TMPDIR=$folder/$number timeout "${TEST_TIMEOUT:-1800}" "$@" >"$folder/$number.log" 2>&1 </dev/null &
        task=$!
        trap 'kill $task; wait; exit' TERM
        wait $task
        echo "$? $SECONDS" >"$folder/$number.part"
        rm -rf "${folder:?}/$number"
        mv "$folder/$number.part" "$folder/$number.end"
    ) &
}

# show: a line for each run that has ended, in the order in which they began
show() {
    local name log status took note
    while [ -e "$folder/$((shown + 1)).end" ]; do
        shown=$((shown + 1)) name=${names[shown]} log=$folder/$shown.log
        read -r status took <"$folder/$shown.end"
        took=$([ "$took" -ge 5 ] && echo "  $took s")
        case $status in
        0)
            passed=$((passed + 1))
            note=$(grep -c '^\[  SKIPPED \] test' "$log")
            echo "ok    $name$took$([ "$note" -gt 0 ] && echo "  ($note of its tests skipped)")" ;;
        77)
            skipped=$((skipped + 1))
            echo "skip  $name  $(grep -m 1 SKIP "$log")" ;;
        *)
            if [ "$again" -gt 0 ]; then
                doubtful+=("$shown")
                echo "AGAIN $name$took  (exit status $status$([ "$status" = 124 ] && echo ', out of time')), by itself, when the others are done"
            else
                failed=$((failed + 1))
                echo "FAIL  $name$took  (exit status $status$([ "$status" = 124 ] && echo ', out of time'))"
            fi
            sed 's/^/      | /' "$log" ;;
        esac
        rm -f "$log"
    done
}

# all runs that have begun have ended, and are shown; those that failed beside others get another chance alone
settle() {
    finish
    local list=(${doubtful[@]+"${doubtful[@]}"}) number
    again=0 doubtful=() at_once=1
    for number in ${list[@]+"${list[@]}"}; do
        eval "run $(printf %q "${names[number]}, alone") ${commands[number]}"
        finish
    done
}

finish() {
    wait
    show
    [ $shown = $begun ] || { echo "FAIL  ${names[shown + 1]} left no result"; failed=$((failed + begun - shown)) shown=$begun; }
}

for kind; do
    at_once=${TEST_JOBS:-$((($(nproc) + 3) / 2))} again=${TEST_AGAIN:-0} doubtful=()
    case $kind in
    unit)
        for source in tests/unit/test_*.c tests/unit/double_*.c; do
            [ -e "$source" ] || continue
            name=$(basename "$source" .c)
            if grep -q '^#include "ranks.h"' "$source"; then
                for ranks in ${TEST_RANKS:-1 2 3 4 7}; do run "$name, ranks: $ranks" $MPIRUN -np $ranks "$build/tests/$name"; done
            else
                run "$name" "$build/tests/$name"
            fi
        done ;;
    property | slurm | valgrind)
        for script in tests/"$kind"/*.sh; do
            [ -e "$script" ] || continue
            name=$(basename "$script")
            case " ${TEST_SKIP:-} " in
            *" $name "*) run "$name" sh -c 'echo "SKIP: as TEST_SKIP says"; exit 77' ;;
            *) run "$name" bash "$script" ;;
            esac
        done ;;
    *)
        echo "tests/run.sh: unknown kind '$kind'" >&2
        exit 2 ;;
    esac
    settle
done
echo "$passed passed, $failed failed$([ $skipped -gt 0 ] && echo ", $skipped skipped")"
[ $failed = 0 ] && [ $((passed + skipped)) -gt 0 ]
