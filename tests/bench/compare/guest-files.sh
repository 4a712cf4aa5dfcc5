#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What the guests of the comparison, and their control domain, get beside Debian's busybox: hackbench, of Debian's rt-tests, and
# iperf3, with their libraries.
#
#   guest-files.sh OUT TREE        TREE: where the packages are unpacked
#
# A program whose packages cannot be had is not in OUT, and the comparison has no rows of it; where all are there, OUT/.made is.
set -euo pipefail

out=$1 tree=$2
rm -rf "$out" "$tree"
mkdir -p "$out"/usr/{bin,lib64,lib/x86_64-linux-gnu}

# PROGRAM PACKAGE...
get() {
    local program=$1 from=$tree/$1
    shift
    if ! dom0-tools/dom0/fetch.sh "$from" "$@" >"$out.log" 2>&1; then
        echo "parvis: no $program, as $* cannot be had; see $out.log" >&2
        missing=1
        return
    fi
    cp "$from/usr/bin/$program" "$out/usr/bin/"
    LD_LIBRARY_PATH=$PWD/$from/usr/lib/x86_64-linux-gnu ldd "$out/usr/bin/$program" | grep -oE '/[^ ]+' | while read -r library; do
        case $library in
        /lib64/*) cp -L "$library" "$out/usr/lib64/" ;;
        *) cp -L "$library" "$out/usr/lib/x86_64-linux-gnu/" ;;
        esac
    done
}

missing=
get hackbench rt-tests
get iperf3 iperf3 libiperf0 libsctp1
[[ $missing ]] || touch "$out/.made"
