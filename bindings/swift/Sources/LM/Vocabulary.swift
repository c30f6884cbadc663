// SPDX-License-Identifier: MIT
internal import CLM

/// A token id in 0 ..< `Model.vocabularySize`.
public typealias Token = Int32

/// What a token is; a token may be several things.
public struct TokenAttributes: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    private init(_ c: lm_token_attribute) { rawValue = UInt32(c.rawValue) }

    public static let unknown = TokenAttributes(LM_TOKEN_ATTRIBUTE_UNKNOWN)
    public static let unused = TokenAttributes(LM_TOKEN_ATTRIBUTE_UNUSED)
    public static let normal = TokenAttributes(LM_TOKEN_ATTRIBUTE_NORMAL)
    /// Not part of any text.
    public static let control = TokenAttributes(LM_TOKEN_ATTRIBUTE_CONTROL)
    public static let userDefined = TokenAttributes(LM_TOKEN_ATTRIBUTE_USER_DEFINED)
    /// One byte that no other token covers.
    public static let byte = TokenAttributes(LM_TOKEN_ATTRIBUTE_BYTE)
    public static let stripsLeft = TokenAttributes(LM_TOKEN_ATTRIBUTE_LSTRIP)
    public static let stripsRight = TokenAttributes(LM_TOKEN_ATTRIBUTE_RSTRIP)
}

/// What a token is for.
public enum TokenRole: Int32, Sendable, CaseIterable {
    case bos = 0, eos, eot, eom, unknown, separator, padding, mask, newline
    case fimPrefix, fimSuffix, fimMiddle, fimPadding, fimRepository, fimSeparator
}

extension Model {
    /// Tokens of a text.
    /// - Parameters:
    ///   - addSpecial: put BOS, EOS, SEP around the text where the model wants them.
    ///   - parseSpecial: control tokens written out in the text become those tokens: only for trusted text.
    public func tokenize(_ text: String, addSpecial: Bool = true, parseSpecial: Bool = false) throws(LMError) -> [Token] {
        try tokenize(bytes: Array(text.utf8), addSpecial: addSpecial, parseSpecial: parseSpecial)
    }

    /// The same for bytes that need not be UTF-8.
    public func tokenize(bytes: [UInt8], addSpecial: Bool = true, parseSpecial: Bool = false) throws(LMError) -> [Token] {
        let borrowed = Borrowed()
        defer { withExtendedLifetime(borrowed) {} }
        let text = borrowed.bytes(bytes), flags = (addSpecial ? LM_TOKENIZE_ADD_SPECIAL : 0) | (parseSpecial ? LM_TOKENIZE_PARSE_SPECIAL : 0)
        return try handle.shared { model throws(LMError) in
            try collect(guess: bytes.count / 3 + 8, "tokenize") { lm_tokenize(model, text, bytes.count, flags, $0, $1) }
        }
    }

    /// The text of tokens, tidied as the model's authors ask. Bytes that are no UTF-8 become U+FFFD; `bytes(of:)` has them.
    /// - Parameters:
    ///   - special: control and unknown tokens appear as their text instead of nothing.
    ///   - removeAdded: drop the BOS and EOS that `tokenize` adds.
    public func detokenize(_ tokens: [Token], special: Bool = false, removeAdded: Bool = false) throws(LMError) -> String {
        String(decoding: try bytes(of: tokens, special: special, removeAdded: removeAdded), as: UTF8.self)
    }

    public func bytes(of tokens: [Token], special: Bool = false, removeAdded: Bool = false) throws(LMError) -> [UInt8] {
        try handle.shared { model throws(LMError) in
            let flags = (special ? LM_DETOKENIZE_SPECIAL : 0) | (removeAdded ? LM_DETOKENIZE_REMOVE_ADDED : 0)
            return try collectBytes(guess: tokens.count * 4 + 8, "detokenize") { lm_detokenize(model, tokens, tokens.count, flags, $0, $1) }
        }
    }

    /// The bytes one token adds to a text, untidied.
    public func piece(_ token: Token, special: Bool = false) throws(LMError) -> [UInt8] {
        try handle.shared { model throws(LMError) in
            try collectBytes(guess: 16, "piece") { lm_token_piece(model, token, special ? LM_DETOKENIZE_SPECIAL : 0, $0, $1) }
        }
    }

    /// The token of a role, nil when the model has none.
    public func token(_ role: TokenRole) throws(LMError) -> Token? {
        try handle.shared { model in
            let token = lm_vocab_token(model, role.rawValue)
            return token < 0 ? nil : token
        }
    }

    /// Whether generation stops at the token; a model has several such tokens.
    public func isEnd(_ token: Token) throws(LMError) -> Bool { try handle.shared { lm_token_is_end($0, token) != 0 } }

    /// Empty when undefined or out of range.
    public func attributes(_ token: Token) throws(LMError) -> TokenAttributes {
        try handle.shared { TokenAttributes(rawValue: lm_token_attributes($0, token)) }
    }
}

/// Tokens to whole characters: holds back an unfinished one. Always gives well-formed text, with U+FFFD for bytes that are none.
public struct TextStream: Sendable {
    private var stream = lm_text_stream()
    private let model: Model
    private let special: Bool

    public init(_ model: Model, special: Bool = false) {
        self.model = model
        self.special = special
    }

    /// Append a token and take the characters that are now complete.
    public mutating func next(_ token: Token) throws(LMError) -> String {
        let flags = special ? LM_DETOKENIZE_SPECIAL : 0
        let owned = try model.handle.owned()
        defer { withExtendedLifetime(owned) {} }
        return String(decoding: try collectBytes(guess: 64, "text stream") { lm_text_stream_next(owned.pointer, &stream, token, flags, $0, $1) },
            as: UTF8.self)
    }

    /// End the text: U+FFFD when a character was left unfinished, else nothing.
    public mutating func end() throws(LMError) -> String {
        String(decoding: try collectBytes(guess: 8, "text stream") { lm_text_stream_end(&stream, $0, $1) }, as: UTF8.self)
    }
}

/// Call a function that fills up to `capacity` elements and returns how many there are, again with more room when they did not fit.
private func collect<T>(
    guess: Int, _ what: String, _ fill: (UnsafeMutablePointer<T>?, Int) -> Int32
) throws(LMError) -> [T] {
    var capacity = guess
    while true {
        var count: Int32 = 0
        var fits = false
        let out = [T](unsafeUninitializedCapacity: capacity) { buffer, n in
            count = fill(buffer.baseAddress, buffer.count)
            fits = Int(count) <= buffer.count
            n = fits ? max(0, Int(count)) : 0
        }
        let total = try check(count: count, what)
        if fits { return out }
        capacity = total
    }
}

private func collectBytes(guess: Int, _ what: String, _ fill: (UnsafeMutablePointer<CChar>?, Int) -> Int32) throws(LMError) -> [UInt8] {
    try collect(guess: guess, what) { (out: UnsafeMutablePointer<UInt8>?, n: Int) in
        fill(UnsafeMutableRawPointer(out)?.assumingMemoryBound(to: CChar.self), n)
    }
}
