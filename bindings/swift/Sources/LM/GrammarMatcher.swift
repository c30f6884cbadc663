// SPDX-License-Identifier: MIT
internal import CLM
internal import CLMValues

/// Follows one text through a grammar and says which tokens may come next. Calls from several threads take turns. After an error the matcher
/// is where it was before.
public final class GrammarMatcher: Sendable {
    let handle: Handle
    private let vocabularySize: Int

    private init(_ handle: Handle, _ vocabularySize: Int) {
        self.handle = handle
        self.vocabularySize = vocabularySize
    }

    /// What starts a lazy matcher.
    public enum Trigger: Sendable, Hashable {
        /// It is the first the grammar sees.
        case token(Token)
        /// Anywhere; the grammar's text begins with it.
        case word(String)
        /// A regular expression, anywhere; the grammar's text begins at its first group that matched some text, else at the match.
        case pattern(String)
        /// The same, but all of the text so far must match.
        case fullPattern(String)

        func c(_ borrowed: Borrowed) -> lm_grammar_trigger {
            let (kind, token, text): (lm_grammar_trigger_kind, Token, String?) = switch self {
            case .token(let token): (LM_GRAMMAR_TRIGGER_KIND_TOKEN, token, nil)
            case .word(let text): (LM_GRAMMAR_TRIGGER_KIND_WORD, -1, text)
            case .pattern(let text): (LM_GRAMMAR_TRIGGER_KIND_PATTERN, -1, text)
            case .fullPattern(let text): (LM_GRAMMAR_TRIGGER_KIND_PATTERN_FULL, -1, text)
            }
            return lm_grammar_trigger(kind: Int32(kind.rawValue), token: token, text: borrowed.text(text), text_size: text?.utf8.count ?? 0)
        }
    }

    /// A matcher at the start of the text. Without a vocabulary only bytes can be accepted. With triggers it is lazy: everything is allowed
    /// until one of them occurs.
    public init(_ grammar: Grammar, _ vocabulary: GrammarVocabulary? = nil, triggers: [Trigger] = []) throws(LMError) {
        let grammar = try grammar.handle.owned(), words = try vocabulary?.handle.owned(), borrowed = Borrowed()
        defer { withExtendedLifetime(borrowed) {} }
        vocabularySize = vocabulary?.count ?? 0
        handle = try Handle("matcher", parents: [grammar, words], destroy: { lm_grammar_matcher_destroy($0) }) { out, error in
            var params = clm_grammar_matcher_params()
            params.triggers = borrowed.array(triggers.map { $0.c(borrowed) })
            params.n_triggers = triggers.count
            return lm_grammar_matcher_create(grammar.pointer, words?.pointer, &params, out, error)
        }
    }

    public func close() { handle.close() }

    /// An independent matcher at the same place.
    public func copy() throws(LMError) -> GrammarMatcher {
        let copy = try handle.alone { m throws(LMError) in
            try Handle("matcher", destroy: { lm_grammar_matcher_destroy($0) }) { out, _ in lm_grammar_matcher_clone(m, out) }
        }
        return GrammarMatcher(copy, vocabularySize)
    }

    /// Back to the start of the text, awaiting its triggers again if it has any.
    public func reset() throws(LMError) {
        try handle.alone { m throws(LMError) in try check(lm_grammar_matcher_reset(m)) }
    }

    /// Go on by a text. Returns how many of its bytes could begin a continuation: all of them, or the matcher has not moved.
    @discardableResult
    public func accept(_ text: String) throws(LMError) -> Int { try accept(bytes: Array(text.utf8)) }

    /// The same by bytes, which need not end at a character's end.
    @discardableResult
    public func accept(bytes: [UInt8]) throws(LMError) -> Int {
        try handle.alone { m throws(LMError) in
            var viable = 0
            let borrowed = Borrowed()
            defer { withExtendedLifetime(borrowed) {} }
            let status = lm_grammar_matcher_accept_bytes(m, borrowed.bytes(bytes), bytes.count, &viable)
            if status != LM_ERR_MISMATCH { try check(status) }
            return viable
        }
    }

    /// Go on by one token; throws `mismatch` for one that is not allowed.
    public func accept(_ token: Token) throws(LMError) {
        try handle.alone { m throws(LMError) in
            try check(lm_grammar_matcher_accept_token(m, token), "token \(token) is not allowed here, or there is no such token")
        }
    }

    /// The text may end here. Also true while a lazy matcher awaits a trigger.
    public var isComplete: Bool { get throws(LMError) { try handle.alone { lm_grammar_matcher_is_complete($0) != 0 } } }

    /// A lazy matcher has not met a trigger.
    public var isWaiting: Bool { get throws(LMError) { try handle.alone { lm_grammar_matcher_is_waiting($0) != 0 } } }

    /// Which tokens may come next: bit (id % 32) of element id / 32.
    public func mask() throws(LMError) -> [UInt32] {
        try handle.alone { m throws(LMError) in
            var mask = [UInt32](repeating: 0, count: (vocabularySize + 31) / 32)
            let n = mask.count
            try check(lm_grammar_matcher_mask(m, &mask, n), "the matcher has no vocabulary")
            return mask
        }
    }

    /// The bytes that must follow, whatever the model would say; at most `limit` are found.
    public func forced(limit: Int = 256) throws(LMError) -> [UInt8] {
        try handle.alone { m in
            [UInt8](unsafeUninitializedCapacity: max(0, limit)) { buffer, n in
                n = lm_grammar_matcher_forced(m, UnsafeMutableRawPointer(buffer.baseAddress)?.assumingMemoryBound(to: CChar.self), max(0, limit))
            }
        }
    }

    /// A shortest text that completes what there is: empty when the text may end here, nil when none is known.
    public func completion() throws(LMError) -> [UInt8]? {
        try handle.alone { m in
            let size = lm_grammar_matcher_completion(m, nil, 0)
            if size == .max { return nil }
            return [UInt8](unsafeUninitializedCapacity: size) { buffer, n in
                n = lm_grammar_matcher_completion(m, UnsafeMutableRawPointer(buffer.baseAddress)?.assumingMemoryBound(to: CChar.self), size)
            }
        }
    }

    /// Where the matcher is, for `rewind`.
    public var position: UInt64 { get throws(LMError) { try handle.alone { lm_grammar_matcher_position($0) } } }

    /// Go back to a position of the same text, for drafts that were not accepted.
    public func rewind(to position: UInt64) throws(LMError) {
        try handle.alone { m throws(LMError) in
            try check(lm_grammar_matcher_rewind(m, position), "not a position on the way here, or too far back")
        }
    }
}
