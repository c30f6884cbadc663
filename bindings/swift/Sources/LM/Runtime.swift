// SPDX-License-Identifier: MIT
internal import CLM
internal import CLMValues

public enum LogLevel: Int32, Sendable, Comparable {
    case error = 1, warning, info, debug
    public static func < (a: LogLevel, b: LogLevel) -> Bool { a.rawValue < b.rawValue }
}

/// Receives lines without a line feed, from any thread that calls into the library.
public typealias LogHandler = @Sendable (_ level: LogLevel, _ message: String) -> Void

/// Runs `task(0)` to `task(n - 1)`, in any order and on any threads, and returns when all have returned. `DispatchQueue.concurrentPerform`
/// is such a function.
public typealias ParallelFor = @Sendable (_ n: Int, _ task: @Sendable (Int) -> Void) -> Void

/// What the library needs from its host: threads, an instruction set, a log. Models that are given none make their own.
///
///     let runtime = try Runtime(threads: 4) { level, message in print(level, message) }
///     let model = try await Model.open("model.gguf", runtime: runtime)
public final class Runtime: Sendable {
    let handle: Handle

    /// - Parameters:
    ///   - threads: the calling one included; 0: one per performance core.
    ///   - cpu: the highest instruction set to use: generic avx2 avx2vnni avx512vnni neon dotprod i8mm; nil: the best.
    ///   - parallelFor: the host's way to run the pieces of an operation; nil: threads of the runtime's own.
    ///   - log: nil: silence.
    public init(threads: Int = 0, cpu: String? = nil, parallelFor: ParallelFor? = nil, log: LogHandler? = nil) throws(LMError) {
        let log = LogSink(log), borrowed = Borrowed(), cpu = try cpu?.withoutNul("cpu")
        let host = parallelFor.map { Host($0) }
        let hosted = host.map { lm_executor(user: Unmanaged.passUnretained($0).toOpaque(), parallel_for: inParallel) }
        handle = try Handle("runtime", parents: [log, host as any Sendable], destroy: { lm_runtime_destroy($0) }) { out, error in
            var params = clm_runtime_params()
            params.n_threads = Int32(clamping: threads)
            params.cpu = borrowed.text(cpu)
            params.log = borrowed.array([log.c])
            params.executor = borrowed.array(hosted.map { [$0] } ?? [])
            return lm_runtime_create(&params, out, error)
        }
    }

    /// Threads of a batch at most.
    public var threads: Int { get throws(LMError) { try handle.shared { Int(lm_runtime_threads($0)) } } }

    /// The name of the instruction set in use.
    public var cpu: String { get throws(LMError) { try handle.shared { sentence(lm_runtime_cpu($0)) } } }

    /// What the machine can do at most.
    public struct Machine: Sendable, Hashable {
        public let threads: Int
        /// A plain loop over memory that no cache holds.
        public let readBytesPerSecond: Double
        /// Multiplications and additions of the widest integer dot product.
        public let intOpsPerSecond: Double
        /// Bytes this process may count on, and those of them that are free now; 0: unknown.
        public let memoryTotal, memoryAvailable: UInt64
    }

    /// Measure the machine: takes about half a second and 512 MiB, which are given back.
    public func measure() async throws(LMError) -> Machine {
        let handle = handle
        return try await away { () throws(LMError) in
            var m = lm_machine()
            m.struct_size = UInt32(MemoryLayout<lm_machine>.size)
            try handle.shared { runtime throws(LMError) in try check(lm_runtime_measure(runtime, &m)) }
            return Machine(threads: Int(m.n_threads), readBytesPerSecond: m.read_bytes_per_second, intOpsPerSecond: m.int_ops_per_second,
                memoryTotal: m.memory_total, memoryAvailable: m.memory_available)
        }
    }

    /// Give it up. Models and contexts keep what they need of it.
    public func close() { handle.close() }
}

/// The version of the library, for example (0, 1, 0).
public var libraryVersion: (major: Int, minor: Int, patch: Int) {
    let v = Int(lm_version())
    return (v / 1_000_000, v / 1000 % 1000, v % 1000)
}

/// A log handler where C can find it; whoever gives `c` away keeps the sink.
final class LogSink: Sendable {
    private let handler: LogHandler?
    init(_ handler: LogHandler?) { self.handler = handler }

    var c: lm_log {
        guard handler != nil else { return lm_log() }
        return lm_log(user: Unmanaged.passUnretained(self).toOpaque()) { user, level, message in
            guard let user, let level = LogLevel(rawValue: level) else { return }
            Unmanaged<LogSink>.fromOpaque(user).takeUnretainedValue().handler?(level, sentence(message))
        }
    }
}

private final class Host: Sendable {
    let parallelFor: ParallelFor
    init(_ parallelFor: @escaping ParallelFor) { self.parallelFor = parallelFor }
}

private func inParallel(user: UnsafeMutableRawPointer?, n: Int32, task: lm_executor_task?, argument: UnsafeMutableRawPointer?) {
    guard let user, let task else { return }
    nonisolated(unsafe) let argument = argument // C gives it to any thread
    Unmanaged<Host>.fromOpaque(user).takeUnretainedValue().parallelFor(Int(n)) { task(argument, Int32($0)) }
}
