# SPDX-License-Identifier: MIT
# The library as lm.c and lm.h: both compile everywhere, and give the same bytes as the list of files.
one_file() {
    python3 tests/amalgamation/test_amalgamation.py "$out/one-file" gcc clang aarch64-linux-gnu-gcc x86_64-w64-mingw32-gcc-posix
}

# A compiler takes less than 1 GB: they run side by side where there is room for both.
one_file_program() { # COMPILER
    local at=$out/one-file started=$SECONDS
    "$1" -O2 -g1 "$at/lm.c" tests/amalgamation/rows.c -I"$at" -lm -pthread -o "$at/rows-$1" || return 1
    strip -o "$at/stripped-$1" "$at/rows-$1" && echo "$1: $((SECONDS - started)) s, $(stat -c %s "$at/stripped-$1") bytes stripped with all of the library"
    python3 tests/amalgamation/check_instructions.py "$at/rows-$1" "$at/lm.c"
}

one_file_programs() {
    if [ "$(awk '/MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)" -gt 4000 ]; then
        one_file_program gcc & local first=$! status=0
        one_file_program clang || { echo "clang fails"; status=1; }
        wait $first || { echo "gcc fails"; status=1; }
        return $status
    fi
    one_file_program gcc && one_file_program clang
}

one_file_rows() {
    local at=$out/one-file
    gcc -O2 -Iinclude -Iinclude/lm tests/amalgamation/rows.c "$(readlink -f "$out/gcc/liblm.so")" -Wl,-rpath,"$PWD/$out/gcc" -o "$at/rows" &&
        python3 tests/amalgamation/check_rows.py tests/golden/models "$at/rows" "$at/rows-gcc" "$at/rows-clang"
}
