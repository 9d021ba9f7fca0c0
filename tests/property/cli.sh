#!/usr/bin/env bash
# The command line from outside: help once for all ranks, exit statuses, and for every mistake one message by one rank
# that says what is wrong and what was probably meant, with nothing left on disk.
. "$(dirname "$0")/check.bash"
mkdir run # stays empty
cd run || exit 1

answers() { # exit status 0, nothing on standard error, the given words once on standard output
    [ "$status" = 0 ] && [ ! -s ../stderr ] && [ "$(grep -c -i -F -- "$1" ../stdout)" = 1 ]
}

refused() { # one message of one rank, which holds all the words; nothing on standard output
    failed 2 "$@" && [ ! -s ../stdout ]
}

alone() { # the message is all there is on standard error
    refused "$@" && [ "$(wc -l <../stderr)" = 1 ]
}

# -- answers ---------------------------------------------------------------------------------------------------
run "$program" --help
check "help" answers "usage: siamese-nas COMMAND"
cp ../stdout ../help
run "$program" help analyse
check "help of a command" answers "siamese-nas analyse SPACE.nc"
run $mpirun -np 3 "$program" --help
check "help with 3 ranks: once" cmp -s ../stdout ../help
run $mpirun -np 3 "$program" --version
check "version with 3 ranks: once" answers "siamese-nas "
for command in run report merge import generate info analyse train fit predict; do
    run "$program" $command --help
    cp ../stdout ../help
    check "$command --help" answers "usage:"
    check "$command is in the program's help" grep -q "^  $command " <("$program" --help)
    run $mpirun -np 3 "$program" $command --help
    check "$command --help with 3 ranks: once" cmp -s ../stdout ../help
done
run $mpirun -np 2 "$program" run --example
check "run --example is inputs/example.ini" cmp -s ../stdout "$root/inputs/example.ini"
run $mpirun -np 2 "$program" train --example
check "train --example is inputs/recipe.ini" cmp -s ../stdout "$root/inputs/recipe.ini"

# -- commands --------------------------------------------------------------------------------------------------
run "$program"
check "no command" alone "no command" "--help"
run "$program" reprot
check "misspelt command" alone "unknown command 'reprot'" "report"
run "$program" qqqqqqqq
check "unknown command: all are named" alone "run" "report" "merge" "import" "generate" "info" "train" "fit" "predict"
run $mpirun -np 3 "$program" imprt x.csv
check "misspelt command with 3 ranks: one message" refused "unknown command 'imprt'" "import"
for command in run report merge import generate info analyse train fit predict; do
    run "$program" $command --no-such-option
    check "$command: unknown option" alone "--no-such-option"
    run "$program" $command
    check "$command: without arguments" alone "--help"
done
run $mpirun -np 3 "$program" info missing.nc
check "a serial command with 3 ranks: one message" refused "missing.nc"
run "$program" run missing.ini
check "no such job file" alone "missing.ini"
# shellcheck disable=SC2016
run bash -c '"$1" --help >/dev/full' - "$program"
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
    run "$program" run job.ini
    check "$name" alone "$@"
}

override() { # override KEY=VALUE WORDS...: the good job file with -P is refused in these words
    local assignment=$1
    job
    shift
    run "$program" run job.ini -P "$assignment"
    check "-P $assignment" alone "-P" "$@"
}

job
run "$program" run job.ini
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
    run $mpirun -np $ranks "$program" run job.ini
    check "misspelt key with $ranks ranks: one message" refused "job.ini:8:" "trials"
done
rm -f job.ini

# -- training ---------------------------------------------------------------------------------------------------
printf '[images]\ndataset = digits\ntrain = digits.nc\n' >recipe.ini
run "$program" train recipe.ini
check "train: a recipe alone" alone "a recipe and a space file, not 1" "train --help"
run "$program" train recipe.ini space.nc --cells
check "train: an option without its value" alone "--cells needs a value"
run "$program" train recipe.ini space.nc --cells 7,x
check "train: a wrong list of cells" alone "--cells = x: is not an integer" "0, 17, 100..199"
run "$program" train recipe.ini space.nc --cells 9..3
check "train: a list that goes down" alone "--cells = 9..3: a range goes upward"
run "$program" train recipe.ini space.nc --cells @cells.txt
check "train: no list of cells" alone "cells.txt"
run "$program" train recipe.ini space.nc --ranks-per-candidate 1.5
check "train: a wrong number of ranks" alone "--ranks-per-candidate = 1.5: is not an integer"
run "$program" train missing.ini space.nc
check "train: no such recipe" alone "missing.ini: cannot open the recipe"
run "$program" train recipe.ini space.nc
check "train: a good recipe, but no space" alone "space.nc"
run "$program" train recipe.ini space.nc -P training.epoch=3
check "train: misspelt key" alone "-P" "unknown key training.epoch" "epochs"
run $mpirun -np 3 "$program" train recipe.ini space.nc -P code.epochs=3,2
check "train: phases of unequal number with 3 ranks: one message" refused "code.learning_rate" "has 1 phases, but epochs has 2"
rm -f recipe.ini

check "no file was left" test -z "$(ls -A)"
finish
