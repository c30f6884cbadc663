# SPDX-License-Identifier: MIT
# How the library reaches other programs: installed files, and the templates of tests/consumers.
model=tests/golden/models/qwen3.gguf

# The same tokens from a consumer as from the first one built; LD_LIBRARY_PATH where the shared library is meant.
consumed() { # PROGRAM
    local got
    got=$(LD_LIBRARY_PATH="$prefix/lib" "$1" "$model") || return 1
    [ "$(echo "$got" | wc -l)" -eq 8 ] || { echo "$1 printed: $got"; return 1; }
    echo "$got" | cmp - "$out/consumed" 2>/dev/null || { [ ! -e "$out/consumed" ] && echo "$got" >"$out/consumed"; }
}

# The program of README.md without an argument.
told() { # PROGRAM
    LD_LIBRARY_PATH="$prefix/lib" "$1" | grep -q '^Once upon a time a ' || { echo "$1 tells no story"; return 1; }
}

installed() {
    prefix=$PWD/$out/prefix
    rm -rf "$prefix" "$out/consumed"
    configure "$out/install" -Dtests=false --prefix "$prefix" --libdir lib && meson install -C "$out/install" --no-rebuild --quiet
}

consumer_pkgconfig() {
    PKG_CONFIG_PATH=$prefix/lib/pkgconfig make -s -B -C tests/consumers/pkgconfig OUT="$PWD/$out/consumer-shared" &&
        consumed "$out/consumer-shared" &&
        PKG_CONFIG_PATH=$prefix/lib/pkgconfig make -s -B -C tests/consumers/pkgconfig OUT="$PWD/$out/consumer-static" STATIC=1 &&
        consumed "$out/consumer-static" && ! readelf -d "$out/consumer-static" | grep -q liblm &&
        PKG_CONFIG_PATH=$prefix/lib/pkgconfig make -s -B -C tests/consumers/pkgconfig minimal OUT="$PWD/$out/consumer-minimal" &&
        told "$out/consumer-minimal"
}

consumer_cmake() {
    rm -rf "$out/consumer-cmake"
    cmake -S tests/consumers/cmake -B "$out/consumer-cmake" -DCMAKE_PREFIX_PATH="$prefix" >"$out/cmake.log" 2>&1 &&
        cmake --build "$out/consumer-cmake" >>"$out/cmake.log" 2>&1 || { tail -n 20 "$out/cmake.log"; return 1; }
    told "$out/consumer-cmake/minimal" && consumed "$out/consumer-cmake/consumer" && consumed "$out/consumer-cmake/consumer_static" &&
        ! readelf -d "$out/consumer-cmake/consumer_static" | grep -q liblm
}

# Versions, ranges and components that CMake is asked for: is the package found where it should be, and only there? The prefix was moved to
# a place with a space and a letter that is not ASCII.
cmake_asks() {
    local at="$out/cmake asks ü" wanted arguments
    rm -rf "$at"
    mkdir -p "$at/project" && cp -r "$prefix" "$at/prefix" || return 1
    while IFS=: read -r wanted arguments; do
        printf 'cmake_minimum_required(VERSION 3.19)\nproject(asks C)\nfind_package(lm %s)\nmessage(STATUS "found: [${lm_FOUND}]")\n' "$arguments" \
            >"$at/project/CMakeLists.txt"
        rm -rf "$at/build"
        cmake -S "$at/project" -B "$at/build" -DCMAKE_PREFIX_PATH="$PWD/$at/prefix" >"$out/cmake.log" 2>&1
        grep -q "found: \[$wanted\]" "$out/cmake.log" || { echo "find_package(lm $arguments) is not $wanted"; tail -n 20 "$out/cmake.log"; return 1; }
    done <<'ASKED'
1:CONFIG
0:0.999 CONFIG
0:1.0 CONFIG
1:0.1...<1.0 CONFIG
1:0.0.1...2 CONFIG
0:0.0.1...0.0.9 CONFIG
1:CONFIG COMPONENTS shared static box
0:CONFIG COMPONENTS no-such
1:CONFIG OPTIONAL_COMPONENTS no-such
ASKED
    PKG_CONFIG_PATH=$PWD/$at/prefix/lib/pkgconfig pkg-config --define-prefix --variable=libdir lm | grep -q "asks"
}

# A clone of the committed files is the subproject that the wrap file would have fetched.
consumer_meson() {
    local at=$out/consumer-meson
    rm -rf "$at"
    mkdir -p "$at/subprojects/liblm"
    cp tests/consumers/meson/meson.build tests/consumers/consumer.c examples/minimal.c "$at" && cp tests/consumers/meson/subprojects/lm.wrap "$at/subprojects" &&
        git archive HEAD | tar -x -C "$at/subprojects/liblm" || return 1
    meson setup "$at/build" "$at" >"$at.log" 2>&1 && ninja -C "$at/build" -j "$jobs" >>"$at.log" 2>&1 || { tail -n 20 "$at.log"; return 1; }
    consumed "$at/build/consumer" && told "$at/build/minimal"
}
