#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Makes the second archive of the control domain's initramfs: what this project builds, and guests' files. It is not compressed:
# most of it is already, and the control domain would unpack it at every start.
#
#   ours.sh OUT.cpio STAGE TOOL... -- GUEST...
#
# Tools go to /usr/sbin, the schema of domain files to /usr/share/parvis, guest kernels to /var/lib/parvis, the completion
# of commands to /usr/share/bash-completion/completions, manual pages to /usr/share/man.
set -euo pipefail

out=$1 stage=$2
shift 2
rm -rf "$stage"
mkdir -p "$stage"/usr/{sbin,share/parvis,share/bash-completion/completions} "$stage"/var/lib/parvis
while (($#)) && [[ $1 != -- ]]; do
    install -m 755 -s "$1" "$stage/usr/sbin/"
    shift
done
shift

# libraries that a tool is linked with and the base archive has not; Debian's unpacked packages before this machine's
libdir=usr/lib/x86_64-linux-gnu
export LD_LIBRARY_PATH=$PWD/build/debian/$libdir
for tool in "$stage"/usr/sbin/*; do
    ldd "$tool" 2>/dev/null || true
done | sed -nE 's/^[[:space:]]*(.* => )?(\/.*) \(0x[0-9a-f]+\)$/\2/p' | sort -u | while read -r library; do
    path=${library#"$PWD/build/debian/"}
    path=${path#/}
    [[ $path == usr/* ]] || path=usr/$path
    [[ -e build/dom0/base/$path ]] || install -D "$library" "$stage/$path"
done
unset LD_LIBRARY_PATH

for guest in "$@"; do
    strip -o "$stage/var/lib/parvis/${guest##*/}" "$guest" # who has a debugger has them with symbols, in build/
done
find dom0-tools -name '*.rng' -exec cp {} "$stage/usr/share/parvis/" \;
for completion in dom0-tools/*/*.bash-completion; do # bash-completion finds it by the command's name
    cp "$completion" "$stage/usr/share/bash-completion/completions/$(basename "$completion" .bash-completion)"
done
# The manual: Debian's mandoc, whose command is mman, in the place of busybox's man, which lacks a formatter.
for page in {docs,build/dom0-tools}/man/*.[1-8]; do
    install -D -m 644 "$page" "$stage/usr/share/man/man${page##*.}/$(basename "$page")"
done
build/debian/usr/sbin/makewhatis "$stage/usr/share/man"
mkdir -p "$stage/usr/bin"
printf '#!/bin/sh\nexec mman "$@"\n' >"$stage/usr/bin/man"
chmod 755 "$stage/usr/bin/man"
cp build/dom0/vmlinuz build/dom0/guest-initramfs.cpio.gz "$stage/var/lib/parvis/"
(cd "$stage" && find . -mindepth 1 -printf '%P\n' | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet) >"$out.new"
mv "$out.new" "$out"
