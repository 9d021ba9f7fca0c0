#!/usr/bin/env bash
# What goes wrong on a cluster: killed ranks, disks, folders, damaged files, two runs at once, a rank that stands still.
# Each time nothing is lost, one message says what is the matter, and the same command run again ends with the bytes of an undisturbed
# run. FAULTS=N: so many kills, and as many damaged files (10). FAULTS_SEED: the chance of an earlier run.
. "$(dirname "$0")/experiment.bash"
. "$here/interrupt.bash"
faults=${FAULTS:-10} seed=${FAULTS_SEED:-$((RANDOM * 32768 + RANDOM))}
echo "      FAULTS=$faults FAULTS_SEED=$seed"
RANDOM=$((seed % 32768))
. "$here/training.bash"
tool() { $python "$here/results_tool.py" "$@"; }
mkdir shm && export OMPI_MCA_btl_vader_backing_directory=$work/shm # a killed rank leaves its shared memory behind
mounted=
clean_up() {
    chattr -i "$work/still" 2>/dev/null
    [ -z "$mounted" ] || umount "$mounted"
    rm -rf "$work"
}
now() { date +%s%N; }
# a random moment of so many milliseconds
moment() { sleep "$(awk -v r=$RANDOM -v ms="$1" 'BEGIN { printf "%.3f", r / 32768 * ms / 1000 }')"; }
# only FILES...: these and no others have names that begin with the first one's stem
only() { [ "$(ls "${1%.nc}".* | tr '\n' ' ')" = "$* " ]; }

more="-P experiment.trials=60 -P space.dataset=one"
units=480
run "$program" run tiny.ini -o whole.nc $more
check "undisturbed run" test "$status" = 0
cp whole.nc late.part
tool unfinish late.part 20

# -- ranks that stand still, beside all that follows ------------------------------------------------------------------
longer="$more -P experiment.trials=120"
stand_still() { # NAME WHICH: stop one of two ranks for 20 seconds; a second run meanwhile is refused. Says what is wrong
    local rank work=$work/$1
    mkdir "$work" "$work/second"
    begin $mpirun -np 2 "$program" run tiny.ini -o "$1.nc" $longer
    wait_beyond "$1.nc.part" 0
    rank=$(children $job | $2)
    kill -STOP $rank || echo "it was too late to stop a rank"
    work=$work/second
    run "$program" run tiny.ini -o "$1.nc" $longer
    failed 1 "$1.nc is being written by another run, process " || { echo "the second run: $status"; cat "$work/stderr"; }
    sleep 20
    kill -CONT $rank
    wait $job || echo "exit status $?"
    cmp long.nc "$1.nc" && no_file "$1.nc.part" "$1.nc.lock" || ls "$1".*
}
run "$program" run tiny.ini -o long.nc $longer
stand_still first "head -1" >first.verdict 2>&1 &
stills=$!
stand_still last "tail -1" >last.verdict 2>&1 &
stills="$stills $!"

# -- kill -9 ----------------------------------------------------------------------------------------------------------
begun=$(now)
run $mpirun -np 2 "$program" run tiny.ini -o x.nc $more
length=$((($(now) - begun) / 1000000))
check "two ranks" cmp whole.nc x.nc
rm x.*
cp late.part x.nc.part
begun=$(now)
run $mpirun -np 2 "$program" run tiny.ini -o x.nc $more
short=$((($(now) - begun) / 1000000))
length=$((length > 3 * short ? 3 * short : length)) # the first was slowed down by what else is going on
check "two ranks with little to do" cmp whole.nc x.nc
echo "      a run takes $length ms, one that has little to do $short ms"

where() { # how far a run came that is no more
    if [ -e x.nc ]; then echo "at the end"
    elif [ -e x.nc.part ]; then echo "with $(finished x.nc.part) of $units"
    else echo "at the start"; fi
}
kill_at_random() { # MS [COMMAND...]: start a run, wait until the command is true, and kill some of it within that time
    local ranks=$((1 + RANDOM % 4)) ms=$1 victims whom
    shift
    begin $mpirun -np $ranks "$program" run tiny.ini -o x.nc $more --wait=120
    while kill -0 $job 2>/dev/null && ! "$@"; do sleep 0.005; done
    moment $ms
    victims=$(children $job)
    case $((RANDOM % 4)) in
    0) whom="all of $ranks" ;;
    1) whom="mpirun of $ranks" victims=$job ;; # its ranks may live a little longer
    2) whom="the first of $ranks" victims=$(echo "$victims" | head -1) ;;
    *) whom="one of $ranks" victims=$(echo "$victims" | shuf -n 1 --random-source=<(yes $RANDOM)) ;;
    esac
    kill -9 ${victims:-$job} 2>/dev/null
    end
    killed="$killed, $whom $(where)"
}
wrong=0
for i in $(seq "$faults"); do
    rm -f x.*
    killed=
    case $((i % 5)) in
    1) kind="a starting run" && kill_at_random $((short / 2)) ;;
    2) kind="an ending run" && cp late.part x.nc.part && kill_at_random 150 said "  resumed" ;;
    3) kind="a run" && kill_at_random $length ;;
    *) kind="a run in the middle" && kill_at_random $((length - short)) test -e x.nc.part ;;
    esac
    [ $((RANDOM % 2)) = 0 ] || [ -e x.nc ] || kill_at_random $length
    [ ! -e x.nc ] || cmp whole.nc x.nc || wrong=$((wrong + 1))
    run $mpirun -np $((1 + RANDOM % 4)) "$program" run tiny.ini -o x.nc $more --wait=120
    if [ "$status" = 0 ] && cmp whole.nc x.nc && only x.nc x.timing.nc; then
        echo "      killed $kind: ${killed#, }"
    else
        echo "      WRONG, status $status, after killing $kind: ${killed#, }: $(ls x.*)"
        cat "$work/stderr"
        wrong=$((wrong + 1))
    fi
done
check "$faults times killed, and the same bytes each time" test $wrong = 0
run "$program" run tiny.ini -o x.nc $more
check "a finished job is not run again" said "complete already"
check "and stays as it is" cmp whole.nc x.nc

# -- two at once ------------------------------------------------------------------------------------------------------
wrong=0 refused=0
for i in $(seq 20); do
    [ $((i % 4)) != 1 ] || rm -f two.*
    for k in a b; do
        "$program" run tiny.ini -o two.nc $more >$k.stdout 2>$k.stderr </dev/null &
        declare $k=$!
    done
    wait -n $a $b
    first=$?
    loser=a winner=$b
    ! kill -0 $a 2>/dev/null || { loser=b winner=$a; }
    [ $((i % 4)) = 0 ] || kill -TERM $winner 2>/dev/null
    wait $winner
    second=$?
    if [ $first = 1 ] && [ "$(grep -c 'error: ' $loser.stderr)" = 1 ] &&
        grep -q "error: two.nc is being written by another run, process $winner on $(hostname); let it end, wait for it with --wait" $loser.stderr; then
        refused=$((refused + 1))
    elif [ $first != 0 ]; then # 0: it began when the other one had ended
        echo "      WRONG: the first to end has status $first"
        cat $loser.stderr
        wrong=$((wrong + 1))
    fi
    if [ $second = 75 ] && [ -e two.nc.part ] && no_file two.nc; then continue; fi
    if [ $second != 0 ] || ! cmp whole.nc two.nc; then wrong=$((wrong + 1)); fi
done
check "two at once: one is undisturbed" test $wrong = 0
check "the other is refused, $refused times of 20" test $refused -ge 15
check "nothing else is left" only two.nc two.timing.nc

# -- damaged files ----------------------------------------------------------------------------------------------------
few="-P experiment.trials=10 -P space.dataset=one"
run "$program" run tiny.ini -o few.nc $few
"$program" report few.nc >few.report
cp few.nc half.part
tool unfinish half.part 40
size=$(stat -c %s half.part)
for length in 0 10 3000 $((size / 2)) $((size - 1)); do
    rm -f cut.*
    head -c "$length" half.part >cut.nc.part
    run "$program" run tiny.ini -o cut.nc $few
    check "a part cut to $length bytes is begun anew, with a warning" sh -c \
        '[ $1 = 0 ] && cmp few.nc cut.nc && [ "$(grep -c "warning: cut.nc.part cannot be read and is begun anew" stderr)" = 1 ]' - $status
done
echo rubbish >cut.nc.part
mv cut.nc whole.part
run "$program" run tiny.ini -o cut.nc $few
check "what is no part at all, too" cmp few.nc cut.nc

wrong=0 same=0 refused=0
flipped() { # WHAT: either the right results, or one message
    if [ "$status" = 0 ] && tool same few.nc flip.nc; then
        same=$((same + 1))
    elif failed 2 flip.nc; then
        refused=$((refused + 1))
    else
        echo "      WRONG: $1 with flip $i: status $status"
        cat "$work/stderr"
        wrong=$((wrong + 1))
    fi
}
for i in $(seq "$faults"); do
    rm -f flip.*
    cp half.part flip.nc.part
    tool flip flip.nc.part $((seed + i)) 0 $([ $((i % 2)) = 0 ] && echo 1 || echo 0.3)
    run "$program" run tiny.ini -o flip.nc $few
    flipped "a part"
done
check "parts with changed bytes: $same right results, $refused refusals" test $wrong = 0
same=0 refused=0
for i in $(seq "$faults"); do
    cp few.nc flip.nc
    tool flip flip.nc $((seed + i)) 0 $([ $((i % 2)) = 0 ] && echo 1 || echo 0.3)
    run "$program" run tiny.ini -o flip.nc $few
    flipped "a finished file"
    run "$program" report flip.nc
    if [ "$status" != 0 ] || ! cmp -s few.report stdout; then failed 2 flip.nc || { wrong=$((wrong + 1)); echo "      WRONG: report"; }; fi
done
check "finished files with changed bytes: $same right, $refused refusals" test $wrong = 0

# -- disks and folders ------------------------------------------------------------------------------------------------
mkdir full
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=2m none full 2>/dev/null; then
    mounted=$work/full
    fill() { dd if=/dev/zero of=full/filler bs=1k 2>/dev/null; }
    begin $mpirun -np 2 "$program" run tiny.ini -o full/x.nc $more
    wait_beyond full/x.nc.part 0
    fill
    end
    check "a disk that becomes full: what is begun has its room" sh -c '[ $1 = 0 ] && cmp whole.nc full/x.nc' - $status
    rm -f full/x.*
    fill
    run $mpirun -np 2 "$program" run tiny.ini -o full/x.nc $more
    check "a disk that is full" failed 1 "full"
    check "nothing is begun" no_file full/x.nc full/x.nc.part full/x.nc.part.new full/x.nc.lock
    rm full/filler
else
    echo "SKIP: no small disk can be mounted here; full disks are left out"
fi
mkdir still
if chattr +i still 2>/dev/null; then
    run $mpirun -np 2 "$program" run tiny.ini -o still/x.nc $more
    check "a folder that cannot be written into" failed 1 "still: cannot write results into this folder"
    chattr -i still
    begin $mpirun -np 2 "$program" run tiny.ini -o still/x.nc $more
    wait_beyond still/x.nc.part 0
    chattr +i still
    end
    check "one that becomes so" failed 1 "still/x." "cannot"
    chattr -i still
    check "everything is in the part" test "$(finished still/x.nc.part)" = $units
    run $mpirun -np 2 "$program" run tiny.ini -o still/x.nc $more
    check "which becomes the results" cmp whole.nc still/x.nc
else
    echo "SKIP: no folder can be made unwritable for root here; that is left out"
fi
for way in "mv gone elsewhere" "rm -rf gone"; do
    rm -rf gone elsewhere
    begin $mpirun -np 2 "$program" run tiny.ini -o gone/x.nc $more
    wait_beyond gone/x.nc.part 0
    $way
    end
    check "a folder that vanishes ($way)" failed 1 "gone/x" "No such file or directory"
    [ ! -e elsewhere ] || mv elsewhere gone
    run $mpirun -np 2 "$program" run tiny.ini -o gone/x.nc $more
    check "again, and well" cmp whole.nc gone/x.nc
done

# a limit on the size of files that strikes in the middle, as a quota would
begin $mpirun -np 2 "$program" run tiny.ini -o quota.nc $more
wait_beyond quota.nc.part 0
prlimit --pid "$(children $job | tail -1)" --fsize=65536
end
check "a file that may not be written any more" failed 1 "quota.nc.part: cannot write the file" "is the folder writable and the disk not full?"
run $mpirun -np 2 "$program" run tiny.ini -o quota.nc $more
check "when it may, nothing is lost" cmp whole.nc quota.nc

# -- trained cells ----------------------------------------------------------------------------------------------------
"$program" generate nas-bench-201:3 -o bare.nc >/dev/null
printf '[network]\nchannels = 4\ncells_per_stage = 1\nstages = 1\n[images]\ndataset = bars\ntrain = digits.nc\n[code]\nbatch = 8
epochs = 40\nlearning_rate = 0.01\nshare = 0.5\n[training]\nbatch = 16\n' >recipe.ini
train="$program train recipe.ini bare.nc --codes"
run $mpirun -np 2 $train -o whole-table.nc
distinct=$(table records whole-table.ledger)
cannot_write() { # FOLDER: the run that has just ended lost its ledger; the next one goes on from what is in it
    check "a ledger that cannot be written any more" failed 1 "$1.ledger: this ledger of trained cells cannot be written" \
        "What it holds already stays"
    kept=$(table records "$1.ledger")
    [ -z "$mounted" ] || rm -f full/filler
    run $mpirun -np 2 $train -o "$1.nc"
    measured=$(sed -n 's/^Estimation Codes: \([0-9]*\) measured.*/\1/p' stdout)
    check "can it be written again, the run goes on" test "$status" = 0 -a "$measured" -lt "$distinct"
    check "nothing is trained twice but what was not written" test $((kept + measured)) -le $((distinct + 2))
    check "to the same table" table same whole-table.nc "$1.nc"
}
begin $mpirun -np 2 $train -o limited.nc
table wait limited.ledger 5 $job
prlimit --pid "$(children $job | tail -1)" --fsize=4096
end
cannot_write limited
if [ -n "$mounted" ]; then
    rm -f full/*
    begin $mpirun -np 2 $train -o full/table.nc
    table wait full/table.ledger 5 $job
    fill
    end
    cannot_write full/table
fi

# -- the ranks that stood still ---------------------------------------------------------------------------------------
wait $stills
for name in first last; do
    cp $name.verdict stderr
    check "the $name rank stood still for 20 seconds" test ! -s $name.verdict
done
finish
