# cluster.bash - sourced by the scripts of this folder: a Slurm of four nodes with two CPUs each, all of it on this machine and in the
# script's working folder, gone when the script ends or is ended; the checks and the made-up space of tests/property/experiment.bash;
# and what is done with jobs. Needs root: each node has a host name of its own, as Open MPI takes processes that share one for
# neighbours in shared memory.
for command in munged unmunge slurmctld slurmd sbatch unshare; do
    command -v $command >/dev/null || { echo "SKIP: no $command here (make deps check-slurm)"; exit 77; }
done
[ "$(id -u)" = 0 ] || { echo "SKIP: only root can start a Slurm of its own"; exit 77; }
unshare --uts true 2>/dev/null || { echo "SKIP: no host names of their own for the nodes (unshare --uts is forbidden here)"; exit 77; }

. "$(dirname "${BASH_SOURCE[0]}")/../property/experiment.bash"
nodes="n1 n2 n3 n4"
unset ${!SLURM*} ${!SBATCH*} # of a job that this may run in, and all knobs
unset JOB OUT OPTIONS PARTS STOP_BEFORE WAIT RESTARTS LAUNCH RANKS TRIALS WEAK_TRIALS CELLS SPACE RECIPE TRAIN_OPTIONS REPORT SCRIPTS
export SLURM_CONF=$work/slurm.conf PROGRAM=$program
export TMPDIR=$work/tmp OMPI_MCA_btl_vader_backing_directory=$work/tmp # what killed ranks leave behind goes with the rest
export OMPI_MCA_mpi_yield_when_idle=1         # eight CPUs are pretended
ln -s "$root/slurm" slurm                     # the scripts as they are, as seen from the folder of submission
long=600 # trials of tiny.ini that take some seconds
mkdir munge state log tmp
for node in $nodes; do mkdir -p spool/$node node-tmp/$node; done

# is_ours PID WORDS: this process runs, and is a daemon of this cluster
is_ours() { tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -q "^[^ ]*$2 .*$work/"; }

# stop PIDFILE DAEMON: by its number, after a look at whose number that is by now
stop() {
    local pid wait
    [ -s "$1" ] && pid=$(tr -dc 0-9 <"$1") && is_ours "$pid" "$2" || return 0
    kill "$pid"
    for ((wait = 0; wait < 100; wait++)); do
        is_ours "$pid" "$2" || return 0
        sleep 0.05
    done
    kill -9 "$pid"
}

# inhabitants NODE: the processes under the node's host name: its slurmd, and the daemons and tasks of its job steps
inhabitants() {
    local process
    for process in /proc/[0-9]*; do
        if [ "$process/ns/uts" -ef "/dev/fd/${house[$1]:-none}" ]; then echo "${process#/proc/}"; fi
    done
}

# node_kill NODE: as if its power had failed
node_kill() {
    local pids
    while pids=$(inhabitants "$1") && [ -n "$pids" ]; do
        kill -STOP $pids
        kill -9 $pids
        sleep 0.05
    done 2>/dev/null
    rm -f "log/slurmd-$1.pid"
}

clean_up() {
    local node
    trap '' INT TERM HUP
    cd "$work" || return
    [ ! -s log/slurmctld.pid ] || timeout 10 scancel --user=root 2>/dev/null
    for node in $nodes; do stop log/slurmd-$node.pid slurmd; done
    stop log/slurmctld.pid slurmctld
    for node in $nodes; do node_kill $node; done # what has outlived its slurmd
    stop munge/pid munged
    cd / && rm -rf "$work"
}
trap 'exit 1' INT TERM HUP # by way of clean_up

# A port for each daemon, where nobody listens.
free_ports() {
    local base port
    while :; do
        base=$((10000 + RANDOM % 4000 * 5))
        for ((port = base; port < base + 5; port++)); do
            ! (: <>/dev/tcp/127.0.0.1/$port) 2>/dev/null || continue 2
        done
        echo $base
        return
    done
}

write_conf() {
    local host port=$1 node
    host=$(hostname -s)
    cat <<END
ClusterName=local
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
SlurmdUser=root
# a job goes back into the queue no earlier than its credential has expired: 5 instead of 120 seconds
AuthType=auth/munge
AuthInfo=socket=$work/munge/socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool/%n
TmpFS=$work/node-tmp/%n
SlurmctldPidFile=$work/log/slurmctld.pid
SlurmdPidFile=$work/log/slurmd-%n.pid
SlurmctldLogFile=$work/log/slurmctld.log
SlurmdLogFile=$work/log/slurmd-%n.log
# neither systemd nor cgroups nor a database
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$work/log/ended.txt
MpiDefault=pmix
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
PropagateResourceLimitsExcept=ALL
# everything at once
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=10000
SlurmdTimeout=10
KillWait=5
ReturnToService=2
MinJobAge=3600
MailProg=/bin/true
END
    for node in $nodes; do
        echo "NodeName=$node NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port += 1)) CPUs=2 RealMemory=1000 State=UNKNOWN"
    done
    echo "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP"
}

# node_start NODE: its slurmd under a host name of its own. The open file keeps the name space from being another's when the node is
# dead.
declare -A house
node_start() {
    local file
    unshare --uts sh -c 'hostname "$1" && exec slurmd -f "$2" -N "$1"' sh "$1" "$SLURM_CONF" &&
        until_true 10 test -s "log/slurmd-$1.pid" && exec {file}<"/proc/$(cat "log/slurmd-$1.pid")/ns/uts" && house[$1]=$file
}

cluster_up() {
    chmod 711 "$work" # munge wants its socket within reach of all
    (umask 077 && head -c 128 /dev/urandom >munge/key)
    munged --key-file="$work/munge/key" --socket="$work/munge/socket" --pid-file="$work/munge/pid" \
        --log-file="$work/munge/log" --seed-file="$work/munge/seed" --num-threads=2 || return
    write_conf "$(free_ports)" >slurm.conf
    echo "CgroupAutomount=no" >cgroup.conf
    slurmctld -i -f "$SLURM_CONF" || return
    for node in $nodes; do node_start $node || return; done
    until_true 60 eval '[ "$(sinfo -hN -o %t | grep -c idle)" = 4 ]'
}

# until_true SECONDS COMMAND...: wait until it succeeds, no longer than that
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@" 2>/dev/null; do
        [ $SECONDS -lt $end ] || return
        sleep 0.1
    done
}

# submit ARGUMENTS...: sbatch; the number in $job
submit() { job=$(sbatch --parsable "$@") || exit; }

# field JOB NAME: what scontrol show job says; a line for each task of an array
field() { scontrol --oneliner show job "$1" | grep -o " $2=[^ ]*" | cut -d= -f2; }

# await JOB: wait for the end of a job; its state in $state, its log where the checks look for what was said
has_ended() { field "$1" JobState >"$work/state.txt" && ! grep -q 'PENDING\|RUNNING\|COMPLETING\|CONFIGURING' "$work/state.txt"; }
await() {
    until_true 400 has_ended "$1" || echo "job $1 does not end"
    state=$(sort -u "$work/state.txt" | xargs)
    cat $(field "$1" StdOut) >"$work/stdout" 2>"$work/stderr"
}

# finished FILE: how many trials of a results file, or of one that is still being written, are complete
finished() { "$program" report "$(ls "$1" "$1.part" 2>/dev/null | head -n 1)" 2>/dev/null | sed -n 's/ of .* trials are finished$//p'; }
has_begun() { [ "$(finished "$1")" -gt "${2:-0}" ]; }

if ! cluster_up; then
    echo "FAIL  a Slurm on this machine"
    cat munge/log log/*.log 2>/dev/null | tail -n 50 | sed 's/^/      | /'
    exit 1
fi
