// SPDX-License-Identifier: MIT
// Grammars and schemas against the golden cases, and matchers.
import LM
import Testing

/// How many bytes of a text were viable, and whether it is complete; piece by piece.
private func feed(_ grammar: Grammar, _ text: [UInt8], piece: Int) throws -> (viable: Int, complete: Bool) {
    let matcher = try GrammarMatcher(grammar)
    var at = 0
    while at < text.count {
        let part = Array(text[at..<min(at + piece, text.count)]), viable = try matcher.accept(bytes: part)
        at += viable
        if viable < part.count { return (at, false) }
    }
    return (at, try matcher.isComplete)
}

@Test func gbnfCasesHold() throws {
    let cases = try Golden.json("grammar/gbnf.json").array
    #expect(cases.count > 10)
    for item in cases {
        let name = item["name"]!.string!, text = item["grammar"]!.string!
        if item["error"] != nil {
            #expect(throws: LMError.self, "\(name)") { try Grammar(gbnf: text) }
            continue
        }
        let grammar = try Grammar(gbnf: text)
        for accepted in item["accept"]!.array {
            let bytes = Array(accepted.string!.utf8)
            for piece in [1, 3, .max / 2] { #expect(try feed(grammar, bytes, piece: piece).complete, "\(name): \(accepted.text)") }
        }
        for rejected in item["reject"]!.array {
            let bytes = Array(rejected["text"]!.string!.utf8)
            for piece in [1, 3, .max / 2] {
                let found = try feed(grammar, bytes, piece: piece)
                // A cut inside a character counts the whole characters before it.
                let points = String(decoding: bytes[..<found.viable], as: UTF8.self).unicodeScalars.filter { $0 != "\u{FFFD}" }.count
                #expect(!found.complete && points == Int(rejected["viable"]!.number!), "\(name): \(rejected.text)")
            }
        }
        #expect(try grammar.memoryBytes > 0)
    }
}

@Test func schemaCasesHold() throws {
    let cases = try Golden.json("grammar/schema.json").array
    #expect(cases.count > 10)
    for item in cases {
        let name = item["name"]!.string!, schema = item["schema"]!.text
        if item["level"]?.string == "error" {
            let error = #expect(throws: LMError.self, "\(name)") { try Grammar(jsonSchema: schema) }
            #expect(error?.message.isEmpty == false)
            continue
        }
        let grammar = try Grammar(jsonSchema: schema)
        for (key, expected) in [("valid", true), ("invalid", false)] {
            for text in item[key]?.array ?? [] {
                for piece in [1, .max / 2] {
                    #expect(try feed(grammar, Array(text.string!.utf8), piece: piece).complete == expected, "\(name): \(text.text)")
                }
            }
        }
    }
}

@Test func errorsOfGrammarsHaveAPlace() throws {
    let error = #expect(throws: LMError.self) { try Grammar(gbnf: "root ::= \"a\"\nother ::= (") }
    #expect(error?.status == .format && error?.line == 2 && error?.offset != nil)
    let unsupported = #expect(throws: LMError.self) { try Grammar(jsonSchema: #"{"uniqueItems":true}"#) }
    #expect(unsupported?.status == .unsupported && unsupported?.message.contains("uniqueItems") == true)
}

@Test func aMatcherFollowsTokens() throws {
    let words = ["a", "b", "ab", "c", ""].map { (GrammarVocabulary.Kind.text, Array($0.utf8)) } + [(.end, []), (.control, Array("<x>".utf8))]
    let vocabulary = try GrammarVocabulary(words, cacheBytes: 1 << 20)
    let grammar = try Grammar(gbnf: #"root ::= "ab" "c" <x>?"#) { $0 == "<x>" ? 6 : nil }
    let matcher = try GrammarMatcher(grammar, vocabulary)
    #expect(try matcher.mask() == [0b101])
    #expect(try matcher.forced() == Array("abc".utf8))
    #expect(try matcher.forced(limit: 1) == Array("a".utf8))
    #expect(try matcher.completion() == Array("abc".utf8))
    let start = try matcher.position
    try matcher.accept(0 as Token)
    #expect(try matcher.mask() == [0b10])
    let branch = try matcher.copy()
    #expect(throws: LMError.self) { try matcher.accept(0 as Token) }
    try matcher.accept(1 as Token)
    #expect(try matcher.accept("c") == 1)
    #expect(try matcher.isComplete)
    #expect(try matcher.mask() == [0b110_0000])
    try matcher.rewind(to: start)
    try matcher.accept(2 as Token)
    #expect(try branch.mask() == [0b10])
    try matcher.reset()
    #expect(try matcher.mask() == [0b101])
    #expect(throws: LMError.self) { try matcher.rewind(to: 99) }
    #expect(throws: LMError.self) { try GrammarMatcher(grammar).mask() }
}

@Test func aLazyMatcherWaits() throws {
    let grammar = try Grammar(gbnf: #"root ::= "<call>" [0-9]+"#)
    for trigger in [GrammarMatcher.Trigger.word("<call>"), .pattern("<call>"), .fullPattern("[^<]*(<call>)[^]*")] {
        let matcher = try GrammarMatcher(grammar, triggers: [trigger])
        #expect(try matcher.isWaiting && matcher.isComplete)
        try matcher.accept("anything at all")
        #expect(try matcher.isWaiting)
        try matcher.accept("<call>")
        #expect(try !matcher.isWaiting && !matcher.isComplete)
        #expect(try matcher.accept("x") == 0)
        #expect(try matcher.accept("12") == 2)
        #expect(try matcher.isComplete)
    }
    #expect(throws: LMError.self) { try GrammarMatcher(grammar, triggers: [.pattern("(")]) }
}
