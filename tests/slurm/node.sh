#!/usr/bin/env bash
# Nodes die under running jobs, one that only computes and one where a batch script runs: Slurm requeues the jobs on what is left, and
# the data are those of an undisturbed run.
. "$(dirname "$0")/cluster.bash"

export JOB=tiny.ini OPTIONS="-P experiment.trials=$long -P space.dataset=one"
run "$program" run tiny.ini $OPTIONS -o whole.nc
check "undisturbed run" test "$status" = 0

OUT=worker.nc submit --nodes=2 --ntasks=4 slurm/run.sbatch
worker=$job
OUT=head.nc submit --nodes=2 --ntasks=4 slurm/run.sbatch
head=$job
until_true 120 has_begun worker.nc
until_true 120 has_begun head.nc
check "two jobs are at work" test "$(field "$worker" JobState) $(field "$head" JobState)" = "RUNNING RUNNING"
victims="$(scontrol show hostnames "$(field "$worker" NodeList)" | tail -n 1) $(field "$head" BatchHost)"
for node in $victims; do node_kill "$node"; done
for out in worker head; do
    await "${!out}"
    check "$out: the job ends well" test "$state" = COMPLETED
    check "$out: Slurm saw the node fail" grep -q "^JobId=${!out} .*JobState=NODE_FAIL" log/ended.txt
    check "$out: one restart" test "$(field "${!out}" Restarts)" = 1
    check "$out: it went on with what was there" said "resumed"
    check "$out: the bytes of the undisturbed run" cmp whole.nc $out.nc
done
finish
