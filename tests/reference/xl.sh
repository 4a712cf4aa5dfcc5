#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Makes the archive that adds Xen's own toolstack to our control domain's image: xl and its helpers.
#
#   xl.sh OUT.cpio.gz STAGE ROOT        ROOT: the unpacked packages
#
# In the control domain, `xl-up` then starts xenconsoled and makes the domain known to libxl. Guests may have disks that are block devices
# (`phy:`) and network cards on a bridge.
set -euo pipefail

out=$1 stage=$2 root=$3
bin=usr/lib/xen-4.17/bin libdir=usr/lib/x86_64-linux-gnu
rm -rf "$stage"
mkdir -p "$stage/$bin" "$stage/$libdir" "$stage"/usr/sbin "$stage"/etc/xen/scripts "$stage"/var/lib/xen
for program in xl xenconsoled xenconsole xen-init-dom0 libxl-save-helper; do
    cp "$root/$bin/$program" "$stage/$bin/"
done
export LD_LIBRARY_PATH=$PWD/$root/$libdir
for program in "$stage/$bin"/*; do
    ldd "$program"
done | grep -oE '/[^ ]+' | sort -u | while read -r library; do
    cp -Ln "$library" "$stage/$libdir/" 2>/dev/null || true
done
unset LD_LIBRARY_PATH
rm -f "$stage/$libdir"/{libc.so.6,ld-linux-x86-64.so.2}
cp -L /lib/x86_64-linux-gnu/libgcc_s.so.1 "$stage/$libdir/"
echo 'autoballoon="off"' >"$stage/etc/xen/xl.conf"
cat >"$stage/usr/sbin/xl-up" <<'E'
#!/bin/sh
# Starts what xl needs and the control domain's image does not start by itself.
mkdir -p /var/lock /run/xen-console
xenstore-rm /local/domain/0/domid # else xen-init-dom0 thinks that all is done
xen-init-dom0 >/dev/null
xenconsoled --log=guest --log-dir=/run/xen-console --pid-file=/run/xenconsoled.pid
E
# libxl starts these when a guest's disk or network card comes or goes, and waits for their word.
cat >"$stage/etc/xen/scripts/block" <<'E'
#!/bin/sh
[ "$1" = add ] || exit 0
xenstore-write "$XENBUS_PATH/physical-device" "$(stat -c %t:%T "$(xenstore-read "$XENBUS_PATH/params")")" "$XENBUS_PATH/hotplug-status" connected
E
cat >"$stage/etc/xen/scripts/vif-bridge" <<'E'
#!/bin/sh
[ "$1" = online ] || exit 0
brctl addif "$(xenstore-read "$XENBUS_PATH/bridge")" "$vif" && ip link set "$vif" up && xenstore-write "$XENBUS_PATH/hotplug-status" connected
E
chmod +x "$stage/usr/sbin/xl-up" "$stage"/etc/xen/scripts/*
(cd "$stage" && find . -mindepth 1 -printf '%P\n' | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet) |
    gzip -n -1 >"$out"
