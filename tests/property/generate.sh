#!/usr/bin/env bash
# Spaces from their names: complete, with the published costs, taken by all that read space files; wrong names leave nothing behind.
. "$(dirname "$0")/check.bash"

generate() { # generate ARGUMENTS...: silent on standard error
    run "$program" generate "$@"
    [ "$status" = 0 ] && [ ! -s stderr ]
}
info() { # info FILE PATTERN: a line that matches
    run "$program" info "$1"
    [ "$status" = 0 ] && grep -q -- "$2" stdout
}
checksum() { "$program" info "$1" | awk '$1 == "checksum" {print $2}'; }

# -- the spaces ------------------------------------------------------------------------------------------------
check "tiny-nanobench" generate tiny-nanobench -o tiny.nc
check "says what it wrote" said "tiny.nc: cells 1107, nodes 7, operations 11, data sets 0, signals 2"
check "all cells differ" info tiny.nc '^  cells  *1107, of which 1107 differ'
check "all are below 35 million multiply-adds" info tiny.nc '^  flops  *1107  *0  *20\.3213  *[0-9.]*  *34\.[0-9]*  1e6, multiply-adds'
check "no accuracies" info tiny.nc '^  accuracy  *none'
check "nas-bench-201" generate nas-bench-201 -o nb.nc
check "is complete" info nb.nc '^  cells  *15625, of which 15625 differ'
check "from the cheapest to the dearest" info nb.nc '^  flops  *15625  *0  *7\.78305  *47\.1046  *220\.12 '
check "parameters" info nb.nc '^  params  *15625  *0  *0\.073306 .* 1\.53155 '
check "three nodes" generate nas-bench-201:3 -o three.nc
check "have 125 cells" info three.nc '^  cells  *125, of which 125 differ'
check "four nodes" generate nas-bench-201:4 -o four.nc --title 'Four nodes'
check "are NAS-Bench-201" test "$(checksum nb.nc)" = "$(checksum four.nc)"
check "have the title" info four.nc '^four.nc: Four nodes$'

cp tiny.nc first.nc
check "once more, over the old file" generate tiny-nanobench -o tiny.nc
check "gives the same bytes" cmp tiny.nc first.nc
check "room for two data sets" generate tiny-nanobench -o room.nc --dataset cifar10,digits
check "the second is empty" info room.nc '^  digits  *0  *1107 '
check "another space" test "$(checksum room.nc)" != "$(checksum tiny.nc)"

if command -v ncdump >/dev/null; then
    run ncdump -h tiny.nc
    check "CDL: cells" said "cell = 1107 ;"
    check "CDL: one adjacency a cell" said "byte adjacency(cell, node, node_to) ;"
    check "CDL: no accuracy" test "$(grep -c accuracy stdout)" = 0
    check "CDL: the history" said 'generate tiny-nanobench -o '
fi

# -- readers ---------------------------------------------------------------------------------------------------
run "$program" import tiny.nc -o cheap.nc --filter 'flops<21'
check "import filters" test "$status" = 0
run "$program" import tiny.nc -o none.nc --filter 'accuracy:cifar10>90'
check "a filter on what is not known" failed 2 "no such accuracy"
printf '[space]\nfile = tiny.nc\ndataset = cifar10\n[experiment]\npredictor = random\nN = 10\ntrials = 1\n' >job.ini
run "$program" run job.ini
check "nothing to look up for a search" failed 2 "space.dataset = cifar10"
weights=$data/siamese-nsam-bts-tiny-nanobench.hdf5
if [ -r "$weights" ]; then
    run "$program" predict --weights "$weights" tiny.nc -o one.nc
    check "predict takes it" test "$status" = 0
    check "and scores all cells" said "1107 cells scored"
    run $mpirun -np 3 "$program" predict --weights "$weights" tiny.nc -o three-ranks.nc
    check "the same on three ranks" cmp one.nc three-ranks.nc
else
    echo "SKIP: published weights: there is no data folder (SIAMESE_NAS_DATA)"
fi

if [ -r "$data/nas-bench-201.csv" ] && $python -c 'import netCDF4' 2>/dev/null; then
    cat >compare.py <<'END'
"""Costs of the generated cells against the published table, cell by cell."""
import csv
import sys

import netCDF4

table = {row["arch"]: row for row in csv.DictReader(open(sys.argv[1]))}
f = netCDF4.Dataset("nb.nc")
arch = [str(text) for text in f["arch"][:]]
assert len(set(arch)) == len(table) == 15625
for name, flops, params in zip(arch, f["flops"][:], f["params"][:]):
    row = table[name]
    assert abs(flops - float(row["flops_M"])) < 1e-5, (name, flops, row["flops_M"])
    assert abs(params - float(row["params_M"])) < 1e-6, (name, params, row["params_M"])
END
    run $python compare.py "$data/nas-bench-201.csv"
    check "costs are the published ones" test "$status" = 0
else
    echo "SKIP: published costs: there is no data folder (SIAMESE_NAS_DATA) or no netCDF4"
fi

# -- mistakes --------------------------------------------------------------------------------------------------
refused() { # refused WORDS -- ARGUMENTS...: status 2, one message, no file
    local words=$1
    shift 2
    run "$program" generate "$@"
    failed 2 "$words" && [ ! -s stdout ] && no_file bad.nc bad.nc.part
}
check "an unknown space" refused "unknown space 'tiny-nasbench'" -- tiny-nasbench -o bad.nc
check "no number of nodes" refused "must be 3 or 4" -- nas-bench-201: -o bad.nc
check "two nodes" refused "must be 3 or 4" -- nas-bench-201:2 -o bad.nc
check "nodes of tiny-nanobench" refused "unknown space 'tiny-nanobench:5'" -- tiny-nanobench:5 -o bad.nc
check "too many nodes" refused "too many cells" -- nas-bench-201:5 -o bad.nc
check "a data set twice" refused "'x' is there twice" -- tiny-nanobench -o bad.nc --dataset x,x
check "a data set without name" refused "is no name" -- tiny-nanobench -o bad.nc --dataset x,
check "no output" refused "-o SPACE.nc is missing" -- tiny-nanobench
check "no space" refused "give one space" -- -o bad.nc
check "two spaces" refused "not 2" -- nas-bench-201 tiny-nanobench -o bad.nc
check "an unknown option" refused "--filter" -- tiny-nanobench -o bad.nc --filter 'flops<20'
run "$program" generate tiny-nanobench -o nowhere/bad.nc
check "no such folder" failed 1 "No such file or directory"
finish
