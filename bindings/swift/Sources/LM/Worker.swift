// SPDX-License-Identifier: MIT
internal import CLM
import Dispatch
import Foundation

/// One call on the way: it waits for its turn, runs, and is done. Cancelling keeps a waiting call from starting and stops a running one.
/// C takes a cancel only while work is in progress and forgets an earlier one, so it is repeated until the call has returned.
final class Call: @unchecked Sendable {
    private enum Stage { case waiting, running, done }
    private let lock = NSLock()
    private var stage = Stage.waiting
    private var cancelled = false
    private var stop: (@Sendable () -> Void)?

    var isCancelled: Bool { lock.withLock { cancelled } }

    /// False when it was cancelled before.
    func begin(stop: @escaping @Sendable () -> Void) -> Bool {
        lock.withLock {
            if cancelled { return false }
            stage = .running
            self.stop = stop
            return true
        }
    }

    func end() {
        lock.withLock {
            stage = .done
            stop = nil
        }
    }

    func cancel() {
        lock.withLock { cancelled = true }
        press()
    }

    private func press() {
        let again = lock.withLock {
            if stage == .running { stop?() }
            return stage == .running
        }
        if again { DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(2)) { self.press() } }
    }
}

/// What must be closed before the context it works on.
protocol Dependent: AnyObject, Sendable {
    /// On the worker's queue.
    func contextWillClose()
}

/// A C context and the queue on which all calls that touch it run, one after another and away from Swift's own threads.
final class Worker: @unchecked Sendable {
    private let queue = DispatchQueue(label: "liblm.context", qos: .userInitiated)
    private let lock = NSLock()
    private var pointer: OpaquePointer?
    private var dependents: [ObjectIdentifier: WeakDependent] = [:]
    private let model: Owned

    private struct WeakDependent { weak var object: (any Dependent)? }

    init(_ pointer: OpaquePointer, model: Owned) {
        self.pointer = pointer
        self.model = model
    }

    deinit { if let pointer { lm_context_close(pointer) } }

    /// The context, on the queue.
    private func context() throws(LMError) -> OpaquePointer {
        guard let pointer = lock.withLock({ pointer }) else { throw LMError(.state, "the context was closed") }
        return pointer
    }

    /// Run body when its turn comes; done is called with the result, on the queue.
    func enqueue<R>(
        _ call: Call, stop: (@Sendable (OpaquePointer) -> Void)? = nil, _ body: @escaping @Sendable (OpaquePointer) throws(LMError) -> R,
        done: @escaping @Sendable (Result<R, LMError>) -> Void
    ) {
        queue.async {
            done(Result { () throws(LMError) -> R in
                let pointer = Pointer(try self.context())
                guard call.begin(stop: { if let stop { stop(pointer.value) } else { lm_context_cancel(pointer.value) } }) else {
                    throw LMError(.cancelled, "cancelled before it began")
                }
                defer { call.end() }
                return try body(pointer.value)
            })
        }
    }

    /// Run body and wait for it. Cancelling the task stops evaluations and keeps body from starting.
    func evaluate<R: Sendable>(_ body: @escaping @Sendable (OpaquePointer) throws(LMError) -> R) async throws(LMError) -> R {
        let call = Call()
        return try await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                enqueue(call, body) { continuation.resume(returning: $0) }
            }
        } onCancel: {
            call.cancel()
        }.get()
    }

    /// The same for work that is quick and that a cancelled task still needs to do, such as closing.
    func perform<R: Sendable>(_ body: @escaping @Sendable (OpaquePointer) throws(LMError) -> R) async throws(LMError) -> R {
        try await withCheckedContinuation { continuation in
            enqueue(Call(), body) { continuation.resume(returning: $0) }
        }.get()
    }

    /// Stop the evaluation in progress.
    func cancel() {
        lock.withLock { if let pointer { lm_context_cancel(pointer) } }
    }

    /// Close what depends on the context, then the context.
    func close() async {
        await withCheckedContinuation { continuation in
            queue.async {
                let (pointer, dependents) = self.lock.withLock {
                    defer {
                        self.pointer = nil
                        self.dependents = [:]
                    }
                    return (self.pointer, self.dependents.values.compactMap(\.object))
                }
                for dependent in dependents { dependent.contextWillClose() }
                if let pointer { lm_context_close(pointer) }
                continuation.resume()
            }
        }
    }

    func adopt(_ dependent: any Dependent) {
        lock.withLock { dependents[ObjectIdentifier(dependent)] = WeakDependent(object: dependent) }
    }

    func disown(_ dependent: ObjectIdentifier) {
        lock.withLock { _ = dependents.removeValue(forKey: dependent) }
    }

    /// Run something last: after the calls that are waiting.
    func later(_ body: @escaping @Sendable () -> Void) { queue.async { [self] in withExtendedLifetime(self) { body() } } }
}

/// A C pointer on its way between threads; who follows it takes turns.
struct Pointer: @unchecked Sendable {
    let value: OpaquePointer
    init(_ value: OpaquePointer) { self.value = value }
}

/// Run something that blocks, such as opening a file, away from Swift's own threads.
func away<R: Sendable>(_ body: @escaping @Sendable () throws(LMError) -> R) async throws(LMError) -> R {
    try await withCheckedContinuation { continuation in
        DispatchQueue.global(qos: .userInitiated).async {
            continuation.resume(returning: Result { () throws(LMError) in try body() })
        }
    }.get()
}
