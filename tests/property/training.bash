# training.bash - sourced behind experiment.bash by the scripts that train candidates: images digits.nc, and recipe.ini for tiny networks,
# whose last section, [training], is open for what a script adds. table: see train_table.py.
export PYTHONPATH=$root/tests/property PYTHONDONTWRITEBYTECODE=1
table() { $python "$root/tests/property/train_table.py" "$@"; }

table images digits.nc || exit 1
cat >recipe.ini <<RECIPE
[network]
channels = 4
cells_per_stage = 1
stages = 2
[images]
dataset = bars
train = digits.nc
[code]
batch = 8
epochs = 3
learning_rate = 0.01
share = 0.5
[training]
batch = 16
RECIPE
