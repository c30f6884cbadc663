// SPDX-License-Identifier: MIT
import Foundation

/// Copies of texts and arrays that a C struct points to; they live as long as this object.
final class Borrowed {
    private var blocks: [UnsafeMutableRawPointer] = []

    deinit { for block in blocks { block.deallocate() } }

    func array<T: BitwiseCopyable>(_ values: some Collection<T>) -> UnsafePointer<T>? {
        if values.isEmpty { return nil }
        let block = UnsafeMutableBufferPointer<T>.allocate(capacity: values.count)
        _ = block.initialize(from: values)
        blocks.append(UnsafeMutableRawPointer(block.baseAddress!))
        return UnsafePointer(block.baseAddress!)
    }

    /// With a NUL behind it.
    func text(_ text: String) -> UnsafePointer<CChar> {
        array(text.utf8CString)!
    }

    func text(_ text: String?) -> UnsafePointer<CChar>? { text.map { self.text($0) } }

    /// Never NULL.
    func bytes(_ bytes: [UInt8]) -> UnsafePointer<CChar> {
        UnsafeRawPointer(array(bytes + [0])!).assumingMemoryBound(to: CChar.self) // signed here, unsigned there
    }
}

extension String {
    /// The text itself, for where C looks for its end at a NUL.
    func withoutNul(_ name: String) throws(LMError) -> String {
        if utf8.contains(0) { throw LMError(.argument, "\(name): a NUL inside") }
        return self
    }

    /// The text of bytes that C keeps.
    init(_ bytes: UnsafePointer<CChar>?, _ count: Int) {
        self = bytes.map { String(decoding: UnsafeRawBufferPointer(start: $0, count: count), as: UTF8.self) } ?? ""
    }

    /// Its UTF-8 bytes as C takes them: never NULL, a NUL behind them.
    func withBytes<R>(_ body: (UnsafePointer<CChar>, Int) throws(LMError) -> R) throws(LMError) -> R {
        try utf8CString.withUnsafeBufferPointer { buffer in
            Result { () throws(LMError) in try body(buffer.baseAddress!, buffer.count - 1) }
        }.get()
    }
}
