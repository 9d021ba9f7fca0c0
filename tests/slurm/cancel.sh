#!/usr/bin/env bash
# scancel ends a job for good, but what it has computed is kept, and the next run goes on from there.
. "$(dirname "$0")/cluster.bash"

export JOB=tiny.ini OPTIONS="-P experiment.trials=$long -P space.dataset=one"
run "$program" run tiny.ini $OPTIONS -o whole.nc
check "undisturbed run" test "$status" = 0

for LAUNCH in srun mpirun; do
    export LAUNCH OUT=$LAUNCH.nc
    submit --nodes=2 --ntasks=4 slurm/run.sbatch
    until_true 120 has_begun "$OUT"
    scancel "$job"
    await "$job"
    check "$LAUNCH: the job is cancelled" test "$state" = CANCELLED
    check "$LAUNCH: and does not come back" test "$(field "$job" Restarts)" = 0
    kept=$(finished "$OUT")
    check "$LAUNCH: some trials were finished, others not" test -e "$OUT.part" -a "$kept" -gt 0
    submit --nodes=2 --ntasks=4 slurm/run.sbatch
    await "$job"
    check "$LAUNCH: the next job ends well" test "$state" = COMPLETED
    check "$LAUNCH: with all that was finished" said "resumed   $OUT.part, $kept of "
    check "$LAUNCH: the bytes of the undisturbed run" cmp whole.nc "$OUT"
done
finish
