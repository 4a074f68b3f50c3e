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
# That artefact is `inkdigit` at commit 5b42361. Then some of the glance's sheets were blank, and it went on three times: on
# paper of commit e6b95f7, which has more boxes; on that of 31f93cf; and when print was also fine, dotted and aslant, and
# things lay beside the digits. The network stayed:
#
#     K="--recipe glance --pens 4 --invented 12000 --sheets 80000"
#     inkdigit train --out runs/g2 --from runs/g1 $K --glance-epochs 38
#     inkdigit train --out runs/g4 --from runs/g2 $K --glance-epochs 40 --seed 2
#     inkdigit train --out runs/g5 --from runs/g4 $K --glance-epochs 36 --seed 3
#     inkdigit train --out runs/c5 --from runs/c2 --glance runs/g5 --sheets 1000 $N
#     inkdigit export runs/c5 --int8 --to src/inkdigit/models/inkdigit.onnx
#
# That artefact is `inkdigit` at commit 1fe0482. Then the closer look got wider, and digitness came to move the temperature;
# c6 is made as c5 was. The small models have the glance of `inkdigit`, and are calibrated likewise (`--from runs/tiny
# --network tiny --name tiny --glance runs/g5 --sheets 1000 $N`, and so on). Later all four kept
# their weights, but the confidence from which they are sure was settled anew by `exporting.settled`, and their scores
# taken anew, when what is not sure came to be read twice, and then four times.
#
# Three seeds of one run from nothing, whose figures stand in the model card beside those of what ships:
#
#     for seed in 1 2 3; do
#         inkdigit train --network large --out runs/l$seed --glance inkdigit --taught-by inkdigit --epochs 18 --seed $seed
#     done
set -euo pipefail
cd "$(dirname "$0")/.."

ship() {
    cp "runs/$1/$1.onnx" "src/inkdigit/models/$1.onnx.tmp"
    mv "src/inkdigit/models/$1.onnx.tmp" "src/inkdigit/models/$1.onnx"
}

if [ "${1:-}" = quick ]; then
    inkdigit train --out runs/quick --recipe quick
    inkdigit evaluate runs/quick
    exit
fi
inkdigit train --out runs/first --glance inkdigit
inkdigit train --out runs/second --glance inkdigit --seed 2
inkdigit train --out runs/further --recipe further --from runs/first
inkdigit train --out runs/inkdigit --recipe taught --from runs/further --taught-by runs/further,runs/second,inkdigit
inkdigit export runs/inkdigit --int8 --to src/inkdigit/models/inkdigit.onnx
inkdigit train --out runs/tiny --recipe tiny --name tiny
ship tiny
inkdigit train --out runs/lenet5 --recipe tiny --network lenet5 --epochs 12 --rate 0.004 --name lenet5
ship lenet5
inkdigit train --out runs/conv8-16-32 --recipe tiny --network conv8-16-32 --epochs 12 --name conv8-16-32
ship conv8-16-32
inkdigit evaluate
