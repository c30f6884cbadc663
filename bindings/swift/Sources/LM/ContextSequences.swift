// SPDX-License-Identifier: MIT
internal import CLM
import Foundation

/// Sequences: independent lines of tokens, numbered from 0. All exist from the start, empty.
extension Context {
    /// Tokens in a sequence.
    public func length(sequence: Int = 0) async throws(LMError) -> Int {
        try await tokens(sequence: sequence).count
    }

    public func tokens(sequence: Int = 0) async throws(LMError) -> [Token] {
        try await worker.perform { c throws(LMError) in
            let seq = Int32(clamping: sequence), n = lm_seq_length(c, seq)
            if n < 0 { throw LMError(.range, "there is no sequence \(sequence)") }
            return Array(UnsafeBufferPointer(start: lm_seq_tokens(c, seq), count: Int(n)))
        }
    }

    /// Make `to` a copy of `from`; memory is shared until one of them grows.
    public func fork(from: Int, to: Int) async throws(LMError) {
        try await worker.perform { c throws(LMError) in
            try check(lm_seq_fork(c, Int32(clamping: from), Int32(clamping: to)), message(c))
        }
    }

    /// Drop the tokens from a position on.
    public func trim(sequence: Int = 0, to length: Int) async throws(LMError) {
        try await worker.perform { c throws(LMError) in
            try check(lm_seq_trim(c, Int32(clamping: sequence), length < 0 ? .max : length), message(c))
        }
    }

    /// Empty a sequence. Its finished pages stay in the prefix cache while there is room.
    public func empty(sequence: Int = 0) async throws(LMError) {
        try await worker.perform { c throws(LMError) in try check(lm_seq_close(c, Int32(clamping: sequence)), message(c)) }
    }

    /// Keep a checkpoint when evaluation of the sequence passes a position: the starts of messages are good ones.
    public func mark(sequence: Int = 0, position: Int) async throws(LMError) {
        try await worker.perform { c throws(LMError) in
            try check(lm_context_mark(c, Int32(clamping: sequence), position < 0 ? .max : position), message(c))
        }
    }

    /// Write a sequence to a file: what the next start of the app goes on from.
    public func save(sequence: Int = 0, to url: URL) async throws(LMError) {
        let path = try url.path.withoutNul("path")
        try await worker.evaluate { c throws(LMError) in try check(lm_seq_save(c, Int32(clamping: sequence), path), message(c)) }
    }

    /// Replace a sequence by one that was saved; evaluation continues with the same bytes as if it had never left memory.
    public func restore(sequence: Int = 0, from url: URL) async throws(LMError) {
        let path = try url.path.withoutNul("path")
        try await worker.evaluate { c throws(LMError) in try check(lm_seq_restore(c, Int32(clamping: sequence), path), message(c)) }
    }
}
