#!/usr/bin/env bash
# Rebuild the shipped model: data, training, export and scores. INKDIGIT_DATA names the folder of the data sets.
set -euo pipefail
cd "$(dirname "$0")/.."

inkdigit train --out runs/first
inkdigit train --out runs/shipped --recipe further --from runs/first
cp runs/shipped/inkdigit.onnx src/inkdigit/models/inkdigit.onnx.tmp
mv src/inkdigit/models/inkdigit.onnx.tmp src/inkdigit/models/inkdigit.onnx
inkdigit evaluate
