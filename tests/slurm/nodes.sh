#!/usr/bin/env bash
# One job on three nodes, started by srun and by mpirun: the data of a single process; and nodes that are not like the others, which
# end the job.
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

printf '#!/bin/bash\necho $SLURM_PROCID >>starts\nexec "%s" "$@"\n' "$program" >counted.sh
chmod +x counted.sh
PROGRAM=$work/counted.sh submit --nodes=3 --ntasks=6 slurm/run.sbatch generate nas-bench-201:3 -o bare.nc
await "$job"
check "a command without MPI is run" test "$state" = COMPLETED -a -s bare.nc
check "by one process alone, which none leaves behind" test "$(cat starts)" = 0

# on n2 something is missing
cat >uneven.sh <<'END'
#!/bin/bash
case "$(hostname) $MISSING" in
"n2 folder") exec unshare -m sh -c 'mount -t tmpfs none shared && exec "$0" "$@"' "$WHOLE" "$@" ;;
"n2 file") exec unshare -m sh -c 'mount --bind tiny.ini shared/x.nc.part && exec "$0" "$@"' "$WHOLE" "$@" ;;
"n2 memory") ulimit -v 150000 ;;
esac
exec "$WHOLE" "$@"
END
chmod +x uneven.sh
export WHOLE=$program OUT=shared/x.nc
missing() { # WHAT WORDS EXIT-STATUS
    MISSING=$1 LAUNCH=$launch PROGRAM=$work/uneven.sh submit --nodes=3 --ntasks=6 slurm/run.sbatch
    await "$job"
    check "$launch, another $1 on a node: the job fails" test "$state" = FAILED
    check "with exit status $3" test "$(field "$job" ExitCode)" = "$3:0"
    check "and says why" grep -q "^siamese-nas: error: .*$2" stdout
    [ $3 = 137 ] || check "once" test "$(grep -c "^siamese-nas: error: " stdout)" = 1
}
if ! unshare -m true 2>/dev/null; then
    echo "SKIP: no file system can be mounted for one node alone here"
    finish
fi
mkdir shared
for launch in srun mpirun; do
    missing folder "shared/x.nc: its folder on n[0-9] is not the one on n1, .*name an output on a file system that all nodes share" 1
    missing memory "out of memory: MPI takes up to" $([ $launch = srun ] && echo 137 || echo 1) # srun kills the others, and says that
    cp one.nc shared/x.nc.part
    $python "$root/tests/property/results_tool.py" unfinish shared/x.nc.part 3
    missing file "shared/x.nc.part: cannot open the file: .* is it the same one on all nodes? (rank [0-9] on n[0-9])" 1
    rm -f shared/*
done
finish
