#!/usr/bin/env bash
# Build the sdist and, from it, the wheel. Install the wheel in an empty environment, then predict and read there offline.
# The base install must do without the service; then the extra `serve` is added, and the service must answer.
#
#     bash deploy/try-package.sh [PYTHON]
#
# What it built is in dist/. PYTHON is one that has the extra `dev` installed.
set -euo pipefail
cd "$(dirname "$0")/.."
PYTHON=$(command -v "${1:-python3}")
FOLDER=$(mktemp -d)
trap 'rm -rf "$FOLDER"' EXIT
LARGEST=10000000  # bytes of the wheel

rm -rf dist
"$PYTHON" -m build --outdir dist . >"$FOLDER/build.log" || { cat "$FOLDER/build.log"; exit 1; }
wheel=$(ls dist/inkdigit-*.whl)
size=$(stat --format %s "$wheel")
[ "$size" -le "$LARGEST" ] || { echo "$wheel has $size bytes"; exit 1; }
"$PYTHON" -c 'import sys, zipfile; print(*zipfile.ZipFile(sys.argv[1]).namelist(), sep="\n")' "$wheel" >"$FOLDER/content"
if grep -vE '^inkdigit(-[^/]*\.dist-info)?/' "$FOLDER/content"; then
  echo "these do not belong in the wheel"
  exit 1
fi
for file in models/inkdigit.onnx server/web/index.html py.typed; do grep -qx "inkdigit/$file" "$FOLDER/content"; done
for file in LICENSE NOTICE; do grep -q "dist-info/licenses/$file$" "$FOLDER/content"; done

"$PYTHON" -m venv "$FOLDER/empty"
"$FOLDER/empty/bin/pip" install --quiet --constraint constraints.txt "$wheel"
[ -z "$("$FOLDER/empty/bin/pip" list | grep -iE '^(torch|onnx|gradio|streamlit|ray|fastapi|granian|prometheus[-_]client|pydantic) ')" ]

offline=()
if unshare --net true 2>/dev/null; then
  offline=(unshare --net)
else
  echo "this machine does not let us cut the network off: predicting with it"
fi
cp src/inkdigit/demos/examples/2-boxed-seven.png "$FOLDER/seven.png"
answer=$(cd "$FOLDER" && "${offline[@]}" empty/bin/inkdigit predict seven.png)
echo "$answer"
[[ $answer == "seven.png: 7 "* ]]
answer=$(cd "$FOLDER" && "${offline[@]}" empty/bin/inkdigit read seven.png --json)
[[ $answer == *'"text": "7"'* ]] || { echo "read: $answer"; exit 1; }
code=0
refusal=$("$FOLDER/empty/bin/inkdigit" serve 2>&1) || code=$?
[ "$code" = 2 ] && [[ $refusal == *"pip install 'inkdigit[serve]'"* ]] || { echo "serve: $refusal"; exit 1; }

"$FOLDER/empty/bin/pip" install --quiet --constraint constraints.txt "$wheel[serve]"
"$FOLDER/empty/bin/python" - <<'SCRIPT'
from inkdigit.server.app import create_app

paths = create_app().openapi()["paths"]
assert {"/v1/predict", "/v1/read", "/v1/read/batch", "/v1/models"} <= paths.keys(), paths.keys()
SCRIPT
echo "$(basename "$wheel"), $((size / 1000)) kB, $(wc -l <"$FOLDER/content") files: installed and tried${offline:+ with no network}"
