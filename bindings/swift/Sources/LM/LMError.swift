// SPDX-License-Identifier: MIT
internal import CLM
internal import CLMValues
import Foundation

/// Why a call failed. The only error that functions of this module throw.
public struct LMError: Error, Hashable, Sendable {
    /// How a call ended; the statuses of `include/lm/base.h`. Later versions may add some.
    public struct Status: RawRepresentable, Hashable, Sendable {
        public let rawValue: Int32
        public init(rawValue: Int32) { self.rawValue = rawValue }
        init(_ status: lm_status) { rawValue = Int32(truncatingIfNeeded: status.rawValue) }

        public static let memory = Status(LM_ERR_MEMORY)
        public static let argument = Status(LM_ERR_ARGUMENT)
        public static let range = Status(LM_ERR_RANGE)
        public static let io = Status(LM_ERR_IO)
        public static let format = Status(LM_ERR_FORMAT)
        public static let unsupported = Status(LM_ERR_UNSUPPORTED)
        public static let full = Status(LM_ERR_FULL)
        /// The task was cancelled, or `cancel()` was called.
        public static let cancelled = Status(LM_ERR_CANCELLED)
        /// The call does not fit the object's state: among others, the object was closed.
        public static let state = Status(LM_ERR_STATE)
        public static let notFound = Status(LM_ERR_NOT_FOUND)
        public static let limit = Status(LM_ERR_LIMIT)
        public static let mismatch = Status(LM_ERR_MISMATCH)
        public static let device = Status(LM_ERR_DEVICE)
        public static let raised = Status(LM_ERR_RAISED)
    }

    public let status: Status
    /// One sentence naming the thing.
    public let message: String
    /// Of a text input, from 1; nil when there is none.
    public let line: Int?
    /// Byte offset in the input; nil when there is none.
    public let offset: UInt64?

    init(_ status: Status, _ message: String, line: Int? = nil, offset: UInt64? = nil) {
        self.status = status
        self.message = message
        self.line = line
        self.offset = offset
    }

    /// After a call that failed with a status; error is empty where the call failed before it had anything to say.
    init(_ status: lm_status, _ error: lm_error) {
        let message = withUnsafePointer(to: error) { String(cString: clm_error_message($0)) }
        self.init(Status(status), message.isEmpty ? LMError.sentence(status) : message, line: error.line > 0 ? Int(error.line) : nil,
            offset: error.offset == .max || error.status == 0 ? nil : error.offset)
    }

    static func sentence(_ status: lm_status) -> String {
        "the call failed with \(String(cString: lm_status_name(Int32(truncatingIfNeeded: status.rawValue))))"
    }
}

extension LMError.Status: CustomStringConvertible {
    /// The name as in base.h without the prefix, for example "FORMAT".
    public var description: String { String(cString: lm_status_name(rawValue)) }
}

extension LMError: CustomStringConvertible, LocalizedError {
    public var description: String { "\(status): \(message)" }
    public var errorDescription: String? { message }
}

/// Throw what a status says; message is asked for on failure only.
func check(_ status: lm_status, _ message: @autoclosure () -> String = "") throws(LMError) {
    if status == LM_OK { return }
    let sentence = message()
    throw LMError(LMError.Status(status), sentence.isEmpty ? LMError.sentence(status) : sentence)
}

/// Throw what a count that is negative on failure says, else give it.
func check(count: Int32, _ what: String) throws(LMError) -> Int {
    if count >= 0 { return Int(count) }
    let status = lm_status(rawValue: .init(-Int(count)))
    throw LMError(LMError.Status(status), "\(what): \(LMError.sentence(status))")
}

/// A number of things that a caller gives.
func notNegative(_ name: String, _ n: Int) throws(LMError) -> Int {
    if n < 0 { throw LMError(.range, "\(name): \(n) is negative") }
    return n
}

/// The sentence of an object, or "" for none.
func sentence(_ text: UnsafePointer<CChar>?) -> String { text.map { String(cString: $0) } ?? "" }
