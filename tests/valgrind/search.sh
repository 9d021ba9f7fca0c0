#!/usr/bin/env bash
# Every method in one small experiment, and what reads its results, under valgrind.
. "$(dirname "$0")/memory.bash"

cat >>tiny.ini <<'END'
[evolution]
population = 4
sample = 2
[local_search]
initial = 4
[weaknas]
initial = 5
width = 16
epochs = 3
[brp]
rounds = 2
width = 16
epochs = 1
[prednas]
initial = 6
batch = 5
steps = 5
flops_limit = 5
[acquisition]
initial = 5
END
options="-P space.dataset=one -P experiment.N=8 -P experiment.trials=2 -P training.epochs=1,3,1,1 -P evaluation.K_max=10"

clean "the paper's methods" 1 run tiny.ini -o paper.nc $options -P experiment.predictor=random,naive,siamese,siamese+nsam+bts,siamese+fts
clean "they, 2 ranks in a group" 2 run tiny.ini -o group.nc $options -P experiment.ranks_per_trial=2 -P experiment.predictor=siamese+nsam+bts
clean "Gaussian processes, 2 ranks in a group" 2 run tiny.ini -o gp.nc $options -P experiment.ranks_per_trial=2 -P experiment.predictor=gp,gp+ei,gp-paths+ts
clean "ensembles with all options" 1 run tiny.ini -o ensemble.nc $options -P training.ensemble=2 -P training.loss=rank -P training.prune=yes \
    -P experiment.predictor=siamese+nsam+ucb
clean "baselines" 2 run tiny.ini -o baselines.nc $options -P experiment.predictor=regularized-evolution,local-search,weaknas,brp,prednas
for half in 1 3; do
    clean "half of the trials, from $half" 1 run tiny.ini -o half-$half.nc $options -P experiment.first_trial=$half -P experiment.predictor=naive
done
clean "merge" 1 merge half-1.nc half-3.nc -o whole.nc
clean "report" 1 report whole.nc --cost 5,10
clean "report of a trial" 1 report --trial 1 paper.nc --dot cell.dot
clean "fit" 1 fit tiny.ini -o weights.nc $options -P experiment.trials=1 -P experiment.predictor=siamese+nsam
clean "predict" 2 predict --weights weights.nc tiny.nc --top 5 -o top.nc
finish
