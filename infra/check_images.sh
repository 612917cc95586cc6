#!/bin/sh
# Builds both images from their Dockerfiles without a Docker daemon or a registry, and labels pictures
# with them, which fails if a file or package is missing. The base image is a minimal Debian made here.
#
#   sudo infra/check_images.sh [FOLDER]       needs debootstrap and buildah; about five minutes, 3 GB
#
# The published base (python:…-slim) is the same Debian with another patch level of Python.
set -eu
work=${1:-$(mktemp -d)}
root=$(cd "$(dirname "$0")/.." && pwd)
base=localhost/seefood-base
export BUILDAH_ISOLATION=chroot
buildah="buildah --root $work/store --runroot $work/run --storage-driver vfs"

if ! [ -x "$work/debian/usr/bin/python3" ]; then
  debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates trixie "$work/debian"
  ln -sf python3 "$work/debian/usr/bin/python"
fi
# Behind a proxy with its own certificate, pip needs this machine's certificates.
cp /etc/ssl/certs/ca-certificates.crt "$work/debian/etc/ssl/certs/ca-certificates.crt"
container=$($buildah from scratch)
$buildah add --quiet "$container" "$work/debian" / > /dev/null
$buildah config --env PATH=/usr/local/bin:/usr/bin:/bin \
  --env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
  --env PIP_CERT=/etc/ssl/certs/ca-certificates.crt "$container"
$buildah commit --quiet --rm "$container" "$base" > /dev/null

for name in bulk lambda; do
  echo "== $name"
  $buildah bud --quiet --pull-never --build-arg "PYTHON_IMAGE=$base" \
    --file "$root/infra/$name.Dockerfile" --tag "seefood-$name" "$root"
done

echo "== the batch job's image labels pictures, as an ordinary user"
mkdir -p "$work/pictures" "$work/labels"
chmod 777 "$work/labels"
container=$($buildah from --pull-never localhost/seefood-bulk)
folder=$($buildah mount "$container")
du -sh "$folder/opt/seefood" | sed 's/\t.*/ of Python packages/'
cp "$folder"/model/assets.extra/golden/* "$work/pictures" 2> /dev/null \
  || cp "$root"/seefood/models/hotdog/assets.extra/golden/* "$work/pictures"
$buildah run --user 10001:10001 --volume "$work/pictures:/pictures:ro" --volume "$work/labels:/labels" \
  "$container" -- seefood classify /pictures --output /labels --model /model --shard batch \
  --max-failure-ratio 0.05 --quiet
$buildah rm "$container" > /dev/null

echo "== the Lambda image's handler labels a picture"
container=$($buildah from --pull-never localhost/seefood-lambda)
folder=$($buildah mount "$container")
du -sh "$folder/opt/seefood" | sed 's/\t.*/ of Python packages/'
picture=$(find "$work/pictures" -type f | head -1)
$buildah run --user 10001:10001 --volume "$work/pictures:/pictures:ro" "$container" -- python -c '
import base64, sys
from pathlib import Path
import awslambdaric, handler

class Context:
    function_name, aws_request_id = "classifier", "1"

    def get_remaining_time_in_millis(self):
        return 60_000

picture = Path("/pictures", sys.argv[1]).read_bytes()
row = handler.handler({"image": base64.b64encode(picture).decode()}, Context())
print(row["label"], round(row["score"], 3))
assert row["status"] in ("ok", "unsure"), row
' "$(basename "$picture")"
$buildah rm "$container" > /dev/null
echo "both images work"
