// SPDX-License-Identifier: MIT
internal import CLM
internal import CLMValues

/// The text a model writes to pieces of a message, for hosts that generate themselves. Calls from several threads take turns.
///
///     let parser = try ChatParser(template)
///     for text in written { for delta in try parser.feed(text) { show(delta) } }
///     for delta in try parser.finish() { show(delta) }
public final class ChatParser: Sendable {
    private let handle: Handle

    /// A parser for the syntax of a template.
    /// - Parameters:
    ///   - family: another syntax, by name: qwen3, llama3, mistral and others.
    ///   - generationPrompt: end of the prompt; it may have opened the reasoning.
    ///   - tools: JSON array of the tools declared; nil: any name is a tool.
    public convenience init(
        _ template: ChatTemplate, family: String? = nil, generationPrompt: String? = nil, tools: String? = nil
    ) throws(LMError) {
        let owned = try template.handle.owned()
        try self.init(owned, family, generationPrompt, tools)
    }

    /// A parser for a named syntax.
    public convenience init(family: String, generationPrompt: String? = nil, tools: String? = nil) throws(LMError) {
        try self.init(nil, family, generationPrompt, tools)
    }

    private init(_ chat: Owned?, _ family: String?, _ generationPrompt: String?, _ tools: String?) throws(LMError) {
        let borrowed = Borrowed(), family = try family?.withoutNul("family")
        defer { withExtendedLifetime(borrowed) {} }
        handle = try Handle("parser", destroy: { lm_chat_parser_destroy($0) }) { out, error in
            var params = clm_chat_parser_params()
            params.generation_prompt = borrowed.text(generationPrompt)
            params.generation_prompt_size = generationPrompt?.utf8.count ?? 0
            params.tools = borrowed.text(tools)
            params.tools_size = tools?.utf8.count ?? 0
            return lm_chat_parser_create(chat?.pointer, borrowed.text(family), &params, out, error)
        }
        withExtendedLifetime(chat) {}
    }

    public func close() { handle.close() }

    /// Give the next bytes of what the model wrote, cut anywhere, special tokens as text, and take what is known now. No text is an error:
    /// what does not parse is content.
    public func feed(bytes: [UInt8]) throws(LMError) -> [ChatDelta] {
        try handle.alone { p throws(LMError) in
            let borrowed = Borrowed()
            defer { withExtendedLifetime(borrowed) {} }
            try check(lm_chat_parser_feed(p, borrowed.bytes(bytes), bytes.count), "the text has ended, or memory")
            return next(p)
        }
    }

    public func feed(_ text: String) throws(LMError) -> [ChatDelta] { try feed(bytes: Array(text.utf8)) }

    /// The text has ended.
    /// - Parameter cutOff: at a length limit rather than at an end token.
    public func finish(cutOff: Bool = false) throws(LMError) -> [ChatDelta] {
        try handle.alone { p throws(LMError) in
            try check(lm_chat_parser_finish(p, cutOff ? 1 : 0), "the text has ended, or memory")
            return next(p)
        }
    }

    /// Everything so far as JSON: {"content", "reasoning_content", "tool_calls"}.
    public func result() throws(LMError) -> String {
        try handle.alone { p throws(LMError) in
            var text: UnsafePointer<CChar>?
            var size = 0
            try check(lm_chat_parser_result(p, &text, &size))
            return String(text, size)
        }
    }

    private func next(_ parser: OpaquePointer) -> [ChatDelta] {
        var out: [ChatDelta] = []
        var delta = lm_chat_delta()
        while lm_chat_parser_next(parser, &delta) != 0 { if let delta = ChatDelta(delta) { out.append(delta) } }
        return out
    }
}
