#!/usr/bin/env bash
# Methods whose predictor chooses in rounds, under valgrind.
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

clean "Gaussian processes, 2 ranks in a group" 2 run tiny.ini -o gp.nc $few -P experiment.ranks_per_trial=2 -P experiment.predictor=gp,gp+ei,gp-paths+ts
clean "an ensemble with all options" 1 run tiny.ini -o ensemble.nc $few -P training.ensemble=2 -P training.loss=rank -P training.prune=yes \
    -P experiment.predictor=siamese+nsam+ucb
clean "baselines" 2 run tiny.ini -o baselines.nc $few -P experiment.predictor=regularized-evolution,local-search,weaknas,brp,prednas
finish
