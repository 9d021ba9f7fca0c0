# check.bash - sourced by the scripts that test the program from outside: $program and $mpirun, a working folder that is
# removed at exit, one line a check.
set -u
program=${PROGRAM:-$PWD/build/siamese-nas}
mpirun=${MPIRUN:-mpirun --oversubscribe}
case $program in /*) ;; *) program=$PWD/$program ;; esac
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
data=${SIAMESE_NAS_DATA:-$root/../shared/data}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 # a container's root

python=/usr/bin/python3

# needs MODULE...: where one of these Python modules is not installed, the script is skipped
needs() {
    local module
    for module; do
        $python -c "import $module" 2>/dev/null || { echo "SKIP: python3-${module,,} is not installed"; exit 77; }
    done
}

work=$(mktemp -d)
clean_up() { rm -rf "$work"; }
trap clean_up EXIT
cd "$work" || exit 1
failures=0

# check NAME COMMAND...: one line, and what the last run said when it fails
check() {
    local name=$1
    shift
    if "$@"; then
        echo "ok    $name"
    else
        echo "FAIL  $name"
        cat "$work/stdout" "$work/stderr" 2>/dev/null | sed 's/^/      | /'
        failures=$((failures + 1))
    fi
}

# run COMMAND...: keep its output and status
run() {
    timeout 900 "$@" >"$work/stdout" 2>"$work/stderr" </dev/null
    status=$?
}

# failed STATUS WORDS...: this exit status, one message of one rank, which holds all the words
failed() {
    [ "$status" = "$1" ] && [ "$(grep -c '^siamese-nas: error: ' "$work/stderr")" = 1 ] || return 1
    shift
    local words
    for words; do grep '^siamese-nas: error: ' "$work/stderr" | grep -q -F -- "$words" || return 1; done
}

said() { grep -q -F -- "$1" "$work/stdout"; }
no_file() { local f; for f; do [ ! -e "$f" ] || return 1; done; }

finish() {
    [ "$failures" = 0 ] || echo "$failures checks failed"
    exit $((failures > 0))
}
