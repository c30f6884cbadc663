#!/bin/sh
# SPDX-License-Identifier: MIT
# Build the kernel tests for 64-bit Arm and run them in an emulator, on a processor with every level and on one with Armv8.0 alone.
#
#     run_aarch64.sh [FOLDER] [arguments of the tests]
#
# CC, QEMU: cross compiler and emulator. The test programs stay in FOLDER (build-aarch64-kernels).
set -e
top=$(cd "$(dirname "$0")/../.." && pwd)
folder=${1:-build-aarch64-kernels}
[ $# -eq 0 ] || shift
mkdir -p "$folder"
for test in test_matmul test_rows test_attend; do
    ${CC:-aarch64-linux-gnu-gcc} -O2 -static -Wall -Wextra -Werror -std=gnu11 -I"$top/include" -I"$top/kernels" -I"$top/tests/support" \
        "$top"/kernels/*.c "$top"/kernels/*/*.c "$top/tests/kernels/$test.c" "$top/tests/kernels/harness.c" \
        "$top/tests/kernels/limits.c" -lm -o "$folder/$test"
done
for cpu in max cortex-a57; do
    for test in test_matmul test_rows test_attend; do ${QEMU:-qemu-aarch64} -cpu $cpu "$folder/$test" "$@"; done
done
