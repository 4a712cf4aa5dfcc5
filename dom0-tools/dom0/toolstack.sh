#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Makes the archive that adds another toolstack to the control domain's image.
#
#   toolstack.sh OUT.cpio.gz STAGE ROOT BASE FILES OVERLAY
#
# STAGE is a scratch directory, ROOT the unpacked packages, BASE the tree of the image that it is added to, FILES the list of what
# is taken of ROOT, OVERLAY a directory that is copied over the rest. Programs bring the libraries that they are linked with and
# BASE has not. The layout is Debian's, /bin, /sbin and /lib inside /usr. What BASE has by this name is replaced: busybox's programs.
set -euo pipefail

out=$1 stage=$2 root=$3 base=$4 files=$5 overlay=$6
libdir=usr/lib/x86_64-linux-gnu

rm -rf "$stage"
mkdir -p "$stage"
for file in $(sed 's/#.*//' "$files"); do
    to=$stage/usr/${file#usr/}
    [[ $file == etc/* ]] && to=$stage/$file
    mkdir -p "$(dirname "$to")"
    cp -a "$root/$file" "$to"
done
mkdir -p "$stage"/var/lib/xen "$stage"/var/lock
cp -a "$overlay/." "$stage/"

export LD_LIBRARY_PATH=$PWD/$root/$libdir:$PWD/$root/lib/x86_64-linux-gnu
find "$stage/usr" -type f \( -perm -u+x -o -name '*.so' \) | while read -r program; do
    ldd "$program" 2>/dev/null || true
done | sed -nE 's/^[[:space:]]*(.* => )?(\/.*) \(0x[0-9a-f]+\)$/\2/p' | sort -u | while read -r library; do
    path=${library#"$PWD/$root/"}
    path=${path#/}
    [[ $path == usr/* ]] || path=usr/$path
    [[ -e $base/$path ]] || install -D "$library" "$stage/$path"
done
unset LD_LIBRARY_PATH

(cd "$stage" && find . -mindepth 1 -printf '%P\n' | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet) | gzip -n -6 >"$out.new"
mv "$out.new" "$out"
