// SPDX-License-Identifier: MIT
// What is closed is refused by name, parents outlive their children, tasks meet without harm, and cancelling stops what runs.
import Foundation
import LM
import Testing

private func isClosed(_ error: any Error) -> Bool {
    guard let error = error as? LMError else { return false }
    return error.status == .state && error.message.hasSuffix("was closed")
}

@Test func closedObjectsAreRefused() async throws {
    let model = try Golden.chatModel(), context = try await Context.open(model, small { $0.draftTokens = 2 })
    let chat = try await Chat(context), speculator = try await Speculator(context), sampler = try Sampler(model)
    await context.close()
    await context.close()
    context.cancel()
    await #expect(performing: { try await context.evaluate([1]) }, throws: isClosed)
    await #expect(performing: { try await context.logits() }, throws: isClosed)
    await #expect(performing: { try await speculator.next(sampler) }, throws: isClosed)
    await #expect(performing: { try await chat.reply([.user("x")]) }, throws: isClosed)
    await #expect(performing: { for try await _ in chat.answer([.user("x")]) {} }, throws: isClosed)
    await #expect(performing: { for try await _ in context.generate("x") {} }, throws: isClosed)
    await chat.close()
    await speculator.close()

    let other = try await Context.open(model, small()), second = try await Chat(other)
    await second.close()
    await #expect(performing: { try await second.reply([.user("x")]) }, throws: isClosed)
    sampler.close()
    await #expect(performing: { try await other.sample(sampler) }, throws: isClosed)

    model.close()
    model.close()
    #expect(performing: { try model.tokenize("x") }, throws: isClosed)
    #expect(performing: { try Sampler(model) }, throws: isClosed)
    await #expect(performing: { try await Context.open(model) }, throws: isClosed)
    await #expect(performing: { for try await _ in model.generate("x") {} }, throws: isClosed)
    #expect(model.info.architecture.isEmpty == false) // what was read at opening stays

    let grammar = try Grammar(gbnf: "root ::= [a-z]+"), matcher = try GrammarMatcher(grammar)
    grammar.close()
    #expect(try matcher.accept("abc") == 3)
    matcher.close()
    #expect(performing: { try matcher.accept("abc") }, throws: isClosed)
    #expect(performing: { try GrammarMatcher(grammar) }, throws: isClosed)
    let template = try ChatTemplate(nil)
    template.close()
    #expect(performing: { try template.render("{}") }, throws: isClosed)
}

@Test func childrenKeepTheirParents() async throws {
    func sampled() async throws -> (Context, Sampler) {
        let runtime = try Runtime(threads: 2), model = try Golden.model("llama", runtime: runtime)
        defer { model.close() }
        return (try await Context.open(model, small()), try Sampler(model, .greedy))
    }
    let (context, sampler) = try await sampled()
    try await context.evaluate(text(1, 20))
    #expect(try await context.sample(sampler) >= 0)
    func streamed() throws -> AsyncThrowingStream<String, any Error> {
        try Golden.chatModel().generate("Once upon a time", maxTokens: 30, sampling: .greedy, small())
    }
    var n = 0
    for try await piece in try streamed() { n += piece.utf8.count }
    #expect(n > 0)
    func chatting() async throws -> Chat {
        let model = try Golden.chatModel(), context = try await Context.open(model, small(2048))
        model.close()
        for try await _ in context.generate("Once", Completion(maxTokens: 2)) {}
        return try await Chat(context)
    }
    let chat = try await chatting()
    #expect(try await chat.reply([.user("x")], .init(maxTokens: 3)).generatedTokens > 0)
}

@Test func contextsOfOneModelRunAtOnce() async throws {
    let model = try Golden.model("qwen3", runtime: try Runtime(threads: 2))
    var alone: [[[Float]]] = []
    for seed in 0..<4 { alone.append(try await rows(model, text(seed, 100), step: 10 + seed)) }
    let together = try await withThrowingTaskGroup(of: (Int, [[Float]]).self) { group in
        for seed in 0..<4 { group.addTask { (seed, try await rows(model, text(seed, 100), step: 10 + seed)) } }
        var out = [[[Float]]](repeating: [], count: 4)
        for try await (seed, found) in group { out[seed] = found }
        return out
    }
    #expect(together == alone)
}

@Test func tasksOnOneContextTakeTurns() async throws {
    let model = try Golden.chatModel(), context = try await Context.open(model, small { $0.sequences = 8 }), sampler = try Sampler(model)
    try await withThrowingTaskGroup(of: Void.self) { group in
        for seq in 0..<8 {
            group.addTask {
                for i in 0..<20 {
                    try await context.evaluate([.init(text(seq * 20 + i, 3), sequence: seq)])
                    _ = try await context.sample(sampler)
                    _ = try model.tokenize("text \(i)")
                }
            }
        }
        try await group.waitForAll()
    }
    for seq in 0..<8 { #expect(try await context.length(sequence: seq) == 60) }
}

@Test func closingMeetsWhatRuns() async throws {
    let model = try Golden.model()
    for _ in 0..<8 {
        let context = try await Context.open(model, small(128))
        await withTaskGroup(of: Void.self) { group in
            for i in 0..<4 {
                group.addTask {
                    do { while true { try await context.synchronize(text(i, 100)) } } catch { #expect(isClosed(error)) }
                }
            }
            group.addTask { await context.close() }
        }
    }
}

@Test func aCancelledTaskStopsItsEvaluation() async throws {
    let model = try Golden.model("qwen3", runtime: try Runtime(threads: 1, cpu: "generic"))
    let context = try await Context.open(model, small(4096)), tokens = text(1, 3000)
    try await context.evaluate(text(2, 50))
    var n = 0
    for wait in stride(from: 0, to: 4000, by: 100) where n < 3 {
        let task = Task { try await context.evaluate(tokens) }
        try await Task.sleep(nanoseconds: UInt64(wait) * 1000)
        task.cancel()
        switch await task.result {
        case .success: try await context.trim(to: 50)
        case .failure(let error):
            #expect((error as? LMError)?.status == .cancelled)
            n += 1
        }
        #expect(try await context.tokens() == text(2, 50)) // as it was
    }
    #expect(n == 3)
    // A task that was cancelled before does not begin, and can still tidy up.
    let task = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        await #expect { try await context.evaluate(tokens) } throws: { ($0 as? LMError)?.status == .cancelled }
        try await context.trim(to: 10)
        return try await context.length()
    }
    #expect(try await task.value == 10)
}

@Test func cancellingAWaitingCallLeavesTheRunningOneAlone() async throws {
    let model = try Golden.model("qwen3", runtime: try Runtime(threads: 1, cpu: "generic"))
    let context = try await Context.open(model, small(4096) { $0.sequences = 2 })
    var n = 0
    for _ in 0..<20 where n == 0 { // on a busy machine it may be over before it is cancelled
        let running = Task { try await context.evaluate([.init(text(1, 400), sequence: 0)]) }
        try await Task.sleep(nanoseconds: 1_000_000)
        let waiting = Task { try await context.evaluate([.init(text(1, 400), sequence: 1)]) }
        waiting.cancel()
        if case .failure(let error) = await waiting.result {
            #expect((error as? LMError)?.status == .cancelled)
            #expect(try await context.length(sequence: 1) == 0)
            n += 1
        }
        try await running.value
        #expect(try await context.length(sequence: 0) == 400)
        try await context.trim(to: 0)
        try await context.trim(sequence: 1, to: 0)
    }
    #expect(n == 1)
}

@Test func leavingAStreamStopsIt() async throws {
    let model = try Golden.chatModel(), context = try await Context.open(model, small(4096))
    var endless = SamplerParameters()
    endless.ignoresEnd = true
    let chat = try await Chat(context)
    var request = Chat.Request()
    request.sampling = endless
    // The next call waits for the end of the stream's work, which ended early; on a busy machine it may be over before anyone left.
    func endsEarly(_ leave: () async throws -> Void) async throws -> Bool {
        for _ in 0..<20 {
            try await leave()
            if try await context.length() < 4000 { return true }
        }
        return false
    }
    #expect(try await endsEarly { for try await _ in context.generate("Once", Completion(sampling: endless)) { break } })
    #expect(try await endsEarly { for try await _ in chat.answer([.user("x")], request) { break } })
    // Cancelling while the prompt is evaluated, or soon after.
    let long = ChatMessage.user(String(repeating: "many words ", count: 200))
    let wasCancelled = try await endsEarly { [request] in
        let task = Task { try await chat.reply([long], request) }
        try await Task.sleep(nanoseconds: 3_000_000)
        task.cancel()
        do { #expect([.cancelled, .length].contains(try await task.value.finish)) } catch { #expect((error as? LMError)?.status == .cancelled) }
    }
    #expect(wasCancelled)
    #expect(try await chat.reply([.user("x")], .init(maxTokens: 2)).generatedTokens > 0)
}
