#!/usr/bin/env bash
# Rebuild the shipped models: data, training, export and scores. INKDIGIT_DATA names the folder of the data sets.
#
#     bash runs/reproduce.sh [quick]
#
# With `quick` it is one model, from nothing: bench/README.md says how long that takes, and how well it reads.
# `inkdigit` went this way in some thirty shorter runs (163 epochs of the glance, 126 of the network), eleven of which
# mixed some of an earlier run's weights in (--mix-with); what is drawn to train on grew on the way. docs/MODEL_CARD.md
# lists them, but for those whose glance was taken, or whose weights were mixed in. The three runs here have 30 and 46
# epochs, and were not run whole. The last of `inkdigit`, by the recipe `finish`: 28 epochs of the glance on 70,000
# sheets; then separable layers took the place of wider ones in it, and of 38 epochs on 78,000 sheets (rate 0.006) the
# first 25 were taken, for the others lost hairlines; 8 of the network on that glance's frames of 42,000 (rate 0.002,
# distortion 0.8, fading over 0.6 of them), half of which was mixed in. `tiny` was made as here, and given that glance;
# the classics went on for 8 to 13 epochs after their 12, then half of their own earlier weights was mixed in.
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
