// SPDX-License-Identifier: MIT
import LMBox
let model = try Model.builtin()  // or try await Model.open("model.gguf")
for try await text in model.generate("Once upon a time", maxTokens: 100) { print(text, terminator: "") }
