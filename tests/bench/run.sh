#!/bin/sh
# Run the benchmarks; one line a figure, `name: value unit (spread)`, on the screen and in BUILD/bench.txt.
# usage: tests/bench/run.sh BUILD
set -eu
build=$1
out=$build/bench.txt
here=$(dirname "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
figure() { sed -n "s/^$1: \([0-9.e+]*\) .*/\1/p" "$out"; }
fraction() { awk -v a="$(figure "$2")" -v b="$(figure "$3")" -v n="$1" 'BEGIN { if (b > 0) printf "%s: %.2f of %s\n", n, a / b, "'"$3"'" }'; }

{
    echo "machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg)"
    "$build/siamese-nas" --version | sed -n '1s/^/program: /p; 2s/^/compiler: /p'

    # OpenBLAS releases do not know every newer CPU and fall back to slower kernels: name them, for this command alone.
    unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
    if [ -x "$build/bench/gemm" ]; then
        if grep -q avx512vl /proc/cpuinfo; then OPENBLAS_CORETYPE=SkylakeX "$build/bench/gemm"; else "$build/bench/gemm"; fi
    fi
} | tee "$out"
"$build/bench/speed" | tee -a "$out"
fraction train_step_fraction train_step_dense sgemm_peak | tee -a "$out"
awk -v a="$(figure trial_fts)" -v b="$(figure trial_bts)" 'BEGIN { printf "trial_fts_over_bts: %.2f x\n", a / b }' | tee -a "$out"
if /usr/bin/python3 -c 'import torch, netCDF4' 2>/dev/null; then
    "$build/bench/speed" "$dir"
    /usr/bin/python3 "$here/../peer/siamese_torch.py" "$dir" "$(figure train_step)" | tee -a "$out"
else
    echo "peer: skipped, PyTorch is not installed (Debian: python3-torch)" | tee -a "$out"
fi
