// SPDX-License-Identifier: MIT
// Contexts: sequences, the prefix cache, saving, adapters, memory, and generating text.
import Foundation
import LM
import Testing

/// Ids that change, as the C tests make them.
func text(_ seed: Int, _ n: Int) -> [Token] { (0..<n).map { Token(3 + (seed * 31 + $0 * 7 + $0 * $0 % 5) % 59) } }

func small(_ length: Int = 512, _ change: (inout ContextParameters) -> Void = { _ in }) -> ContextParameters {
    var parameters = ContextParameters()
    parameters.contextLength = length
    change(&parameters)
    return parameters
}

@Test func parametersInForceAreFilledIn() async throws {
    let context = try await Context.open(try Golden.model(), small { $0.sequences = 2 })
    #expect(context.parameters.contextLength == 512 && context.parameters.sequences == 2)
    #expect(context.parameters.batch > 0 && context.parameters.outputRows > 0)
    #expect(context.parameters.keyType == .f16)
    let memory = try await context.memory
    #expect(memory.cacheBytes > 0 && memory.weightsBytes > 0 && memory.pages > 0)
}

@Test func sequencesAreIndependent() async throws {
    let model = try Golden.model(), context = try await Context.open(model, small { $0.sequences = 3 }), tokens = text(1, 90)
    try await context.evaluate(tokens)
    let expected = try #require(try await context.logits())
    #expect(try await context.length() == 90)
    #expect(try await context.tokens() == tokens)
    try await context.fork(from: 0, to: 1)
    try await context.trim(to: 40)
    try await context.evaluate([.init(text(2, 5), sequence: 2), .init(Array(tokens[40...]), sequence: 0)])
    #expect(try await context.logitsRows == 2)
    #expect(try await context.logits(row: 1) == expected)
    #expect(try await context.withLogits { $0.map { Array($0) } } == expected)
    #expect(try await context.length(sequence: 1) == 90)
    try await context.mark(sequence: 1, position: 95)
    try await context.empty(sequence: 1)
    #expect(try await context.length(sequence: 1) == 0)
    let info = try await context.synchronize(tokens, sequence: 1)
    #expect(info.reused >= 64 && info.reused + info.evaluated == 90 && info.fromCache == info.reused)
    #expect(try await context.logits() == expected)
    #expect(try await context.logits(row: 7) == nil)
    #expect(try await context.logits(row: -1) == nil)
    #expect(try await context.hidden(row: 0) == nil)
    #expect(try await context.pooled(item: 0) == nil)
}

@Test func savedSequencesGoOn() async throws {
    let model = try Golden.model("qwen3"), scratch = try Scratch(), file = scratch.url.appendingPathComponent("state")
    let first = try await Context.open(model, small()), second = try await Context.open(model, small { $0.sequences = 2 })
    try await first.evaluate(text(3, 70))
    try await first.save(to: file)
    try await second.restore(sequence: 1, from: file)
    #expect(try await second.tokens(sequence: 1) == text(3, 70))
    try await first.evaluate(text(4, 9))
    try await second.evaluate([.init(text(4, 9), sequence: 1)])
    #expect(try await first.logits() == second.logits())
    await #expect { try await second.restore(from: scratch.url.appendingPathComponent("none")) } throws: { ($0 as? LMError)?.status == .notFound }
    await #expect { try await second.save(sequence: 5, to: file) } throws: { ($0 as? LMError)?.status == .range }
}

@Test func hiddenAndPooledRowsAreGivenWhereAsked() async throws {
    let model = try Golden.model()
    let context = try await Context.open(model, small { $0.outputs = [.logits, .hidden, .pooled] })
    try await context.evaluate(text(1, 10))
    #expect(try await context.logits()?.count == model.vocabularySize)
    #expect(try await context.hidden(row: 0)?.count == model.info.embeddingWidth)
    #expect(try await context.pooled(item: 0)?.count == model.info.embeddingWidth)
    #expect(try await context.embed(["a text"]).first?.count == model.info.embeddingWidth)
}

@Test func adaptersEqualMergedWeights() async throws {
    let model = try Golden.model("plain"), merged = try Golden.model("plain-merged"), tokens = text(1, 20)
    func logits(_ context: Context) async throws -> [Float] {
        try await context.empty()
        try await context.evaluate(tokens)
        return try #require(try await context.logits())
    }
    let context = try await Context.open(model, small()), base = try await logits(context)
    let expected = try await logits(try await Context.open(merged, small()))
    let first = try Adapter(model, path: Golden.path("adapters/plain-lora.gguf"))
    let second = try Adapter(model, path: Golden.path("adapters/plain-lora2.gguf"))
    await #expect { try await context.use([.init(first)]) } throws: { ($0 as? LMError)?.status == .state } // it holds tokens
    try await context.empty()
    try await context.use([.init(first, scale: 0.5), .init(second, scale: -1)])
    first.close() // the context keeps it
    #expect(largestDifference(base, expected) > 0.3)
    #expect(largestDifference(try await logits(context), expected) < 2e-4)
    try await context.empty()
    try await context.use([])
    #expect(try await logits(context) == base)
    #expect(throws: LMError.self) { try Adapter(model, path: Golden.path("models/llama.gguf")) }
}

@Test func memoryIsPlannedFromTheHeader() async throws {
    let path = Golden.path("models/llama.gguf")
    let plan = try Model.plan(path, small())
    let context = try await Context.open(try Golden.model(), small()), memory = try await context.memory
    #expect(plan.fits && plan.contextLength == 512)
    #expect(plan.memory.cacheBytes == memory.cacheBytes && plan.memory.weightsBytes == memory.weightsBytes)
    #expect(plan.totalBytes > 0 && plan.budgetBytes > 0)
    let tight = plan.totalBytes - 1
    let fitted = try ContextParameters.fitting(path, contextLength: 512, budget: tight)
    #expect(fitted.contextLength < 512 && fitted.contextLength > 0)
    #expect(try Model.plan(path, fitted, budget: tight).fits)
    #expect(try ContextParameters.fitting(path, contextLength: 512).contextLength == 512)
    #expect { try ContextParameters.fitting(path, budget: 1000) } throws: { ($0 as? LMError)?.status == .memory }
    #expect(try Model.plan(path, bytesPerSecond: 1 << 30).tokensPerSecond > 0)
}

@Test func textIsGenerated() async throws {
    let model = try Golden.chatModel(), prompt = "Once upon a time"
    let completion = Completion(maxTokens: 30, sampling: .greedy)
    let context = try await Context.open(model, small())
    var streamed = ""
    for try await piece in context.generate(prompt, completion) { streamed += piece }
    // The same by hand.
    let other = try await Context.open(model, small()), sampler = try Sampler(model, .greedy)
    var stream = TextStream(model), expected = ""
    try await other.evaluate(try model.tokenize(prompt))
    for _ in 0..<30 {
        let token = try await other.sample(sampler)
        if try model.isEnd(token) { break }
        expected += try stream.next(token)
        try await other.evaluate([token])
    }
    expected += try stream.end()
    #expect(!streamed.isEmpty && streamed == expected)
    var simple = ""
    for try await piece in model.generate(prompt, maxTokens: 30, sampling: .greedy, small()) { simple += piece }
    #expect(simple == expected)
    let digits = Completion(maxTokens: 40, sampling: .greedy, grammar: try Grammar(gbnf: "root ::= [0-9]{4}"))
    var number = ""
    for try await piece in context.generate(prompt, digits) { number += piece }
    #expect(number.count == 4 && Int(number) != nil)
    // A full context ends the text, and a prompt that does not fit is an error.
    var full = 0
    var endless = SamplerParameters.greedy
    endless.ignoresEnd = true
    for try await _ in model.generate("Once", sampling: endless, small(64)) { full += 1 }
    #expect(full > 10)
    await #expect(throws: LMError.self) { for try await _ in model.generate(String(repeating: "word ", count: 300), small(64)) {} }
}

@Test func aRuntimeServesItsModels() async throws {
    let lines = Lines()
    let runtime = try Runtime(threads: 2, cpu: "generic", parallelFor: { n, task in DispatchQueue.concurrentPerform(iterations: n, execute: task) }) {
        lines.add("\($0): \($1)")
    }
    #expect(try runtime.threads == 2 && runtime.cpu == "generic")
    let hosted = try Golden.model("llama", runtime: runtime)
    runtime.close()
    #expect(throws: LMError.self) { try runtime.threads }
    let tokens = text(1, 100)
    #expect(try await rows(hosted, tokens, step: 100) == rows(try Golden.model(), tokens, step: 9))
    #expect(throws: LMError.self) { try Runtime(cpu: "no such level") }
    #expect(libraryVersion.major == 0 && libraryVersion.minor >= 1)
    // A template that is missing is told to the log.
    _ = try ChatTemplate(nil) { lines.add("\($0): \($1)") }
    #expect(lines.all.contains { $0.hasPrefix("warning: ") })
}

final class Lines: @unchecked Sendable {
    private let lock = NSLock()
    private var lines: [String] = []
    func add(_ line: String) { lock.withLock { lines.append(line) } }
    var all: [String] { lock.withLock { lines } }
}
