// SPDX-License-Identifier: MIT
import LM
let model = try await Model.open(CommandLine.arguments[1])
for try await text in model.generate("Once upon a time", maxTokens: 100) { print(text, terminator: "") }
