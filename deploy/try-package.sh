#!/usr/bin/env bash
# Build the sdist and, from it, the wheel; install the wheel in an empty environment, first alone and then with the extra
# `serve`; and predict there, offline.
#
#     bash deploy/try-package.sh [PYTHON]
#
# The results are in dist/. PYTHON is one that has the extra `dev` installed.
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
install() { "$FOLDER/empty/bin/pip" install --quiet --constraint constraints.txt "$@"; }
refuse_packages() {  # REGULAR EXPRESSION: fail if a package of such a name is installed
  if "$FOLDER/empty/bin/pip" list | grep -iE "^($1) "; then echo "these do not belong in this install"; exit 1; fi
}
offline=()
if unshare --net true 2>/dev/null; then
  offline=(unshare --net)
else
  echo "this machine does not let us cut the network off: trying with it"
fi
run() { (cd "$FOLDER" && "${offline[@]}" empty/bin/inkdigit "$@"); }

# The base: predict works, and serve names the extra that it needs.
install "$wheel"
refuse_packages 'fastapi|granian|prometheus.client|pydantic|pydantic.settings|multipart|torch|onnx|gradio|streamlit|ray'
cp src/inkdigit/demos/examples/2-boxed-seven.png "$FOLDER/seven.png"
answer=$(run predict seven.png)
echo "$answer"
[[ $answer == "seven.png: 7 "* ]]
code=0
sentence=$(run serve 2>&1) || code=$?
echo "$sentence"
[ "$code" -eq 2 ]
[[ $sentence == *"pip install 'inkdigit[serve]'"* && $sentence != *$'\n'* ]]

# With the extra `serve`: the service answers.
install "$wheel[serve]"
refuse_packages 'torch|onnx|gradio|streamlit|ray'
cat >"$FOLDER/ask.py" <<'ASK'
"""Start the service on a free port, predict through it, and stop it."""
import re, signal, subprocess, sys, urllib.request

command = [sys.executable, "-m", "inkdigit", "serve", "--port", "0"]
with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
    url = re.search(r"http://\S+", process.stdout.readline())[0]
    request = urllib.request.Request(f"{url}/v1/predict", open("seven.png", "rb").read(), {"Content-Type": "image/png"})
    print(urllib.request.urlopen(request, timeout=30).read().decode())
    process.send_signal(signal.SIGTERM)
ASK
loopback='ip link set lo up 2>/dev/null || true; exec "$@"'
[ "${#offline[@]}" -eq 0 ] || command -v ip >/dev/null || offline=()  # a new network namespace has its loopback down
answer=$(cd "$FOLDER" && "${offline[@]}" sh -c "$loopback" sh timeout 120 empty/bin/python ask.py)
echo "$answer"
[[ $answer == *'"digit":7'* ]]
echo "$(basename "$wheel"), $((size / 1000)) kB, $(wc -l <"$FOLDER/content") files: installed and tried"
