#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Makes an initramfs of Debian packages' files: busybox, kernel modules, programs with their libraries.
#
#   initramfs.sh OUT.cpio.gz STAGE DEBIAN OVERLAY MODULES [FILE=PATH ...]
#
# STAGE is a scratch directory, DEBIAN the tree of unpacked packages, OVERLAY a directory that is copied over the rest,
# MODULES a list of kernel modules. FILE=PATH puts FILE at PATH; a program brings the libraries that it is linked with
# (from DEBIAN when they are there, else this machine's). The layout is Debian's, /bin and /lib inside /usr.
set -euo pipefail

out=$1 stage=$2 debian=$3 overlay=$4 module_list=$5
shift 5
libdir=usr/lib/x86_64-linux-gnu

rm -rf "$stage"
mkdir -p "$stage"/{dev,proc,sys,run,tmp,root,mnt,etc,var/lib,usr/bin,usr/sbin,usr/lib64,"$libdir"}
for dir in bin sbin lib lib64; do
    ln -s "usr/$dir" "$stage/$dir"
done
ln -s ../run "$stage/var/run"
ln -s ../run "$stage/var/log"

# busybox, with all its names
cp /bin/busybox "$stage/usr/bin/busybox"
/bin/busybox --list-full | while read -r applet; do
    applet=usr/${applet#usr/}
    [[ -e $stage/$applet ]] || ln -s /usr/bin/busybox "$stage/$applet"
done

"$(dirname "$0")/modules.sh" "$stage" "$debian"/lib/modules/* "$module_list"

cp -a "$overlay/." "$stage/"
for item in "$@"; do
    file=${item%%=*} path=${item#*=}
    mkdir -p "$stage/$(dirname "$path")"
    cp -L "$file" "$stage/$path"
done

# libraries: ask the dynamic linker about each program and each library that was named
export LD_LIBRARY_PATH=$PWD/$debian/$libdir
find "$stage/usr" -type f \( -perm -u+x -o -name '*.so.*' \) ! -name '*.ko' ! -name busybox | while read -r program; do
    ldd "$program" 2>/dev/null || true
done | sed -nE 's/^[[:space:]]*(.* => )?(\/.*) \(0x[0-9a-f]+\)$/\2/p' | sort -u | while read -r library; do
    path=${library#"$PWD/$debian/"}
    path=${path#/}
    [[ $path == usr/* ]] || path=usr/$path
    mkdir -p "$stage/$(dirname "$path")"
    [[ -e $stage/$path ]] || cp -L "$library" "$stage/$path"
done
unset LD_LIBRARY_PATH

(cd "$stage" && find . -mindepth 1 -printf '%P\n' | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet) |
    gzip -n -6 >"$out.new"
mv "$out.new" "$out"
