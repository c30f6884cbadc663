// SPDX-License-Identifier: MIT
// The built-in model answers.
import LM
import LMBox
import Testing

@Test func theBuiltInModelAnswers() async throws {
    let chat = try await Chat(try await Context.open(try Model.builtin(), small(1024)))
    var request = Chat.Request(maxTokens: 60)
    request.sampling = .greedy
    let report = try await chat.reply([.user("What is the capital of France?")], request)
    #expect(report.finish == .end && report.message.content?.contains("Paris") == true)
}
