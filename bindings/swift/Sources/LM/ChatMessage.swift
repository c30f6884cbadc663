// SPDX-License-Identifier: MIT
import Foundation

/// A message of a conversation, in the form that chat templates know: that of OpenAI's interface.
public struct ChatMessage: Sendable, Hashable, Codable {
    public enum Role: String, Sendable, Codable { case system, developer, user, assistant, tool }

    public var role: Role
    public var content: String?
    public var reasoning: String?
    public var toolCalls: [ToolCall]?
    /// Of a tool's answer: the call it answers, and the tool.
    public var toolCallID, name: String?

    public init(_ role: Role, _ content: String) {
        self.role = role
        self.content = content
    }

    public static func system(_ text: String) -> ChatMessage { ChatMessage(.system, text) }
    public static func user(_ text: String) -> ChatMessage { ChatMessage(.user, text) }
    public static func assistant(_ text: String) -> ChatMessage { ChatMessage(.assistant, text) }

    /// The answer of a tool to a call.
    public static func tool(_ text: String, answering call: ToolCall) -> ChatMessage {
        var message = ChatMessage(.tool, text)
        message.toolCallID = call.id
        message.name = call.function.name
        return message
    }

    /// A call that a model made.
    public struct ToolCall: Sendable, Hashable, Codable {
        public struct Function: Sendable, Hashable, Codable {
            public var name: String
            /// A text of JSON.
            public var arguments: String
        }
        public var id: String
        public var type = "function"
        public var function: Function

        public init(id: String, name: String, arguments: String) {
            self.id = id
            function = Function(name: name, arguments: arguments)
        }

        /// The arguments as a type of the program's. Throws `format` where they are no such value; grammars keep calls to the schema that was
        /// declared.
        public func arguments<T: Decodable>(as type: T.Type) throws(LMError) -> T {
            do { return try JSONDecoder().decode(type, from: Data(function.arguments.utf8)) } catch {
                throw LMError(.format, "the arguments of \(function.name) are no \(type): \(function.arguments)")
            }
        }
    }

    private enum CodingKeys: String, CodingKey {
        case role, content, name
        case reasoning = "reasoning_content"
        case toolCalls = "tool_calls"
        case toolCallID = "tool_call_id"
    }
}

/// A tool that a model may call.
public struct ChatTool: Sendable, Hashable {
    public var name, description: String
    /// JSON Schema of the arguments; properties are written in the order given here.
    public var parameters: String

    public init(name: String, description: String, parameters: String = #"{"type":"object","properties":{}}"#) {
        self.name = name
        self.description = description
        self.parameters = parameters
    }

    var json: String {
        #"{"type":"function","function":{"name":\#(encoded(name)),"description":\#(encoded(description)),"parameters":\#(parameters)}}"#
    }
}

/// A value as JSON text; the same value gives the same text.
func encoded(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Texts and optional texts always have a JSON form.
    return String(decoding: try! encoder.encode(value), as: UTF8.self)
}
