// SPDX-License-Identifier: MIT
// Templates and parsers against the golden cases, and chats on the tiny random model.
import Foundation
import LM
import Testing

@Test func templateCasesHold() throws {
    let cases = try Golden.json("chat/templates.json").array
    let day = DateComponents(calendar: Calendar(identifier: .gregorian), year: 2026, month: 1, day: 2, hour: 3, minute: 4, second: 5).date
    #expect(cases.count > 10)
    for item in cases {
        let name = item["name"]!.string!
        if let expected = item["expected"]?.string {
            let prompt = try ChatTemplate(item["template"]!.string!).render(item["context"]!.text, now: day)
            #expect(prompt.text == expected, "\(name)")
            #expect(prompt.spans.last?.range.upperBound ?? 0 == expected.utf8.count)
        } else {
            #expect(throws: LMError.self, "\(name)") { try ChatTemplate(item["template"]!.string!).render(item["context"]!.text) }
        }
    }
    let raised = #expect(throws: LMError.self) { try ChatTemplate("{{ raise_exception('No. ' * 200) }}").render("{}") }
    #expect(raised?.status == .raised && raised?.message == String(repeating: "No. ", count: 200))
    let syntax = #expect(throws: LMError.self) { try ChatTemplate("a\n{% if %}") }
    #expect(syntax?.status == .format && syntax?.line == 2)
}

@Test func spansTellWhoseTextItIs() throws {
    let prompt = try ChatTemplate(try Golden.chatModel()).render(#"{"messages":[{"role":"user","content":"Grüezi"}],"add_generation_prompt":true}"#)
    let bytes = Array(prompt.text.utf8)
    let callers = prompt.spans.filter(\.isCallers).map { String(decoding: bytes[$0.range], as: UTF8.self) }
    #expect(callers.contains("Grüezi") && prompt.spans.contains { $0.message == 0 })
    #expect(prompt.spans.first { $0.isCallers && String(decoding: bytes[$0.range], as: UTF8.self) == "Grüezi" }?.message == 0)
    let now = try #require(DateComponents(calendar: Calendar(identifier: .gregorian), year: 2031, month: 5, day: 6).date)
    let template = try ChatTemplate("{{ strftime_now('%Y-%m-%d') }}")
    #expect(try template.render("{}", now: now).text == "2031-05-06")
    #expect(try template.render("{}", now: nil).text == "1970-01-01")
}

/// What deltas add up to, calls as "name arguments".
private struct Sum: Equatable {
    var content = "", reasoning = ""
    var calls: [(name: String, arguments: String, ended: Bool)] = []

    mutating func add(_ delta: ChatDelta) {
        switch delta {
        case .content(let text): content += text
        case .reasoning(let text): reasoning += text
        case .call(let i, let name):
            #expect(i == calls.count)
            calls.append((name, "", false))
        case .arguments(let i, let text): calls[i].arguments += text
        case .callEnd(let i): calls[i].ended = true
        case .callBroken(let i): calls[i].ended = false
        }
    }

    static func == (a: Sum, b: Sum) -> Bool {
        a.content == b.content && a.reasoning == b.reasoning && a.calls.map(\.name) == b.calls.map(\.name)
            && a.calls.map(\.arguments) == b.calls.map(\.arguments) && a.calls.map(\.ended) == b.calls.map(\.ended)
    }
}

@Test func parserCasesHold() throws {
    var n = 0
    for family in try Golden.json("chat/parsers.json").array {
        for item in family["cases"]!.array {
            let name = "\(family["family"]!.string!): \(item["name"]!.string!)", expected = item["expect"]!
            var sums: [Sum] = []
            for piece in [1, 5, .max / 2] {
                let parser = try ChatParser(family: family["family"]!.string!, generationPrompt: item["generation_prompt"]!.string!,
                    tools: family["tools"]!.text)
                let bytes = Array(item["text"]!.string!.utf8)
                var sum = Sum()
                for start in stride(from: 0, to: bytes.count, by: piece) {
                    for delta in try parser.feed(bytes: Array(bytes[start..<min(bytes.count - start, piece) + start])) { sum.add(delta) }
                }
                for delta in try parser.finish(cutOff: item["finished"]!.bool == false) { sum.add(delta) }
                let result = try JSON(text: try parser.result())
                #expect(result["content"]?.string ?? "" == sum.content, "\(name)")
                #expect(throws: LMError.self) { try parser.feed("more") }
                sums.append(sum)
            }
            #expect(sums.allSatisfy { $0 == sums[0] }, "\(name)")
            func stripped(_ text: String?) -> String { (text ?? "").trimmingCharacters(in: .whitespacesAndNewlines) }
            #expect(stripped(sums[0].content) == stripped(expected["content"]?.string), "\(name)")
            #expect(stripped(sums[0].reasoning) == stripped(expected["reasoning_content"]?.string), "\(name)")
            let calls = expected["tool_calls"]!.array
            #expect(calls.map { $0["name"]!.string! } == sums[0].calls.map(\.name), "\(name)")
            for (call, found) in zip(calls, sums[0].calls) {
                #expect(found.ended == (call["incomplete"]?.bool != true), "\(name)")
                if let arguments = call["arguments"] { #expect(try JSON(text: found.arguments) == arguments, "\(name)") }
            }
            n += 1
        }
    }
    #expect(n > 30)
    #expect { try ChatParser(family: "none such") } throws: { ($0 as? LMError)?.status == .notFound }
    let parser = try ChatParser(try ChatTemplate(try Golden.chatModel()))
    #expect(try parser.feed("Hello") == [.content("Hello")])
}

private let question = ChatMessage.user("What is it like out there, and why?")

private func hot(_ seed: UInt32) -> SamplerParameters {
    var parameters = SamplerParameters()
    parameters.seed = seed
    parameters.temperature = 2
    parameters.topK = 0
    parameters.topP = 1
    parameters.minP = 0
    return parameters
}

private func chat() async throws -> Chat {
    try await Chat(try await Context.open(try Golden.chatModel(), small(2048)))
}

@Test func aConstrainedAnswerStreamsAndIsReusedWhole() async throws {
    let chat = try await chat()
    #expect(try await !chat.templateFamily.isEmpty)
    var request = Chat.Request(maxTokens: 4000, schema: """
        {"type":"object","properties":{"city":{"enum":["Oslo","Rome"]},"days":{"type":"integer","minimum":1,"maximum":14}},
         "required":["city","days"]}
        """)
    var whole = 0
    for seed in 1...5 as ClosedRange<UInt32> {
        request.sampling = hot(seed)
        var content = "", report: Chat.Report?
        for try await event in chat.answer([question], request) {
            switch event {
            case .delta(.content(let text)): content += text
            case .delta: Issue.record("only content is expected")
            case .finished(let last): report = last
            }
        }
        let done = try #require(report)
        if done.finish == .length { continue } // white space without end
        #expect(done.finish == .end && done.message.content == content && done.message.role == .assistant)
        let answer = try JSON(text: content)
        #expect(["Oslo", "Rome"].contains(answer["city"]?.string) && (1...14).contains(answer["days"]?.number ?? 0))
        let length = try await chat.context.length()
        #expect(length == done.promptTokens + done.generatedTokens - 1) // the end token was chosen, not evaluated
        var next = request
        next.maxTokens = 1
        let followUp = try await chat.reply([question, done.message, .user("x")], next)
        #expect(followUp.sync.reused == length && followUp.sync.reused + followUp.sync.evaluated == followUp.promptTokens)
        whole += 1
    }
    #expect(whole > 0)
}

@Test func requiredCallsAreCalls() async throws {
    let chat = try await chat()
    var request = Chat.Request(maxTokens: 600)
    request.tools = [
        ChatTool(name: "add", description: "Add \"a\" and b", parameters: """
            {"type":"object","properties":{"a":{"type":"integer","minimum":0,"maximum":99},"b":{"enum":[1,2]}},"required":["a","b"]}
            """),
        ChatTool(name: "now", description: "The time", parameters: #"{"type":"object","properties":{},"additionalProperties":false}"#),
    ]
    request.toolChoice = .required
    var done = 0
    for seed in 1...12 as ClosedRange<UInt32> {
        request.sampling = hot(seed)
        var sum = Sum(), report: Chat.Report?
        for try await event in chat.answer([question], request) {
            if case .delta(let delta) = event { sum.add(delta) }
            if case .finished(let last) = event { report = last }
        }
        guard let report, report.finish != .length else { continue }
        #expect(report.finish == .calls && sum.content.isEmpty)
        let calls = try #require(report.message.toolCalls)
        #expect(calls.map(\.function.name) == sum.calls.map(\.name) && sum.calls.allSatisfy(\.ended))
        for call in calls where call.function.name == "add" {
            #expect((0...99).contains(try JSON(text: call.function.arguments)["a"]?.number ?? -1))
        }
        var next = request
        next.toolChoice = .automatic
        next.maxTokens = 3
        _ = try await chat.reply([question, report.message] + calls.map { .tool("3", answering: $0) }, next)
        done += 1
    }
    #expect(done >= 3)
    request.tools = []
    await #expect { try await chat.reply([question], request) } throws: { ($0 as? LMError)?.status == .argument }
}

@Test func answersEndWhereTheyMust() async throws {
    let chat = try await chat()
    var request = Chat.Request(maxTokens: 40)
    request.sampling = hot(3)
    request.sampling?.ignoresEnd = true
    let report = try await chat.reply([question], request)
    #expect(report.finish == .length && report.generatedTokens == 40)
    let content = try #require(report.message.content)
    // A stop from the middle of that answer ends it there.
    let letters = Array(content.unicodeScalars).enumerated().dropFirst(3).filter { (33...126).contains($0.element.value) }
    let stop = try #require(letters.first.map { String($0.element) })
    request.stops = ["no such text", stop]
    let stopped = try await chat.reply([question], request)
    #expect(stopped.finish == .stop && stopped.message.content.map { content.hasPrefix($0) } == true)
    #expect(stopped.message.content?.contains(stop) == false)
    var digits = Chat.Request(maxTokens: 40)
    digits.gbnf = "root ::= [0-9]{3}"
    let number = try await chat.reply([question], digits)
    #expect(number.finish == .end && number.message.content.flatMap { Int($0) } != nil && number.forcedTokens >= 0)
    request.stops = [""]
    await #expect { try await chat.reply([question], request) } throws: { ($0 as? LMError)?.status == .argument }
}

@Test func failuresLeaveTheChatUsable() async throws {
    let chat = try await chat()
    for (json, schema, status) in [
        ("[", nil, LMError.Status.format), ("{}", nil, .format), (nil, #"{"uniqueItems":true}"#, .unsupported), (nil, "{", .format),
    ] as [(String?, String?, LMError.Status)] {
        await #expect {
            let request = Chat.Request(maxTokens: 5, schema: schema)
            for try await _ in json.map({ chat.answer(json: $0, request) }) ?? chat.answer([question], request) {}
        } throws: { ($0 as? LMError)?.status == status && ($0 as? LMError)?.message.isEmpty == false }
        #expect(try await chat.reply([question], .init(maxTokens: 5)).generatedTokens > 0)
    }
    let context = chat.context
    await #expect { try await Chat(context, family: "none such") } throws: { ($0 as? LMError)?.status == .notFound }
    await #expect { try await Chat(context, sequence: 1) } throws: { ($0 as? LMError)?.status == .range }
    let other = try await Chat(context, family: "llama3", template: "{{ messages[0].content }}")
    #expect(try await other.reply([.user("x")], .init(maxTokens: 2)).promptTokens > 0)
    #expect(throws: Never.self) { try JSONDecoder().decode(ChatMessage.self, from: Data(#"{"role":"user","content":"x","more":1}"#.utf8)) }
}
