#!/usr/bin/env bash
# Rebuild everything that ships from the data alone, by the commit that this script stands in.
#
#     bash runs/train.sh [--out DIR] [--data DIR] [--resume] [quick]
#
# Every stage is a run in a folder of DIR that is named after what it makes; DIR/models holds what would ship, and
# DIR/report.md the machine, the minutes and the figures. `--resume` skips stages that are finished and continues the
# others from their checkpoints. `quick` makes everything smaller, to see that it works.
set -euo pipefail

OUT=runs/whole RESUME='' QUICK=''
while [ $# -gt 0 ]; do
    case $1 in
        --out) OUT=${2:?--out names a folder}; shift ;;
        --data) export INKDIGIT_DATA=${2:?--data names a folder}; shift ;;
        --resume) RESUME=1 ;;
        quick) QUICK=1 ;;
        *) echo "usage: bash runs/train.sh [--out DIR] [--data DIR] [--resume] [quick]" >&2; exit 2 ;;
    esac
    shift
done
HERE=$(cd "$(dirname "$0")" && pwd)
OUT=$(realpath -m "$OUT")
report() { python "$HERE/report.py" "$@"; }

: "${INKDIGIT_DATA:?names the folder of the data sets, or use --data}"
INKDIGIT_DATA=$(realpath -m "$INKDIGIT_DATA")
report begin "$OUT" ${RESUME:+--resume} --mode "${QUICK:+quick}" # refuses other code than the stages before had

stage() { # NAME COMMAND…: run what makes OUT/NAME, unless it is finished; note how long it took
    local name=$1 since=$SECONDS code=0
    shift
    [ ! -f "$OUT/$name.done" ] || return 0
    echo "== $name" >&2
    "$@" || code=$?
    report minutes "$OUT" "$name" $((SECONDS - since))
    [ $code = 0 ] || return $code
    touch "$OUT/$name.done"
}

fit() { # NAME FLAGS…: train a digit model in OUT/NAME, from its checkpoint if it was begun
    local out=$OUT/$1
    [ -f "$out/recipe.json" ] && set -- "$@" --resume
    inkdigit train --out "$out" "${@:2}"
}

fit_numbers() { # FLAGS…: train the number reader, in parts of at most 40 minutes that end with a checkpoint
    local code=124
    while [ $code = 124 ]; do
        code=0
        [ -f "$OUT/numbers/numbers.checkpoint.safetensors" ] && set -- "$@" --resume
        timeout --signal=INT "${PART:-40m}" inkdigit train --task number --out "$OUT/numbers" "$@" || code=$?
    done
    return $code
}

small() { stage "$1" fit "$1" --name "$1" --network "$1" "${BESIDE[@]}" "${SMALL[@]}"; } # NETWORK

export_all() {
    mkdir -p "$OUT/models"
    inkdigit export "$OUT/inkdigit" --int8 --to "$OUT/models/inkdigit.onnx"
    for name in tiny lenet5 conv8-16-32 numbers; do cp "$OUT/$name/$name.onnx" "$OUT/models/"; done
}

# The settings that `quick` makes smaller, and what all classifiers share.
BESIDE=(--set "localizer=$OUT/localizer")
if [ "$QUICK" ]; then
    LESS=(--set sheets=3000 --set pens=1 --set invented=1000 --set pictures=20000)
    LOCALIZER=(--network tiny --epochs 1 "${LESS[@]}") SEEDS=(1 2) SEED=(--network small --epochs 3 "${LESS[@]}")
    FLAGSHIP=(--epochs 3 "${LESS[@]}") SMALL=(--epochs 3 "${LESS[@]}")
    NUMBERS=(--set steps=600 --set calibrated_on=200)
else
    LOCALIZER=(--network tiny --epochs 2 --set localizer_epochs=9) SEEDS=(1 2 3) SEED=(--network large)
    FLAGSHIP=(--set redrawn=1) SMALL=(--recipe tiny --epochs 24)
    NUMBERS=()
fi
if [ -n "${SMALLEST:-}" ]; then # for the test of this script: as little as every stage accepts
    read -ra LESS <<< "$SMALLEST"
    LOCALIZER+=("${LESS[@]}") SEED+=("${LESS[@]}") FLAGSHIP+=("${LESS[@]}") SMALL+=("${LESS[@]}")
    NUMBERS=(--set steps="${SMALLEST_STEPS:?}" --set batch=2 --set calibrated_on=4)
fi

# The number reader needs nothing of the other stages, so it has a core of its own.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
stage numbers fit_numbers "${NUMBERS[@]}" 2>"$OUT/numbers.log" &
NUMBERS_JOB=$!
trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT

stage localizer fit localizer --name localizer "${LOCALIZER[@]}"
TEACHERS=''
for seed in "${SEEDS[@]}"; do
    stage "seed$seed" fit "seed$seed" --seed "$seed" "${BESIDE[@]}" "${SEED[@]}"
    TEACHERS+=${TEACHERS:+,}$OUT/seed$seed
done
stage inkdigit fit inkdigit "${BESIDE[@]}" --set "teachers=$TEACHERS" "${FLAGSHIP[@]}"
for network in tiny lenet5 conv8-16-32; do small "$network"; done
wait $NUMBERS_JOB || { cat "$OUT/numbers.log" >&2; exit 1; }
trap - EXIT

stage export export_all
stage scores inkdigit evaluate "$OUT"/models/{inkdigit,tiny,lenet5,conv8-16-32}.onnx
report write "$OUT"
[ "$QUICK" ] || cp "$OUT/report.md" "$HERE/report.md"
echo "$OUT/models holds the models; copy them to src/inkdigit/models and run runs/model_card.py for the card" >&2
