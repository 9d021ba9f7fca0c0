#!/bin/sh
# Run the benchmarks; one line a figure, `name: value unit (spread)`, on the screen and in BUILD/bench.txt.
# usage: tests/bench/run.sh BUILD
set -eu
build=$1
out=$build/bench.txt
here=$(dirname "$0")
data=${SIAMESE_NAS_DATA:-$here/../../../shared/data}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
figure() { sed -n "s/^$1: \([0-9.e+]*\) .*/\1/p" "$out"; }
fraction() { awk -v a="$(figure "$2")" -v b="$(figure "$3")" -v n="$1" 'BEGIN { if (b > 0) printf "%s: %.2f of %s\n", n, a / b, "'"$3"'" }'; }

# OpenBLAS releases do not know every newer CPU and fall back to slower kernels: name them, for this command alone.
products() {
    unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
    if grep -q avx512vl /proc/cpuinfo; then
        OMP_NUM_THREADS=1 OPENBLAS_CORETYPE=SkylakeX "$build/bench/gemm"
        "$build/bench/gemm" _default
    else
        OMP_NUM_THREADS=1 "$build/bench/gemm"
    fi
}

# rate RANKS: units a second, from the program's begin to its end; the start of the processes is left out
rate() {
    rm -f "$dir/job-$1".*
    mpirun -np "$1" "$build/siamese-nas" run "$dir/job.ini" -o "$dir/job-$1.nc" >"$dir/log" 2>&1 || cat "$dir/log" >&2
    sed -n 's/.* units in .*, \([0-9.]*\) units\/s.*/\1/p' "$dir/log"
}
median() { sort -n "$1" | sed -n 2p; }

# One job on one rank and on two: how fast, and that the results are the same bytes.
two_ranks() {
    "$build/siamese-nas" import "$data/nas-bench-201.csv" -o "$dir/space.nc" >/dev/null
    cat >"$dir/job.ini" <<END
[space]
file = $dir/space.nc
dataset = cifar10
missing = drop
[experiment]
predictor = siamese+nsam+bts
N = 50
trials = 20
END
    for run in 1 2 3; do
        rate 1 >>"$dir/one"
        rate 2 >>"$dir/two"
        cmp -s "$dir/job-1.nc" "$dir/job-2.nc" || { echo "two_ranks: FAILED, the results are not the same"; return; }
    done
    awk -v one="$(median "$dir/one")" -v two="$(median "$dir/two")" 'BEGIN {
        printf "two_ranks: %.2f x (20 trials of N = 50: %.3g a second on one rank, %.3g on two, medians of 3; the same results)\n", two / one, one, two }'
}

# train RANKS: seconds of a small table of trainings, from the start of the processes to their end
trained=$(seq -s, 100 487 15600) # 32, 31 of them distinct
train() {
    rm -f "$dir/trained-$1".*
    begin=$(date +%s.%N)
    mpirun -np "$1" "$build/siamese-nas" train "$here/../../jobs/digits-recipe.ini" "$dir/cells.nc" -o "$dir/trained-$1.nc" \
        --cells "$trained" -P "images.train=$here/../../inputs/digits.nc" >"$dir/log" 2>&1 || cat "$dir/log" >&2
    end=$(date +%s.%N)
    echo "$begin $end" | awk '{ print $2 - $1 }'
}
learned() { ncdump -v early_loss,accuracy,validation_accuracy,synflow "$1" | sed '1,/^data:/d'; }
train_two_ranks() {
    for run in 1 2 3; do
        train 1 >>"$dir/alone"
        train 2 >>"$dir/both"
        learned "$dir/trained-1.nc" >"$dir/learned" && learned "$dir/trained-2.nc" | cmp -s - "$dir/learned" && [ -s "$dir/learned" ] ||
            { echo "train_two_ranks: FAILED, the results are not the same"; return; }
    done
    awk -v one="$(median "$dir/alone")" -v two="$(median "$dir/both")" 'BEGIN {
        printf "train_two_ranks: %.2f x (31 distinct cells on digits: %.3g s on one rank, %.3g s on two, medians of 3; the same results)\n", one / two, one, two }'
}

{
    echo "machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg)"
    "$build/siamese-nas" --version | sed -n '1s/^/program: /p; 2s/^/compiler: /p'
    if [ -x "$build/bench/gemm" ]; then products; fi
} | tee "$out"
"$build/bench/speed" | tee -a "$out"
fraction dense80_fraction dense80_own sgemm_peak | tee -a "$out"
fraction train_step_fraction train_step_dense sgemm_peak | tee -a "$out"
awk -v a="$(figure trial_fts)" -v b="$(figure trial_bts)" 'BEGIN { printf "trial_fts_over_bts: %.2f x\n", a / b }' | tee -a "$out"
if [ "$(nproc)" -lt 2 ]; then
    echo "queue_rate: skipped, one core" | tee -a "$out"
else
    mpirun -np 2 "$build/bench/parallel" | tee -a "$out"
    mpirun -np 2 "$build/bench/cholesky" | tee -a "$out"
    fraction pdpotrf_fraction pdpotrf dgemm_peak_ranks | tee -a "$out"
    fraction inverse_factor_fraction inverse_factor dgemm_peak_ranks | tee -a "$out"
fi
if [ ! -r "$data/nas-bench-201.csv" ]; then
    echo "two_ranks: skipped, nas-bench-201.csv is not there (SIAMESE_NAS_DATA)" | tee -a "$out"
elif [ "$(nproc)" -lt 2 ]; then
    echo "two_ranks: skipped, one core" | tee -a "$out"
else
    two_ranks | tee -a "$out"
fi
"$build/siamese-nas" generate nas-bench-201 -o "$dir/cells.nc" >/dev/null
if [ "$(nproc)" -lt 2 ]; then
    echo "train_two_ranks: skipped, one core" | tee -a "$out"
else
    train_two_ranks | tee -a "$out"
fi
if /usr/bin/python3 -c 'import torch, netCDF4' 2>/dev/null; then
    "$build/bench/speed" "$dir"
    /usr/bin/python3 "$here/../peer/siamese_torch.py" "$dir" "$(figure train_step)" | tee -a "$out"
    /usr/bin/python3 "$here/../peer/candidate_torch.py" time "$build/peer/candidate" "$dir/cells.nc" "$dir" | tee -a "$out"
else
    for batch in 16 128; do # cell 10347 is the one that is compared with PyTorch
        "$build/peer/candidate" "$dir/cells.nc" 10347 --time cells_per_stage=5 side=32 batch=$batch steps=$((480 / batch)) runs=7 |
            sed "s/^step/candidate_step_$batch/"
    done | tee -a "$out"
    echo "peer: skipped, PyTorch is not installed (Debian: python3-torch)" | tee -a "$out"
fi
