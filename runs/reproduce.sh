#!/usr/bin/env bash
# Rebuild the shipped models: data, training, export and scores. INKDIGIT_DATA names the folder of the data sets.
# What ships went this way in seven shorter runs (40 epochs of the glance, 63 of the network), which its contract names
# one by one. These three have 30 and 46, and were not run whole.
set -euo pipefail
cd "$(dirname "$0")/.."

ship() {
    cp "runs/$1/$1.onnx" "src/inkdigit/models/$1.onnx.tmp"
    mv "src/inkdigit/models/$1.onnx.tmp" "src/inkdigit/models/$1.onnx"
}

inkdigit train --out runs/first
inkdigit train --out runs/further --recipe further --from runs/first
inkdigit train --out runs/inkdigit --recipe finish --from runs/further
ship inkdigit
inkdigit train --out runs/tiny --recipe tiny --name tiny
ship tiny
inkdigit evaluate
