// SPDX-License-Identifier: MIT
internal import CLM
internal import CLMValues
import Foundation
#if os(iOS) || os(tvOS) || os(watchOS) || os(visionOS)
import os
#endif

/// Bytes in use, exact.
public struct Memory: Sendable, Hashable {
    /// Mapped or borrowed weights, shared by all contexts and by other processes.
    public let weightsBytes: UInt64
    /// Weights copied to devices or read into memory.
    public let copiedBytes: UInt64
    public let modelBytes, cacheBytes, workBytes, contextBytes: UInt64
    /// Of the first layer group: reserved, free, held only by the prefix cache.
    public let pages, freePages, cachedPages: Int

    init(_ c: lm_memory) {
        weightsBytes = c.weights_bytes
        copiedBytes = c.copied_bytes
        modelBytes = c.model_bytes
        cacheBytes = c.cache_bytes
        workBytes = c.work_bytes
        contextBytes = c.context_bytes
        pages = Int(c.n_pages)
        freePages = Int(c.n_pages_free)
        cachedPages = Int(c.n_pages_cached)
    }

    /// What a context may take when nobody says otherwise. Where the system ends processes that exceed a limit of their own (iOS and its
    /// kin): three quarters of what is left to this process, the rest being the app's. Elsewhere 0: what the machine has available.
    public static var budget: UInt64 {
        #if os(iOS) || os(tvOS) || os(watchOS) || os(visionOS)
        return UInt64(os_proc_available_memory()) / 4 * 3
        #else
        return 0
        #endif
    }
}

extension Context {
    public var memory: Memory {
        get async throws(LMError) {
            try await worker.perform { c throws(LMError) in
                var memory = lm_memory()
                memory.struct_size = UInt32(MemoryLayout<lm_memory>.size)
                try check(lm_context_memory(c, &memory))
                return Memory(memory)
            }
        }
    }
}

extension Model {
    /// What a model would need.
    public struct Plan: Sendable, Hashable {
        public let fits: Bool
        public let memory: Memory
        public let totalBytes: UInt64
        /// What it was compared with.
        public let budgetBytes: UInt64
        /// In force.
        public let contextLength: Int
        /// The longest context of one sequence that fits, 0 when none.
        public let contextLengthFitting: Int
        /// Upper bounds of decoding at an empty and at a full cache; 0 when the bandwidth is unknown.
        public let tokensPerSecond, tokensPerSecondFull: Double
        /// How much of the weights the budget holds beside all else, 0 to 1; the rest is read from the file whenever it is used.
        public let residentShare: Double
    }

    /// Say what a model would need, from the file's header alone: weights are not touched.
    /// - Parameters:
    ///   - budget: what may be used; 0: what the machine has available.
    ///   - bytesPerSecond: read bandwidth of the machine, as `Runtime.measure` tells; 0: unknown.
    public static func plan(
        _ path: String, _ parameters: ContextParameters = ContextParameters(), runtime: Runtime? = nil, budget: UInt64 = Memory.budget,
        bytesPerSecond: UInt64 = 0
    ) throws(LMError) -> Plan {
        let borrowed = Borrowed(), owned = try runtime?.handle.owned(), path = try path.withoutNul("path")
        defer { withExtendedLifetime((borrowed, owned)) {} }
        var params = clm_plan_params(), error = lm_error(), plan = lm_plan()
        plan.struct_size = UInt32(MemoryLayout<lm_plan>.size)
        params.context = borrowed.array([parameters.c])
        params.runtime = owned?.pointer
        params.memory_bytes = budget
        params.bytes_per_second = bytesPerSecond
        let status = lm_model_plan(path, &params, &plan, &error)
        if status != LM_OK { throw LMError(status, error) }
        return Plan(fits: plan.fits != 0, memory: Memory(plan.memory), totalBytes: plan.total_bytes, budgetBytes: plan.memory_bytes,
            contextLength: Int(plan.n_ctx), contextLengthFitting: Int(plan.n_ctx_fitting), tokensPerSecond: plan.tokens_per_second,
            tokensPerSecondFull: plan.tokens_per_second_full, residentShare: plan.resident_share)
    }
}

extension ContextParameters {
    /// Parameters whose context is as long as memory allows, and not longer than asked: what a phone should open a model with.
    /// Throws `memory` when not even a short one fits.
    public static func fitting(
        _ path: String, contextLength: Int = 0, _ parameters: ContextParameters = ContextParameters(), budget: UInt64 = Memory.budget
    ) throws(LMError) -> ContextParameters {
        var out = parameters
        out.contextLength = contextLength
        let plan = try Model.plan(path, out, budget: budget)
        if plan.fits { return out }
        if plan.contextLengthFitting < 1 {
            throw LMError(.memory, "the model needs \(plan.totalBytes) bytes, and \(plan.budgetBytes) may be used")
        }
        out.contextLength = min(plan.contextLength, max(1, plan.contextLengthFitting / max(1, parameters.sequences)))
        return out
    }
}
