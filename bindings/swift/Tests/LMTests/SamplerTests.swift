// SPDX-License-Identifier: MIT
// Samplers, and speculation on top of them.
import Foundation
import LM
import Testing

private let logits: [Float] = (0..<64).map { Float(($0 * 37) % 64) / 8 }

@Test func equalSeedsGiveEqualTokens() throws {
    var parameters = SamplerParameters()
    parameters.seed = 7
    parameters.temperature = 2
    parameters.topK = 0
    parameters.topP = 1
    parameters.minP = 0
    func draw(_ sampler: Sampler, _ n: Int) throws -> [Token] {
        try (0..<n).map { _ in
            let token = try sampler.pick(logits)
            try sampler.accept(token)
            return token
        }
    }
    let first = try Sampler(.init(size: 64), parameters), expected = try draw(first, 40)
    #expect(Set(expected).count > 5)
    #expect(try first.seed == 7)
    #expect(try draw(try Sampler(.init(size: 64), parameters), 40) == expected)
    try first.reset()
    #expect(try draw(first, 10) == Array(expected[..<10]))
    let twin = try first.copy()
    first.close()
    #expect(try draw(twin, 30) == Array(expected[10...]))
    #expect(throws: LMError.self) { try first.pick(logits) }
}

@Test func everyParameterReachesTheChain() throws {
    var parameters = SamplerParameters.greedy
    #expect(try Sampler(.init(size: 64), parameters).pick(logits) == Token(logits.firstIndex(of: 63 / 8)!))
    parameters.biases = [5: 100]
    #expect(try Sampler(.init(size: 64), parameters).pick(logits) == 5)
    parameters.biases = [:]
    parameters.reportedProbabilities = 3
    let sampler = try Sampler(.init(size: 64), parameters)
    #expect(throws: LMError.self) { try sampler.candidates() }
    let picked = try sampler.pick(logits), report = try sampler.candidates()
    #expect(report.best.count == 3 && report.best[0].token == picked && report.picked.token == picked)
    #expect(abs(report.picked.probability - Float(exp(Double(report.picked.logProbability)))) < 1e-5)
    parameters = SamplerParameters()
    parameters.order = "top_k"
    parameters.topK = 2
    var row = logits
    try Sampler(.init(size: 64), parameters).apply(&row)
    #expect(row.filter { $0 > -.infinity }.count == 2)
    parameters.order = "top_k;no-such"
    #expect { try Sampler(.init(size: 64), parameters) } throws: { ($0 as? LMError)?.message.contains("no-such") == true }
    #expect(throws: LMError.self) { try sampler.pick([.nan]) }
    #expect(throws: LMError.self) { try sampler.accept(64) }
}

@Test func aVocabularyOfOnesOwnServesDry() throws {
    var vocabulary = Sampler.Vocabulary(size: 4)
    vocabulary.pieces = ["a", "b", "\n", "<end>"].map { Array($0.utf8) }
    vocabulary.control = [3]
    vocabulary.ends = [3]
    vocabulary.tokenize = { text in text.compactMap { ["a": 0, "b": 1, "\n": 2][$0] } }
    var parameters = SamplerParameters.greedy
    parameters.order = "dry;temperature"
    parameters.dryMultiplier = 100
    parameters.dryAllowedLength = 1
    parameters.dryBreakers = ["\n"]
    let sampler = try Sampler(vocabulary, parameters)
    try sampler.accept(prompt: [0, 1, 0, 1, 0])
    #expect(try sampler.pick([0, 1, 0.5, 0]) == 2) // b would repeat
    parameters.ignoresEnd = true
    #expect(try Sampler(vocabulary, parameters).pick([0, 1, 0.5, 9]) == 1)
}

@Test func reasoningEndsWhenItsBudgetIsUsedUp() throws {
    var parameters = SamplerParameters.greedy
    parameters.reasoning = .init(budget: 2, start: [1], ends: [[2]], forced: [3, 2])
    var vocabulary = Sampler.Vocabulary(size: 5)
    vocabulary.pieces = ["a", "<think>", "</think>", ".", "b"].map { Array($0.utf8) }
    let sampler = try Sampler(vocabulary, parameters)
    #expect(throws: LMError.self) { try sampler.endReasoning() }
    func go() throws -> Token {
        let token = try sampler.pick([1, 0, 0, 0, 0])
        try sampler.accept(token)
        return token
    }
    try sampler.accept(1)
    #expect(try [go(), go(), go(), go(), go()] == [0, 0, 3, 2, 0])
    try sampler.reset()
    try sampler.accept(prompt: [1], generationPrompt: 1)
    try sampler.endReasoning()
    #expect(try [go(), go(), go()] == [3, 2, 0])
}

@Test func aSamplerKeepsToAGrammar() async throws {
    let model = try Golden.chatModel(), context = try await Context.open(model, small()), sampler = try Sampler(model, .greedy)
    let matcher = try GrammarMatcher(try Grammar(gbnf: #"root ::= "yes" | "no""#), try GrammarVocabulary(model))
    try sampler.setGrammar(matcher)
    try sampler.setLimit(20)
    try await context.evaluate(try model.tokenize("Is it?"))
    #expect(try await context.sampleForced(sampler).isEmpty) // yes and no begin differently
    var bytes: [UInt8] = []
    while true {
        let token = try await context.sample(sampler)
        if try model.isEnd(token) { break }
        bytes += try model.piece(token)
        try await context.evaluate([token])
    }
    #expect(["yes", "no"].contains(String(decoding: bytes, as: UTF8.self)))
    try sampler.setGrammar(nil)
    _ = try await context.sample(sampler)
    #expect(throws: LMError.self) { try sampler.setGrammar(try GrammarMatcher(try Grammar(gbnf: #"root ::= "a""#))) }
}

@Test(arguments: [false, true]) func speculationGivesTheSameTokens(_ withModel: Bool) async throws {
    let model = try Golden.model("qwen3")
    func sampler() throws -> Sampler {
        var parameters = SamplerParameters()
        parameters.seed = 11
        parameters.ignoresEnd = true
        return try Sampler(model, parameters)
    }
    let plain = try await Context.open(model, small()), first = try sampler()
    try await plain.evaluate(text(1, 30))
    var expected: [Token] = []
    while expected.count < 60 {
        expected.append(try await plain.sample(first))
        try await plain.evaluate([expected.last!])
    }
    let context = try await Context.open(model, small { $0.draftTokens = 4 }), second = try sampler()
    let speculator = try await Speculator(context, withModel ? .model(model) : .ngram, always: true)
    try await context.synchronize(text(1, 30))
    var found: [Token] = []
    while found.count < 60 { found += try await speculator.next(second, limit: 60 - found.count) }
    #expect(found == expected)
    let statistics = try await speculator.statistics
    #expect(statistics.rounds + statistics.plain > 0)
    if withModel { #expect(statistics.accepted > 0 && statistics.accepted <= statistics.drafted) }
    await speculator.close()
    await #expect(throws: LMError.self) { try await speculator.next(second) }
    await #expect { try await Speculator(plain) } throws: { ($0 as? LMError)?.status == .argument }
}
