#!/usr/bin/env bash
# Kill ranks at any moment, run the same command again: the file of an undisturbed run.
. "$(dirname "$0")/experiment.bash"

more="-P experiment.trials=150 -P space.dataset=one" # long enough to be interrupted
run "$program" run tiny.ini -o whole.nc $more
check "undisturbed run" test "$status" = 0

children() { grep -l "^PPid:[[:space:]]*$1\$" /proc/[0-9]*/status 2>/dev/null | cut -d/ -f3; }
finished() { "$program" report broken.nc.part 2>/dev/null | sed -n 's/ of .* trials are finished$//p'; }

# interrupt WHOM: start the job, and once it has completed some more units kill those of its ranks that WHOM lets through
interrupt() {
    local job before=$(finished)
    $mpirun -np 3 "$program" run tiny.ini -o broken.nc $more >stdout 2>stderr </dev/null &
    job=$!
    while kill -0 $job 2>/dev/null && [ "$(finished)" = "$before" ]; do :; done
    kill -STOP $(children $job) 2>/dev/null # all at the same moment
    kill -9 $(children $job | $1) 2>/dev/null
    wait $job 2>/dev/null
}

resumed=0
for whom in cat cat cat "head -1"; do # all ranks; one of them, after which mpirun ends the others, sooner or later
    interrupt "$whom"
    ! said "resumed" || resumed=$((resumed + 1))
    echo "      interrupted with $(finished) of 600 units complete"
done
check "interrupted runs went on with what was there" test "$resumed" = 3
run $mpirun -np 2 "$program" run tiny.ini -o broken.nc $more
check "the last run ends well" test "$status" = 0
check "it went on with what was there" grep -q 'resumed\|complete already' stdout
check "the same bytes as the undisturbed run" cmp whole.nc broken.nc
check "no part is left" no_file broken.nc.part broken.timing.nc.part broken.nc.part.new
run "$program" run tiny.ini -o broken.nc $more
check "a finished job is not run again" said "complete already"
check "and stays as it is" cmp whole.nc broken.nc

# killed before the definition of the file ended
printf 'not yet a file' >early.nc.part
run "$program" run tiny.ini -o early.nc $more
check "a part that cannot be read is begun anew" cmp whole.nc early.nc
finish
