// SPDX-License-Identifier: MIT
import LM

let path = CommandLine.arguments[1]
let parameters = try ContextParameters.fitting(path, contextLength: 8192)
let chat = try await Chat(try await Context.open(try await Model.open(path), parameters))
var history: [ChatMessage] = [.system("Be brief."), .user("Hello")]
for try await event in chat.answer(history) {
    switch event {
    case .delta(.content(let text)): print(text, terminator: "")
    case .delta: break
    case .finished(let report): history.append(report.message)
    }
}
