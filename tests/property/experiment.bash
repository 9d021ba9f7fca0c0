# experiment.bash - sourced by the scripts that run whole experiments on a made-up space: $program and $mpirun, a working
# folder that is removed at exit, tiny.nc and tiny.ini in it, one line a check.
set -u
program=${PROGRAM:-$PWD/build/siamese-nas}
mpirun=${MPIRUN:-mpirun --oversubscribe}
case $program in /*) ;; *) program=$PWD/$program ;; esac
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=/usr/bin/python3
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 # a container's root

if ! $python -c 'import netCDF4' 2>/dev/null; then
    echo "SKIP: python3-netcdf4 is not installed"
    exit 77
fi
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
        cat stdout stderr 2>/dev/null | sed 's/^/      | /'
        failures=$((failures + 1))
    fi
}

# run COMMAND...: keep its output and status
run() {
    timeout 300 "$@" >stdout 2>stderr </dev/null
    status=$?
}

# failed STATUS WORDS...: this exit status, one message of one rank, which holds all the words
failed() {
    [ "$status" = "$1" ] && [ "$(grep -c '^siamese-nas: error: ' stderr)" = 1 ] || return 1
    shift
    local words
    for words; do grep '^siamese-nas: error: ' stderr | grep -q -F -- "$words" || return 1; done
}

said() { grep -q -F -- "$1" stdout; }
no_file() { local f; for f; do [ ! -e "$f" ] || return 1; done; }

finish() {
    [ "$failures" = 0 ] || echo "$failures checks failed"
    exit $((failures > 0))
}

$python "$here/tiny_space.py" tiny.nc || exit 1
cat >tiny.ini <<END
[space]
file = tiny.nc
dataset = one, two
[experiment]
predictor = random, naive, siamese+nsam+bts, siamese+fts
N = 10, 16
trials = 3
[training]
epochs = 2, 4, 2, 1
[sampling]
rounds = 2
part = 0.5
c = 8
[evaluation]
c = 12
K = 1, 5, 10
K_max = 20
END
