// SPDX-License-Identifier: MIT
internal import CLM
internal import CLMValues

/// How a context is opened. Fields begin with the library's defaults (`include/lm/context.h` says all about them).
public struct ContextParameters: Sendable, Hashable {
    /// Positions of a sequence; 0: what the model was trained for, at most 4096.
    public var contextLength: Int
    /// Independent lines of tokens, numbered from 0.
    public var sequences: Int
    /// Tokens evaluated together at most; 0: 512. Never changes a result.
    public var batch: Int
    /// Rows of logits or hidden states one call may ask for; 0: one per sequence.
    public var outputRows: Int
    /// Element types of the cache.
    public var keyType, valueType: ElementType
    /// 0: all of the runtime.
    public var threads: Int
    /// Of recurrent state and windows; -1: 8 per sequence.
    public var checkpoints: Int
    /// Budget of the cache; 0: what the sequences need.
    public var cacheBytes: UInt64
    /// Empty: pooled rows for encoders, logits for others.
    public var outputs: Outputs
    public var pooling: Pooling
    /// Tokens a `Speculator` may propose at once, at most 64.
    public var draftTokens: Int

    /// What an evaluation gives.
    public struct Outputs: OptionSet, Hashable, Sendable {
        public let rawValue: Int32
        public init(rawValue: Int32) { self.rawValue = rawValue }
        private init(_ c: lm_output) { rawValue = Int32(c.rawValue) }

        public static let logits = Outputs(LM_OUTPUT_LOGITS)
        public static let hidden = Outputs(LM_OUTPUT_HIDDEN)
        /// One row per text.
        public static let pooled = Outputs(LM_OUTPUT_POOLED)
        /// With logits: the model's own draft block follows the text.
        public static let draft = Outputs(LM_OUTPUT_DRAFT)
    }

    /// How the rows of a text become one vector.
    public enum Pooling: Int32, Sendable {
        /// What the file says.
        case automatic = -1
        /// They do not: one vector per token.
        case none = 0
        case mean, cls, last
        /// Scores of the model's classifier.
        case rank
    }

    public init() { self.init(clm_context_params()) }

    init(_ c: lm_context_params) {
        contextLength = Int(c.n_ctx)
        sequences = Int(c.n_seqs)
        batch = Int(c.n_batch)
        outputRows = Int(c.n_outputs)
        keyType = ElementType(rawValue: c.k_type)
        valueType = ElementType(rawValue: c.v_type)
        threads = Int(c.n_threads)
        checkpoints = Int(c.n_checkpoints)
        cacheBytes = c.cache_bytes
        outputs = Outputs(rawValue: c.outputs)
        pooling = Pooling(rawValue: c.pooling) ?? .automatic
        draftTokens = Int(c.n_draft)
    }

    var c: lm_context_params {
        var c = clm_context_params()
        c.n_ctx = Int32(clamping: contextLength)
        c.n_seqs = Int32(clamping: sequences)
        c.n_batch = Int32(clamping: batch)
        c.n_outputs = Int32(clamping: outputRows)
        c.k_type = keyType.rawValue
        c.v_type = valueType.rawValue
        c.n_threads = Int32(clamping: threads)
        c.n_checkpoints = Int32(clamping: checkpoints)
        c.cache_bytes = cacheBytes
        c.outputs = outputs.rawValue
        c.pooling = pooling.rawValue
        c.n_draft = Int32(clamping: draftTokens)
        return c
    }
}
