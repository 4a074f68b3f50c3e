#!/usr/bin/env bash
# Rebuild the shipped models: data, training, export and scores. INKDIGIT_DATA names the folder of the data sets.
#
#     bash runs/reproduce.sh [quick]
#
# With `quick` it is one model, from nothing: bench/README.md says how long that takes, and how well it reads.
# The shipped models were made in many shorter runs, while what is drawn to train on grew. How `inkdigit` came about up to
# commit 0aed589, and `tiny` and the classics, stands in this file at commit 1107f68. How many runs are before one seeds
# what it draws; one that trains nothing calibrates, or lets the next one see other drawings:
#
#     N="--epochs 0 --pens 1 --invented 10"
#
# Five networks taught that of commit 0aed589: its own before, one that had gone on from half of W3 (MX, W5; both begin
# with `inkdigit` of commit 04af9b6), and three made anew:
#
#     inkdigit train --out runs/MX --from inkdigit --mix-with runs/W3 --mix-part 0.5 --glance-epochs 0 --sheets 1000 $N
#     inkdigit train --out runs/W5 --from runs/MX --recipe finish
#     for seed in 1 2 3; do inkdigit train --out runs/s$seed --glance inkdigit --seed $seed; done
#     inkdigit train --out runs/t1 --from runs/M5 --recipe taught --taught-by runs/M5,runs/W5,runs/s1,runs/s2
#     inkdigit train --out runs/t3 --from runs/t1 --recipe taught --taught-by runs/M5,runs/W5,runs/s1,runs/s2,runs/s3 \
#         --seed 3 --pens 4 --invented 10000 --sheets 30000 --epochs 4 --rate 0.002
#     inkdigit export runs/t3 --int8 --to src/inkdigit/models/inkdigit.onnx
#
# That artefact is `inkdigit` at commit e1b14b1. Then the glance got four residual blocks, whose last normalisation was
# given the weight 0 in the runs before, so that they added nothing yet. It went on, on paper with bolder print, more
# rings and more shadows, and then the network, on its frames:
#
#     inkdigit train --out runs/g1 --from runs/t3 --recipe glance --pens 4 --invented 12000 --sheets 80000 --glance-epochs 44
#     inkdigit train --out runs/c1 --from runs/t3 --recipe taught --glance runs/g1 --seed 5 --epochs 10 \
#         --taught-by runs/M5,runs/W5,runs/s1,runs/s2,runs/s3,runs/t3 --pens 6 --invented 14000 --sheets 40000
#     inkdigit train --out runs/c2 --from runs/c1 --glance runs/g1 --sheets 1000 $N
#     inkdigit export runs/c2 --int8 --to src/inkdigit/models/inkdigit.onnx
#
# That artefact is `inkdigit` at commit 5b42361, and its small models have the networks of today: what follows goes on from
# there. The glance went on three times, while print came to be fine, dotted and aslant, some sheets were blank, and
# things lay beside the digits: each time on the paper of then. The networks stayed, and are calibrated anew.
#
# Three seeds of one run from nothing, whose figures stand in the model card beside those of what ships:
#
#     for seed in 1 2 3; do
#         inkdigit train --network large --out runs/l$seed --glance inkdigit --taught-by inkdigit --epochs 18 --seed $seed
#     done
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-}" = quick ]; then
    inkdigit train --out runs/quick --recipe quick
    inkdigit evaluate runs/quick
    exit
fi

MODELS=src/inkdigit/models
mkdir -p runs/before runs/shipped
for name in inkdigit tiny lenet5 conv8-16-32; do
    git show "5b42361:$MODELS/$name.onnx" > "runs/before/$name.onnx"
done

go_on() { # RUN FROM COMMIT FLAGS…: train the glance on, as the package at a commit does
    [ -d "runs/at-$3" ] || git worktree add --detach "runs/at-$3" "$3"
    PYTHONPATH="runs/at-$3/src" torchrun --nproc-per-node 2 -m inkdigit train --out "runs/$1" --from "runs/$2" \
        --recipe glance --pens 4 --invented 12000 --sheets 80000 "${@:4}"
    git worktree remove "runs/at-$3"
}
go_on g2 before/inkdigit.onnx e6b95f7 --glance-epochs 38
go_on g4 g2 31f93cf --glance-epochs 40 --seed 2
go_on g5 g4 86343f1 --glance-epochs 36 --seed 3

# Of the last run, the artefact: what else a run keeps has changed since.
KEPT="--set localizer=runs/g5/inkdigit.onnx --epochs 0 --set pens=1 --set invented=10 --set sheets=1000"
inkdigit train --out runs/inkdigit --from runs/before/inkdigit.onnx $KEPT
inkdigit export runs/inkdigit --int8 --to runs/shipped/inkdigit.onnx
for name in tiny lenet5 conv8-16-32; do
    inkdigit train --out "runs/$name" --name "$name" --network "$name" --from "runs/before/$name.onnx" $KEPT
    inkdigit export "runs/$name" --to "runs/shipped/$name.onnx"
done
cp runs/shipped/*.onnx "$MODELS/" # at last: what is exported names its commit, and whether anything differs from that
inkdigit evaluate
