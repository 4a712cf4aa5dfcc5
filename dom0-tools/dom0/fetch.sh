#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Downloads Debian packages, once, and unpacks them (unpacks: nothing is installed on this machine).
#
#   fetch.sh TREE PACKAGE...      downloads to build/downloads/, unpacks all into the directory TREE
#
# A package named linux-image-amd64 stands for the kernel package that it depends on. A package that is in
# build/downloads/ is not fetched again; delete the file to get a newer one. When the network is missing, the
# packages that could not be had are named.
set -euo pipefail

tree=$1
shift
downloads=build/downloads
mkdir -p "$downloads"

# The newest downloaded file of a package; nothing when there is none.
have() {
    local found
    found=$(find "$downloads" -maxdepth 1 -name "$1_*.deb" -printf '%T@ %p\n' | sort -n | tail -n 1)
    echo "${found#* }"
}

packages=()
for package in "$@"; do
    if [[ $package == linux-image-amd64 ]]; then
        package=$(basename "$(have 'linux-image-[0-9]*-amd64')")
        package=${package%%_*}
        [[ $package ]] || package=$(apt-cache depends linux-image-amd64 |
            sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
        [[ $package ]] || { echo "parvis: apt knows no linux-image-amd64 (run apt-get update)" >&2; exit 1; }
    fi
    packages+=("$package")
done

missing=()
for package in "${packages[@]}"; do
    [[ $(have "$package") ]] || missing+=("$package")
done
if ((${#missing[@]})); then
    echo "parvis: downloading to $downloads: ${missing[*]}"
    (cd "$downloads" && apt-get -q -o APT::Sandbox::User=root download "${missing[@]}") || {
        echo "parvis: could not download ${missing[*]}; is the network there, and are apt's lists fresh?" >&2
        exit 1
    }
fi

rm -rf "$tree"
mkdir -p "$tree"
for package in "${packages[@]}"; do
    dpkg -x "$(have "$package")" "$tree"
done
