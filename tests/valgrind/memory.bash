# memory.bash - sourced by the scripts that watch the program's memory: what experiment.bash has, with $program under valgrind, which
# ends it with status 9 where it reads what it must not or nobody has written, or loses memory.
. "$(dirname "${BASH_SOURCE[0]}")/../property/experiment.bash"
command -v valgrind >/dev/null || { echo "SKIP: valgrind is not installed"; exit 77; }

openmpi=$(valgrind --version >/dev/null && ls "${OPENMPI_SUPPRESSIONS:-/usr/share/openmpi/openmpi-valgrind.supp}" 2>/dev/null)
cat >watched <<END
#!/bin/sh
exec valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite \\
    ${openmpi:+--suppressions=$openmpi} --suppressions=$root/tests/valgrind.supp '$program' "\$@"
END
chmod 700 watched
program=$work/watched

# clean NAME RANKS ARGUMENTS...: the program does it, and valgrind finds nothing
clean() {
    local name=$1 ranks=$2
    shift 2
    run $mpirun -np "$ranks" "$program" "$@"
    check "$name" test "$status" = 0
}
