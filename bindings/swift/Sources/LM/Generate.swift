// SPDX-License-Identifier: MIT
internal import CLM
import Foundation

/// What a completion should be.
public struct Completion: Sendable {
    /// nil: until the end or the context is full.
    public var maxTokens: Int?
    /// nil: what the model recommends.
    public var sampling: SamplerParameters?
    /// Only texts of this grammar.
    public var grammar: Grammar?
    /// Control tokens written out in the prompt become those tokens: only for trusted text.
    public var parseSpecial = false

    public init(maxTokens: Int? = nil, sampling: SamplerParameters? = nil, grammar: Grammar? = nil) {
        self.maxTokens = maxTokens
        self.sampling = sampling
        self.grammar = grammar
    }
}

extension Model {
    /// Continue a text, on a context of its own. Work begins at once and does not wait for the reader; cancelling the task that reads, or
    /// dropping the stream, stops it. The stream throws only `LMError`.
    public func generate(
        _ prompt: String, maxTokens: Int? = nil, sampling: SamplerParameters? = nil, _ parameters: ContextParameters = ContextParameters()
    ) -> AsyncThrowingStream<String, any Error> {
        AsyncThrowingStream { continuation in
            let call = Call()
            continuation.onTermination = { if case .cancelled = $0 { call.cancel() } }
            DispatchQueue.global(qos: .userInitiated).async {
                do throws(LMError) {
                    let context = try Context(self, parameters)
                    context.generate(prompt, 0, Completion(maxTokens: maxTokens, sampling: sampling), call, continuation)
                } catch { continuation.finish(throwing: error) }
            }
        }
    }
}

extension Context {
    /// Make a sequence this text and continue it. Text the sequence began with before is not evaluated again; otherwise as `Model.generate`.
    public func generate(
        _ prompt: String, sequence: Int = 0, _ completion: Completion = Completion()
    ) -> AsyncThrowingStream<String, any Error> {
        AsyncThrowingStream { continuation in
            let call = Call()
            continuation.onTermination = { if case .cancelled = $0 { call.cancel() } }
            generate(prompt, sequence, completion, call, continuation)
        }
    }

    fileprivate func generate(
        _ prompt: String, _ sequence: Int, _ completion: Completion, _ call: Call, _ out: AsyncThrowingStream<String, any Error>.Continuation
    ) {
        worker.enqueue(call) { [self] c throws(LMError) in
            let sampler = try Sampler(model, completion.sampling)
            if let grammar = completion.grammar { try sampler.setGrammar(try GrammarMatcher(grammar, try GrammarVocabulary(model))) }
            let tokens = try model.tokenize(prompt, parseSpecial: completion.parseSpecial), seq = Int32(clamping: sequence)
            var text = TextStream(model), left = try completion.maxTokens.map { n throws(LMError) in try notNegative("maxTokens", n) } ?? .max
            try check(lm_context_sync(c, seq, tokens, tokens.count, nil), message(c))
            while left > 0 && !call.isCancelled {
                var token: Token = -1
                try sampler.handle.alone { s throws(LMError) in try check(lm_sample(c, s, &token), message(c)) }
                if try model.isEnd(token) { break }
                let piece = try text.next(token)
                if !piece.isEmpty { out.yield(piece) }
                left -= 1
                if left == 0 { break }
                let status = withUnsafePointer(to: token) { pointer in
                    var item = lm_batch_item(seq: seq, logits: Int32(LM_LOGITS_LAST.rawValue), tokens: pointer, n_tokens: 1)
                    return lm_context_eval_batch(c, &item, 1)
                }
                if status == LM_ERR_FULL { break }
                try check(status, message(c))
            }
            let rest = try text.end()
            if !rest.isEmpty { out.yield(rest) }
        } done: { result in
            switch result {
            case .success: out.finish()
            case .failure(let error): out.finish(throwing: error)
            }
        }
    }
}
