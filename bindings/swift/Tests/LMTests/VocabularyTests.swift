// SPDX-License-Identifier: MIT
// Every tokenizer type against the golden cases: text to tokens, tokens to text, and the same text from a stream.
import Foundation
import LM
import Testing

private func bytes(_ hex: Substring) -> [UInt8] {
    let digits = Array(hex.utf8)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)! }
}

private func vocabulary(_ name: String) throws -> Model {
    var options = Model.Options()
    options.vocabularyOnly = true
    return try Model(path: Golden.path("vocab/\(name).gguf"), options: options)
}

@Test(arguments: ["bpe", "raw", "spm", "spm_across", "wpm", "ugm", "rwkv", "plamo2"]) func tokensAreThoseOfTheCases(_ name: String) throws {
    let model = try vocabulary(name)
    var n = 0
    for line in try Golden.text("vocab/\(name).cases").split(separator: "\n") {
        // flags, text, tokens, text of the tokens
        let parts = line.split(separator: ":", omittingEmptySubsequences: false)
        let head = parts[0].split(separator: " ", omittingEmptySubsequences: false)
        let flags = Int(head[0])!, text = bytes(head[1])
        let expected = parts[1].split(separator: " ").map { Token($0)! }
        let found = try model.tokenize(bytes: text, addSpecial: flags & 1 != 0, parseSpecial: flags & 2 != 0)
        #expect(found == expected, "case \(n), flags \(flags)")
        let back = bytes(parts[2].split(separator: " ").first ?? "")
        #expect(try model.bytes(of: found, special: true) == back, "case \(n), flags \(flags)")
        let valid = String(decoding: text, as: UTF8.self)
        if Array(valid.utf8) == text {
            #expect(try model.tokenize(valid, addSpecial: flags & 1 != 0, parseSpecial: flags & 2 != 0) == expected)
        }
        if name == "bpe" {
            var stream = TextStream(model, special: true), streamed = ""
            for token in found { streamed += try stream.next(token) }
            #expect(streamed + (try stream.end()) == String(decoding: back, as: UTF8.self))
        }
        n += 1
    }
    #expect(n >= 40)
}

@Test func tokensHaveRolesAndAttributes() throws {
    let model = try vocabulary("bpe")
    let text = "Hello there"
    #expect(try model.detokenize(try model.tokenize(text), removeAdded: true) == text)
    let joined = try model.tokenize(text, addSpecial: false).map { try model.piece($0) }.joined()
    #expect(Array(joined) == Array(text.utf8))
    let end = try #require(try model.token(.eot) ?? model.token(.eos))
    #expect(try model.isEnd(end))
    #expect(try model.attributes(end).contains(.control))
    #expect(try model.piece(end).isEmpty)
    #expect(try !model.piece(end, special: true).isEmpty)
    #expect(try model.attributes(-5).isEmpty)
    #expect(throws: LMError.self) { try model.piece(Token(model.vocabularySize)) }
    #expect(throws: LMError.self) { try model.detokenize([-1]) }
}
