#!/usr/bin/env bash
# Rebuild the shipped models: data, training, export and scores. INKDIGIT_DATA names the folder of the data sets.
#
#     bash runs/reproduce.sh [quick]
#
# With `quick` it is one model, from nothing: bench/README.md says how long that takes, and how well it reads.
#
# The shipped models go on from those of an earlier commit; the copy of this file in that commit tells how those came. Three
# networks from nothing, whose figures stand in the model card beside those of what ships, had the glance of commit 44bd91d
# and were taught by its network:
#
#     for seed in 1 2 3; do
#         inkdigit train --network large --out runs/l$seed --glance inkdigit --taught-by inkdigit --epochs 18 --seed $seed
#     done
set -euo pipefail
cd "$(dirname "$0")/.."
BEFORE=a7caf5b
MODELS=src/inkdigit/models

if [ "${1:-}" = quick ]; then
    inkdigit train --out runs/quick --recipe quick
    inkdigit evaluate runs/quick
    exit
fi

mkdir -p runs/before
for name in inkdigit tiny lenet5 conv8-16-32; do
    git show "$BEFORE:$MODELS/$name.onnx" > "runs/before/$name.onnx"
done
# The first of these runs was before bars alone were as frequent among the signs: what ships saw more only in the second,
# of which it is half: one reads what a ring or an edge is around better, the other sees that a bar alone is ink.
torchrun --nproc-per-node 2 -m inkdigit train --recipe glance --out runs/begun --from runs/before/inkdigit.onnx \
    --pens 4 --invented 12000 --sheets 100000 --glance-epochs 40 --seed 5
torchrun --nproc-per-node 2 -m inkdigit train --recipe glance --out runs/further --from runs/begun \
    --pens 2 --invented 6000 --sheets 30000 --glance-epochs 16 --rate 0.002 --seed 6
KEPT="--epochs 0 --pens 1 --invented 10 --sheets 1000" # what is kept is calibrated anew
inkdigit train --recipe glance --out runs/glance --from runs/begun --mix-with runs/further --mix-part 0.5 $KEPT \
    --glance-epochs 0 --seed 6
inkdigit export runs/glance --int8 --to $MODELS/inkdigit.onnx
for name in tiny lenet5 conv8-16-32; do # on the new glance's frames
    inkdigit train --out "runs/$name" --name "$name" --network "$name" --from "runs/before/$name.onnx" \
        --glance runs/glance $KEPT --seed 4
    inkdigit export "runs/$name" --to "$MODELS/$name.onnx"
done
inkdigit evaluate
