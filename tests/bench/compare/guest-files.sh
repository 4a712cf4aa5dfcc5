#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What the guests of the comparison get beside Debian's busybox: hackbench, of Debian's rt-tests, with its libraries.
#
#   guest-files.sh OUT TREE        TREE: where the package is unpacked
#
# Without the package OUT is empty, and the comparison has no row of hackbench.
set -euo pipefail

out=$1 tree=$2
rm -rf "$out"
mkdir -p "$out"/usr/{bin,lib64,lib/x86_64-linux-gnu}
if ! dom0-tools/dom0/fetch.sh "$tree" rt-tests >"$out.log" 2>&1; then
    echo "parvis: no hackbench, as rt-tests cannot be had; see $out.log" >&2
    exit 0
fi
cp "$tree/usr/bin/hackbench" "$out/usr/bin/"
ldd "$out/usr/bin/hackbench" | grep -oE '/[^ ]+' | while read -r library; do
    case $library in
    /lib64/*) cp -L "$library" "$out/usr/lib64/" ;;
    *) cp -L "$library" "$out/usr/lib/x86_64-linux-gnu/" ;;
    esac
done
