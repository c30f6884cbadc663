// swift-tools-version: 6.0
// SPDX-License-Identifier: MIT
// A program that depends on liblm by path, as a new user writes it.
import PackageDescription

let package = Package(
    name: "hello",
    platforms: [.macOS(.v13)],
    dependencies: [.package(name: "liblm", path: "../../..")],
    targets: [.executableTarget(name: "hello", dependencies: [.product(name: "LM", package: "liblm")])]
)
