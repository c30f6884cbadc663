// SPDX-License-Identifier: MIT
internal import CLM
internal import CLMValues

/// Everything that can be chosen about choosing tokens. Fields begin with the library's defaults; `include/lm/sampler.h` explains each and
/// gives its range.
public struct SamplerParameters: Sendable, Hashable {
    /// nil: a random one; `Sampler.seed` tells which was taken.
    public var seed: UInt32?
    /// The members of the chain, for example "top_k;top_p;temperature"; nil: the default order.
    public var order: String?
    /// <= 0 picks the most likely token.
    public var temperature: Float
    public var dynatempRange, dynatempExponent: Float
    public var topK: Int
    public var topP, minP, typicalP, topNSigma, xtcProbability, xtcThreshold: Float
    public var minKeep: Int
    public var repeatLastN: Int
    public var repeatPenalty, frequencyPenalty, presencePenalty: Float
    public var dryMultiplier, dryBase: Float
    public var dryAllowedLength, dryLastN: Int
    /// nil: the defaults.
    public var dryBreakers: [String]?
    /// 0, 1 or 2.
    public var mirostat: Int
    public var mirostatTau, mirostatEta: Float
    public var adaptiveTarget, adaptiveDecay: Float
    /// Added to the logits of tokens; -infinity forbids one.
    public var biases: [Token: Float] = [:]
    /// No end-of-generation token is ever picked.
    public var ignoresEnd: Bool
    /// Alternatives that `Sampler.candidates` reports, and whether of the final list rather than the raw distribution.
    public var reportedProbabilities: Int
    public var reportsFinalProbabilities: Bool
    /// Control of reasoning blocks; nil: none.
    public var reasoning: Reasoning?

    public struct Reasoning: Sendable, Hashable {
        /// Tokens between the tags; -1 unlimited, 0 end at once.
        public var budget: Int
        /// The tags as tokens; at least one end.
        public var start: [Token]
        public var ends: [[Token]]
        /// Emitted when the budget is used up; empty: the first end tag.
        public var forced: [Token]

        public init(budget: Int, start: [Token], ends: [[Token]], forced: [Token] = []) {
            self.budget = budget
            self.start = start
            self.ends = ends
            self.forced = forced
        }
    }

    public init() {
        let c = clm_sampler_params()
        temperature = c.temperature
        dynatempRange = c.dynatemp_range
        dynatempExponent = c.dynatemp_exponent
        topK = Int(c.top_k)
        topP = c.top_p
        minP = c.min_p
        typicalP = c.typical_p
        topNSigma = c.top_n_sigma
        xtcProbability = c.xtc_probability
        xtcThreshold = c.xtc_threshold
        minKeep = Int(c.min_keep)
        repeatLastN = Int(c.repeat_last_n)
        repeatPenalty = c.repeat_penalty
        frequencyPenalty = c.frequency_penalty
        presencePenalty = c.presence_penalty
        dryMultiplier = c.dry_multiplier
        dryBase = c.dry_base
        dryAllowedLength = Int(c.dry_allowed_length)
        dryLastN = Int(c.dry_last_n)
        mirostat = Int(c.mirostat)
        mirostatTau = c.mirostat_tau
        mirostatEta = c.mirostat_eta
        adaptiveTarget = c.adaptive_target
        adaptiveDecay = c.adaptive_decay
        ignoresEnd = c.ignore_eos != 0
        reportedProbabilities = Int(c.n_probs)
        reportsFinalProbabilities = c.probs_after != 0
    }

    /// The most likely token, always.
    public static var greedy: SamplerParameters {
        var p = SamplerParameters()
        p.temperature = 0
        return p
    }

    func c(_ borrowed: Borrowed) throws(LMError) -> lm_sampler_params {
        var c = clm_sampler_params()
        c.seed = seed ?? clm_seed_random()
        c.order = borrowed.text(try order?.withoutNul("order"))
        c.temperature = temperature
        c.dynatemp_range = dynatempRange
        c.dynatemp_exponent = dynatempExponent
        c.top_k = Int32(clamping: topK)
        c.top_p = topP
        c.min_p = minP
        c.typical_p = typicalP
        c.top_n_sigma = topNSigma
        c.xtc_probability = xtcProbability
        c.xtc_threshold = xtcThreshold
        c.min_keep = Int32(clamping: minKeep)
        c.repeat_last_n = Int32(clamping: repeatLastN)
        c.repeat_penalty = repeatPenalty
        c.frequency_penalty = frequencyPenalty
        c.presence_penalty = presencePenalty
        c.dry_multiplier = dryMultiplier
        c.dry_base = dryBase
        c.dry_allowed_length = Int32(clamping: dryAllowedLength)
        c.dry_last_n = Int32(clamping: dryLastN)
        if let dryBreakers {
            // A list without texts is not the default list: one empty text is skipped.
            let texts: [UnsafePointer<CChar>?] = try (dryBreakers.isEmpty ? [""] : dryBreakers).map { text throws(LMError) in
                borrowed.text(try text.withoutNul("dryBreakers"))
            }
            c.dry_breakers = borrowed.array(texts)
            c.n_dry_breakers = texts.count
        }
        c.mirostat = Int32(clamping: mirostat)
        c.mirostat_tau = mirostatTau
        c.mirostat_eta = mirostatEta
        c.adaptive_target = adaptiveTarget
        c.adaptive_decay = adaptiveDecay
        c.biases = borrowed.array(biases.map { lm_logit_bias(token: $0.key, bias: $0.value) })
        c.n_biases = biases.count
        c.ignore_eos = ignoresEnd ? 1 : 0
        c.n_probs = Int32(clamping: reportedProbabilities)
        c.probs_after = reportsFinalProbabilities ? 1 : 0
        if let reasoning {
            c.reasoning_budget = Int32(clamping: reasoning.budget)
            c.reasoning_start = span(reasoning.start, borrowed)
            c.reasoning_ends = borrowed.array(reasoning.ends.map { span($0, borrowed) })
            c.n_reasoning_ends = reasoning.ends.count
            c.reasoning_forced = span(reasoning.forced, borrowed)
        }
        return c
    }
}

private func span(_ tokens: [Token], _ borrowed: Borrowed) -> lm_token_span {
    lm_token_span(tokens: borrowed.array(tokens), count: tokens.count)
}
