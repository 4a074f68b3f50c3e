#!/usr/bin/env bash
# Rebuild the shipped models: data, training, export and scores. INKDIGIT_DATA names the folder of the data sets.
#
#     bash runs/reproduce.sh [quick]
#
# With `quick` it is one model, from nothing: bench/README.md says how long that takes, and how well it reads.
#
# The shipped models go on from those of an earlier commit, which came about in forty shorter runs while what is drawn to
# train on grew: this file tells how, at that commit. Three networks from nothing, whose figures stand in the model card
# beside those of what ships, had its glance and were taught by it, at commit 44bd91d:
#
#     for seed in 1 2 3; do
#         inkdigit train --network large --out runs/l$seed --glance inkdigit --taught-by inkdigit --epochs 18 --seed $seed
#     done
set -euo pipefail
cd "$(dirname "$0")/.."
BEFORE=22fa7df
MODELS=src/inkdigit/models

if [ "${1:-}" = quick ]; then
    inkdigit train --out runs/quick --recipe quick
    inkdigit evaluate runs/quick
    exit
fi

for name in inkdigit tiny lenet5 conv8-16-32; do
    git show "$BEFORE:$MODELS/$name.onnx" > "runs/before-$name.onnx"
done
torchrun --nproc-per-node 2 -m inkdigit train --recipe glance --out runs/glance --from runs/before-inkdigit.onnx \
    --pens 4 --invented 12000 --sheets 80000 --glance-epochs 36 --seed 4
inkdigit export runs/glance --int8 --to $MODELS/inkdigit.onnx

small() {
    inkdigit train --out "runs/$1" --name "$1" --network "$1" --from "runs/before-$1.onnx" --glance runs/glance "${@:2}"
    inkdigit export "runs/$1" --to "$MODELS/$1.onnx"
}
KEPT="--epochs 0 --pens 1 --invented 10 --sheets 1000 --seed 4" # calibrated on the new glance's frames
small tiny $KEPT
small conv8-16-32 $KEPT
small lenet5 --recipe taught --taught-by runs/before-inkdigit.onnx --redrawn 0 --pens 4 --invented 8000 --sheets 20000 \
    --epochs 10
inkdigit evaluate
