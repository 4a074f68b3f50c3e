#!/usr/bin/env bash
# Rebuild the shipped models: data, training, export and scores. INKDIGIT_DATA names the folder of the data sets.
#
#     bash runs/reproduce.sh [quick]
#
# With `quick` it is one model, from nothing: bench/README.md says how long that takes, and how well it reads.
# `inkdigit` went this way in 30 shorter runs (110 epochs of the glance, 110 of the network), ten of which mixed some of
# an earlier run's weights in (--mix-with); what is drawn to train on grew on the way. Its contract tells them run by run,
# but for those whose glance it took, or whose weights it mixed in: they are named there by their folders alone. The three
# here have 30 and 46 epochs, and were not run whole. `tiny` went on for 29 epochs after its 30, and the classics for 8 to
# 13 after their 12; then half of their own earlier weights was mixed in.
# The last of `inkdigit`, by the recipe `finish` at a rate of 0.0015: y1 went on from what shipped then (8 epochs of the
# glance, 6 of the network, 46,000 sheets), y2 from y1 (8 of the network), z1 from y1 (7 of the glance); m1 is what
# shipped then with 0.6 of z1, and f4 has the glance of m1 and half of y2's network. Its network went on for 8 epochs
# (distortion 0.8, fading over half of them) on the frames of a glance that does not ship: f4's after 8 epochs of 80,000
# sheets, which lost hairlines. h1 is that network with f4's glance, a3 went on from h1 (5 of the glance), and what ships
# is h1 with half of a3.
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
