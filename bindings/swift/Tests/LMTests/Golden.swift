// SPDX-License-Identifier: MIT
import Foundation
import LM

/// The golden data of tests/golden, which the C tests use too.
enum Golden {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../..").standardizedFileURL
    static let folder = root.appendingPathComponent("tests/golden")

    static func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    static func text(_ name: String) throws -> String { try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8) }

    static func json(_ name: String) throws -> JSON { try JSON(text: text(name)) }

    static func floats(_ name: String) throws -> [Float] {
        let data = try Data(contentsOf: folder.appendingPathComponent(name))
        return data.withUnsafeBytes { bytes in
            (0..<bytes.count / 4).map { Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self))) }
        }
    }

    static func model(_ name: String = "llama", runtime: Runtime? = nil) throws -> Model {
        try Model(path: path("models/\(name).gguf"), runtime: runtime)
    }

    static func chatModel() throws -> Model { try Model(path: path("session/chat.gguf")) }
}

/// A folder that goes with the object.
final class Scratch {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("liblm-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }
}

/// JSON whose members keep their order, which templates and schemas see.
indirect enum JSON: Equatable {
    case null, bool(Bool), number(String), string(String), array([JSON]), object([(String, JSON)])

    struct Malformed: Error {}

    init(text: String) throws {
        var reader = Reader(Array(text.utf8))
        self = try reader.value()
    }

    static func == (a: JSON, b: JSON) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.bool(let x), .bool(let y)): x == y
        case (.number(let x), .number(let y)): Double(x) == Double(y)
        case (.string(let x), .string(let y)): Array(x.utf8) == Array(y.utf8)
        case (.array(let x), .array(let y)): x == y
        case (.object(let x), .object(let y)):
            x.count == y.count && x.allSatisfy { name, value in y.contains { $0.0 == name && $0.1 == value } }
        default: false
        }
    }

    subscript(_ name: String) -> JSON? {
        if case .object(let members) = self { return members.first { $0.0 == name }?.1 }
        return nil
    }

    var array: [JSON] { if case .array(let items) = self { items } else { [] } }
    var string: String? { if case .string(let text) = self { text } else { nil } }
    var number: Double? { if case .number(let text) = self { Double(text) } else { nil } }
    var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    var tokens: [Token] { array.compactMap { $0.number.map { Token($0) } } }

    var text: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number(let text): text
        case .string(let text): JSON.quoted(text)
        case .array(let items): "[" + items.map(\.text).joined(separator: ",") + "]"
        case .object(let members): "{" + members.map { JSON.quoted($0.0) + ":" + $0.1.text }.joined(separator: ",") + "}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        for c in text.unicodeScalars {
            switch c {
            case "\"", "\\": out += "\\\(c)"
            case _ where c.value < 32: out += "\\u00" + (c.value < 16 ? "0" : "") + String(c.value, radix: 16)
            default: out.unicodeScalars.append(c)
            }
        }
        return out + "\""
    }

    private struct Reader {
        let bytes: [UInt8]
        var at = 0
        init(_ bytes: [UInt8]) { self.bytes = bytes }

        mutating func next() throws -> UInt8 {
            while at < bytes.count, [9, 10, 13, 32].contains(bytes[at]) { at += 1 }
            guard at < bytes.count else { throw Malformed() }
            return bytes[at]
        }

        mutating func take(_ word: StaticString, _ value: JSON) throws -> JSON {
            at += word.utf8CodeUnitCount
            return value
        }

        mutating func value() throws -> JSON {
            switch try next() {
            case UInt8(ascii: "n"): return try take("null", .null)
            case UInt8(ascii: "t"): return try take("true", .bool(true))
            case UInt8(ascii: "f"): return try take("false", .bool(false))
            case UInt8(ascii: "\""): return .string(try string())
            case UInt8(ascii: "["):
                var items: [JSON] = []
                try list(UInt8(ascii: "]")) { items.append(try $0.value()) }
                return .array(items)
            case UInt8(ascii: "{"):
                var members: [(String, JSON)] = []
                try list(UInt8(ascii: "}")) { reader in
                    let name = try reader.string()
                    _ = try reader.next()
                    reader.at += 1
                    members.append((name, try reader.value()))
                }
                return .object(members)
            default:
                let start = at
                while at < bytes.count, !",]} \n\r\t".utf8.contains(bytes[at]) { at += 1 }
                return .number(String(decoding: bytes[start..<at], as: UTF8.self))
            }
        }

        mutating func list(_ end: UInt8, _ item: (inout Reader) throws -> Void) throws {
            at += 1
            while try next() != end {
                try item(&self)
                if try next() == UInt8(ascii: ",") { at += 1 }
            }
            at += 1
        }

        /// Foundation reads the escapes.
        mutating func string() throws -> String {
            guard try next() == UInt8(ascii: "\"") else { throw Malformed() }
            let start = at
            at += 1
            while at < bytes.count, bytes[at] != UInt8(ascii: "\"") { at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1 }
            guard at < bytes.count else { throw Malformed() }
            at += 1
            return try JSONDecoder().decode([String].self, from: Data("[".utf8) + Data(bytes[start..<at]) + Data("]".utf8))[0]
        }
    }
}
