// SPDX-License-Identifier: MIT
// Texts that C would end early are refused by name, and what a tool is given becomes a type of the program's.
import Foundation
import LM
import Testing

private func refuses(_ name: String) -> (any Error) -> Bool {
    { error in
        guard let error = error as? LMError else { return false }
        return error.status == .argument && error.message == "\(name): a NUL inside"
    }
}

@Test func textsWithNulAreRefusedWhereTheyWouldBeCut() async throws {
    let model = try Golden.chatModel(), context = try await Context.open(model, small()), chat = try await Chat(context)
    let path = Golden.path("session/chat.gguf") + "\0.txt"
    #expect(performing: { try Model(path: path) }, throws: refuses("path"))
    #expect(performing: { try Model.plan(path) }, throws: refuses("path"))
    #expect(performing: { try Adapter(model, path: path) }, throws: refuses("path"))
    #expect(performing: { try Runtime(threads: 1, cpu: "generic\0") }, throws: refuses("cpu"))
    #expect(performing: { try ChatParser(family: "qwen3\0") }, throws: refuses("family"))
    await #expect(performing: { try await Chat(context, family: "qwen3\0") }, throws: refuses("family"))
    var sampling = SamplerParameters()
    sampling.order = "top_k\0no such"
    #expect(performing: { try Sampler(model, sampling) }, throws: refuses("order"))
    sampling = SamplerParameters()
    sampling.dryBreakers = ["a\0b"]
    #expect(performing: { try Sampler(model, sampling) }, throws: refuses("dryBreakers"))
    var request = Chat.Request(maxTokens: 2)
    request.stops = ["a\0b"]
    await #expect(performing: { try await chat.reply([.user("x")], request) }, throws: refuses("stops"))
    #expect(try model.metadataString("general.architecture\0") == nil && model.metadataJSON("general.architecture\0") == nil)
    // Where C is told the length, a NUL is a character.
    #expect(try model.detokenize(model.tokenize("a\0b")) == "a\0b")
    #expect(try await chat.reply([.user("a\0b")], .init(maxTokens: 2)).generatedTokens == 2)
}

@Test func negativeLimitsAreRefused() async throws {
    let model = try Golden.chatModel(), context = try await Context.open(model, small()), chat = try await Chat(context)
    let refused: (any Error) -> Bool = { ($0 as? LMError)?.message == "maxTokens: -1 is negative" }
    await #expect(performing: { try await chat.reply([.user("x")], .init(maxTokens: -1)) }, throws: refused)
    await #expect(performing: { for try await _ in model.generate("x", maxTokens: -1) {} }, throws: refused)
}

@Test func argumentsOfCallsAreDecoded() throws {
    struct Weather: Decodable, Equatable { let city: String }
    #expect(try ChatMessage.ToolCall(id: "1", name: "weather", arguments: #"{"city":"Oslo"}"#).arguments(as: Weather.self) == Weather(city: "Oslo"))
    #expect {
        try ChatMessage.ToolCall(id: "1", name: "weather", arguments: "{}").arguments(as: Weather.self)
    } throws: {
        guard let error = $0 as? LMError else { return false }
        return error.status == .format && error.message.contains("the arguments of weather are no Weather")
    }
}
