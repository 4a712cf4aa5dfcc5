#!/bin/bash
# SPDX-License-Identifier: MIT
#
# An initramfs that fits another kernel: a copy with the modules of that kernel as one more archive behind the others.
#
#   with-modules.sh OUT.cpio.gz INITRAMFS DIRECTORY LIST       DIRECTORY, LIST: as for modules.sh
set -euo pipefail

out=$1 initramfs=$2 from=$3 list=$4
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

mkdir -p "$stage/usr/lib"
ln -s usr/lib "$stage/lib" # as in what it is added to; depmod looks there
"$(dirname "$0")/modules.sh" "$stage" "$from" "$list"
{
    cat "$initramfs"
    (cd "$stage" && find usr | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet) | gzip -n -1
} >"$out.new"
mv "$out.new" "$out"
