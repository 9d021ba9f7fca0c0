#!/usr/bin/env bash
# The command line from outside: help once for all ranks, exit statuses, and for every mistake one message by one rank
# that says what is wrong and what was probably meant, with nothing left on disk.
set -u
PROGRAM=${PROGRAM:-$PWD/build/siamese-nas}
MPIRUN=${MPIRUN:-mpirun --oversubscribe}
case $PROGRAM in /*) ;; *) PROGRAM=$PWD/$PROGRAM ;; esac
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
mkdir out run
cd run || exit 1
failures=0

# check NAME CONDITION...: one line, and what the last command said when it fails
check() {
    local name=$1
    shift
    if "$@"; then
        echo "ok    $name"
    else
        echo "FAIL  $name"
        sed 's/^/      | /' ../out/stdout ../out/stderr
        failures=$((failures + 1))
    fi
}

try() { # run a command, keep its output and status
    timeout 120 "$@" >../out/stdout 2>../out/stderr </dev/null
    status=$?
}

answers() { # exit status 0, nothing on standard error, the given words once on standard output
    [ "$status" = 0 ] && [ ! -s ../out/stderr ] && [ "$(grep -c -i -F -- "$1" ../out/stdout)" = 1 ]
}

refused() { # exit status 2, exactly one message, which holds all the given words; nothing on standard output
    [ "$status" = 2 ] && [ "$(grep -c '^siamese-nas: error: ' ../out/stderr)" = 1 ] && [ ! -s ../out/stdout ] || return 1
    for words; do grep '^siamese-nas: error: ' ../out/stderr | grep -q -F -- "$words" || return 1; done
}

alone() { # the message is all there is on standard error
    refused "$@" && [ "$(wc -l <../out/stderr)" = 1 ]
}

# -- answers ---------------------------------------------------------------------------------------------------
try "$PROGRAM" --help
check "help" answers "usage: siamese-nas COMMAND"
cp ../out/stdout ../out/help
try $MPIRUN -np 3 "$PROGRAM" --help
check "help with 3 ranks: once" cmp -s ../out/stdout ../out/help
try $MPIRUN -np 3 "$PROGRAM" --version
check "version with 3 ranks: once" answers "siamese-nas "
for command in run report import info fit predict; do
    try "$PROGRAM" $command --help
    cp ../out/stdout ../out/help
    check "$command --help" answers "usage:"
    check "$command is in the program's help" grep -q "^  $command " <("$PROGRAM" --help)
    try $MPIRUN -np 3 "$PROGRAM" $command --help
    check "$command --help with 3 ranks: once" cmp -s ../out/stdout ../out/help
done
try $MPIRUN -np 2 "$PROGRAM" run --example
check "run --example is inputs/example.ini" cmp -s ../out/stdout "$root/inputs/example.ini"

# -- commands --------------------------------------------------------------------------------------------------
try "$PROGRAM"
check "no command" alone "no command" "--help"
try "$PROGRAM" reprot
check "misspelt command" alone "unknown command 'reprot'" "report"
try "$PROGRAM" qqqqqqqq
check "unknown command: all are named" alone "run" "report" "import" "info" "predict"
try $MPIRUN -np 3 "$PROGRAM" imprt x.csv
check "misspelt command with 3 ranks: one message" refused "unknown command 'imprt'" "import"
for command in run report import info fit predict; do
    try "$PROGRAM" $command --no-such-option
    check "$command: unknown option" alone "--no-such-option"
    try "$PROGRAM" $command
    check "$command: without arguments" alone "--help"
done
try $MPIRUN -np 3 "$PROGRAM" info missing.nc
check "a serial command with 3 ranks: one message" refused "missing.nc"
try "$PROGRAM" run missing.ini
check "no such job file" alone "missing.ini"
# shellcheck disable=SC2016
try bash -c '"$1" --help >/dev/full' - "$PROGRAM"
check "standard output is full: status 1" test "$status" = 1

# -- job files -------------------------------------------------------------------------------------------------
job() { # a good job file, its lines changed by the given sed expression
    sed -e "${1:-}" >job.ini <<'END'
[space]
file = space.nc
dataset = cifar10

[experiment]
predictor = naive, siamese+nsam
N = 30..50:10
trials = 2

[evaluation]
K = 10, 20
END
}

wrong() { # wrong NAME SED WORDS...: the changed job file is refused in these words
    local name=$1
    job "$2"
    shift 2
    try "$PROGRAM" run job.ini
    check "$name" alone "$@"
}

override() { # override KEY=VALUE WORDS...: the good job file with -P is refused in these words
    local assignment=$1
    job
    shift
    try "$PROGRAM" run job.ini -P "$assignment"
    check "-P $assignment" alone "-P" "$@"
}

job
try "$PROGRAM" run job.ini
check "a good job file: only its space file is missing" alone "space.nc"
wrong "misspelt key" 's/trials/trails/' "job.ini:8:" "unknown key experiment.trails" "trials"
wrong "misspelt section" 's/evaluation/evalution/' "job.ini:11:" "[evalution]" "evaluation"
wrong "key of another section" 's/^K = .*/seed = 3/' "job.ini:11:" "evaluation.seed" "experiment.seed"
wrong "key set twice" 's/^trials.*/&\n&/' "job.ini:9:" "experiment.trials is set twice" "line 8"
wrong "missing key" '/^N/d' "job.ini:" "experiment.N is missing"
wrong "out of range" 's/^trials.*/trials = 0/' "job.ini:8: experiment.trials = 0:" "must lie in [1, 1000000]" "repetitions"
wrong "not a number" 's/^trials.*/trials = many/' "job.ini:8:" "many" "not an integer"
wrong "unknown method" 's/siamese+nsam/siamese+msan/' "job.ini:6:" "unknown method 'siamese+msan'" "siamese+nsam"
wrong "random has no sampler" 's/naive/random+bts/' "job.ini:6:" "random learns nothing"
wrong "method named twice" 's/naive/naive, naive/' "job.ini:6:" "naive is named twice"
wrong "K above K_max" 's/^K = .*/K = 201/' "job.ini:11:" "evaluation.K = 201" "evaluation.K_max = 200"
wrong "neither section nor key" 's/^trials.*/trials/' "job.ini:8:" "key = value"
override "experiment.trails=3" "experiment.trails" "trials"
override "experment.trials=3" "[experment]" "experiment"
override "trials=3" "experiment.trials"
override "experiment.trials" "section.key=value"
override "experiment.N=3" "experiment.N = 3" "must lie in [4, 16777215]"
override "space.missing=ignore" "space.missing = ignore" "error|drop"
override "training.learning_rate=1e-3" "has 1 items where 4 are needed"
override "output.file=results.txt" "ends in .nc"

job 's/trials/trails/'
for ranks in 2 3; do
    try $MPIRUN -np $ranks "$PROGRAM" run job.ini
    check "misspelt key with $ranks ranks: one message" refused "job.ini:8:" "trials"
done
rm -f job.ini
check "no file was left" test -z "$(ls -A)"

[ $failures = 0 ]
