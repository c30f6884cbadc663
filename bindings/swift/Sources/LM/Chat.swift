// SPDX-License-Identifier: MIT
internal import CLM
internal import CLMValues
import Foundation

/// From messages to a streamed answer: renders the conversation with the model's template, brings a sequence of the context to it (a
/// follow-up turn costs only what is new), samples under the grammar of the tools or of a schema, and parses what comes.
///
///     let chat = try await Chat(context)
///     for try await event in chat.answer([.user("Hello")]) {
///         if case .delta(.content(let text)) = event { print(text, terminator: "") }
///     }
///
/// Pass the whole history each turn; the message of the report is what to append. Several chats may share a context when each has a sequence
/// of its own: they take turns.
public final class Chat: Sendable {
    public let context: Context
    private let session: SessionBox

    /// - Parameters:
    ///   - sequence: of the context; the chat owns what is in it.
    ///   - family: output syntax; nil: what the template implies.
    ///   - template: instead of the model's.
    ///   - log: warnings: no template, a tool whose schema cannot be kept.
    public init(
        _ context: Context, sequence: Int = 0, family: String? = nil, template: String? = nil, log: LogHandler? = nil
    ) async throws(LMError) {
        let sink = LogSink(log), model = try context.model.handle.owned(), family = try family?.withoutNul("family")
        self.context = context
        let handle = try await context.worker.perform { c throws(LMError) in
            let borrowed = Borrowed()
            defer { withExtendedLifetime(borrowed) {} }
            return try Handle("chat", parents: [sink, model, context.worker], destroy: { lm_chat_session_destroy($0) }) { out, error in
                var params = clm_chat_session_params()
                params.seq = Int32(clamping: sequence)
                params.family = borrowed.text(family)
                params.template_text = borrowed.text(template)
                params.template_size = template?.utf8.count ?? 0
                params.log = sink.c
                return lm_chat_session_create(model.pointer, c, &params, out, error)
            }
        }
        session = SessionBox(handle, context.worker)
    }

    /// Destroy the session, after the answers that were asked for; cancel them to be quick. The sequence keeps its tokens.
    public func close() async {
        let session = session
        _ = try? await context.worker.perform { _ in session.close() }
    }

    /// The name of the output syntax in use.
    public var templateFamily: String {
        get async throws(LMError) {
            let session = session
            return try await context.worker.perform { _ throws(LMError) in
                try session.handle.shared { sentence(lm_chat_family(lm_chat_session_chat($0))) }
            }
        }
    }

    public enum ToolChoice: Int32, Sendable {
        /// The model decides.
        case automatic = 0
        /// Tools are shown, calls are not parsed.
        case none
        /// The answer is one or more calls.
        case required
    }

    /// What an answer should be. Texts named so are JSON.
    public struct Request: Sendable {
        /// To generate; nil: until the end or the context is full.
        public var maxTokens: Int?
        public var tools: [ChatTool] = []
        public var toolChoice = ToolChoice.automatic
        /// JSON Schema of the answer; nil: any text.
        public var schema: String?
        /// GBNF grammar of the answer, instead of a schema.
        public var gbnf: String?
        /// JSON object of further template variables, such as {"enable_thinking":false}.
        public var variables: String?
        /// Texts that end the answer and are cut off.
        public var stops: [String] = []
        /// nil: what the model recommends.
        public var sampling: SamplerParameters?
        /// What the template may ask for, in local time; nil: 1970.
        public var now: Date? = Date()

        public init(maxTokens: Int? = nil, tools: [ChatTool] = [], schema: String? = nil) {
            self.maxTokens = maxTokens
            self.tools = tools
            self.schema = schema
        }
    }

    public enum Finish: Int32, Sendable {
        /// The model ended its turn.
        case end = 1
        /// It ended with complete tool calls that wait for results.
        case calls
        /// `maxTokens`, or the context is full.
        case length
        /// A stop text.
        case stop
        case cancelled
    }

    /// What happened.
    public struct Report: Sendable, Hashable {
        public let finish: Finish
        /// Tokens of the conversation, and tokens chosen.
        public let promptTokens, generatedTokens: Int
        /// Of the tokens generated: those that the grammar left no choice about.
        public let forcedTokens: Int
        public let sync: Context.SyncInfo
        /// To append to the history.
        public let message: ChatMessage
        /// The same as JSON.
        public let json: String
    }

    public enum Event: Sendable, Hashable {
        case delta(ChatDelta)
        /// The last.
        case finished(Report)
    }

    /// Answer a conversation. Work begins at once, when its turn comes, and does not wait for the reader. Cancelling the task that reads, or
    /// dropping the stream, stops it; the stream throws only `LMError`.
    public func answer(_ messages: [ChatMessage], _ request: Request = Request()) -> AsyncThrowingStream<Event, any Error> {
        answer(json: encoded(messages), request)
    }

    /// The same for messages given as a JSON array.
    public func answer(json messages: String, _ request: Request = Request()) -> AsyncThrowingStream<Event, any Error> {
        let session = session, worker = context.worker
        return AsyncThrowingStream { continuation in
            let call = Call()
            continuation.onTermination = { if case .cancelled = $0 { call.cancel() } }
            worker.enqueue(call, stop: { _ in session.cancel() }) { _ throws(LMError) in
                let sink = DeltaSink(call) { continuation.yield(.delta($0)) }
                return try session.run(messages, request, sink)
            } done: { result in
                switch result {
                case .success(let report):
                    continuation.yield(.finished(report))
                    continuation.finish()
                case .failure(let error): continuation.finish(throwing: error)
                }
            }
        }
    }

    /// Answer a conversation and wait for all of it. A task that is cancelled meanwhile gets what there is, with `Finish.cancelled`; one that
    /// was cancelled before the answer began gets the error `cancelled`.
    public func reply(_ messages: [ChatMessage], _ request: Request = Request()) async throws(LMError) -> Report {
        let session = session, call = Call(), json = encoded(messages), worker = context.worker
        return try await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                worker.enqueue(call, stop: { _ in session.cancel() }) { _ throws(LMError) in
                    try session.run(json, request, DeltaSink(call) { _ in })
                } done: { continuation.resume(returning: $0) }
            }
        } onCancel: {
            call.cancel()
        }.get()
    }
}

/// The session of a chat; everything but `cancel` on the worker's queue.
private final class SessionBox: Dependent {
    let handle: Handle
    private let worker: Worker

    init(_ handle: Handle, _ worker: Worker) {
        self.handle = handle
        self.worker = worker
        worker.adopt(self)
    }

    deinit { worker.disown(ObjectIdentifier(self)) }

    func close() { handle.close() }
    func contextWillClose() { close() }
    func cancel() { _ = try? handle.shared { lm_chat_session_cancel($0) } }

    func run(_ messages: String, _ request: Chat.Request, _ sink: DeltaSink) throws(LMError) -> Chat.Report {
        try handle.shared { session throws(LMError) in
            let borrowed = Borrowed()
            var c = clm_chat_request(), report = clm_chat_report()
            let tools = request.tools.isEmpty ? nil : "[" + request.tools.map(\.json).joined(separator: ",") + "]"
            let stops: [UnsafePointer<CChar>?] = try request.stops.map { stop throws(LMError) in borrowed.text(try stop.withoutNul("stops")) }
            c.max_tokens = try request.maxTokens.map { n throws(LMError) in Int32(clamping: try notNegative("maxTokens", n)) } ?? -1
            c.messages = borrowed.text(messages)
            c.messages_size = messages.utf8.count
            c.tools = borrowed.text(tools)
            c.tools_size = tools?.utf8.count ?? 0
            c.tool_choice = request.toolChoice.rawValue
            c.schema = borrowed.text(request.schema)
            c.schema_size = request.schema?.utf8.count ?? 0
            c.gbnf = borrowed.text(request.gbnf)
            c.gbnf_size = request.gbnf?.utf8.count ?? 0
            c.variables = borrowed.text(request.variables)
            c.variables_size = request.variables?.utf8.count ?? 0
            c.stops = borrowed.array(stops)
            c.n_stops = stops.count
            c.sampling = borrowed.array(try request.sampling.map { sampling throws(LMError) in [try sampling.c(borrowed)] } ?? [])
            c.now = borrowed.array([clm_chat_render_params(request.now)])
            c.user = Unmanaged.passUnretained(sink).toOpaque()
            c.on_delta = { user, delta in
                guard let user, let delta else { return 0 }
                return Unmanaged<DeltaSink>.fromOpaque(user).takeUnretainedValue().take(delta.pointee) ? 0 : 1
            }
            let status = lm_chat_session_run(session, &c, &report)
            withExtendedLifetime((borrowed, sink)) {}
            try check(status, sentence(lm_chat_session_message(session)))
            return try Chat.Report(report)
        }
    }
}

extension Chat.Report {
    fileprivate init(_ c: lm_chat_report) throws(LMError) {
        json = String(c.message, c.message_size)
        finish = Chat.Finish(rawValue: c.finish) ?? .end
        promptTokens = Int(c.n_prompt)
        generatedTokens = Int(c.n_generated)
        forcedTokens = Int(c.n_forced)
        sync = Context.SyncInfo(c.sync)
        do { message = try JSONDecoder().decode(ChatMessage.self, from: Data(json.utf8)) } catch {
            throw LMError(.format, "the answer is no message: \(json)")
        }
    }
}

/// Where deltas go, until the call is cancelled.
private final class DeltaSink: Sendable {
    private let call: Call
    private let yield: @Sendable (ChatDelta) -> Void

    init(_ call: Call, _ yield: @escaping @Sendable (ChatDelta) -> Void) {
        self.call = call
        self.yield = yield
    }

    /// False: no more.
    func take(_ delta: lm_chat_delta) -> Bool {
        if let delta = ChatDelta(delta) { yield(delta) }
        return !call.isCancelled
    }
}
