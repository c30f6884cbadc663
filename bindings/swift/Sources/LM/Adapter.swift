// SPDX-License-Identifier: MIT
internal import CLM

/// A small file that changes a model: low-rank additions to its matrices (LoRA), or a control vector.
///
///     try await context.use([.init(try Adapter(model, path: "style.gguf"), scale: 0.8)])
public final class Adapter: Sendable {
    let handle: Handle

    /// Open an adapter made for this model.
    public init(_ model: Model, path: String) throws(LMError) {
        let owned = try model.handle.owned(), path = try path.withoutNul("path")
        handle = try Handle("adapter", parents: [owned], destroy: { lm_adapter_close($0) }) { out, error in
            lm_adapter_open(owned.pointer, path, out, error)
        }
    }

    /// Give up this object's hold; contexts that use it keep it.
    public func close() { handle.close() }

    /// An adapter and how strongly it is used.
    public struct Use: Sendable {
        public var adapter: Adapter
        /// 1 as trained; negative allowed.
        public var scale: Float
        /// Control vectors: the blocks they are added after; nil: all that have a vector.
        public var layers: ClosedRange<Int>?

        public init(_ adapter: Adapter, scale: Float = 1, layers: ClosedRange<Int>? = nil) {
            self.adapter = adapter
            self.scale = scale
            self.layers = layers
        }
    }
}
