// swift-tools-version: 6.0
// SPDX-License-Identifier: MIT
// The C library and its Swift module for SwiftPM and Xcode: no prebuilt parts, no unsafe flags. doc/swift.md is the guide.
import PackageDescription

// Folders of lib/ with a meson.build, which is all that keeps them from being C alone; tests/swift/test_manifest.py checks the list.
let rooms = [
    "api", "arch", "backend", "base", "chat", "context", "gguf", "grammar", "graph", "kv", "model", "os", "reply", "runtime",
    "sampler", "session", "template", "tensor", "thread", "vocab",
]

let package = Package(
    name: "liblm",
    platforms: [.macOS(.v13), .iOS(.v16), .tvOS(.v16), .visionOS(.v1)],
    products: [
        .library(name: "LM", targets: ["LM"]), // what Swift programs import
        .library(name: "LMBox", targets: ["LMBox"]), // Model.builtin(): a small model inside the program
        .library(name: "CLM", targets: ["CLM"]), // the C functions as they are
        .executable(name: "lm-chat", targets: ["lm-chat"]),
    ],
    targets: [
        .target(
            name: "CLM", path: ".",
            exclude: [
                "lib/amalgamate.py", "lib/meson.build", "lib/liblm.map", "lib/lmConfig.cmake.in", "lib/lmConfigVersion.cmake.in", "lib/vocab/tools",
                "kernels/meson.build", "kernels/tools",
            ] + rooms.map { "lib/\($0)/meson.build" },
            sources: ["lib", "kernels"], publicHeadersPath: "include",
            linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux, .android]))]),
        .target(name: "CLMValues", dependencies: ["CLM"], path: "bindings/swift/Sources/CLMValues"),
        .target(name: "LM", dependencies: ["CLM", "CLMValues"], path: "bindings/swift/Sources/LM"),
        .target(
            name: "CLMBox", dependencies: ["CLM"], path: "examples/box",
            exclude: [
                "README.md", "box.gguf", "box-draft.gguf", "boxgen", "meson.build", "requirements.txt", "retrain", "template.jinja", "tools.json",
            ],
            sources: ["box.c"], publicHeadersPath: ".",
            cSettings: [.define("LM_BOX_FILE", to: "\"\(Context.packageDirectory)/examples/box/box.gguf\"")]),
        .target(name: "LMBox", dependencies: ["LM", "CLM", "CLMBox"], path: "bindings/swift/Sources/LMBox"),
        .executableTarget(name: "lm-chat", dependencies: ["LMBox"], path: "examples/swift"),
        .target(
            name: "ConversationExample", dependencies: ["LM"], path: "examples/ios", exclude: ["README.md", "ChatApp.swift"],
            sources: ["Conversation.swift"]),
        .testTarget(name: "LMTests", dependencies: ["LM", "LMBox", "ConversationExample"], path: "bindings/swift/Tests/LMTests"),
    ],
    cLanguageStandard: .c11
)
