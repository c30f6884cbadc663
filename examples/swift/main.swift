// SPDX-License-Identifier: MIT
// A conversation on the terminal: swift run -c release lm-chat [MODEL.gguf [SYSTEM TEXT]], without a model with the built-in one. The whole
// history goes into every turn; only what is new is evaluated. An empty line or the end of the input ends it.
import Foundation
import LMBox

func fail(_ text: String) -> Never {
    FileHandle.standardError.write(Data("lm-chat: \(text)\n".utf8))
    exit(3)
}

func say(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }

func openContext(_ path: String?) async throws -> Context {
    guard let path else { return try await Context.open(try Model.builtin()) }
    let parameters = try ContextParameters.fitting(path, contextLength: 8192)
    return try await Context.open(try await Model.open(path), parameters)
}

do {
    let context = try await openContext(CommandLine.arguments.dropFirst().first)
    let chat = try await Chat(context) { level, message in
        if level <= .warning { FileHandle.standardError.write(Data("\(level): \(message)\n".utf8)) }
    }
    var history: [ChatMessage] = CommandLine.arguments.dropFirst(2).first.map { [.system($0)] } ?? []
    while true {
        say("> ")
        guard let line = readLine(), !line.isEmpty else { break }
        history.append(.user(line))
        for try await event in chat.answer(history) {
            switch event {
            case .delta(.content(let text)), .delta(.reasoning(let text)): say(text)
            case .delta: break // without tools there are no calls
            case .finished(let report):
                history.append(report.message)
                say(report.finish == .length ? "\n(cut off)\n" : "\n")
            }
        }
    }
    await context.close()
} catch let error as LMError {
    fail(error.message)
}
