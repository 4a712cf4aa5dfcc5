#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Downloads Debian packages, once, and unpacks them (unpacks: nothing is installed on this machine).
#
#   fetch.sh [-s SUITE] TREE PACKAGE...    downloads to build/downloads/, unpacks all into the directory TREE
#
# With -s the packages are those of another suite of Debian (bookworm-backports), which this machine's apt need not know;
# they are kept in build/downloads/SUITE/.
# A package named linux-image-amd64 stands for the kernel package that it depends on. A package that is in
# build/downloads/ is not fetched again; delete the file to get a newer one. When the network is missing, the
# packages that could not be had are named.
set -euo pipefail

downloads=build/downloads
suite=
if [[ $1 == -s ]]; then
    suite=$2
    downloads+=/$suite
    shift 2
fi
tree=$1
shift
mkdir -p "$downloads"
apt_options=(-q -o APT::Sandbox::User=root)

# Before apt is asked: with -s it gets a world of its own, in which there is only that suite.
prepare_apt() {
    local apt=$PWD/$downloads/apt
    [[ $suite && ! -v asked ]] || return 0
    asked=1
    mkdir -p "$apt"/lists/partial "$apt"/cache/archives/partial
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $suite main" \
        >"$apt/sources.list"
    apt_options+=(-o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=-
        -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache")
    apt-get "${apt_options[@]}" -o Acquire::http::Timeout=20 --error-on=any update >/dev/null || {
        echo "parvis: the list of packages of $suite could not be had; is the network there?" >&2
        exit 1
    }
}

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
        [[ $package ]] || {
            prepare_apt
            package=$(apt-cache "${apt_options[@]}" depends linux-image-amd64 |
                sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
        }
        [[ $package ]] || { echo "parvis: apt knows no linux-image-amd64 (run apt-get update)" >&2; exit 1; }
    fi
    packages+=("$package")
done

# One at a time: what two want is downloaded once.
(
    flock 9
    missing=()
    for package in "${packages[@]}"; do
        [[ $(have "$package") ]] || missing+=("$package")
    done
    if ((${#missing[@]})); then
        prepare_apt
        echo "parvis: downloading to $downloads: ${missing[*]}"
        (cd "$downloads" && apt-get "${apt_options[@]}" download "${missing[@]}") || {
            echo "parvis: could not download ${missing[*]}; is the network there, and are apt's lists fresh?" >&2
            exit 1
        }
    fi
) 9>"$downloads/.lock"

rm -rf "$tree"
mkdir -p "$tree"
for package in "${packages[@]}"; do
    dpkg -x "$(have "$package")" "$tree"
done
