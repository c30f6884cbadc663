# SPDX-License-Identifier: MIT
# Other processors and systems: 64-bit Arm under qemu-user, 64-bit Windows under wine where there is one.

aarch64_library() {
    local started=$SECONDS
    configure "$out/arm" --cross-file .ci/cross/aarch64-linux.ini && stripped "$out/arm/liblm.so" "aarch64-linux" aarch64-linux-gnu-strip &&
        echo "built in $((SECONDS - started)) s"
}

# The same text as the native library, from the same bits.
same_story() { # COMMAND...
    "$@" gen tests/golden/models/qwen3.gguf -p "Once upon a time" --temp 0 -n 24 2>/dev/null | tr -d '\r' >"$out/story" &&
        "$out/gcc/examples/lm/lm" gen tests/golden/models/qwen3.gguf -p "Once upon a time" --temp 0 -n 24 2>/dev/null | cmp - "$out/story" && [ -s "$out/story" ]
}

aarch64_story() {
    same_story qemu-aarch64 -L / -E LD_LIBRARY_PATH="$out/arm" "$out/arm/examples/lm/lm"
}

windows_library() {
    local started=$SECONDS
    configure "$out/windows" --cross-file .ci/cross/x86_64-w64-mingw32.ini &&
        stripped "$out/windows/liblm-0.dll" "x86_64-windows" x86_64-w64-mingw32-strip && echo "built in $((SECONDS - started)) s"
}

windows_run() {
    command -v wine >/dev/null || { echo "skipped: there is no wine here"; return 0; }
    export WINEDEBUG=-all
    wineserver -p120 # does not start anew for each program
    local windows=$out/windows t
    cp "$windows/liblm-0.dll" "$windows/examples/box/liblm-box-0.dll" "$windows/examples/lm" && cp "$windows/liblm-0.dll" "$windows/examples/box/liblm-box-0.dll" "$windows/examples" &&
        wine "$windows/examples/minimal.exe" tests/golden/models/qwen3.gguf 2>/dev/null | grep -q . && same_story wine "$windows/examples/lm/lm.exe" || return 1
    for t in abi/frozen_program consumers/consumer; do
        x86_64-w64-mingw32-gcc-posix -O2 -std=c11 -DLM_STATIC -Iinclude tests/$t.c "$windows/liblm.a" -lm -pthread -static \
            -o "$windows/program.exe" && wine "$windows/program.exe" tests/golden/models/llama.gguf >/dev/null || { echo "$t fails"; return 1; }
    done
}

# Every kernel test as a plain program, on processors with and without the newer instructions.
aarch64_build() {
    mkdir -p "$out/aarch64"
    local objects=$out/aarch64/objects
    mkdir -p "$objects"
    printf '%s\n' kernels/*.c kernels/*/*.c | xargs -P "$jobs" -I{} sh -c \
        'aarch64-linux-gnu-gcc -O2 -Wall -Wextra -Werror -c "$1" -o "$2/$(basename "$1" .c).o"' _ {} "$objects" || return 1
    local t
    for t in test_rows test_attend test_matmul; do
        aarch64-linux-gnu-gcc -O2 -static -Iinclude -Ikernels -Itests/kernels tests/kernels/$t.c tests/kernels/harness.c \
            "$objects"/*.o -lm -pthread -o "$out/aarch64/$t" || return 1
    done
}

aarch64_run() { # PROCESSOR LEVEL
    local t log all=
    for t in test_rows test_attend test_matmul; do
        log=$(timeout 600 qemu-aarch64 -cpu "$1" "$out/aarch64/$t" 2>&1) || { echo "$t on $1:"; echo "$log" | tail -n 5; return 1; }
        all+=$log
    done
    echo "$all" | grep -q "$2" || { echo "no test ran $2 on $1"; return 1; }
}
