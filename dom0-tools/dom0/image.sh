#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Makes a disk image that UEFI firmware starts: a GPT with one FAT EFI system partition. No root is needed: the file
# system is made in a file of its own, filled by mtools, and copied into the image. The control domain is told the partition's GUID
# (parvis.boot=, in its cmdline): it keeps its definitions there, and a guest's disk can have the same label.
#
#   image.sh OUT.img PARVIS.EFI PARVIS.CFG [FILE ...]      FILEs go to the partition's root, beside parvis.cfg
#
# The firmware looks for \EFI\BOOT\BOOTX64.EFI on any disk; that is parvis.efi.
set -euo pipefail

out=$1 efi=$2 config=$3
shift 3
bytes=$(cat "$efi" "$efi" "$config" "$@" | wc -c)
guid=$(cat /proc/sys/kernel/random/uuid)
mib=$((bytes / 1048576 + 40)) # room for more files, and above the 33 MiB that FAT32 needs
esp=$out.esp
rm -f "$esp" "$out.new"

mkfs.vfat -F 32 -n PARVIS -C "$esp" $((mib * 1024)) >/dev/null
mmd -i "$esp" ::/EFI ::/EFI/BOOT
mcopy -i "$esp" "$efi" ::/EFI/BOOT/BOOTX64.EFI
mcopy -i "$esp" "$efi" ::/parvis.efi
sed "/^\[control\]/,/^\[domain/s/^ *cmdline *= */&parvis.boot=PARTUUID=$guid /" "$config" | mcopy -i "$esp" - ::/parvis.cfg
for file in "$@"; do
    mcopy -i "$esp" "$file" "::/$(basename "$file")"
done

truncate -s $(((mib + 2) * 1048576)) "$out.new"
sgdisk --clear --new=1:2048:+${mib}M --typecode=1:ef00 --partition-guid=1:"$guid" --change-name=1:parvis "$out.new" >/dev/null
dd if="$esp" of="$out.new" bs=1M seek=1 conv=notrunc,sparse status=none
rm -f "$esp"
mv "$out.new" "$out"
