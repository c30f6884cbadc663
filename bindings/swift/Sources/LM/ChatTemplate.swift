// SPDX-License-Identifier: MIT
internal import CLM
internal import CLMValues
import Foundation

/// Messages to the text a model expects. Templates are hostile: their time, memory and output are bounded. Calls from several threads take
/// turns. `Chat` does all of it in one call.
public final class ChatTemplate: Sendable {
    let handle: Handle
    /// The name of the output syntax found in the template.
    public let family: String

    /// Read a template in the Jinja dialect of chat templates; nil or "chatml" gives ChatML.
    public convenience init(_ text: String?, log: LogHandler? = nil) throws(LMError) {
        try self.init(log) { params, out, error throws(LMError) in
            guard let text else { return lm_chat_from_template(nil, 0, params, out, error) }
            return try text.withBytes { lm_chat_from_template($0, $1, params, out, error) }
        }
    }

    /// Read the template a model's file carries; ChatML when there is none, with a warning to the log.
    public convenience init(_ model: Model, log: LogHandler? = nil) throws(LMError) {
        try self.init(log) { params, out, error throws(LMError) in
            try model.handle.shared { lm_chat_from_model($0, params, out, error) }
        }
    }

    private init(
        _ log: LogHandler?,
        _ make: (UnsafePointer<lm_chat_params>, UnsafeMutablePointer<OpaquePointer?>, UnsafeMutablePointer<lm_error>) throws(LMError) -> lm_status
    ) throws(LMError) {
        let sink = LogSink(log)
        let handle = try Handle("template", parents: [sink], destroy: { lm_chat_destroy($0) }) { out, error throws(LMError) in
            var params = clm_chat_params()
            params.log = sink.c
            return try make(&params, out, error)
        }
        family = try handle.alone { sentence(lm_chat_family($0)) }
        self.handle = handle
    }

    public func close() { handle.close() }

    /// The text a template gives, cut into pieces.
    public struct Prompt: Sendable, Hashable {
        /// Bytes `range` of the text. message: index of the message they belong to. isCallers: they come from the data, not the template;
        /// only the template's own may be read as control tokens.
        public struct Span: Sendable, Hashable {
            public let range: Range<Int>
            public let message: Int?
            public let isCallers: Bool
        }
        public let text: String
        public let spans: [Span]
    }

    /// Render. inputs is a JSON object of the template's variables: "messages", "tools", "add_generation_prompt", ...
    /// - Parameters:
    ///   - now: what the template may ask for, in local time; nil: 1970.
    ///   - adapting: rewrite "messages" to what the template takes (`doc/chat.md` has the rules).
    public func render(_ inputs: String, now: Date? = Date(), adapting: Bool = false) throws(LMError) -> Prompt {
        try handle.alone { chat throws(LMError) in
            try inputs.withBytes { bytes, n throws(LMError) in
                var params = clm_chat_render_params(now), prompt = clm_chat_prompt(), error = lm_error()
                params.flags = adapting ? clm_chat_render_adapt() : 0
                let status = lm_chat_render(chat, bytes, n, &params, &prompt, &error)
                if status != LM_OK {
                    let whole = sentence(lm_chat_message(chat))
                    throw LMError(LMError.Status(status), whole.isEmpty ? LMError(status, error).message : whole)
                }
                let callers = clm_chat_span_caller()
                let spans = UnsafeBufferPointer(start: prompt.spans, count: prompt.n_spans).map {
                    Prompt.Span(range: $0.start..<$0.end, message: $0.message < 0 ? nil : Int($0.message), isCallers: $0.flags & callers != 0)
                }
                return Prompt(text: String(prompt.text, prompt.text_size), spans: spans)
            }
        }
    }
}

/// A moment as templates see it: local time.
func clm_chat_render_params(_ now: Date?) -> lm_chat_render_params {
    var c = clm_chat_render_params()
    guard let now else { return c }
    let parts = Calendar(identifier: .gregorian).dateComponents([.year, .month, .day, .hour, .minute, .second], from: now)
    c.year = Int32(clamping: parts.year ?? 1970)
    c.month = Int32(clamping: parts.month ?? 1)
    c.day = Int32(clamping: parts.day ?? 1)
    c.hour = Int32(clamping: parts.hour ?? 0)
    c.minute = Int32(clamping: parts.minute ?? 0)
    c.second = Int32(clamping: parts.second ?? 0)
    return c
}
