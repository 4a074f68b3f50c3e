#!/usr/bin/env bash
# Build deploy/Dockerfile without a Docker engine, run the image, predict through it, and print its size and start time.
#
#     sudo bash deploy/try-image.sh [FOLDER]
#
# It needs Debian's packages buildah, debootstrap and curl. debootstrap makes the base, a minimal Debian with Python, in
# FOLDER, where later runs find it. Requests stay on the loopback interface.
set -euo pipefail
cd "$(dirname "$0")/.."
missing=()
for program in buildah debootstrap curl; do command -v "$program" >/dev/null || missing+=("$program"); done
[ "${#missing[@]}" -eq 0 ] || { echo "Not installed: ${missing[*]}. On Debian: apt-get install ${missing[*]}" >&2; exit 2; }
[ "$(id -u)" -eq 0 ] || { echo "Run this as root: it mounts and enters the image with chroot." >&2; exit 2; }
FOLDER=$(realpath -m "${1:-/var/tmp/inkdigit-image}")
PORT=${PORT:-8123}
SUITE=${SUITE:-bookworm}
BASE=localhost/debian-python
IMAGE=localhost/inkdigit
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot CONTAINERS_STORAGE_CONF=/dev/null
mkdir -p "$FOLDER"
buildah() { command buildah --root "$FOLDER/store" --runroot "$FOLDER/run" "$@"; }

server=
cleanup() {
  [ -z "$server" ] || { kill -- "-$server" 2>/dev/null && wait "$server"; } || true
  [ -z "${container:-}" ] || { buildah umount "$container" && buildah rm "$container"; } >/dev/null 2>&1 || true
  umount "$FOLDER/readonly/proc" "$FOLDER/readonly" 2>/dev/null || true
}
trap cleanup EXIT

if ! buildah images --quiet "$BASE" >/dev/null 2>&1; then
  echo "making a base"
  if [ ! -d "$FOLDER/base" ]; then
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 '/debian/*$')
    rm -rf "$FOLDER/base.tmp"
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates "$SUITE" "$FOLDER/base.tmp" "$mirror" \
      >"$FOLDER/debootstrap.log"
    mv "$FOLDER/base.tmp" "$FOLDER/base"
  fi
  rm -rf "$FOLDER"/base/var/cache/apt/* "$FOLDER"/base/var/lib/apt/lists/* \
    "$FOLDER"/base/usr/share/{doc,man,locale,info}/*  # as the usual slim images do
  scratch=$(buildah from scratch)
  buildah add --quiet "$scratch" "$FOLDER/base" / >/dev/null
  buildah commit --quiet "$scratch" "$BASE" >/dev/null
  buildah rm "$scratch" >/dev/null
fi

echo "building"
volumes=()  # certificates and pip settings, so that the build reaches this machine's package index
for path in /etc/ssl/certs /etc/pip.conf; do
  [ ! -e "$path" ] || volumes+=(--volume "$path:$path:ro")
done
buildah build --quiet --format docker --build-arg "BASE=$BASE" "${volumes[@]}" --file deploy/Dockerfile --tag "$IMAGE" . >/dev/null

container=$(buildah from "$IMAGE")
root=$(buildah mount "$container")
config() { buildah inspect --type image --format "{{$1}}" "$IMAGE"; }
echo "size unpacked: $(du -sm --apparent-size "$root" | cut -f1) MB, of which Inkdigit $(du -sm --apparent-size "$root/opt/inkdigit" | cut -f1) MB"
[ -z "$(find "$root/opt/inkdigit" -maxdepth 5 -name 'torch*')" ] || { echo "torch is in the image"; exit 1; }
echo "user: $(config .OCIv1.Config.User), health check: $(config .Docker.Config.Healthcheck.Test)"

# Run it as its user on a read-only file system: the image's variables, entry point and command, in a chroot.
mkdir -p "$FOLDER/readonly"
mount --bind "$root" "$FOLDER/readonly"
mount -o remount,bind,ro "$FOLDER/readonly"
mount -t proc proc "$FOLDER/readonly/proc"
mapfile -t variables < <(buildah inspect --type image --format '{{range .OCIv1.Config.Env}}{{println .}}{{end}}' "$IMAGE" | grep .)
inside() { exec setsid env -i "${variables[@]}" INKDIGIT_PORT="$PORT" chroot --userspec="$(config .OCIv1.Config.User)" "$FOLDER/readonly" "$@"; }
for try in 1 2 3 4 5; do  # several, because other work on the machine slows some of them down
  [ -z "$server" ] || { kill -- "-$server" && wait "$server" || true; }
  start=$(date +%s%N)
  (inside inkdigit serve) >"$FOLDER/serve.log" 2>&1 &
  server=$!
  until curl --silent --fail --max-time 5 "http://127.0.0.1:$PORT/readyz" >/dev/null; do
    [ $(($(date +%s%N) - start)) -lt 60000000000 ] || { cat "$FOLDER/serve.log"; exit 1; }
    sleep 0.02
  done
  echo "start $try: ready after $((($(date +%s%N) - start) / 1000000)) ms"
done
(inside python3 -m inkdigit.server.healthcheck) && echo "healthy"

answer=$(curl --silent --fail --form file=@src/inkdigit/demos/examples/2-boxed-seven.png "http://127.0.0.1:$PORT/v1/predict")
echo "$answer"
[[ $answer == *'"digit":7'* ]]
echo "a digit was read through the image"
