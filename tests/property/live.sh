#!/usr/bin/env bash
# A search in a space of which nothing is known: candidates trained by a command when they are asked for.
. "$(dirname "$0")/experiment.bash"
. "$here/interrupt.bash"

# nothing is known of tiny.nc's cells any more; whole.nc knows all that the trainer would say
export CALLS=$work/calls PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1
$python - <<'END' || exit 1
import shutil

import netCDF4
import numpy as np

import trainer

shutil.copy("tiny.nc", "whole.nc")
with netCDF4.Dataset("tiny.nc", "a") as f:
    f["accuracy"][:] = np.nan
    f["early_loss"][:] = np.nan
with netCDF4.Dataset("whole.nc", "a") as f:
    names = f["operation"].flag_meanings.split()
    cells = [[names[o] for o in row] for row in f["operation"][:]]
    f["accuracy"][0] = [trainer.accuracy(c) for c in cells]
    f["early_loss"][:] = [trainer.losses(c, 3) for c in cells]
END
{
    sed 's/^dataset = .*/dataset = digits/; s/^predictor = .*/predictor = random, siamese+nsam+bts, naive/; s/^trials = .*/trials = 2/
         s/^N = .*/N = 10/; s/^K_max = .*/K_max = 10/; s/^file = .*/file = space.nc/' tiny.ini
    printf '[candidate]\nsource = command\ncommand = %s -S -E %s\n' $python "$here/trainer.py"
} >live.ini

anew() { rm -f calls space.ledger live.nc* live.timing.nc*; cp tiny.nc space.nc; }
called() { sort calls | uniq -d | wc -l; } # how many calls were made more than once
trained() { grep -c "$1\$" calls; }
# the file knows exactly the cells that were called, but for the digits' other data sets and what diverged or failed
filled() {
    $python - "$@" <<'END'
import os, sys
import netCDF4
import numpy as np
import trainer

calls = {tuple(line.split()) for line in open("calls")}
wrong = lambda cell: any(m in ("hang", "die", "rubbish", "diverge") for m in trainer.modes(cell))
with netCDF4.Dataset("space.nc") as f, netCDF4.Dataset("tiny.nc") as before:
    names = f["operation"].flag_meanings.split()
    row = list(f["dataset"][:]).index("digits")
    for c in range(64):
        operations = [names[o] for o in f["operation"][c]]
        accuracy, losses = f["accuracy"][row][c], f["early_loss"][c]
        if (str(c), "training") in calls and not wrong(c):
            assert accuracy == trainer.accuracy(operations), (c, accuracy)
        else:
            assert accuracy is np.ma.masked, (c, accuracy)
        if (str(c), "code") in calls and not wrong(c):
            assert list(losses) == trainer.losses(operations, 3), (c, losses)
        elif not any(m == "diverge" for m in trainer.modes(c)):
            assert losses.mask.all(), (c, losses)
    assert list(f["dataset"][:2]) == ["one", "two"] and len(f["dataset"]) == 3
    for v in ("operation", "adjacency", "id", "flops"):
        assert (f[v][:] == before[v][:]).all() and f[v].ncattrs() >= before[v].ncattrs(), v
    assert f.title == before.title and "siamese-nas run live.ini" in f.history, f.history
END
}

# -- one process, and any number of ranks
anew
run "$program" run live.ini --dry-run
check "dry run" said "64 distinct cells of 64"
check "dry run writes nothing" no_file space.ledger live.nc.part calls
run "$program" run live.ini
check "a search in an unknown space" test "$status" = 0
check "no cell was trained twice" test "$(called)" = 0
check "the log says how many" said "candidates: $(trained training) trained and $(trained code) Estimation Codes measured in this run, 0 and 0 taken"
check "the space file is filled in" filled
check "xarray reads it" $python -c 'import xarray; d = xarray.open_dataset("space.nc"); assert d.accuracy.sel(dataset="digits").notnull().sum() > 10'
check "ncdump reads it" sh -c 'ncdump -h space.nc | grep -q "accuracy(dataset, cell)"'
"$program" report live.nc >table
check "report prints what there is" sh -c '! grep -q nan table && grep -q "digits *naive *random *10 *10 *20 *2 *[0-9.]* *[0-9.]* *[0-9.]* *-  *-  *" table'
mv live.nc one.nc
sort calls >calls.one
cp space.nc space.one

run "$program" run live.ini -o whole-out.nc -P space.file=whole.nc -P space.dataset=one -P candidate.source=table -P candidate.command=
check "the search is that of a table with the same values" $python - <<'END'
import netCDF4
import numpy as np

with netCDF4.Dataset("one.nc") as live, netCDF4.Dataset("whole-out.nc") as table:
    for name in ("best", "chosen", "chosen_accuracy", "chosen_score", "pool_cell", "pool_size", "trainings", "codes", "cost"):
        assert np.array_equal(live[name][:].filled(-7), table[name][:].filled(-7)), name
    for name in ("rho", "tau", "tau_top", "oracle"):
        assert live[name][:].mask.all() and not np.ma.getmaskarray(table[name][:]).any(), name
END

for layout in "2 1" "2 2" "3 2" "4 1" "4 2"; do
    set -- $layout
    anew
    run $mpirun -np $1 "$program" run live.ini -P experiment.ranks_per_trial=$2
    check "$1 ranks in groups of $2: the same results" cmp one.nc live.nc
    sort calls >calls.now
    check "$1 ranks in groups of $2: the same calls, each once" cmp calls.one calls.now
    check "$1 ranks in groups of $2: the same space" $python - <<'END'
import netCDF4

with netCDF4.Dataset("space.nc") as a, netCDF4.Dataset("space.one") as b:
    for v in b.variables:
        assert str(a[v][:].tolist()) == str(b[v][:].tolist()), v
END
done

# -- what is known is not trained again
mv live.nc more.nc
: >calls
run $mpirun -np 2 "$program" run live.ini
check "the ledger knows everything: nothing is trained" test ! -s calls
check "and the log says so" said "candidates: 0 trained and 0 Estimation Codes measured in this run, $(grep -c training calls.one) and"
check "the results are the same" cmp one.nc live.nc
run "$program" run live.ini
check "a complete job is complete although its space was filled in" said "complete already"
run $mpirun -np 2 "$program" run live.ini -o other.nc -P experiment.predictor=siamese+fts -P experiment.first_trial=9
check "another job trains what is new" sh -c '[ -s calls ] && ! sort calls | comm -12 - calls.one | grep -q .'
run "$program" fit live.ini -o weights.nc -P experiment.predictor=siamese -P experiment.first_trial=20
check "fit" test -e weights.nc

# -- two jobs at the same time
anew
: >calls
MODES=slow $mpirun -np 2 "$program" run live.ini >/dev/null 2>&1 </dev/null &
job=$!
MODES=slow run $mpirun -np 2 "$program" run live.ini -o other-2.nc -P experiment.predictor=naive,siamese
check "two jobs with one ledger: the second" test "$status" = 0
wait $job
check "the first" cmp one.nc live.nc
check "no cell was trained by both" test "$(called)" = 0
run "$program" run live.ini -o other-3.nc # whoever was the last to write the space may not have seen the very last measurement
check "the space knows what both have measured" filled

# -- kill -9
anew
: >calls
for lines in 15 35; do
    MODES=slow $mpirun -np 2 "$program" run live.ini >stdout 2>stderr </dev/null &
    job=$!
    while kill -0 $job 2>/dev/null && [ "$(wc -l <calls)" -lt $lines ]; do sleep 0.02; done
    kill -9 $(children $job) 2>/dev/null
    wait $job 2>/dev/null
done
run $mpirun -np 2 "$program" run live.ini
check "killed twice and started again: the same results" cmp one.nc live.nc
check "nothing but what was under way is trained again" test "$(called)" -le 4
sort -u calls >calls.now
check "and nothing else" cmp calls.one calls.now
check "most was there already" sh -c 'grep -o "run, [0-9]*" stdout | grep -q "[1-9]"'

# -- stopped
anew
: >calls
for lines in 15 35; do
    MODES=slow begin $mpirun -np 2 "$program" run live.ini
    while kill -0 $job 2>/dev/null && [ "$(wc -l <calls)" -lt $lines ]; do sleep 0.02; done
    kill -USR1 $job
    end
    check "asked to stop in the middle" stopped "of 6 units are complete in live.nc.part; the same command goes on"
done
run $mpirun -np 3 "$program" run live.ini
check "stopped twice and started again: the same results" cmp one.nc live.nc
check "nothing but what was under way is trained again" test "$(called)" -le 4

# -- trainers that go wrong
export MODES="hang:3/16 die:4/16 rubbish:5/16 half:6/16 diverge:7/16"
wrong="-P candidate.timeout=1 -P experiment.predictor=naive"
anew
run $mpirun -np 2 "$program" run live.ini $wrong
check "a search with trainers that hang, die and write rubbish" test "$status" = 0
check "those that failed are named, once each" test "$(grep -c 'siamese-nas: warning: cell' stderr)" = \
    "$(awk '$1 % 16 >= 3 && $1 % 16 <= 5' calls | sort -u | wc -l)"
check "some hung, some died, some wrote rubbish" sh -c \
    'grep -q "did not end within 1 seconds" stderr && grep -q "exit status 3" stderr && grep -q "has no accuracy" stderr'
check "they were tried twice" sh -c "! awk '\$1 % 16 >= 3 && \$1 % 16 <= 5' calls | sort | uniq -c | awk '\$1 != 2' | grep -q ."
check "those that diverged once" sh -c "! awk '\$1 % 16 == 7' calls | sort | uniq -d | grep -q ."
check "the space knows none of them" filled
check "and in the search they are worth nothing" $python - <<'END'
import netCDF4
import numpy as np

with netCDF4.Dataset("live.nc") as f:
    cell = f["chosen"][:] - 1000
    bad = np.isin(cell % 16, (3, 4, 5, 7))
    assert bad.any() and (f["chosen_accuracy"][:][bad] == 0).all() and (f["chosen_accuracy"][:][~bad] >= 50).all()
END
mv live.nc wrong.nc
rm -f space.ledger
run "$program" run live.ini $wrong
check "one rank finds the same" cmp wrong.nc live.nc
unset MODES

# -- isomorphic cells
run "$program" generate nas-bench-201 -o space.nc --dataset digits
rm -f space.ledger calls live.nc
run "$program" run live.ini -P 'space.filter=id<130' -P experiment.predictor=random -P evaluation.K_max=40
check "a filtered space of many copies" said "distinct cells of 15625"
check "copies are trained once" $python - <<'END'
import netCDF4
import numpy as np

calls = [line.split()[0] for line in open("calls")]
with netCDF4.Dataset("space.nc") as f, netCDF4.Dataset("live.nc") as r:
    known = np.flatnonzero(~np.ma.getmaskarray(f["accuracy"][0]))
    bought = set(r["chosen"][:].ravel().tolist())
    assert len(calls) == len(set(calls)) < len(bought) <= len(known), (len(calls), len(bought), len(known))
    assert bought <= set(known.tolist()) and set(map(int, calls)) <= set(known.tolist())
    assert (r["trainings"][:][..., -1] == 40).all() # each is paid for
END

# -- what is refused, and what is not there
anew
run "$program" run live.ini
anew_ledger=$(cksum <space.ledger)
for refusal in "candidate.command=true|space.ledger: this ledger of trained cells is of another space, or of candidates trained in another way" \
    "experiment.seed=2|trained in another way" "candidate.ledger=live.ini|no ledger" "candidate.ledger=.|no file" \
    "space.dataset=one,two|one name" "space.filter=accuracy:one>3|measured only after" "space.code=no_such|no_such" \
    "candidate.command=|needs candidate.command" "candidate.source=train|is for candidate.source = command only" \
    "candidate.ranks_per_candidate=2|source = train only" "space.code_length=65|at most 64"; do
    run $mpirun -np 2 "$program" run live.ini -o refused.nc -P "${refusal%%|*}"
    check "refused: ${refusal%%|*}" failed 2 "${refusal#*|}"
    check "no results" no_file refused.nc
    rm -f refused*
done
check "the ledger is as it was" test "$(cksum <space.ledger)" = "$anew_ledger"
run $mpirun -np 2 "$program" run live.ini -o refused.nc -P candidate.ledger=no/such/x.ledger
check "a ledger that cannot be written" failed 1 "no/such/x.ledger"
anew
export MODES=remove VICTIM=$work/space.nc
run "$program" run live.ini
check "a space file that is gone at the end: results all the same" cmp one.nc live.nc
check "one warning" test "$(grep -c 'warning: the space file is left as it is' stderr)" = 1
finish
