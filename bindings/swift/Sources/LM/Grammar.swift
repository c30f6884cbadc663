// SPDX-License-Identifier: MIT
internal import CLM
internal import CLMValues

/// Which texts may be generated, compiled once and shared by threads.
///
///     let grammar = try Grammar(jsonSchema: #"{"type":"object","properties":{"city":{"type":"string"}}}"#)
///     try sampler.setGrammar(try GrammarMatcher(grammar, try GrammarVocabulary(model)))
public final class Grammar: Sendable {
    let handle: Handle

    /// Compile a GBNF grammar; the start rule is "root".
    /// - Parameter findToken: the token that text such as "<|call|>" is, or nil; without the function such grammars are refused.
    public init(gbnf text: String, findToken: ((String) -> Token?)? = nil) throws(LMError) {
        let finder = findToken.map { Finder($0) }
        defer { withExtendedLifetime(finder) {} }
        handle = try Handle("grammar", destroy: { lm_grammar_destroy($0) }) { out, error throws(LMError) in
            try text.withBytes { bytes, n in
                var params = clm_grammar_params()
                if let finder {
                    params.user = Unmanaged.passUnretained(finder).toOpaque()
                    params.find_token = { user, text, n in
                        Unmanaged<Finder>.fromOpaque(user!).takeUnretainedValue().find(String(text, n)) ?? -1
                    }
                }
                return lm_grammar_from_gbnf(bytes, n, &params, out, error)
            }
        }
    }

    /// Compile a JSON Schema: every text of the grammar is strict JSON and an instance of it. `doc/grammars.md` lists the keywords; one that
    /// cannot be kept is refused by name.
    /// - Parameter compact: without any white space between the parts.
    public init(jsonSchema schema: String, compact: Bool = false) throws(LMError) {
        handle = try Handle("grammar", destroy: { lm_grammar_destroy($0) }) { out, error throws(LMError) in
            try schema.withBytes { bytes, n in
                var params = clm_grammar_params()
                params.flags = compact ? LM_GRAMMAR_COMPACT : 0
                return lm_grammar_from_json_schema(bytes, n, &params, out, error)
            }
        }
    }

    /// Bytes held, masks cached for vocabularies included.
    public var memoryBytes: Int { get throws(LMError) { try handle.shared { lm_grammar_memory($0) } } }

    /// Give up this object's hold; matchers and samplers keep what they need.
    public func close() { handle.close() }

    private final class Finder {
        let find: (String) -> Token?
        init(_ find: @escaping (String) -> Token?) { self.find = find }
    }
}

/// A vocabulary sorted for masking: once per model, shared by threads.
public final class GrammarVocabulary: Sendable {
    let handle: Handle
    /// Number of tokens.
    public let count: Int

    /// The vocabulary of a model, which is not needed afterwards.
    public init(_ model: Model) throws(LMError) {
        let owned = try model.handle.owned()
        count = model.vocabularySize
        handle = try Handle("vocabulary", destroy: { lm_grammar_vocab_destroy($0) }) { out, error in
            lm_grammar_vocab_for_model(owned.pointer, out, error)
        }
    }

    public enum Kind: Int32, Sendable {
        /// Matched by its bytes.
        case text = 0
        /// Matched by <...> elements, or where literals spell all of its bytes.
        case control
        /// Ends the generation: allowed when the text is complete.
        case end
        /// Never allowed.
        case unused
    }

    /// Another vocabulary: the kind of each token and its bytes as they appear in the text.
    /// - Parameter cacheBytes: of masks, for each grammar used with the vocabulary; nil: the default.
    public init(_ tokens: [(kind: Kind, bytes: [UInt8])], cacheBytes: Int? = nil) throws(LMError) {
        let source = Source(tokens)
        defer { withExtendedLifetime(source) {} }
        count = tokens.count
        handle = try Handle("vocabulary", destroy: { lm_grammar_vocab_destroy($0) }) { out, error in
            var params = clm_grammar_vocab_params()
            params.n_tokens = UInt32(clamping: tokens.count)
            if let cacheBytes { params.cache_bytes = max(0, cacheBytes) }
            params.user = Unmanaged.passUnretained(source).toOpaque()
            params.get = { user, token, bytes, n in
                let source = Unmanaged<Source>.fromOpaque(user!).takeUnretainedValue()
                bytes?.pointee = source.bytes[Int(token)].baseAddress
                n?.pointee = source.bytes[Int(token)].count
                return source.kinds[Int(token)]
            }
            return lm_grammar_vocab_create(&params, out, error)
        }
    }

    public func close() { handle.close() }

    private final class Source {
        let kinds: [Int32]
        let bytes: [UnsafeBufferPointer<CChar>]
        private let storage = Borrowed()

        init(_ tokens: [(kind: Kind, bytes: [UInt8])]) {
            let storage = storage
            kinds = tokens.map(\.kind.rawValue)
            bytes = tokens.map { UnsafeBufferPointer(start: storage.bytes($0.bytes), count: $0.bytes.count) }
        }
    }
}
