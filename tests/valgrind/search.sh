#!/usr/bin/env bash
# The paper's methods in a small experiment, and what becomes of it, under valgrind.
. "$(dirname "$0")/memory.bash"

clean "the paper's methods" 1 run tiny.ini -o paper.nc $few -P experiment.predictor=random,naive,siamese,siamese+nsam+bts,siamese+fts
clean "2 ranks in a group" 2 run tiny.ini -o group.nc $few -P experiment.ranks_per_trial=2 -P experiment.predictor=siamese+nsam+bts
for half in 1 3; do
    clean "half of the trials, from $half" 1 run tiny.ini -o half-$half.nc $few -P experiment.first_trial=$half -P experiment.predictor=naive
done
clean "merge" 1 merge half-1.nc half-3.nc -o whole.nc
clean "report" 1 report whole.nc --cost 5,10
clean "report of a trial" 1 report --trial 1 paper.nc --dot cell.dot
clean "fit" 1 fit tiny.ini -o weights.nc $few -P experiment.trials=1 -P experiment.predictor=siamese+nsam
clean "predict" 2 predict --weights weights.nc tiny.nc --top 5 -o top.nc
finish
