#!/usr/bin/env bash
# What README says of scaling, measured on this machine: tests/scaling/run.sh BUILD. A few minutes; into BUILD/scaling.txt, too.
# The machine should be quiet: the load is printed, and each figure is the median of several runs where that is cheap. On a busy
# machine, FIRST="chrt -f 1" lets the measurements that use no more ranks than cores go first (half a minute; needs root).
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$(realpath "$1")
mpirun=${MPIRUN:-mpirun --oversubscribe}
two="${FIRST:-} $mpirun -np 2"
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# start RANKS: seconds from mpirun to its end, of one unit that takes no time
start() {
    for run in 1 2 3; do
        rm -f "$work"/start.*
        begin=$(date +%s.%N)
        $mpirun -np "$1" "$build/siamese-nas" run jobs/fig6b.ini $table -P experiment.trials=1 -P experiment.N=30 \
            -P experiment.predictor=random -o "$work/start.nc" >/dev/null || exit 1
        date +%s.%N | awk -v b="$begin" '{ print $1 - b }'
    done | sort -n | sed -n 2p
}
table="-P space.file=inputs/nas-bench-201-digits.nc -P space.dataset=digits"

measure() {
    echo "machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg)"
    "$build/siamese-nas" --version | sed -n '1s/^/program: /p; 2s/^/compiler: /p'
    echo "-- messages, collectives and memory by number of ranks: 72 units of tests/property/scaling.sh"
    PROGRAM=$build/siamese-nas bash tests/property/scaling.sh | grep -v '^ok'
    echo "-- start, one unit of no work, and end"
    for ranks in 1 2 4 8 16 32 64; do echo "start: $(start $ranks) s ($ranks ranks, median of 3)"; done
    echo "-- queue and reduction"
    $two "$build/bench/parallel"
    $mpirun -np 8 "$build/bench/parallel" | grep -E '^queue_(answer|poll)'
    echo "-- one trial of jobs/fig6b.ini on two ranks, on the table that comes along"
    MPI_COUNT=$work/counts $two "$build/scaling/siamese-nas" run jobs/fig6b.ini $table -P experiment.trials=1 -o "$work/fig6b.nc" |
        sed -n '/units in/,$p' | grep -v '^results'
    wait=$(awk '/^rank=1 / { for (i = 1; i <= NF; i++) { split($i, w, "="); v[w[1]] = w[2] } print 1e3 * v["waited"] / v["Recv.calls"] }' "$work/counts")
    answer=$(sed -n 's/^queue_answer: \([0-9.]*\) us (2 .*/\1/p' "$build/scaling.txt")
    echo "wait: $wait ms until a request is answered, mean"
    echo "output: $(stat -c %s "$work/fig6b.nc") bytes"
    echo "-- simulated: jobs/fig6b.ini whole; 100 times as many trials; units by number, not the longest first; two ranks a trial"
    simulate() { "$build/scaling/simulate" jobs/fig6b.ini "$work/fig6b.timing.nc" --wait "$wait" --answer "$answer" "$@"; }
    simulate --trials 1 2
    simulate 64 512 1024 3600 7200 10000
    simulate --trials 10000 --start 10 1024 10000 20000
    simulate --by-number 64 512 1024 3600 7200 10000
    simulate --ranks-per-trial 2 10000 14400
}
measure | tee "$build/scaling.txt"
