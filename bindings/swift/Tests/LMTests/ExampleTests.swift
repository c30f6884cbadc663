// SPDX-License-Identifier: MIT
// The part of examples/ios that is no view.
import Foundation
import LM
import Testing

@testable import ConversationExample

@MainActor
private func answered(_ conversation: Conversation) async throws {
    while conversation.state == .answering { try await Task.sleep(nanoseconds: 1_000_000) }
}

@MainActor
@Test func aConversationComesAndGoes() async throws {
    let scratch = try Scratch(), saved = scratch.url.appendingPathComponent("saved")
    let conversation = Conversation(model: URL(fileURLWithPath: Golden.path("session/chat.gguf")), saved: saved)
    var changes = 0
    conversation.changed = { changes += 1 }
    await conversation.open()
    #expect(conversation.state == .ready)
    conversation.send("Hello")
    #expect(conversation.state == .answering)
    try await answered(conversation)
    #expect(conversation.state == .ready && conversation.messages.map(\.role) == [.user, .assistant])
    conversation.send("And a longer one?")
    await conversation.enterBackground()
    #expect(conversation.state == .ready && conversation.messages.count == 4)
    #expect(FileManager.default.fileExists(atPath: saved.path))
    await conversation.giveBackMemory()
    #expect(conversation.state == .closed)
    await conversation.open()
    conversation.send("Back again")
    await conversation.stop()
    #expect(conversation.messages.count == 6 && changes > 6)

    let missing = Conversation(model: URL(fileURLWithPath: "/no/such/model.gguf"), saved: saved)
    await missing.open()
    if case .failed(let reason) = missing.state { #expect(reason.contains("model.gguf")) } else { Issue.record("opened") }
}
