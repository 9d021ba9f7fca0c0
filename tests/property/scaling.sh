#!/usr/bin/env bash
# What a rank asks of MPI does not grow with the number of ranks, nor with the space: the program is run with a counter of its calls
# (tests/scaling/mpi_count.c) and compared with what include/queue.h and include/topset.h promise. Up to 64 ranks, which share
# the cores of this machine for a second or two, write the same bytes.
. "$(dirname "$0")/experiment.bash"
counted=$(dirname "$program")/scaling/siamese-nas
if [ ! -x "$counted" ]; then
    echo "SKIP: $counted is not built (make tests)"
    exit 77
fi
units_72() { printf 'queue-%d-72 ' "$@"; }
counts() { $python "$root/tests/scaling/counts.py" "$@" >stdout 2>stderr; }
small="1 2 3 4 8" large="32 64" groups="2 3 4 6 8"
if ldd "$program" | grep -q libasan; then small="1 2 4" large="8" groups="2 3"; fi # whose ranks need ten times the memory and time

# run_counted NAME RANKS TRIALS [OPTIONS]: into NAME-RANKS-UNITS; 8 units a trial
run_counted() {
    local name=$1 ranks=$2 trials=$3 units=$((8 * $3))
    shift 3
    rm -f out.nc* "$name-$ranks-$units"
    export MPI_COUNT=$work/$name-$ranks-$units
    run $mpirun -np "$ranks" "$counted" run tiny.ini -o out.nc -P experiment.trials="$trials" "$@"
    unset MPI_COUNT
    [ "$status" = 0 ] || check "$name, ranks: $ranks" false
}

# -- one rank a trial: the queue ----------------------------------------------------------------------------------------
one_method=(-P experiment.predictor=siamese+nsam+bts,naive) # whose units make the same writes
run "$program" run tiny.ini -o plain.nc "${one_method[@]}" -P experiment.trials=9
run_counted queue 1 4 "${one_method[@]}"
for ranks in $small $large; do
    run_counted queue $ranks 9 "${one_method[@]}"
    check "the same bytes, ranks: $ranks" cmp plain.nc out.nc
done
check "two messages a unit, and two for every rank at the end" counts queue queue-1-32 $(units_72 $small)
for ranks in $large; do check "the same, ranks: $ranks" counts queue queue-1-32 queue-1-72 queue-$ranks-72; done
run_counted queue 8 4 "${one_method[@]}"
check "and for another number of units" counts queue queue-1-32 queue-1-72 queue-8-32
check "as many collectives, bytes and reads for any number of ranks" counts collective $(units_72 ${small#1 })
for ranks in $large; do
    check "the same, ranks: $ranks" counts collective queue-2-72 queue-$ranks-72
    case $large in *64) check "memory does not grow to $ranks ranks" counts memory queue-4-72 queue-$ranks-72 ;; esac
done
counts table $(units_72 $small $large)
cat stdout

# -- all ranks on one trial: rankings -----------------------------------------------------------------------------------
$python "$here/tiny_space.py" tiny-large.nc 2000 || exit 1
words="" # 2 rounds, 1 epoch that selects weights, 1 evaluation: 4 rankings a unit; the longest list is K_max = 20
for ranks in $groups; do
    for trials in 1 2; do
        for space in tiny tiny-large; do
            run_counted $space $ranks $trials -P experiment.predictor=siamese+nsam+bts,siamese+bts -P experiment.ranks_per_trial=100 -P space.file=$space.nc
            cp out.nc "$space-$ranks-$trials.nc"
        done
    done
    check "the same bytes of a large space, ranks: $ranks" cmp tiny-large-2-2.nc tiny-large-$ranks-2.nc
    words="$words tiny-$ranks-8 tiny-$ranks-16 tiny-large-$ranks-8 tiny-large-$ranks-16 64 2000"
done
check "a ranking is log2 P messages of 16 bytes a place, for any space" counts ranking 4 20 8 $words
finish
