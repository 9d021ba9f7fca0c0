#!/usr/bin/env bash
# What reads and writes tables, and what is learnt from them, under valgrind.
. "$(dirname "$0")/memory.bash"

cat >cells.csv <<'END'
arch,accuracy,loss1,loss2,loss3
|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|,31.5,2.3,2.25,2.2
|avg_pool_3x3~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|,70,2.1,1.9,1.8
|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|none~2|,91.25,1.9,1.5,1.2
END
clean "import" 1 import cells.csv -o cells.nc --column arch=arch --column accuracy.toy=accuracy --column early_loss=loss1..loss3
clean "info" 1 info cells.nc
clean "generate" 1 generate nas-bench-201:3 -o bare.nc
clean "analyse, 2 ranks" 2 analyse tiny.nc -o tiny.analysis.nc
clean "ceiling, 2 ranks" 2 ceiling tiny.nc -o tiny.ceiling.nc --codes 1,3 --signals flops --sample 20 --starts 1
run "$program" info absent.nc
check "an error" failed 2 absent.nc
finish
