#!/usr/bin/env bash
# Rebuild the shipped models: data, training, export and scores. INKDIGIT_DATA names the folder of the data sets.
#
#     bash runs/reproduce.sh [quick]
#
# With `quick` it is one model, from nothing: bench/README.md says how long that takes, and how well it reads.
# `inkdigit` went this way in some thirty shorter runs (163 epochs of the glance, 126 of the network), eleven of which
# mixed some of an earlier run's weights in (--mix-with); what is drawn to train on grew on the way. docs/MODEL_CARD.md
# lists them, but for those whose glance was taken, or whose weights were mixed in. The three runs here have 30 and 46
# epochs, and were not run whole. The last runs of `inkdigit`, from the one of the commit before on:
#
#     inkdigit train --out runs/S2 --from inkdigit --epochs 0 --glance-epochs 22 --sheets 84000 --rate 0.005 --pens 8 \
#         --invented 20000  # while ink was drawn half as fine: it lost hairlines
#     inkdigit train --out runs/S3 --from runs/S2 --epochs 0 --glance-epochs 15 --sheets 84000 --pens 8 --invented 20000
#     inkdigit train --out runs/N3 --from runs/F2 --glance runs/S3 --epochs 10 --sheets 48000 --rate 0.003 --pens 10 \
#         --invented 20000 --distortion 0.8 --fading 0.5
#     inkdigit train --out runs/M3 --from runs/N3/inkdigit.onnx --mix-with runs/F2/inkdigit.onnx --mix-part 0.5 \
#         --glance runs/S3 --epochs 0 --recipe finish
#     inkdigit train --out runs/G6 --from runs/S3/inkdigit.onnx --mix-with inkdigit --mix-part 0.25 --epochs 0 \
#         --glance-epochs 0
#     inkdigit train --out runs/M6 --from runs/M3 --glance runs/G6 --epochs 0 --recipe finish --pens 1 --invented 10
#
# where F2 and `inkdigit` are those of the commit before. The glance that had was made of 28 epochs on 70,000 sheets;
# then separable layers took the place of wider ones, and of 38 epochs on 78,000 sheets the first 25 were taken. `tiny`
# was made as here, went on for 14 epochs on S3's frames (rate 0.003), and half of it before was mixed in; the classics
# went on for 8 to 13 epochs after their 12, half of their own earlier weights was mixed in; all have the glance G6.
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
inkdigit train --out runs/first
inkdigit train --out runs/further --recipe further --from runs/first
inkdigit train --out runs/inkdigit --recipe finish --from runs/further
ship inkdigit
inkdigit train --out runs/tiny --recipe tiny --name tiny
ship tiny
inkdigit train --out runs/lenet5 --recipe tiny --network lenet5 --epochs 12 --rate 0.004 --name lenet5
ship lenet5
inkdigit train --out runs/conv8-16-32 --recipe tiny --network conv8-16-32 --epochs 12 --name conv8-16-32
ship conv8-16-32
inkdigit evaluate
