// SPDX-License-Identifier: MIT
internal import CLM
internal import CLMValues

/// Several tokens from one evaluation: a drafter proposes how the text goes on, the model evaluates all proposals at once, and the sampler
/// keeps those it would have chosen anyway. The tokens are exactly those of plain decoding.
///
///     var parameters = ContextParameters()
///     parameters.draftTokens = 4
///     let context = try await Context.open(model, parameters)
///     try await context.synchronize(prompt)
///     let speculator = try await Speculator(context)
///     while true { let tokens = try await speculator.next(sampler) ... }
public final class Speculator: Sendable {
    public let context: Context
    private let box: SpeculatorBox

    public enum Drafter: Sendable {
        /// What followed the last few tokens where they occurred before.
        case ngram
        /// The most likely tokens of a second, small model with the same vocabulary. It gets a context of its own, with these parameters;
        /// nil: as long as the first one.
        case model(Model, ContextParameters? = nil)
        /// Those of the model's own draft block; the context was opened with the outputs logits and draft.
        case ownBlock
    }

    /// - Parameters:
    ///   - context: opened with draftTokens above 0.
    ///   - draftTokens: at most so many proposals at once; 0: as many as the context allows.
    ///   - always: propose even where it does not pay.
    public init(
        _ context: Context, _ drafter: Drafter = .ngram, sequence: Int = 0, draftTokens: Int = 0, always: Bool = false
    ) async throws(LMError) {
        self.context = context
        var kind = LM_DRAFTER_NGRAM, second: Model?, drafting = ContextParameters()
        drafting.contextLength = context.parameters.contextLength
        drafting.sequences = 2 // recurrent models need a second one
        switch drafter {
        case .ngram: break
        case .ownBlock: kind = LM_DRAFTER_MTP
        case .model(let model, let parameters):
            kind = LM_DRAFTER_MODEL
            second = model
            drafting = parameters ?? drafting
        }
        let model = try second?.handle.owned()
        let handle = try await context.worker.perform { [kind, drafting] c throws(LMError) in
            let own = try model.map { model throws(LMError) in
                try Handle("draft context", parents: [model], destroy: { lm_context_close($0) }) { out, error in
                    var params = drafting.c
                    return lm_context_open(model.pointer, &params, out, error)
                }.owned()
            }
            return try Handle("speculator", parents: [own, context.worker], destroy: { lm_speculator_destroy($0) }) { out, error in
                var params = clm_speculator_params()
                params.drafter = Int32(kind.rawValue)
                params.seq = Int32(clamping: sequence)
                params.n_draft = Int32(clamping: draftTokens)
                params.draft = own?.pointer
                params.always = always ? 1 : 0
                return lm_speculator_create(c, &params, out, error)
            }
        }
        box = SpeculatorBox(handle, context.worker)
    }

    /// Destroy it; the context stays.
    public func close() async {
        let box = box
        _ = try? await context.worker.perform { _ in box.handle.close() }
    }

    /// Choose the next tokens and evaluate all of them but the last, which the next call evaluates. None follows an end-of-generation token.
    /// - Parameter limit: at most so many, and at most draftTokens + 2.
    public func next(_ sampler: Sampler, limit: Int = 66) async throws(LMError) -> [Token] {
        let box = box
        return try await context.worker.evaluate { c throws(LMError) in
            try box.handle.shared { s throws(LMError) in
                try sampler.handle.alone { sampler throws(LMError) in
                    var tokens = [Token](repeating: -1, count: max(0, min(limit, 66)))
                    var n = 0
                    try check(lm_speculate(s, sampler, &tokens, tokens.count, &n), message(c))
                    return Array(tokens.prefix(n))
                }
            }
        }
    }

    public struct Statistics: Sendable, Hashable {
        /// Decoding plainly because proposing did not pay.
        public let isOff: Bool
        /// Evaluations with proposals, and without.
        public let rounds, plain: Int
        /// Tokens.
        public let drafted, accepted: Int
    }

    public var statistics: Statistics {
        get async throws(LMError) {
            let box = box
            return try await context.worker.perform { _ throws(LMError) in
                try box.handle.shared { s throws(LMError) in
                    var c = lm_speculator_stats()
                    c.struct_size = UInt32(MemoryLayout<lm_speculator_stats>.size)
                    try check(lm_speculator_get_stats(s, &c))
                    return Statistics(isOff: c.is_off != 0, rounds: Int(c.n_rounds), plain: Int(c.n_plain), drafted: Int(c.n_drafted),
                        accepted: Int(c.n_accepted))
                }
            }
        }
    }
}

/// A speculator's C object; used on the worker's queue.
private final class SpeculatorBox: Dependent {
    let handle: Handle
    private let worker: Worker

    init(_ handle: Handle, _ worker: Worker) {
        self.handle = handle
        self.worker = worker
        worker.adopt(self)
    }

    deinit { worker.disown(ObjectIdentifier(self)) }
    func contextWillClose() { handle.close() }
}
