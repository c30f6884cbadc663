#!/bin/sh
# SPDX-License-Identifier: MIT
# Compare the library's binary interface with the stored description, or store it anew after a change that is meant.
# The library must have been built with debug information (-Dbuildtype=debugoptimized).
#
#   tests/abi/abi.sh check  BUILD/liblm.so      0 when nothing that was there has changed; additions are allowed
#   tests/abi/abi.sh update BUILD/liblm.so      writes tests/abi/liblm.abi
set -eu
here=$(cd "$(dirname "$0")" && pwd)
describe() {
    abidw --headers-dir "$here/../../include" --drop-private-types --exported-interfaces-only --no-corpus-path --no-comp-dir-path --no-show-locs \
        --type-id-style hash --out-file "$2" "$1"
}
case "$1" in
update) describe "$2" "$here/liblm.abi" ;;
check)
    new=$(mktemp)
    trap 'rm -f "$new"' EXIT
    describe "$2" "$new"
    abidiff --no-added-syms "$here/liblm.abi" "$new"
    ;;
*) exit 2 ;;
esac
