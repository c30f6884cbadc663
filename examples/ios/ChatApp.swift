// SPDX-License-Identifier: MIT
// The views: a transcript, a line to type in, and what happens when the app comes and goes.
import SwiftUI
import UIKit

@main
struct ChatApp: App {
    @Environment(\.scenePhase) private var phase
    @StateObject private var shown = ShownConversation()

    var body: some Scene {
        WindowGroup {
            TranscriptView(shown: shown)
                .task { await shown.conversation.open() }
                .onReceive(NotificationCenter.default.publisher(for: UIApplication.didReceiveMemoryWarningNotification)) { _ in
                    Task { await shown.conversation.giveBackMemory() }
                }
        }
        .onChange(of: phase) { phase in
            switch phase {
            case .background: whileAllowed { await shown.conversation.enterBackground() }
            case .active: Task { await shown.conversation.open() }
            default: break
            }
        }
    }

    /// Ask the system for the time that saving takes.
    private func whileAllowed(_ work: @escaping @MainActor () async -> Void) {
        let id = UIApplication.shared.beginBackgroundTask()
        Task { @MainActor in
            await work()
            UIApplication.shared.endBackgroundTask(id)
        }
    }
}

/// The conversation as SwiftUI observes it.
@MainActor
final class ShownConversation: ObservableObject {
    let conversation: Conversation

    init() {
        let folder = FileManager.default.urls(for: .applicationSupportDirectory, in: .userDomainMask)[0]
        let model = Bundle.main.url(forResource: "model", withExtension: "gguf") ?? folder.appendingPathComponent("model.gguf")
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        conversation = Conversation(model: model, saved: folder.appendingPathComponent("conversation.lmseq"))
        conversation.changed = { [weak self] in self?.objectWillChange.send() }
    }
}

struct TranscriptView: View {
    @ObservedObject var shown: ShownConversation
    @State private var line = ""

    private var conversation: Conversation { shown.conversation }

    var body: some View {
        VStack {
            ScrollView {
                LazyVStack(alignment: .leading, spacing: 12) {
                    ForEach(Array(conversation.messages.enumerated()), id: \.offset) { _, message in
                        Text(message.content ?? "").foregroundStyle(message.role == .user ? .secondary : .primary)
                    }
                    if !conversation.partial.isEmpty { Text(conversation.partial) }
                    if case .failed(let reason) = conversation.state { Text(reason).foregroundStyle(.red) }
                }
                .frame(maxWidth: .infinity, alignment: .leading)
            }
            HStack {
                TextField("Message", text: $line).onSubmit(send)
                if conversation.state == .answering {
                    Button("Stop") { Task { await conversation.stop() } }
                } else {
                    Button("Send", action: send).disabled(conversation.state != .ready || line.isEmpty)
                }
            }
        }
        .padding()
    }

    private func send() {
        guard !line.isEmpty else { return }
        conversation.send(line)
        line = ""
    }
}
