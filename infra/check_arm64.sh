#!/usr/bin/env bash
# Runs the arm64 zip of the Lambda function on this machine, whatever its processor: under QEMU, with
# Debian's arm64 Python of the runtime's version. It imports the handler, classifies pictures of every
# format with LiteRT's arm64 wheel, and asks for the page.
#
#   infra/check_arm64.sh [build/lambda-arm64.zip] [picture ...]
#
# Needs root, and Debian's packages qemu-user-static and debootstrap. Neither a chroot nor binfmt is
# used: the emulator loads the libraries from the unpacked packages.
set -euo pipefail
cd "$(dirname "$0")/.."

zip=${1:-build/lambda-arm64.zip}
shift || true
root=build/arm64-root
version=3.13

if [ ! -x "$root/usr/bin/python$version" ]; then
  debootstrap --foreign --arch=arm64 --variant=minbase "--include=python$version,libstdc++6" \
    trixie "$root"
  for package in "$root"/var/cache/apt/archives/*.deb; do dpkg-deb -x "$package" "$root"; done
fi
# LiteRT reads the processor's features here, and crashes on another architecture's file.
mkdir -p "$root/proc" "$root/sys/devices/system/cpu"
printf 'processor\t: 0\nFeatures\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp ssbs\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n\n' > "$root/proc/cpuinfo"
echo 0 > "$root/sys/devices/system/cpu/present"
echo 0 > "$root/sys/devices/system/cpu/possible"

task=$(mktemp -d)
trap 'rm -rf "$task"' EXIT
python3 -m zipfile -e "$zip" "$task"
# Graviton2, the processor of Lambda's arm64.
qemu-aarch64-static -cpu neoverse-n1 -L "$root" "$root/usr/bin/python$version" -B - "$task" "$@" <<'PYTHON'
import base64
import io
import platform
import sys

task, *files = sys.argv[1:]
sys.path.insert(0, task)
import handler
from PIL import Image


class Context:
    function_name, aws_request_id = "classifier", "1"

    def get_remaining_time_in_millis(self):
        return 60_000


def label(data):
    row = handler.handler({"image": base64.b64encode(data).decode()}, Context())
    return f"{row['label']} {row['score']:.4f} {row['engine']} {row['error_code'] or ''}"


print(platform.machine(), sys.version.split()[0])
for name in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"):
    content = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(content, name)
    print(name, label(content.getvalue()))
for file in files:
    print(file, label(open(file, "rb").read()))
http = {"http": {"method": "GET"}, "requestId": "r"}
page = handler.handler({"version": "2.0", "rawPath": "/", "headers": {}, "requestContext": http}, Context())
print("page", page["statusCode"], len(page["body"]), "characters")
PYTHON
