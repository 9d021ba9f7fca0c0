#!/usr/bin/env bash
# One job on three nodes, started by srun and by mpirun: the data of a single process.
. "$(dirname "$0")/cluster.bash"

run "$program" run tiny.ini -o one.nc
check "one process without Slurm" test "$status" = 0
export JOB=tiny.ini
for launch in srun mpirun; do
    LAUNCH=$launch OUT=$launch.nc submit --nodes=3 --ntasks=6 slurm/run.sbatch
    await "$job"
    check "run.sbatch by $launch" test "$state" = COMPLETED
    check "on three nodes" test "$(field "$job" NumNodes)" = 3
    check "on all ranks" said "ranks     6 in 6 groups of 1"
    check "the data of one process" cmp one.nc $launch.nc
done

# what is wrong with the input is no reason to go on
OUT=wrong.nc OPTIONS="-P experiment.N=1000" submit --ntasks=2 slurm/run.sbatch
await "$job"
check "a job that cannot run fails" test "$state" = FAILED
check "with the program's exit status" test "$(field "$job" ExitCode)" = 2:0
check "once" test "$(field "$job" Restarts)" = 0
check "and says so" said "failed with exit status 2"
finish
