// SPDX-License-Identifier: MIT
// The part of the app that is no view: one conversation with a model on the device, through foreground and background.
import Foundation
import LM

@MainActor
final class Conversation {
    enum State: Equatable {
        case closed, opening, ready, answering
        case failed(String)
    }

    private(set) var state = State.closed { didSet { changed() } }
    private(set) var messages: [ChatMessage] = []
    /// What has come of the answer so far.
    private(set) var partial = "" { didSet { changed() } }
    /// Called after every change.
    var changed: @MainActor () -> Void = {}

    private let model: URL
    /// Where the evaluated conversation waits while the app is away.
    private let saved: URL
    private var chat: Chat?
    private var answer: Task<Void, Never>?

    init(model: URL, saved: URL) {
        self.model = model
        self.saved = saved
    }

    /// Open the model with as long a context as memory allows. Opening again after `giveBackMemory` goes on where it was.
    func open() async {
        guard chat == nil, state != .opening else { return }
        state = .opening
        do {
            let parameters = try ContextParameters.fitting(model.path, contextLength: 4096)
            let context = try await Context.open(try await Model.open(model), parameters)
            // Without a saved sequence the next answer evaluates the history again: slower, not wrong.
            try? await context.restore(from: saved)
            chat = try await Chat(context)
            state = .ready
        } catch {
            state = .failed(error.localizedDescription)
        }
    }

    func send(_ text: String) {
        guard state == .ready, let chat else { return }
        messages.append(.user(text))
        partial = ""
        state = .answering
        answer = Task {
            do {
                for try await event in chat.answer(messages, .init(maxTokens: 1024)) {
                    switch event {
                    case .delta(.content(let text)): partial += text
                    case .delta: break
                    case .finished(let report): messages.append(report.message)
                    }
                }
                // A stream that was left ends without a report: what was shown is the answer.
                if messages.last?.role == .user { messages.append(.assistant(partial)) }
                partial = ""
                state = .ready
            } catch {
                partial = ""
                state = .failed(error.localizedDescription)
            }
        }
    }

    /// End the answer with what there is.
    func stop() async {
        answer?.cancel()
        await answer?.value
        answer = nil
    }

    /// The app leaves the foreground: nothing may run any more, and the conversation is written down. The context stays in memory, and is
    /// the system's reason to end the app early; `giveBackMemory` is the answer to a memory warning.
    func enterBackground() async {
        await stop()
        guard let chat else { return }
        try? await chat.context.save(to: saved)
    }

    /// Close the context. The weights are a mapping, which the system drops by itself.
    func giveBackMemory() async {
        await enterBackground()
        await chat?.context.close()
        chat = nil
        state = .closed
    }
}
