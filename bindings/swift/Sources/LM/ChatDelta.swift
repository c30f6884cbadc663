// SPDX-License-Identifier: MIT
internal import CLM

/// A piece of an answer. Text handed out is never taken back: all pieces of a kind, joined, are the final text.
public enum ChatDelta: Sendable, Hashable {
    case content(String)
    case reasoning(String)
    /// A call begins. Calls are numbered from 0.
    case call(Int, name: String)
    /// Text that continues the JSON of the call's arguments.
    case arguments(Int, String)
    /// The call is complete.
    case callEnd(Int)
    /// The call was cut off or malformed: it must not be executed.
    case callBroken(Int)

    /// nil for a kind that a later library may add.
    init?(_ c: lm_chat_delta) {
        let text = String(c.text, c.text_size), call = Int(c.call)
        switch lm_chat_delta_kind(rawValue: .init(c.kind)) {
        case LM_CHAT_DELTA_CONTENT: self = .content(text)
        case LM_CHAT_DELTA_REASONING: self = .reasoning(text)
        case LM_CHAT_DELTA_CALL: self = .call(call, name: text)
        case LM_CHAT_DELTA_ARGUMENTS: self = .arguments(call, text)
        case LM_CHAT_DELTA_CALL_END: self = .callEnd(call)
        case LM_CHAT_DELTA_CALL_BROKEN: self = .callBroken(call)
        default: return nil
        }
    }
}
