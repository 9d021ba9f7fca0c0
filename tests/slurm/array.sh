#!/usr/bin/env bash
# The trials of a job over the tasks of an array, of which one is cancelled and submitted again, and one stopped: merged they are the
# file of the undivided job.
. "$(dirname "$0")/cluster.bash"

trials=$((long + 2)) # does not come out even
export JOB=tiny.ini OPTIONS="-P experiment.trials=$trials -P experiment.first_trial=11 -P space.dataset=one" OUT=all.nc
run "$program" run tiny.ini $OPTIONS -o whole.nc
check "undivided run" test "$status" = 0

submit --array=1-4 --ntasks=2 slurm/array.sbatch
array=$job
for part in 2 3; do until_true 120 has_begun all.$part-of-4.nc; done
scancel "${array}_2"
scancel --batch --signal=USR1 "${array}_3"
await "$array"
check "one task is cancelled, three end well" test "$state" = "CANCELLED COMPLETED"
check "one of them after a restart" test "$(field "$array" Restarts | sort | xargs)" = "0 0 0 1"
check "all trials are dealt out" grep -q "part 4 of 4: trials $((11 + trials - trials / 4)) to $((10 + trials))" siamese-nas-${array}_4.log
check "and those with one more first" grep -q "part 1 of 4: trials 11 to $((11 + trials / 4))" siamese-nas-${array}_1.log

export PARTS=4
run bash slurm/array.sbatch merge
check "without the cancelled task there is no whole" failed "$status" all.2-of-4.nc
check "nor a file of that name" no_file all.nc
submit --array=2 --ntasks=2 slurm/array.sbatch
await "$job"
check "the cancelled task again" test "$state" = COMPLETED
check "went on where it stopped" said "resumed   all.2-of-4.nc.part"
run bash slurm/array.sbatch merge
check "the parts can be merged" test "$status" = 0
check "into the bytes of the undivided run" cmp whole.nc all.nc
"$program" report whole.nc >whole.txt
"$program" report all.?-of-4.nc >parts.txt
check "report takes the parts as they are" cmp whole.txt parts.txt

# more tasks than trials
unset PARTS
export OPTIONS="-P experiment.trials=3 -P space.dataset=one" OUT=few.nc
run "$program" run tiny.ini $OPTIONS -o whole-few.nc
submit --array=1-4 --ntasks=1 slurm/array.sbatch
await "$job"
check "a task without trials has nothing to do" said "nothing to do for part 4 of 4: there are 3 trials"
PARTS=4 run bash slurm/array.sbatch merge
check "the others are the whole" cmp whole-few.nc few.nc

# a task that belongs to no part
OUT=few.nc submit --array=0-1 --ntasks=1 slurm/array.sbatch
await "$job"
check "tasks are numbered from 1" said "number the tasks from 1"
finish
