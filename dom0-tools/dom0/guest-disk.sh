#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Makes a disk with a small Debian on it, for a guest: its own kernel, systemd, the network by DHCP, root without a password on the
# console. Debian's packages, put together by mmdebstrap as root, or in a name space of its user's; no disk is mounted.
#
#   guest-disk.sh OUT.img [PACKAGE...]       PACKAGEs are installed besides
#
# The disk is one ext4 file system without a partition table, in a file with holes. GRUB in the guest (grub-xen-host) reads its
# /boot/grub/grub.cfg, which names kernel and initramfs by the links that Debian's kernel packages keep at the newest. What is
# downloaded stays in build/downloads/guest-disk/.
set -euo pipefail

out=$1
shift
size=3G # of which 3/4 are free
cache=$PWD/build/downloads/guest-disk
packages=(linux-image-amd64 systemd-sysv systemd-resolved udev kmod iproute2 iputils-ping e2fsprogs login passwd)
# Documentation in other languages, and drivers of machines that a guest has not got; for what it installs later too.
small=(/usr/share/{man,locale,doc}/'*' '/lib/modules/*/kernel/sound/*' '/lib/modules/*/kernel/drivers/*' '/lib/udev/hwdb.d/*'
    '/lib/modules/*/kernel/net/'{wireless,mac80211,bluetooth}'/*')
kept=(/usr/share/doc/'*'/copyright '/lib/modules/*/kernel/drivers/'{block,xen,net/xen-netfront.ko,net/tun.ko,net/dummy.ko,net/veth.ko})

exclude=()
for path in "${small[@]}"; do exclude+=("--dpkgopt=path-exclude=$path"); done
for path in "${kept[@]}"; do exclude+=("--dpkgopt=path-include=$path" "--dpkgopt=path-include=$path/*"); done

mkdir -p "$cache" "$(dirname "$out")"
new=$(realpath "$(dirname "$out")")/$(basename "$out").new
files=$(mktemp -d)
trap 'rm -rf "$files" "$new"' EXIT
chmod 755 "$files" # the name space's root is not ours
mkdir -p "$files"/boot/grub "$files"/etc/systemd/network
echo debian >"$files/etc/hostname"
echo "LABEL=debian / ext4 errors=remount-ro 0 1" >"$files/etc/fstab"
printf '[Match]\nName=e*\n\n[Network]\nDHCP=yes\n' >"$files/etc/systemd/network/80-dhcp.network"
cat >"$files/boot/grub/grub.cfg" <<'END'
# What GRUB of grub-xen-host reads. /vmlinuz and /initrd.img are links to the newest kernel's.
set timeout=0
set enable_progress_indicator=0
menuentry Debian {
    linux /vmlinuz root=LABEL=debian ro console=hvc0 quiet
    initrd /initrd.img
}
END

# mkfs takes a view of the tree in which nothing is mounted, as /proc is in the other.
rm -f "$new"
truncate -s "$size" "$new"
mmdebstrap --quiet --variant=apt --format=null --include="$(IFS=,; echo "${packages[*]}${*:+,$*}")" "${exclude[@]}" \
    --skip=download/empty --skip=essential/unlink \
    --setup-hook='mkdir -p "$1"/var/cache/apt/archives' --setup-hook="sync-in '$cache' /var/cache/apt/archives" \
    --essential-hook="sync-in '$files' /" \
    --customize-hook="sync-out /var/cache/apt/archives '$cache'" \
    --customize-hook='chroot "$1" passwd --quiet --delete root' \
    --customize-hook='chroot "$1" systemctl --quiet enable systemd-networkd systemd-resolved' \
    --customize-hook='rm -f "$1"/var/cache/apt/archives/*.deb "$1"/etc/resolv.conf; ln -s /run/systemd/resolve/stub-resolv.conf "$1"/etc/resolv.conf' \
    --customize-hook="mkdir '$files/view' && mount --bind \"\$1\" '$files/view' && mkfs.ext4 -q -L debian -d '$files/view' '$new' && umount '$files/view'" \
    bookworm /dev/null
mv "$new" "$out"
