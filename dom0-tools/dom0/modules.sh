#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Puts kernel modules, those that they need, and the indexes of modprobe into the tree of an initramfs.
#
#   modules.sh STAGE DIRECTORY LIST
#
# DIRECTORY is some kernel's lib/modules/VERSION, which is only read; LIST a file of modules' names. A module that this kernel
# has neither as a file nor built in is named, and left out. Compressed modules are unpacked: busybox loads plain ones alone.
set -euo pipefail

stage=$1 from=$(realpath "$2") list=$3
version=${from##*/}
to=$stage/usr/lib/modules/$version
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# modprobe wants indexes, which a package has not: they are made in a tree of links.
mkdir -p "$scratch/lib/modules" "$to"
cp -rs "$from" "$scratch/lib/modules/"
rm -f "$scratch/lib/modules/$version"/{build,source}
depmod -b "$scratch" "$version"
for module in $(sed 's/#.*//' "$list"); do
    modprobe -d "$scratch" -S "$version" --ignore-install --show-depends "$module" 2>/dev/null ||
        echo "parvis: $from has no module $module" >&2
done | sed -nE 's/^insmod (.*\.ko(\.[a-z]+)?).*/\1/p' | sort -u | while read -r file; do
    inside=$to/${file##*/lib/modules/"$version"/}
    mkdir -p "$(dirname "$inside")"
    case $file in
    *.xz) xz -dc "$file" >"${inside%.xz}" ;;
    *.gz) gzip -dc "$file" >"${inside%.gz}" ;;
    *.zst) zstd -dcq "$file" >"${inside%.zst}" ;;
    *) cp -L "$file" "$inside" ;;
    esac
done
cp "$from"/modules.{order,builtin,builtin.modinfo} "$to/"
depmod -b "$stage" "$version"
