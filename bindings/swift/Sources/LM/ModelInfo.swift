// SPDX-License-Identifier: MIT
internal import CLM

extension Model {
    /// The numbers of a model.
    public struct Info: Sendable, Hashable {
        public let architecture, name: String
        /// Numbers in all tensors, and the bytes they take.
        public let parameters, weightsBytes: UInt64
        public let vocabularySize, embeddingWidth, layers, heads, keyValueHeads: Int
        /// Positions the model was trained for.
        public let trainedContextLength: Int
        public let experts, expertsUsed: Int
        /// Weights one token reads, and the multiplications of its matrices.
        public let activeBytes, activeParameters: UInt64
        /// The file has a block that drafts further tokens.
        public let hasDraftLayer: Bool

        init(_ model: OpaquePointer) throws(LMError) {
            var c = lm_model_info()
            c.struct_size = UInt32(MemoryLayout<lm_model_info>.size)
            try check(lm_model_get_info(model, &c))
            architecture = sentence(c.architecture)
            name = sentence(c.name)
            parameters = c.n_params
            weightsBytes = c.weights_bytes
            vocabularySize = Int(c.n_vocab)
            embeddingWidth = Int(c.n_embd)
            layers = Int(c.n_layers)
            heads = Int(c.n_heads)
            keyValueHeads = Int(c.n_heads_kv)
            trainedContextLength = Int(c.n_ctx_train)
            experts = Int(c.n_experts)
            expertsUsed = Int(c.n_experts_used)
            activeBytes = c.active_bytes
            activeParameters = c.active_params
            hasDraftLayer = c.n_draft_layers > 0
        }
    }

    public struct Tensor: Sendable, Hashable {
        public let name: String
        /// For example "q4_K".
        public let typeName: String
        public let type: ElementType
        /// ne[0] first; as many as there are dimensions.
        public let dimensions: [Int]
        public let bytes: UInt64
    }

    /// The keys of the file's metadata, in its order.
    public var metadataKeys: [String] {
        get throws(LMError) {
            try handle.shared { model in
                (0..<lm_model_metadata_count(model)).map { sentence(lm_model_metadata_key(model, $0)) }
            }
        }
    }

    /// A metadata value as JSON; arrays longer than maxElements end with "..." as a last text. Nil when there is no such key.
    public func metadataJSON(_ key: String, maxElements: Int = .max) throws(LMError) -> String? {
        if key.utf8.contains(0) { return nil }
        return try handle.shared { model throws(LMError) in
            var size = 0
            let maximum = max(0, maxElements)
            var status = lm_model_metadata_json(model, key, maximum, nil, 0, &size)
            if status == LM_ERR_NOT_FOUND { return nil }
            try check(status)
            let text = String(unsafeUninitializedCapacity: size + 1) { buffer in
                buffer.withMemoryRebound(to: CChar.self) {
                    status = lm_model_metadata_json(model, key, maximum, $0.baseAddress, $0.count, &size)
                }
                return status == LM_OK ? size : 0
            }
            try check(status)
            return text
        }
    }

    /// A text of the metadata; nil when the key is absent or no text.
    public func metadataString(_ key: String) throws(LMError) -> String? {
        if key.utf8.contains(0) { return nil }
        return try handle.shared { model in
            var size = 0
            return lm_model_metadata_string(model, key, &size).map { String($0, size) }
        }
    }

    /// The tensors in file order.
    public var tensors: [Tensor] {
        get throws(LMError) {
            try handle.shared { model throws(LMError) in
                var out: [Tensor] = []
                for i in 0..<lm_model_tensor_count(model) {
                    var c = lm_tensor_info()
                    c.struct_size = UInt32(MemoryLayout<lm_tensor_info>.size)
                    try check(lm_model_get_tensor(model, i, &c))
                    let dims = [c.dims.0, c.dims.1, c.dims.2, c.dims.3].prefix(Int(c.n_dims)).map { Int($0) }
                    out.append(Tensor(name: sentence(c.name), typeName: sentence(c.type), type: ElementType(rawValue: c.dtype),
                        dimensions: dims, bytes: c.bytes))
                }
                return out
            }
        }
    }
}

/// The number of an element type (`include/lm/dtype.h` lists them); those a cache can have are named.
public struct ElementType: RawRepresentable, Hashable, Sendable {
    public let rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }
    private init(_ type: lm_dtype) { rawValue = Int32(truncatingIfNeeded: type.rawValue) }

    public static let f32 = ElementType(LM_DTYPE_F32)
    public static let f16 = ElementType(LM_DTYPE_F16)
    public static let bf16 = ElementType(LM_DTYPE_BF16)
    public static let q8_0 = ElementType(LM_DTYPE_Q8_0)
    public static let q4_0 = ElementType(LM_DTYPE_Q4_0)
}
