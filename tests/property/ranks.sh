#!/usr/bin/env bash
# The same bytes for any number of ranks, any group size, and more ranks than units.
. "$(dirname "$0")/experiment.bash"

run "$program" run tiny.ini -o one.nc
check "one process without mpirun" test "$status" = 0
check "all units" said "48 units in"
for ranks in 1 2 3 4 7; do
    for size in 1 2 3; do
        [ $size -le $ranks ] || continue
        rm -f other.nc*
        run $mpirun -np $ranks "$program" run tiny.ini -o other.nc -P experiment.ranks_per_trial=$size
        check "$ranks ranks in groups of $size" cmp one.nc other.nc
        [ $((ranks % size)) = 0 ] || check "left-over ranks are named" said "are no multiple of ranks_per_trial = $size"
    done
done
rm -f other.nc
run $mpirun -np 3 "$program" run tiny.ini -o other.nc -P experiment.ranks_per_trial=100
check "a group size above the number of ranks" cmp one.nc other.nc

# what changes no result may also stand in the file: the same bytes again
{ cat tiny.ini; printf '[output]\nfile = other.nc\n'; } | sed 's/^trials/ranks_per_trial = 2\ntrials/' >placed.ini
rm -f other.nc
run $mpirun -np 2 "$program" run placed.ini
check "group size and output from the job file" test -e other.nc
check "the same data, whatever the job file says of ranks and output" \
    $python - <<'END'
import sys

import netCDF4
import numpy as np

with netCDF4.Dataset("one.nc") as a, netCDF4.Dataset("other.nc") as b:
    sys.exit(any(str(a[v][:]) != str(b[v][:]) for v in a.variables) or a.job_parameters != b.job_parameters)
END

run "$program" run tiny.ini -o few-1.nc -P experiment.trials=1 -P experiment.N=10 -P space.dataset=one
run $mpirun -np 7 "$program" run tiny.ini -o few-7.nc -P experiment.trials=1 -P experiment.N=10 -P space.dataset=one
check "more ranks than units" cmp few-1.nc few-7.nc
check "ranks without units are named" said "ranks 4 to 6: there are 4 units to compute for 7 groups"
finish
