// SPDX-License-Identifier: MIT
internal import CLM
internal import CLMValues

/// Turns a row of logits into the next token, and holds all state of one generation: histories, random generators. Equal parameters, logits
/// and seed give equal tokens on every platform. Calls from several threads take turns.
///
///     let sampler = try Sampler(model)
///     let token = try await context.sample(sampler)
public final class Sampler: Sendable {
    let handle: Handle

    private init(_ handle: Handle) { self.handle = handle }

    /// A sampler over a model's vocabulary. Without parameters the file's recommendations hold, where it has some.
    public init(_ model: Model, _ parameters: SamplerParameters? = nil) throws(LMError) {
        let owned = try model.handle.owned(), borrowed = Borrowed()
        defer { withExtendedLifetime(borrowed) {} }
        handle = try Handle("sampler", parents: [owned], destroy: { lm_sampler_destroy($0) }) { out, error throws(LMError) in
            guard let parameters else { return lm_sampler_for_model(owned.pointer, nil, out, error) }
            var params = try parameters.c(borrowed)
            return lm_sampler_for_model(owned.pointer, &params, out, error)
        }
    }

    /// A sampler over another vocabulary.
    public init(_ vocabulary: Vocabulary, _ parameters: SamplerParameters = SamplerParameters()) throws(LMError) {
        let source = VocabularySource(vocabulary), borrowed = Borrowed()
        defer { withExtendedLifetime(borrowed) {} }
        handle = try Handle("sampler", parents: [source], destroy: { lm_sampler_destroy($0) }) { out, error throws(LMError) in
            var params = try parameters.c(borrowed), vocab = source.c(borrowed)
            return lm_sampler_create(&params, &vocab, out, error)
        }
    }

    /// Destroy it; every later call throws `state`.
    public func close() { handle.close() }

    /// An independent sampler in exactly the same state, random generators included.
    public func copy() throws(LMError) -> Sampler {
        Sampler(try handle.alone { s throws(LMError) in
            try Handle("sampler", parents: [try handle.owned()], destroy: { lm_sampler_destroy($0) }) { out, _ in lm_sampler_clone(s, out) }
        })
    }

    /// Let only tokens through that a grammar allows, from where the matcher is; nil removes the grammar. The sampler follows a copy of it.
    public func setGrammar(_ matcher: GrammarMatcher?) throws(LMError) {
        try handle.alone { s throws(LMError) in
            guard let matcher else { return try check(lm_sampler_set_grammar(s, nil)) }
            try matcher.handle.alone { m throws(LMError) in try check(lm_sampler_set_grammar(s, m), "the matcher has no vocabulary") }
        }
    }

    /// How many tokens may still be generated, the end token included; nil: any number. With a grammar the text is then completed in time.
    public func setLimit(_ tokens: Int?) throws(LMError) {
        try handle.alone { s throws(LMError) in try check(lm_sampler_set_limit(s, tokens.map { Int32(clamping: max(0, $0)) } ?? -1)) }
    }

    /// Back to the state it was made in: histories empty, generators started again from the same seed.
    public func reset() throws(LMError) { try handle.alone { lm_sampler_reset($0) } }

    /// The seed in use.
    public var seed: UInt32 { get throws(LMError) { try handle.alone { lm_sampler_seed($0) } } }

    /// Choose the next token from a row of logits. Not accepted yet: call `accept` with the token that is really used.
    public func pick(_ logits: [Float]) throws(LMError) -> Token {
        try handle.alone { s throws(LMError) in
            var token: Token = -1
            try check(lm_sampler_pick(s, logits, logits.count, &token), said(s))
            return token
        }
    }

    /// Run the chain without its selecting member, in place: removed tokens become -infinity.
    public func apply(_ logits: inout [Float]) throws(LMError) {
        let n = logits.count
        try handle.alone { s throws(LMError) in try check(lm_sampler_apply(s, &logits, n), said(s)) }
    }

    /// Enter a generated token into all histories.
    public func accept(_ token: Token) throws(LMError) {
        try handle.alone { s throws(LMError) in try check(lm_sampler_accept(s, token), said(s)) }
    }

    /// Enter prompt tokens. The last `generationPrompt` of them may open a reasoning block.
    public func accept(prompt tokens: [Token], generationPrompt: Int = 0) throws(LMError) {
        try handle.alone { s throws(LMError) in
            try check(lm_sampler_accept_prompt(s, tokens, tokens.count, generationPrompt < 0 ? .max : generationPrompt), said(s))
        }
    }

    /// One reported alternative.
    public struct Candidate: Sendable, Hashable {
        public let token: Token
        public let probability, logProbability: Float

        init(_ c: lm_token_prob) {
            token = c.token
            probability = c.p
            logProbability = c.logprob
        }
    }

    /// The most likely tokens of the last pick, best first, and the picked one. Needs `reportedProbabilities` above 0.
    public func candidates() throws(LMError) -> (best: [Candidate], picked: Candidate) {
        try handle.alone { s throws(LMError) in
            var start: UnsafePointer<lm_token_prob>?
            var n = 0
            var picked = lm_token_prob()
            try check(lm_sampler_candidates(s, &start, &n, &picked), "nothing was picked, or no probabilities are reported")
            return (UnsafeBufferPointer(start: start, count: n).map { Candidate($0) }, Candidate(picked))
        }
    }

    /// Close an open reasoning block now: the forced sequence follows.
    public func endReasoning() throws(LMError) {
        try handle.alone { s throws(LMError) in try check(lm_sampler_end_reasoning(s), said(s)) }
    }
}

/// The sentence of the last failed call on a sampler.
private func said(_ sampler: OpaquePointer) -> String { sentence(lm_sampler_message(sampler)) }

extension Sampler {
    /// What a sampler needs to know about a vocabulary that is not a `Model`'s.
    public struct Vocabulary: Sendable {
        /// Length of the largest row of logits.
        public var size: Int
        public var endOfTurn, endOfText: Token?
        /// Never picked.
        public var suppressed: [Token] = []
        /// The bytes of each token, for the members dry and infill and the reasoning budget; empty: unknown.
        public var pieces: [[UInt8]] = []
        /// Tokens whose text is shown on request only.
        public var control: Set<Token> = []
        /// Tokens that end a generation.
        public var ends: Set<Token> = []
        /// The tokens of a plain text, for dry; nil: unknown.
        public var tokenize: (@Sendable (String) -> [Token])?

        public init(size: Int) { self.size = size }
    }
}

/// A vocabulary where C can find it. The texts it hands out stay where they are.
private final class VocabularySource: @unchecked Sendable { // immutable
    private let vocabulary: Sampler.Vocabulary
    private let pieces: [UnsafeBufferPointer<CChar>]
    private let storage = Borrowed()

    init(_ vocabulary: Sampler.Vocabulary) {
        let storage = storage
        self.vocabulary = vocabulary
        pieces = vocabulary.pieces.map { UnsafeBufferPointer(start: storage.bytes($0), count: $0.count) }
    }

    func c(_ borrowed: Borrowed) -> lm_sampler_vocab {
        var c = clm_sampler_vocab()
        c.n_vocab = Int32(clamping: vocabulary.size)
        c.eot = vocabulary.endOfTurn ?? -1
        c.eos = vocabulary.endOfText ?? -1
        c.suppressed = borrowed.array(vocabulary.suppressed)
        c.n_suppressed = vocabulary.suppressed.count
        c.user = Unmanaged.passUnretained(self).toOpaque()
        c.is_eog = { user, token in source(user).vocabulary.ends.contains(token) ? 1 : 0 }
        if !pieces.isEmpty {
            c.piece = { user, token, special, length in
                let source = source(user), known = source.pieces.indices.contains(Int(token))
                let shown = known && (special != 0 || !source.vocabulary.control.contains(token))
                length?.pointee = shown ? source.pieces[Int(token)].count : 0
                return shown ? source.pieces[Int(token)].baseAddress : nil
            }
        }
        if vocabulary.tokenize != nil {
            c.tokenize = { user, text, n, out, capacity in
                let tokens = source(user).vocabulary.tokenize?(String(text, n)) ?? []
                for (i, token) in tokens.prefix(capacity).enumerated() { out?[i] = token }
                return Int32(clamping: tokens.count)
            }
        }
        return c
    }
}

private func source(_ user: UnsafeMutableRawPointer?) -> VocabularySource {
    Unmanaged<VocabularySource>.fromOpaque(user!).takeUnretainedValue()
}
