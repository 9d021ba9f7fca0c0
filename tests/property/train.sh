#!/usr/bin/env bash
# Cells trained for real: the same table from any number of ranks, after crashes, in parts, and what is refused.
. "$(dirname "$0")/check.bash"
. "$here/interrupt.bash"
needs netCDF4
. "$here/training.bash"

"$program" generate nas-bench-201:3 -o bare.nc >/dev/null || exit 1
cat >>recipe.ini <<END
epochs = 2, 1
learning_rate = 0.02, 0.002
crop_pixels = 2
shift_pixels = 1
END

anew() { rm -f space.ledger; cp bare.nc space.nc; }
count() { # count CODES KNOWN TRAININGS KNOWN [DIVERGED]: what the log's last lines say
    [ "$status" = 0 ] &&
        said "Estimation Codes: $1 measured, $2 known before, ${5:-0} diverged; trainings: $3 measured, $4 known before, ${5:-0} diverged"
}
cells() { table known space.nc "$1"; }

# -- any number of ranks
anew
run "$program" train recipe.ini space.nc
check "a table from one process" count 60 0 60 0
check "the log says what is trained on" said "images    96 for training, 33 for validation, 66 for testing; 1 x 8 x 8, 3 classes"
check "and how many cells differ" said "space.nc, 125 cells, 60 of them distinct"
check "every cell has its values" cells 0..124
check "cells that compute the same have the same values, others have others" table classes space.nc
check "flops and params are those of the networks" table counts space.nc
check "info shows it" sh -c '"$1" info space.nc | grep -q "^  bars  *125  *0 "' - "$program"
check "xarray reads it" $python -c 'import xarray; d = xarray.open_dataset("space.nc"); assert d.accuracy.sel(dataset="bars").notnull().all()'
check "the history tells the command" sh -c 'ncdump -h space.nc | grep -q "siamese-nas train recipe.ini space.nc"'
cp space.nc one.nc
cp space.ledger one.ledger
for ranks in 2 3 4; do
    anew
    run $mpirun -np $ranks "$program" train recipe.ini space.nc
    check "$ranks ranks: each cell once" count 60 0 60 0
    check "$ranks ranks: the same table" table same one.nc space.nc
done

# -- what is known is not trained again
run $mpirun -np 2 "$program" train recipe.ini space.nc
check "once more: nothing is trained" count 0 60 0 60
check "and the table stays" table same one.nc space.nc
check "the history tells the command once" test "$(ncdump -h space.nc | grep -c 'siamese-nas train')" = 1
sum=$(cksum <space.ledger)
run "$program" train recipe.ini bare.nc -o other.nc --ledger space.ledger
check "another output from the same ledger" count 0 60 0 60
check "it is the same table" table same one.nc other.nc
check "the ledger was only read" test "$(cksum <space.ledger)" = "$sum"
check "and the space only, too" sh -c '"$1" info bare.nc | grep -q "^  accuracy  *none"' - "$program"

# -- in parts
anew
run $mpirun -np 2 "$program" train recipe.ini space.nc --codes
check "codes only" count 60 0 0 0
check "there are no accuracies" sh -c '"$1" info space.nc | grep -q "^  accuracy  *none"' - "$program"
run $mpirun -np 2 "$program" train recipe.ini space.nc --cells '0..2, 70'
check "four cells, but two to train" count 0 2 2 0
check "their copies have the values, too" cells "$(table copies 0,70)"
printf '0\n1 20, 5..9\r\n\n 124\n' >list
run "$program" train recipe.ini space.nc --cells @list
check "cells from a file" test "$status" = 0
check "are added to those before" cells "$(table copies 0,70,1,20,5,6,7,8,9,124)"
run "$program" train recipe.ini space.nc
check "the rest" cells 0..124
check "all parts together are the whole" table same one.nc space.nc
rm -f part.*
run "$program" train recipe.ini bare.nc -o part.nc --cells 7
check "-o takes the ledger's name along" test -e part.ledger
check "a part into a file of its own" count 1 0 1 0

# -- several ranks a candidate
anew
run $mpirun -np 2 "$program" train recipe.ini space.nc --ranks-per-candidate 2
check "2 ranks train each candidate" count 60 0 60 0
check "all cells have values" cells 0..124
check "copies have the same" table classes space.nc
mv space.nc team.nc
for ranks in 3 4; do
    anew
    run $mpirun -np $ranks "$program" train recipe.ini space.nc --ranks-per-candidate 2
    check "$ranks ranks in teams of 2: each cell once" count 60 0 60 0
    check "$ranks ranks in teams of 2: the same table as 2 ranks" table same team.nc space.nc
done

# -- kill -9
long="-P training.epochs=60,1" # long enough to be struck in the middle
anew
run $mpirun -np 2 "$program" train recipe.ini space.nc $long
check "an undisturbed run" count 60 0 60 0
cp space.nc long.nc
anew
before=0
for records in 30 75; do
    $mpirun -np 2 "$program" train recipe.ini space.nc $long >stdout 2>stderr </dev/null &
    job=$!
    table wait space.ledger $records $job
    kill -9 $(children $job) 2>/dev/null
    wait $job 2>/dev/null
    now=$(table records space.ledger)
    check "killed at $now of 120: no table was begun" cmp space.nc bare.nc
    check "what was finished is kept" test "$now" -ge $records
    check "it did go on, and was in the middle" test "$now" -gt "$before" -a "$now" -lt 120
    before=$now
done
codes=$((before < 60 ? before : 60))
run $mpirun -np 2 "$program" train recipe.ini space.nc $long
check "only the rest is trained" count $((60 - codes)) $codes $((120 - before - 60 + codes)) $((before - codes))
check "the table of the undisturbed run" table same long.nc space.nc
check "no part is left" no_file space.nc.part

# -- two jobs with one ledger
anew
$mpirun -np 2 "$program" train recipe.ini bare.nc -o a.nc --ledger space.ledger $long >a.log 2>&1 </dev/null &
job=$!
run "$program" train recipe.ini bare.nc -o b.nc --ledger space.ledger $long
wait $job
check "two jobs at once" test "$?$status" = 00
check "each cell is trained by one of them" test "$(cat a.log stdout | awk '/^Estimation Codes:/ {n += $3 + $11} END {print n}')" = 120
check "both have the whole table" sh -c '"$@" long.nc a.nc && "$@" long.nc b.nc' - $python "$here/train_table.py" same

# -- divergence
anew
wild="-P training.optimizer=sgd -P training.weight_decay=1 -P training.learning_rate=100,100 -P training.epochs=10,1"
wild="$wild -P code.optimizer=sgd -P code.weight_decay=1 -P code.learning_rate=100 -P code.epochs=10"
run $mpirun -np 2 "$program" train recipe.ini space.nc $wild
check "a recipe under which all networks diverge ends well" count 60 0 60 0 60
check "there are losses of the beginning at most, and no accuracies" table diverged space.nc
run "$program" train recipe.ini space.nc $wild
check "it is known that they do" count 0 60 0 60 60
run "$program" info space.nc
check "the file can be read" said "some for 125"

# -- what is refused
refused() { # refused NAME STATUS WORDS ARGUMENTS...: one message by one rank, and nothing is lost
    local name=$1 expected=$2 words=$3
    shift 3
    cp one.nc space.nc
    cp one.ledger space.ledger
    run $launch "$program" train recipe.ini space.nc "$@"
    check "$name" failed "$expected" "$words"
    check "nothing is lost, nothing new" unchanged
}
unchanged() { cmp one.nc space.nc && cmp one.ledger space.ledger && [ "$(ls | sort | tr '\n' ' ')" = "$files" ]; }
head -c 3000 digits.nc >short.nc
sed 's/^dataset/dataset = bars\ndatset/' recipe.ini >wrong.ini
cp bare.nc elsewhere.nc
$python "$here/tiny_space.py" chains.nc
cp one.nc space.nc
cp one.ledger space.ledger
files=$(ls | sort | tr '\n' ' ')
launch="$mpirun -np 2"
refused "a truncated image file" 2 "short.nc" -P images.train=short.nc
refused "no image file" 2 "nowhere.nc: cannot be opened: No such file" -P images.train=nowhere.nc
refused "a ledger of another recipe" 2 "space.ledger: this ledger of trained cells is of another space, or of candidates trained in another way" \
    -P run.seed=2
launch=
refused "an unknown cell" 2 "space.nc has cells 0 to 124, but no cell 125" --cells 3,125
refused "a wrong list" 2 "train: --cells = 3-5: is not an integer; numbers of cells as in 0, 17, 100..199" --cells 1,3-5
refused "no list" 2 "nolist: cannot open the list of cells" --cells @nolist
refused "an unknown key" 2 "unknown key code.epoch; the nearest known one is epochs" -P code.epoch=3
refused "no team" 2 "train: --ranks-per-candidate = 0: must lie in [1, 1000000]" --ranks-per-candidate 0
refused "batches that are too large" 2 "training.batch = 97, but of 96 training images only 96 are used" -P training.batch=97
refused "the output over the images" 2 "digits.nc is the input digits.nc" -o digits.nc
refused "the output over the recipe" 2 "recipe.ini is the input recipe.ini" -o recipe.ini
refused "the output over the ledger" 2 "new.nc cannot be the output and its ledger" -o new.nc --ledger new.nc
refused "a ledger that is none" 2 "elsewhere.nc: this is no ledger" --ledger elsewhere.nc
refused "no place for a ledger" 1 "no/such.ledger: this ledger of trained cells cannot be begun" --ledger no/such.ledger
run "$program" train wrong.ini space.nc
check "a recipe with an unknown key" failed 2 "wrong.ini:7: unknown key images.datset; the nearest known one is dataset"
run "$program" train nowhere.ini space.nc
check "no recipe" failed 2 "nowhere.ini: cannot open the recipe: No such file"
run "$program" train recipe.ini nowhere.nc
check "no space" failed 2 "nowhere.nc"
run "$program" train recipe.ini chains.nc
check "a space without networks" failed 2 "chains.nc"
run $mpirun -np 3 "$program" train recipe.ini space.nc --ranks-per-candidate 3
check "a team that does not divide the batch" failed 2 "code.batch = 8 cannot be shared by 3 ranks a candidate"
check "nothing is lost, nothing new" unchanged
finish
