# SPDX-License-Identifier: MIT
# The golden cases through the Swift module, without optimisation; then a package that depends on this one by path, with it.
swift_module() {
    swift build --build-tests -j "$jobs" >"$out/swift.log" 2>&1 || { grep -E 'error|warning' -A 3 "$out/swift.log" | head -n 40; return 1; }
    swift test --skip-build >"$out/swift.log" 2>&1 || { grep -E 'issue|failed|error' "$out/swift.log" | head -n 40; return 1; }
    tail -n 1 "$out/swift.log"
    printf 'Hello!\n' | swift run --skip-build lm-chat 2>"$out/swift.log" | grep -q 'How can I help you?' &&
        printf 'Hello\n' | swift run --skip-build lm-chat tests/golden/session/chat.gguf 2>"$out/swift.log" | grep -q .
}

swift_consumer() {
    local text
    text=$(swift run --package-path tests/consumers/swiftpm --scratch-path "$out/swift-consumer" -c release -j "$jobs" hello 2>"$out/swift.log") ||
        { tail -n 20 "$out/swift.log"; return 1; }
    [[ $text == *called* ]] || { echo "$text"; return 1; }
    swift run --package-path tests/consumers/swiftpm --scratch-path "$out/swift-consumer" -c release -j "$jobs" \
        conversation examples/box/box.gguf 2>"$out/swift.log" | grep -q .
}
