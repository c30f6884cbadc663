// SPDX-License-Identifier: MIT
internal import CLM
import Foundation

/// Evaluating tokens: the cache, the sequences in it and the logits of the last evaluation.
///
///     let context = try await Context.open(model)
///     try await context.evaluate(try model.tokenize("Once upon a time"))
///     let token = try await context.sample(sampler)
///
/// Any task may call at any time: calls run one after another on a queue of the context's own, so none of Swift's threads is blocked.
/// Cancelling the task that waits for an evaluation stops it (`cancelled`) and leaves the sequence as it was.
public final class Context: Sendable {
    /// A hold of the context's own: closing the model that was given does not close this one.
    public let model: Model
    /// The parameters in force, defaults filled in.
    public let parameters: ContextParameters
    let worker: Worker

    /// Open a context, which takes the memory `Model.plan` tells. `open` does the same away from the calling thread.
    public init(_ model: Model, _ parameters: ContextParameters = ContextParameters()) throws(LMError) {
        self.model = try Model(holding: model)
        let owned = try self.model.handle.owned()
        var pointer: OpaquePointer?
        var params = parameters.c
        var error = lm_error()
        let status = lm_context_open(owned.pointer, &params, &pointer, &error)
        guard status == LM_OK, let pointer else { throw LMError(status, error) }
        worker = Worker(pointer, model: owned)
        try check(lm_context_get_params(pointer, &params))
        self.parameters = ContextParameters(params)
    }

    public static func open(_ model: Model, _ parameters: ContextParameters = ContextParameters()) async throws(LMError) -> Context {
        try await away { () throws(LMError) in try Context(model, parameters) }
    }

    /// Stop the evaluation in progress, whoever waits for it: it throws `cancelled`. Without one, nothing.
    public func cancel() { worker.cancel() }

    /// Give back all memory, once the calls made before have returned (`cancel()` hurries them). Chats and speculators on this context are
    /// closed with it; every later call throws `state`. Without it the memory goes with the last reference.
    public func close() async { await worker.close() }

    // MARK: Evaluating

    /// Append tokens to sequence 0; `logits` then has the row of the last one.
    public func evaluate(_ tokens: [Token]) async throws(LMError) {
        try await worker.evaluate { c throws(LMError) in try check(lm_context_eval(c, tokens, tokens.count), message(c)) }
    }

    /// Tokens to append to one sequence, and which of them get a row of logits.
    public struct BatchItem: Sendable, Hashable {
        public enum Rows: Int32, Sendable { case none = 0, last, all }
        public var sequence: Int
        public var tokens: [Token]
        public var rows: Rows

        public init(_ tokens: [Token], sequence: Int = 0, rows: Rows = .last) {
            self.tokens = tokens
            self.sequence = sequence
            self.rows = rows
        }
    }

    /// Append tokens to several sequences at once. Rows are numbered in the order of the items and, inside an item, of its tokens.
    public func evaluate(_ items: [BatchItem]) async throws(LMError) {
        try await worker.evaluate { c throws(LMError) in
            let borrowed = Borrowed()
            defer { withExtendedLifetime(borrowed) {} }
            let batch = items.map {
                lm_batch_item(seq: Int32(clamping: $0.sequence), logits: $0.rows.rawValue, tokens: borrowed.array($0.tokens), n_tokens: $0.tokens.count)
            }
            try check(lm_context_eval_batch(c, batch, batch.count), message(c))
        }
    }

    /// What a `synchronize` reused.
    public struct SyncInfo: Sendable, Hashable {
        public enum Reason: Int32, Sendable {
            /// Everything but the last token was reused.
            case none = 0
            /// No sequence or cached page continues like this.
            case unknown
            /// Known, but a sliding window's pages before that point are gone.
            case window
            /// Known, but recurrent state was kept only at an earlier point.
            case checkpoint
        }
        public let reason: Reason
        public let reused, evaluated, known, fromCache: Int
        /// Position recurrent layers resumed from; nil for none.
        public let checkpoint: Int?

        init(_ c: lm_sync_info) {
            reason = Reason(rawValue: c.reason) ?? .none
            reused = Int(c.n_reused)
            evaluated = Int(c.n_evaluated)
            known = Int(c.n_known)
            fromCache = Int(c.n_from_cache)
            checkpoint = c.checkpoint < 0 ? nil : Int(c.checkpoint)
        }
    }

    /// Make a sequence exactly these tokens, reusing the longest prefix known and evaluating the rest; logits of the last token follow.
    @discardableResult
    public func synchronize(_ tokens: [Token], sequence: Int = 0) async throws(LMError) -> SyncInfo {
        try await worker.evaluate { c throws(LMError) in
            var info = lm_sync_info()
            info.struct_size = UInt32(MemoryLayout<lm_sync_info>.size)
            try check(lm_context_sync(c, Int32(clamping: sequence), tokens, tokens.count, &info), message(c))
            return SyncInfo(info)
        }
    }

    // MARK: Results

    /// Choose the next token from the last row of logits and enter it into the sampler's histories.
    public func sample(_ sampler: Sampler) async throws(LMError) -> Token {
        try await worker.evaluate { c throws(LMError) in
            try sampler.handle.alone { s throws(LMError) in
                var token: Token = -1
                try check(lm_sample(c, s, &token), message(c))
                return token
            }
        }
    }

    /// The tokens that must come now because the sampler's grammar leaves no choice, entered into its histories: to be evaluated in one batch
    /// with the token before them. Call it before that token is evaluated.
    public func sampleForced(_ sampler: Sampler, limit: Int = 64) async throws(LMError) -> [Token] {
        try await worker.evaluate { c throws(LMError) in
            try sampler.handle.alone { s throws(LMError) in
                var tokens = [Token](repeating: -1, count: max(0, limit)), n = 0
                try check(lm_sample_forced(c, s, &tokens, tokens.count, &n), message(c))
                return Array(tokens.prefix(n))
            }
        }
    }

    /// Number of rows of logits of the last evaluation.
    public var logitsRows: Int { get async throws(LMError) { try await worker.perform { lm_context_logits_count($0) } } }

    /// A row of logits of the last evaluation, the last one without a number: nil when there is none.
    public func logits(row: Int? = nil) async throws(LMError) -> [Float]? { try await withLogits(row: row) { $0.map(Array.init) } }

    /// The same without a copy. body runs on the context's queue; the row lives during the call.
    public func withLogits<R: Sendable>(row: Int? = nil, _ body: @escaping @Sendable (UnsafeBufferPointer<Float>?) -> R) async throws(LMError) -> R {
        let width = model.vocabularySize
        return try await worker.perform { c in
            let floats = row.map { $0 < 0 ? nil : lm_context_logits_row(c, $0) } ?? lm_context_logits(c)
            return body(floats.map { UnsafeBufferPointer(start: $0, count: width) })
        }
    }

    /// What the model's draft block predicts for the token after the next, beside a row of logits; nil when there is none.
    public func draftLogits(row: Int) async throws(LMError) -> [Float]? {
        let width = model.vocabularySize
        return try await worker.perform { row < 0 ? nil : floats(lm_context_draft_logits($0, row), width) }
    }

    /// A row of hidden states of the last evaluation, numbered like logits; nil when there is none.
    public func hidden(row: Int) async throws(LMError) -> [Float]? {
        let width = model.info.embeddingWidth
        return try await worker.perform { row < 0 ? nil : floats(lm_context_hidden($0, row), width) }
    }

    /// The pooled row of an item of the last evaluation, not normalised; nil when there is none.
    public func pooled(item: Int) async throws(LMError) -> [Float]? {
        try await worker.perform { item < 0 ? nil : floats(lm_context_pooled($0, item), lm_context_pooled_width($0)) }
    }

    // MARK: Vectors of texts

    /// Vectors of texts given as tokens, with the pooling the context was opened with; with `Pooling.none` a row per token, text after text.
    /// Every sequence of the context is emptied before and after.
    /// - Parameter raw: leave vectors as the model gives them instead of scaling them to length 1.
    public func embed(_ texts: [[Token]], raw: Bool = false) async throws(LMError) -> [[Float]] {
        let perToken = parameters.pooling == .none
        return try await worker.evaluate { c throws(LMError) in
            let borrowed = Borrowed()
            defer { withExtendedLifetime(borrowed) {} }
            let list = texts.map { lm_embed_text(tokens: borrowed.array($0), n_tokens: $0.count) }
            let width = lm_embed_width(c), rows = perToken ? texts.reduce(0) { $0 + $1.count } : texts.count
            var out = [Float](repeating: 0, count: rows * width)
            try check(lm_embed(c, list, list.count, raw ? LM_EMBED_RAW : 0, &out, out.count), message(c))
            return (0..<rows).map { Array(out[$0 * width..<($0 + 1) * width]) }
        }
    }

    public func embed(_ texts: [String], raw: Bool = false) async throws(LMError) -> [[Float]] {
        var tokens: [[Token]] = []
        for text in texts { tokens.append(try model.tokenize(text)) }
        return try await embed(tokens, raw: raw)
    }

    // MARK: Adapters

    /// Use these adapters, and no others, from now on; none: the model as it is. Every sequence must be empty.
    public func use(_ adapters: [Adapter.Use]) async throws(LMError) {
        var owned: [Owned] = []
        for use in adapters { owned.append(try use.adapter.handle.owned()) }
        let holds = owned
        try await worker.perform { c throws(LMError) in
            let uses = zip(adapters, holds).map { use, hold in
                lm_adapter_use(adapter: hold.pointer, scale: use.scale, first_layer: Int32(clamping: use.layers?.lowerBound ?? 0),
                    last_layer: Int32(clamping: use.layers?.upperBound ?? 0))
            }
            try check(lm_context_set_adapters(c, uses, uses.count), message(c))
        }
    }
}

/// The sentence of the last failed call on a context.
func message(_ context: OpaquePointer) -> String { sentence(lm_context_message(context)) }

private func floats(_ start: UnsafePointer<Float>?, _ count: Int) -> [Float]? {
    start.map { Array(UnsafeBufferPointer(start: $0, count: count)) }
}
