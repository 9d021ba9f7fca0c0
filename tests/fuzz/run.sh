#!/usr/bin/env bash
# Let libFuzzer make up files for every reader: tests/fuzz/run.sh BUILD [SECONDS [TARGET...]]
#   BUILD     where `make fuzz` puts the targets, BUILD/targets/fuzz_NAME
#   SECONDS   of each target (15), after the seeds in corpus/NAME and the files that once broke something in regression/NAME
#   TARGET    job csv ...; default: all
# One line a target: runs, edges of the code that were reached (coverage), or what went wrong and the file that does it. New files that
# reach more are kept in BUILD/corpus/NAME and are where the next run goes on. Knobs: FUZZ_MEMORY, the largest block in MB (300);
# TEST_JOBS, targets at a time (as many as cores).
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$(realpath "$1")
seconds=${2:-15}
shift $(($# < 2 ? $# : 2))
folder=tests/fuzz

if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0:fast_unwind_on_malloc=0
export UBSAN_OPTIONS=print_stacktrace=1
TMPDIR=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")") # the readers want files
export TMPDIR
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$TMPDIR"' EXIT
trap 'exit 130' INT TERM HUP
passed=0 failed=0

# The time is generous, for loaded machines: what hangs, hangs longer.
limits=(-timeout=60 -rss_limit_mb=3000 -malloc_limit_mb="${FUZZ_MEMORY:-300}" -max_len=16384 -print_final_stats=1)

fuzz() { # fuzz NAME: the seeds, with a look for leaks at the end; then what comes to libFuzzer's mind
    local name=$1 target=$build/targets/fuzz_$1 grown=$build/corpus/$1 found=$build/found/$1 log=$TMPDIR/$1.log seeds options
    local -x TMPDIR=$TMPDIR/$name # where names of files are no other target's
    mkdir -p "$grown" "$found" "$TMPDIR"
    seeds=("$folder/corpus/$name")
    [ -d "$folder/regression/$name" ] && seeds+=("$folder/regression/$name")
    options=("${limits[@]}" -artifact_prefix="$found/")
    [ -e "$folder/$name.dict" ] && options+=(-dict="$folder/$name.dict")
    "$target" "${options[@]}" -runs=0 "${seeds[@]}" >"$log" 2>&1 || return 1
    [ "$seconds" = 0 ] && return 0
    # HDF5 keeps memory for later, which libFuzzer would take for a leak and look into each time
    grep -q '"\(plan\|mend\).h"' "$folder/fuzz_$name.c" && options+=(-detect_leaks=0)
    "$target" "${options[@]}" -max_total_time="$seconds" "$grown" "${seeds[@]}" >"$log" 2>&1
}

targets=("$@")
if [ $# = 0 ]; then
    for source in "$folder"/fuzz_*.c; do
        name=$(basename "$source" .c)
        targets+=("${name#fuzz_}")
    done
fi

show() { # show NAME: how it ended
    local name=$1 log=$TMPDIR/$1.log
    if [ "$(cat "$TMPDIR/$name.end")" = 0 ]; then
        passed=$((passed + 1))
        echo "ok    fuzz $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs in $seconds s," \
            "coverage $(grep -ao 'cov: [0-9]*' "$log" | tail -n 1 | cut -d' ' -f2)"
    else
        failed=$((failed + 1))
        echo "FAIL  fuzz $name: $(grep -a 'SUMMARY\|broken promise' "$log" | tail -n 1)"
        grep -a 'Test unit written to' "$log" | sed 's/.*written to/      the file:/'
        tail -n 60 "$log" | sed 's/^/      | /'
    fi
}

begun=0 shown=0
while [ $shown -lt ${#targets[@]} ]; do
    name=${targets[shown]}
    if [ -e "$TMPDIR/$name.end" ]; then
        show "$name"
        shown=$((shown + 1))
    elif [ $begun -lt ${#targets[@]} ] && [ "$(jobs -pr | wc -l)" -lt "${TEST_JOBS:-$(nproc)}" ]; then
        name=${targets[begun]}
        { fuzz "$name"; echo $? >"$TMPDIR/$name.part"; mv "$TMPDIR/$name.part" "$TMPDIR/$name.end"; } &
        begun=$((begun + 1))
    else
        wait -n || sleep 0.1
    fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
