#!/usr/bin/env bash
# Runs that are asked to stop: exit status 75, a message with counts, and the same command goes on to what an undisturbed run gives,
# whoever was asked in whatever way, also with other numbers of ranks.
. "$(dirname "$0")/experiment.bash"
. "$here/interrupt.bash"
. "$here/training.bash"

# -- run ------------------------------------------------------------------------------------------------------------
# so many trials that they take half a minute of one core, whatever else the machine does, now or later: more is not done between the
# stops, since clock and file are looked at once a second
spent() { awk '{ print $16 + $17 }' /proc/$$/stat; } # hundredths of seconds that programs which have ended had of a core
before=$(spent)
run "$program" run tiny.ini -o speed.nc -P experiment.trials=25 -P space.dataset=one
trials=$((25 * 3000 / ($(spent) - before)))
units=$((8 * trials))
more="-P experiment.trials=$trials -P space.dataset=one"
run "$program" run tiny.ini -o whole.nc $more
check "undisturbed run" test "$status" = 0

# kept REASON BEFORE: stopped for this reason with more units than before, not all, and these are in the part
kept() {
    now=$(finished x.nc.part)
    stopped "stopped cleanly ($1): $now of $units units are complete in x.nc.part; the same command goes on" &&
        [ "$now" -ge "$2" ] && [ "$now" -lt $units ] && no_file x.nc x.nc.lock x.timing.nc
}
now=0
begin $mpirun -np 3 "$program" run tiny.ini -o x.nc $more
wait_beyond x.nc.part 0
kill -USR1 $job
end
check "SIGUSR1 to mpirun" kept SIGUSR1 1
before=$now
begin $mpirun -np 2 "$program" run tiny.ini -o x.nc $more
wait_beyond x.nc.part "$before"
kill -TERM $(children $job | tail -1)
end
check "SIGTERM to one of two ranks" kept SIGTERM $((before + 1))
check "it had gone on with what was there" said "resumed   x.nc.part, $before of $units units are complete"
before=$now
begin $mpirun -np 4 "$program" run tiny.ini -o x.nc $more -P experiment.ranks_per_trial=2
wait_beyond x.nc.part "$before"
kill -USR1 $(children $job | tail -1) # one that leads no group
end
check "SIGUSR1 to one of four ranks in groups of two" kept SIGUSR1 $((before + 1))
before=$now
begin "$program" run tiny.ini -o x.nc $more
wait_beyond x.nc.part "$before"
kill -TERM $job
end
check "SIGTERM without mpirun" kept SIGTERM $((before + 1))
before=$now
export SLURM_JOB_END_TIME=$(($(date +%s) + 9))
run $mpirun -np 2 "$program" run tiny.ini -o x.nc $more --stop-before=8.5
check "--stop-before, a second from now" kept "8.5 s before the job's time limit" "$before"
before=$now
run $mpirun -np 2 "$program" run tiny.ini -o x.nc $more --stop-before=3600
check "--stop-before, too late already" kept "3600 s before the job's time limit" "$before"
check "nothing was begun any more" test "$now" = "$before"
touch stop
run "$program" run tiny.ini -o x.nc $more
check "a file named stop from the start" kept "there is a file named stop: remove it first" "$before"
rm stop
begin $mpirun -np 3 "$program" run tiny.ini -o x.nc $more
wait_beyond x.nc.part "$before"
touch stop
end
check "a file named stop in the middle" kept "there is a file named stop: remove it first" $((before + 1))
rm stop
SLURM_JOB_END_TIME=$(($(date +%s) + 7200)) run $mpirun -np 2 "$program" run tiny.ini -o x.nc $more --stop-before=60
check "the rest, with time enough" test "$status" = 0
check "the same bytes as the undisturbed run" cmp whole.nc x.nc
check "nothing else is left" no_file x.nc.part x.nc.lock x.timing.nc.part

# a wish that comes when all is done
touch stop
run $mpirun -np 2 "$program" run tiny.ini -o x.nc $more
check "stopped when all was done before" test "$status" = 0
mv x.nc x.nc.part
run $mpirun -np 2 "$program" run tiny.ini -o x.nc $more
check "and when nothing but the name was missing" test "$status" = 0
check "it has its name" cmp whole.nc x.nc
rm stop

# what is no time
unset SLURM_JOB_END_TIME
run $mpirun -np 2 "$program" run tiny.ini -o y.nc --stop-before=60
check "no SLURM_JOB_END_TIME" failed 2 "--stop-before needs the end of the job's time limit in SLURM_JOB_END_TIME"
SLURM_JOB_END_TIME=noon run $mpirun -np 2 "$program" run tiny.ini -o y.nc --stop-before=60
check "SLURM_JOB_END_TIME that is no time" failed 2 "SLURM_JOB_END_TIME = 'noon' is no time"
for wrong in --stop-before=-1 --stop-before=soon --wait=-1 --wait=; do
    run "$program" run tiny.ini -o y.nc $wrong
    check "$wrong" failed 2 "run: ${wrong%%=*} = '${wrong#*=}' is no number of seconds"
done
check "nothing was begun" no_file y.nc y.nc.part y.nc.lock

# -- train ----------------------------------------------------------------------------------------------------------
"$program" generate nas-bench-201:3 -o bare.nc >/dev/null || exit 1
cat >>recipe.ini <<END
epochs = 600, 1
learning_rate = 0.02, 0.002
crop_pixels = 2
END
count_checkpoints() { ls space.ledger.*-training 2>/dev/null | wc -l; }

cells="--cells 30,31,32,33,34,35"
train="$program train recipe.ini space.nc $cells"
cp bare.nc space.nc
run $train
check "an undisturbed training" test "$status" = 0
mv space.nc whole-table.nc
rm space.ledger
cp bare.nc space.nc

begin $mpirun -np 2 $train
table wait space.ledger 7 $job
kill -USR1 $(children $job | tail -1)
end
check "train: one of two ranks is asked to stop" stopped "stopped cleanly (SIGUSR1): 6 of 6 Estimation Codes and "
trained=$(($(table records space.ledger) - 6))
check "what the message says is in the ledger" said "and $trained of 6 trainings are in space.ledger; the same command goes on"
check "a training was left in the middle" test "$(count_checkpoints)" -ge 1 -a "$trained" -lt 6
check "the table was not begun" cmp bare.nc space.nc
begin $train --stop-before=1 # too late at once
end
check "train --stop-before without a time" failed 2 "SLURM_JOB_END_TIME"
touch stop
run $train
check "a file named stop: nothing is trained" stopped "$trained of 6 trainings"
rm stop
for ranks in 3 1 2; do
    begin $mpirun -np $ranks $train
    while kill -0 $job 2>/dev/null && ! said "  ledger"; do sleep 0.01; done
    kill -USR1 $job
    end
    before=$trained
    trained=$(($(table records space.ledger) - 6)) # what was nearly done may be done by now
    check "stopped again as soon as it goes on, $ranks ranks" stopped "$trained of 6 trainings"
    check "nothing was lost, and something is left" test "$trained" -ge "$before" -a "$trained" -lt 6
done
run $mpirun -np 3 $train
check "the rest" test "$status" = 0
check "what was finished was not trained again" said "trainings: $((6 - trained)) measured, $trained known before, 0 diverged"
check "the table of the undisturbed run" table same whole-table.nc space.nc
check "no checkpoint is left" test "$(ls space.ledger*)" = space.ledger
touch stop
run $train
check "stopped when all is trained" test "$status" = 0
rm stop

# one rank is told while both are busy for long
begin $mpirun -np 2 "$program" train recipe.ini bare.nc -o long.nc --cells 30,31 -P training.epochs=5000,1
table wait long.ledger 2 $job
sleep 0.5
kill -USR1 $(children $job | tail -1)
end
check "two long trainings, one rank is told" stopped "2 of 2 Estimation Codes and 0 of 2 trainings"
check "both are left in the middle" test "$(ls long.ledger.*-training | wc -l)" = 2
check "there is no table" no_file long.nc

# a team; its checkpoint means nothing to one rank
short="$program train recipe.ini space.nc --cells 30,31,32 -P training.epochs=300,1"
team="$short --ranks-per-candidate 2"
rm space.ledger
cp bare.nc space.nc
run $mpirun -np 2 $team
mv space.nc team.nc
rm space.ledger
cp bare.nc space.nc
begin $mpirun -np 2 $team
table wait space.ledger 4 $job
kill -TERM $(children $job | tail -1)
end
check "a team of two is stopped" stopped "SIGTERM"
check "it has one checkpoint" test "$(count_checkpoints)" = 1
cp space.ledger kept.ledger
cp space.ledger.*-training kept
name=$(echo space.ledger.*-training)
run $short
check "one rank does not take it for its own" grep -q "warning: $name is the checkpoint of another training" stderr
check "but ends well" test "$status" = 0 -a "$(count_checkpoints)" = 0
cp bare.nc space.nc
cp kept.ledger space.ledger
cp kept "$name"
run $mpirun -np 2 $team
check "the team goes on to the table of an undisturbed one" table same team.nc space.nc
check "it did take its checkpoint" test "$status" = 0 -a ! -s stderr

# -- live search ----------------------------------------------------------------------------------------------------
sed 's/^file = .*/file = space.nc/; s/^dataset = .*/dataset = bars/; s/^predictor = .*/predictor = siamese+bts, random/; s/^N = .*/N = 10/
     s/^trials = .*/trials = 2/' tiny.ini >live.ini
printf '[candidate]\nsource = train\nrecipe = recipe.ini\n' >>live.ini
sed -i 's/^epochs = 600, 1/epochs = 20, 1/' recipe.ini
cp bare.nc space.nc
rm -f space.ledger*
run "$program" run live.ini -o live-whole.nc
check "an undisturbed live search" test "$status" = 0
distinct=$(table records space.ledger)
rm space.ledger
cp bare.nc space.nc
for ranks in 2 3; do
    before=$(table records space.ledger)
    begin $mpirun -np $ranks "$program" run live.ini -o live.nc
    table wait space.ledger $((before + 12)) $job
    kill -USR1 $job
    end
    now=$(table records space.ledger)
    check "a live search is stopped, $ranks ranks" stopped "of 4 units are complete in live.nc.part"
    check "in the middle" test "$now" -gt "$before" -a "$now" -lt "$distinct"
done
run $mpirun -np 2 "$program" run live.ini -o live.nc
check "and goes on to the same results" cmp live-whole.nc live.nc
tally=$(sed -n 's/^candidates: \([0-9]*\) trained and \([0-9]*\) Est.*/\1 + \2/p' stdout)
check "nothing was trained twice" test $((now + tally)) = "$distinct"
check "no checkpoint is left" test "$(ls space.ledger*)" = space.ledger
finish
