# memory.bash - sourced by the scripts that watch the program's memory: what experiment.bash has, with $program under valgrind, which
# ends it with status 9 where it reads what it must not or nobody has written, or loses memory.
. "$(dirname "${BASH_SOURCE[0]}")/../property/experiment.bash"
command -v valgrind >/dev/null || { echo "SKIP: valgrind is not installed"; exit 77; }

its_own=/usr/share/openmpi/openmpi-valgrind.supp # what Open MPI says of itself
cat >watched <<END
#!/bin/sh
exec valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite \\
    $([ ! -e $its_own ] || echo --suppressions=$its_own) --suppressions='$root/tests/valgrind.supp' '$program' "\$@"
END
chmod 700 watched
program=$work/watched

# of tiny.ini no more than it takes to go everywhere once
few="-P space.dataset=one -P experiment.N=8 -P experiment.trials=2 -P training.epochs=1,3,1,1 -P evaluation.K_max=10"

# clean NAME RANKS ARGUMENTS...: the program does it, and valgrind finds nothing
clean() {
    local name=$1 ranks=$2
    shift 2
    run $mpirun -np "$ranks" "$program" "$@"
    check "$name" test "$status" = 0
}
