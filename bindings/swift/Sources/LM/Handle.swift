// SPDX-License-Identifier: MIT
internal import CLM
import Foundation

/// A C object and what it needs to live: destroyed when the last user lets go, before its parents.
final class Owned: @unchecked Sendable {
    let pointer: OpaquePointer
    private let destroy: (OpaquePointer) -> Void
    private let parents: [any Sendable]

    init(_ pointer: OpaquePointer, parents: [any Sendable], destroy: @escaping @Sendable (OpaquePointer) -> Void) {
        self.pointer = pointer
        self.parents = parents
        self.destroy = destroy
    }

    deinit { destroy(pointer) }
}

/// What a Swift object holds of a C object until it is closed. Calls on immutable objects run at once (`shared`), calls on the others
/// one after another (`alone`). Closing while calls run lets these finish; every later call is refused.
final class Handle: @unchecked Sendable {
    private let name: String
    private let lock = NSLock()
    private let turn = NSLock()
    private var object: Owned?

    init(_ name: String, _ object: Owned) {
        self.name = name
        self.object = object
    }

    /// An object made by a C function that gives it, or a status and an error.
    convenience init(
        _ name: String, parents: [any Sendable] = [], destroy: @escaping @Sendable (OpaquePointer) -> Void,
        make: (UnsafeMutablePointer<OpaquePointer?>, UnsafeMutablePointer<lm_error>) throws(LMError) -> lm_status
    ) throws(LMError) {
        var pointer: OpaquePointer?
        var error = lm_error()
        let status = try make(&pointer, &error)
        guard status == LM_OK, let pointer else { throw LMError(status, error) }
        self.init(name, Owned(pointer, parents: parents, destroy: destroy))
    }

    func owned() throws(LMError) -> Owned {
        guard let object = lock.withLock({ object }) else { throw LMError(.state, "the \(name) was closed") }
        return object
    }

    func shared<R>(_ body: (OpaquePointer) throws(LMError) -> R) throws(LMError) -> R {
        let object = try owned()
        defer { withExtendedLifetime(object) {} }
        return try body(object.pointer)
    }

    func alone<R>(_ body: (OpaquePointer) throws(LMError) -> R) throws(LMError) -> R {
        turn.lock()
        defer { turn.unlock() }
        return try shared(body)
    }

    func close() {
        let last = lock.withLock {
            defer { object = nil }
            return object
        }
        withExtendedLifetime(last) {} // destroyed outside of the lock
    }
}
