# step.bash - sourced by the batch scripts of this folder, after their knobs: siamese-nas as a step of the batch job, and what becomes
# of the job when the step has ended.

say() { echo "$(date '+%F %T') job $SLURM_JOB_ID: $*"; }

# job FIELD: what Slurm knows of this job, as scontrol show job prints it
job() { scontrol --oneliner show job "$SLURM_JOB_ID" 2>/dev/null | grep -o " $1=[^ ]*" | cut -d= -f2; }

export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 # a rank is one thread
# With more ranks than CPUs those that wait must give way; mpirun finds that out, srun does not.
[ -z "${SLURM_OVERCOMMIT:-}" ] || export OMPI_MCA_mpi_yield_when_idle=1
trap : USR1 # a warning that comes before the program has begun must not end the script

# in_time: the option that stops the program before the job's time is up. Slurm 22.05 and older do not tell a job when that is.
in_time=()
end=$(job EndTime)
if [ -n "$end" ] && end=$(date -d "$end" +%s 2>/dev/null); then
    export SLURM_JOB_END_TIME=$end
    in_time=(--stop-before="${STOP_BEFORE:=0}")
    if [ $((end - $(date +%s))) -le "$STOP_BEFORE" ]; then
        say "no time to work: STOP_BEFORE=$STOP_BEFORE seconds is all of the time limit"
        exit 2
    fi
fi

# step RANKS ARGUMENTS...: the program with these arguments, to its end; $status is its exit status. In the background, since bash
# hears a signal only while it waits. Slurm sends USR1 ahead of the time limit (--signal=B:USR1@..) and TERM when the job is
# cancelled or out of time; srun and mpirun pass USR1 on to the ranks, but at TERM would kill them.
step() {
    local ranks=$1 launcher
    shift
    terminated=
    case $1 in run | train | analyse | fit | predict | ceiling) ;; *) ranks=1 ;; esac # the others know no MPI
    case $LAUNCH in
    srun) # Fill a node before the next, as mpirun does. Ranks of one that ends before MPI has begun would wait for it for minutes:
        # --wait ends them a minute after the first, whatever its status.
        local each=$(((SLURM_NTASKS + SLURM_JOB_NUM_NODES - 1) / SLURM_JOB_NUM_NODES))
        srun --mpi=pmix --wait=60 --ntasks="$ranks" --nodes=$(((ranks + each - 1) / each)) "$PROGRAM" "$@" & ;;
    mpirun) mpirun -np "$ranks" "$PROGRAM" "$@" & ;;
    *)
        echo "LAUNCH=$LAUNCH: either srun or mpirun" >&2
        exit 2 ;;
    esac
    launcher=$!
    trap 'kill -USR1 $launcher 2>/dev/null' USR1
    trap 'terminated=yes; kill -USR1 $launcher 2>/dev/null' TERM
    while wait $launcher; kill -0 $launcher 2>/dev/null; do :; done # a signal ends the wait, not the step
    wait $launcher
    status=$?
    trap : USR1
    trap - TERM
}

# finish: end the batch script as the step has ended. 0: done. 75: stopped cleanly, so the job goes back into the queue. All else
# is a failure that another run would only repeat; when a node dies, Slurm itself requeues the job.
finish() {
    local again="the same sbatch command goes on where it stopped"
    if [ "$status" != 75 ]; then
        [ "$status" = 0 ] || say "${terminated:+ended by Slurm, }failed with exit status $status"
    elif [ -n "$terminated" ] && [ "$(job Reason)" != TimeLimit ]; then
        say "ended by Slurm before its time; $again"
    elif [ -e stop ]; then
        say "stopped by the file 'stop'; without it, $again"
    elif [ "${SLURM_RESTART_COUNT:-0}" -ge "$RESTARTS" ]; then
        say "stopped cleanly, after RESTARTS=$RESTARTS restarts not requeued again; $again"
    else
        say "stopped cleanly; back into the queue for restart $((${SLURM_RESTART_COUNT:-0} + 1))"
        # what follows is not reached when it works: Slurm ends the script
        scontrol requeue "$SLURM_JOB_ID" && exit 0
        say "this job may not be requeued; $again"
    fi
    exit "$status"
}
