#!/usr/bin/env bash
# Rebuild the shipped models: data, training, export and scores. INKDIGIT_DATA names the folder of the data sets.
#
#     bash runs/reproduce.sh [quick]
#
# With `quick` it is one model, from nothing: bench/README.md says how long that takes, and how well it reads.
# The shipped models were made in shorter runs. The glance took some thirty (163 epochs), eleven of which mixed some of
# an earlier run's weights in (--mix-with), while what is drawn to train on grew. The last two began with the `inkdigit`
# of commit 72b7ebf, whose network is called `small` today:
#
#     inkdigit train --out runs/S2 --from inkdigit --epochs 0 --glance-epochs 22 --sheets 84000 --rate 0.005 --pens 8 \
#         --invented 20000  # while ink was drawn half as fine: it lost hairlines
#     inkdigit train --out runs/S3 --from runs/S2 --epochs 0 --glance-epochs 15 --sheets 84000 --pens 8 --invented 20000
#
# `tiny` was made as below, went on for 14 epochs on S3's frames (rate 0.003), and half of it before was mixed in; the
# classics went on for 8 to 13 epochs after their 12, and half of their earlier weights was mixed in. The network of
# `inkdigit` was then made from nothing, with the glance S3, which is the one that `tiny` has:
#
#     F="--glance tiny --sheets 52000 --pens 10 --invented 20000 --fading 0.5 --revisited 0.8"
#     inkdigit train --out runs/W1 --glance tiny --epochs 16 --sheets 48000 --rate 0.006 --pens 8 --invented 20000 \
#         --distortion 0.8 --fading 0.5 --revisited 0.7
#     inkdigit train --out runs/W2a --from runs/W1 $F --epochs 12 --rate 0.004 --distortion 0.8
#     inkdigit train --out runs/W1x --from runs/W1 --glance tiny --epochs 0  # what goes on from a run sees new drawings
#     inkdigit train --out runs/W2b --from runs/W1x $F --epochs 12 --rate 0.004 --distortion 0.8
#     inkdigit train --out runs/M7 --from runs/W2a --mix-with runs/W2b --mix-part 0.5 --glance tiny --epochs 0
#     inkdigit train --out runs/W3a --from runs/M7 $F --epochs 10 --rate 0.002 --distortion 0.6
#     inkdigit train --out runs/M7x --from runs/M7 --glance tiny --epochs 0
#     inkdigit train --out runs/W3b --from runs/M7x $F --epochs 8 --rate 0.002 --distortion 0.6
#     inkdigit train --out runs/M8 --from runs/W3a --mix-with runs/W3b --mix-part 0.5 --glance tiny --epochs 0
#     inkdigit train --out runs/M9 --from runs/M8 --mix-with runs/M7 --mix-part 0.333 --glance tiny --epochs 0
#     inkdigit export runs/M9 --int8 --to src/inkdigit/models/inkdigit.onnx
#
# The three runs below, from nothing, have 30 and 46 epochs, and were not run whole.
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
inkdigit train --out runs/further --recipe further --from runs/first
inkdigit train --out runs/inkdigit --recipe finish --from runs/further
inkdigit export runs/inkdigit --int8 --to src/inkdigit/models/inkdigit.onnx
inkdigit train --out runs/tiny --recipe tiny --name tiny
ship tiny
inkdigit train --out runs/lenet5 --recipe tiny --network lenet5 --epochs 12 --rate 0.004 --name lenet5
ship lenet5
inkdigit train --out runs/conv8-16-32 --recipe tiny --network conv8-16-32 --epochs 12 --name conv8-16-32
ship conv8-16-32
inkdigit evaluate
