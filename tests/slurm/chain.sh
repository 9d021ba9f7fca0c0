#!/usr/bin/env bash
# A chain of jobs from the cells to the table; and what becomes of it when one of them fails.
. "$(dirname "$0")/cluster.bash"

. "$root/tests/property/training.bash"
cat >>recipe.ini <<'END'
epochs = 1
learning_rate = 0.01
END
cat >bars.ini <<'END'
[space]
file = here/bars.nc
dataset = bars
[experiment]
predictor = random, siamese+nsam+bts
N = 20
trials = 4
[evaluation]
K = 5, 10
K_max = 20
END
mkdir here there
{ "$program" generate nas-bench-201:3 -o here/bars.nc && "$program" train recipe.ini here/bars.nc &&
    "$program" run bars.ini -o here/results.nc; } >stdout && "$program" report here/results.nc >here/bars.txt || { cat stdout; exit 1; }

# the numbers of the jobs that chain.sbatch says it has submitted
links() { sed -n 's/^job \([0-9]*\): .*/\1/p' "$1"; }

export CELLS="generate nas-bench-201:3" SPACE=there/bars.nc RECIPE=recipe.ini JOB=bars.ini OUT=there/results.nc REPORT=there/bars.txt RANKS=4
run bash slurm/chain.sbatch
check "a chain of four jobs" test "$(links stdout | wc -l)" = 4
cp stdout chain.txt
for job in $(links chain.txt); do
    await "$job"
    check "$(field "$job" JobName) ends well" test "$state" = COMPLETED
done
check "the trained table is that of one process" $python - <<'END'
import sys

import netCDF4

with netCDF4.Dataset("here/bars.nc") as a, netCDF4.Dataset("there/bars.nc") as b:
    sys.exit(any(str(a[v][:]) != str(b[v][:]) for v in a.variables if v != "train_seconds"))
END
check "the report is that of one process" cmp here/bars.txt there/bars.txt

# -- once more, from a job: all is there
submit --output=again.txt slurm/chain.sbatch
await "$job"
for job in $(links again.txt); do
    await "$job"
    check "once more, $(field "$job" JobName) ends well" test "$state" = COMPLETED
    case $(field "$job" JobName) in
    *train) check "and trains nothing" said "trainings: 0 measured" ;;
    *search) check "and searches nothing" said "complete already" ;;
    esac
done
check "the report is the same" cmp here/bars.txt there/bars.txt

# -- a link that fails takes those behind it along
RECIPE=missing.ini REPORT=there/none.txt run bash slurm/chain.sbatch
cp stdout failed.txt
states=
for job in $(links failed.txt); do
    await "$job"
    states="$states $(field "$job" JobName | cut -d- -f3)=$state"
done
check "what depends on a failure is cancelled" test "$states" = " cells=COMPLETED train=FAILED search=CANCELLED report=CANCELLED"
check "and makes no report" test ! -e there/none.txt
finish
