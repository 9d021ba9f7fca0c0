#!/usr/bin/env bash
# Jobs that do not end in their time: they stop cleanly, go back into the queue, and write the data of an undisturbed run.
. "$(dirname "$0")/cluster.bash"

export JOB=tiny.ini OPTIONS="-P experiment.trials=$long -P space.dataset=one"
run "$program" run tiny.ini $OPTIONS -o whole.nc
check "undisturbed run" test "$status" = 0
restarted() { [ "$(field "$1" Restarts)" -ge 1 ]; }

# -- the program's own look at the clock. On fast machines and slow ones it is in the middle then: the first time it begins a second before
# it has to stop, and has a quarter of a minute to start up until then.
left=45
cat >late <<'END'
#!/bin/bash
now=$(date +%s) begin=$((SLURM_JOB_END_TIME - STOP_BEFORE - 1))
[ -n "${SLURM_RESTART_COUNT:-}" ] || [ $begin -le $now ] || sleep $((begin - now))
exec "$REAL" "$@"
END
chmod +x late
REAL=$program PROGRAM=$work/late STOP_BEFORE=$left OUT=clock.nc submit --time=1 --signal=B:CONT@1 --nodes=2 --ntasks=2 \
    --ntasks-per-node=1 slurm/run.sbatch
clock=$job
# -- Slurm's warning, which mpirun has to hand on
LAUNCH=mpirun OUT=warned.nc submit --nodes=2 --ntasks=4 slurm/run.sbatch
warned=$job
until_true 120 has_begun warned.nc
# -- a job that looks at no clock and gets no warning: when its time is over, Slurm's SIGTERM, and KillWait later the end
printf '#!/bin/bash\nSLURM_JOB_END_TIME=$((SLURM_JOB_END_TIME + 3600)) exec "$REAL" "$@"\n' >blind
chmod +x blind
REAL=$program PROGRAM=$work/blind STOP_BEFORE=1 OUT=over.nc OPTIONS="$OPTIONS -P training.epochs=200,400,200,1" \
    submit --time=1 --signal=B:CONT@1 --no-requeue --ntasks=2 slurm/run.sbatch
over=$job
scancel --batch --signal=USR1 "$warned" # as --signal=B:USR1@60 does
until_true 120 restarted "$clock"
scontrol update JobId="$clock" TimeLimit=10 # now it may take its time
for out in clock warned; do
    case $out in clock) why="$left s before the job's time limit" ;; warned) why=SIGUSR1 ;; esac
    await "${!out}"
    check "$out: the job ends well" test "$state" = COMPLETED
    check "$out: after one restart" test "$(field "${!out}" Restarts)" = 1
    check "$out: which it says" said "stopped cleanly; back into the queue for restart 1"
    check "$out: and why" said "stopped cleanly ($why)"
    check "$out: the bytes of the undisturbed run" cmp whole.nc $out.nc
done
await "$over"
check "over: Slurm has ended the job" test "$state" = TIMEOUT
check "over: the program stopped cleanly before" said "stopped cleanly (SIGTERM)"
check "over: with what it had done" has_begun over.nc

# -- where a job may not go back
OUT=bound.nc submit --no-requeue --ntasks=4 slurm/run.sbatch
bound=$job
OUT=counted.nc RESTARTS=0 submit --ntasks=4 slurm/run.sbatch
counted=$job
for out in bound counted; do
    until_true 120 has_begun $out.nc
    scancel --batch --signal=USR1 "${!out}"
done
for out in bound counted; do
    await "${!out}"
    check "$out: the exit status is the program's" test "$state $(field "${!out}" ExitCode)" = "FAILED 75:0"
    check "$out: the log says what to do" said "the same sbatch command goes on where it stopped"
    kept=$(finished $out.nc)
    OUT=$out.nc submit --ntasks=4 slurm/run.sbatch
    await "$job"
    check "$out: the same command ends it" test "$state" = COMPLETED
    check "$out: from where it stopped" said "resumed   $out.nc.part, $kept of "
    check "$out: the bytes of the undisturbed run" cmp whole.nc $out.nc
done

# -- the file that stops a run stops the job, too
OUT=file.nc submit --ntasks=4 slurm/run.sbatch
until_true 120 has_begun file.nc
touch stop
await "$job"
check "a file named stop ends the job" test "$state $(field "$job" ExitCode)" = "FAILED 75:0"
check "which says why" said "stopped by the file 'stop'"
rm stop

OUT=never.nc submit --time=1 slurm/run.sbatch
await "$job"
check "a time limit that leaves no time to work is refused" said "no time to work: STOP_BEFORE=120 seconds is all of the time limit"
check "with exit status 2" test "$state $(field "$job" ExitCode)" = "FAILED 2:0"
finish
