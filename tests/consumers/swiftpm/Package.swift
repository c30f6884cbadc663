// swift-tools-version: 6.0
// SPDX-License-Identifier: MIT
// Programs that depend on liblm by path, as a new user writes them.
import PackageDescription

let package = Package(
    name: "hello",
    platforms: [.macOS(.v13)],
    dependencies: [.package(name: "liblm", path: "../../..")],
    targets: [
        .executableTarget(name: "hello", dependencies: [.product(name: "LMBox", package: "liblm")]),
        .executableTarget(name: "conversation", dependencies: [.product(name: "LM", package: "liblm")]),
    ]
)
