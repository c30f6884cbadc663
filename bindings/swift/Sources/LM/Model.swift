// SPDX-License-Identifier: MIT
package import CLM
internal import CLMValues
import Foundation

/// The weights and vocabulary of a GGUF file: immutable, shared by threads and contexts.
///
///     let model = try await Model.open("model.gguf")
///     for try await text in model.generate("Once upon a time") { print(text, terminator: "") }
///
/// Weights are mapped and used where they lie. Contexts, samplers and adapters keep the model alive; `close()` gives up this object's hold.
public final class Model: Sendable {
    public struct Options: Sendable, Hashable {
        /// Read the file into memory instead of mapping it: for files that others may cut short.
        public var readsIntoMemory: Bool
        /// Ask the system to read the file ahead.
        public var prefetches: Bool
        /// Keep the weights in memory; opening fails with `io` when the system refuses.
        public var locksMemory: Bool
        /// For texts, metadata and tensor names alone; the architecture may be unknown.
        public var vocabularyOnly: Bool

        public init() {
            let c = clm_model_params()
            readsIntoMemory = c.load == Int32(LM_LOAD_READ.rawValue)
            prefetches = c.prefetch != 0
            locksMemory = c.lock != 0
            vocabularyOnly = c.vocab_only != 0
        }

        func c(_ runtime: OpaquePointer?) -> lm_model_params {
            var c = clm_model_params()
            c.load = Int32((readsIntoMemory ? LM_LOAD_READ : LM_LOAD_MAP).rawValue)
            c.runtime = runtime
            c.prefetch = prefetches ? 1 : 0
            c.lock = locksMemory ? 1 : 0
            c.vocab_only = vocabularyOnly ? 1 : 0
            return c
        }
    }

    let handle: Handle
    /// What the model is.
    public let info: Info
    /// Number of tokens; ids are in 0 ..< vocabularySize.
    public let vocabularySize: Int

    /// Open a file, or the first of a split model's files. Takes milliseconds: weights are not read. `open` does the same away from the
    /// calling thread.
    public convenience init(path: String, options: Options = Options(), runtime: Runtime? = nil) throws(LMError) {
        let path = try path.withoutNul("path")
        try self.init(options, runtime) { params, out, error in lm_model_open(path, params, out, error) }
    }

    /// Open a file that the process can read under this descriptor, which stays the caller's and may be closed afterwards.
    public convenience init(fileDescriptor: Int32, options: Options = Options(), runtime: Runtime? = nil) throws(LMError) {
        try self.init(options, runtime) { params, out, error in lm_model_open_fd(numericCast(fileDescriptor), params, out, error) }
    }

    /// Use a model that is in memory.
    public convenience init(data: Data, options: Options = Options(), runtime: Runtime? = nil) throws(LMError) {
        let bytes = Bytes(data as NSData)
        try self.init(options, runtime, keeping: bytes) { params, out, error in
            lm_model_open_memory(bytes.data.bytes, bytes.data.length, params, out, error)
        }
    }

    /// By a function that opens it; what the weights lie in is kept. For `LMBox`.
    package init(
        _ options: Options, _ runtime: Runtime?, keeping data: (any Sendable)? = nil,
        _ open: (UnsafePointer<lm_model_params>, UnsafeMutablePointer<OpaquePointer?>, UnsafeMutablePointer<lm_error>) -> lm_status
    ) throws(LMError) {
        let owned = try runtime?.handle.owned()
        let handle = try Handle("model", parents: [data, owned], destroy: { lm_model_close($0) }) { out, error in
            var params = options.c(owned?.pointer)
            return open(&params, out, error)
        }
        info = try handle.shared { model throws(LMError) in try Info(model) }
        vocabularySize = try handle.shared { Int(lm_vocab_size($0)) }
        self.handle = handle
    }

    /// One more hold on an open model.
    init(holding model: Model) throws(LMError) {
        handle = Handle("model", try model.handle.owned())
        info = model.info
        vocabularySize = model.vocabularySize
    }

    /// Open a file away from the calling thread.
    public static func open(_ path: String, options: Options = Options(), runtime: Runtime? = nil) async throws(LMError) -> Model {
        try await away { () throws(LMError) in try Model(path: path, options: options, runtime: runtime) }
    }

    public static func open(_ url: URL, options: Options = Options(), runtime: Runtime? = nil) async throws(LMError) -> Model {
        guard url.isFileURL else { throw LMError(.argument, "\(url) is not a file") }
        return try await open(url.path, options: options, runtime: runtime)
    }

    /// Give up this object's hold; later calls on it throw `state`.
    public func close() { handle.close() }

    private struct Bytes: @unchecked Sendable { // immutable
        let data: NSData
        init(_ data: NSData) { self.data = data }
    }
}
