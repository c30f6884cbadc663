// SPDX-License-Identifier: MIT
// Golden models through Swift: logits and vectors against the reference, the same bytes in every way to evaluate.
import Foundation
import LM
import Testing

struct Reference: CustomTestStringConvertible {
    let name: String
    let json: JSON
    var testDescription: String { name }

    static let all: [Reference] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: Golden.path("models"))) ?? []
        return names.filter { $0.hasSuffix(".json") }.sorted().compactMap { name in
            (try? Golden.json("models/\(name)")).map { Reference(name: String(name.dropLast(5)), json: $0) }
        }
    }()
    static let decoders = all.filter { $0.json["logits"] != nil }
    static let encoders = all.filter { $0.json["pooled"] != nil }

    var tokens: [Token] { json["tokens"]!.tokens }
    var positions: [Int] { json["positions"]!.tokens.map { Int($0) } }
    var tolerance: Float { Float(json["tolerance"]!["max_abs"]!.number!) }
    func floats(_ key: String) throws -> [Float] { try Golden.floats("models/\(json[key]!.string!)") }
}

func largestDifference(_ a: some Collection<Float>, _ b: some Collection<Float>) -> Float {
    a.count == b.count ? zip(a, b).map { abs($0 - $1) }.max() ?? 0 : .infinity
}

/// All rows, evaluated so many tokens at a time.
func rows(_ model: Model, _ tokens: [Token], step: Int, threads: Int = 0) async throws -> [[Float]] {
    var parameters = ContextParameters()
    parameters.contextLength = 512
    parameters.outputRows = 512
    parameters.keyType = .f32
    parameters.valueType = .f32
    parameters.threads = threads
    let context = try await Context.open(model, parameters)
    var out: [[Float]] = []
    for start in stride(from: 0, to: tokens.count, by: step) {
        let piece = Array(tokens[start..<min(start + step, tokens.count)])
        try await context.evaluate([.init(piece, rows: .all)])
        #expect(try await context.logitsRows == piece.count)
        for row in piece.indices { out.append(try #require(try await context.logits(row: row))) }
    }
    await context.close()
    return out
}

@Test func thereAreReferences() {
    #expect(Reference.decoders.count >= 8)
    #expect(Reference.encoders.count >= 4)
}

@Test(arguments: Reference.decoders) func logitsAgreeWithTheReference(_ reference: Reference) async throws {
    let model = try Golden.model(reference.name, runtime: try Runtime(threads: 2)), expected = try reference.floats("logits")
    let found = try await rows(model, reference.tokens, step: 512), width = model.vocabularySize
    for (i, position) in reference.positions.enumerated() {
        #expect(largestDifference(found[position], expected[i * width..<(i + 1) * width]) <= reference.tolerance, "position \(position)")
    }
    #expect(try await rows(model, reference.tokens, step: 7) == found)
    #expect(try await rows(model, reference.tokens, step: 64, threads: 1) == found)
}

@Test(arguments: Reference.encoders) func vectorsAgreeWithTheReference(_ reference: Reference) async throws {
    let model = try Golden.model(reference.name), pooled = try reference.floats("pooled"), width = model.info.embeddingWidth
    for (i, pooling) in [ContextParameters.Pooling.mean, .cls].enumerated() {
        var parameters = ContextParameters()
        parameters.contextLength = 512
        parameters.outputs = .pooled
        parameters.pooling = pooling
        let context = try await Context.open(model, parameters)
        let raw = try await context.embed([reference.tokens], raw: true)
        #expect(largestDifference(raw[0], pooled[i * width..<(i + 1) * width]) <= reference.tolerance)
        let unit = try await context.embed([reference.tokens, Array(reference.tokens.prefix(9))])
        #expect(unit.count == 2)
        for row in unit { #expect(abs(row.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5) }
    }
    var parameters = ContextParameters()
    parameters.contextLength = 512
    parameters.outputs = .pooled
    parameters.pooling = .none
    let context = try await Context.open(model, parameters)
    let perToken = try await context.embed([reference.tokens], raw: true), expected = try reference.floats("embd")
    #expect(perToken.count == reference.tokens.count)
    for (i, position) in reference.positions.enumerated() {
        #expect(largestDifference(perToken[position], expected[i * width..<(i + 1) * width]) <= reference.tolerance)
    }
}

@Test func aModelSaysWhatItIs() async throws {
    let model = try await Model.open(Golden.path("models/llama.gguf"))
    #expect(model.info.architecture == "llama")
    #expect(model.info.vocabularySize == model.vocabularySize)
    #expect(model.info.layers > 0 && model.info.parameters > 0 && model.info.weightsBytes > 0)
    #expect(try model.metadataKeys.contains("general.architecture"))
    #expect(try model.metadataString("general.architecture") == "llama")
    #expect(try model.metadataString("no.such.key") == nil)
    #expect(try model.metadataJSON("general.architecture") == "\"llama\"")
    #expect(try model.metadataJSON("no.such.key") == nil)
    let cut = try JSON(text: try #require(try model.metadataJSON("tokenizer.ggml.tokens", maxElements: 2)))
    #expect(cut.array.count == 3 && cut.array.last?.string == "...")
    let tensors = try model.tensors
    #expect(tensors.contains { $0.name == "token_embd.weight" && $0.dimensions == [model.info.embeddingWidth, model.vocabularySize] })
    #expect(tensors.reduce(0) { $0 + $1.bytes } == model.info.weightsBytes)
}

@Test func modelsOpenFromEverywhere() async throws {
    let path = Golden.path("models/llama.gguf"), url = URL(fileURLWithPath: path)
    let tokens = Reference.decoders.first { $0.name == "llama" }!.tokens
    let expected = try await rows(try Model(path: path), tokens, step: 512)
    #expect(try await rows(try Model(data: try Data(contentsOf: url)), tokens, step: 512) == expected)
    #expect(try await rows(try await Model.open(url), tokens, step: 512) == expected)
    let file = try FileHandle(forReadingFrom: url)
    let fromDescriptor = try Model(fileDescriptor: file.fileDescriptor)
    try file.close()
    #expect(try await rows(fromDescriptor, tokens, step: 512) == expected)
    var options = Model.Options()
    options.readsIntoMemory = true
    #expect(try await rows(try Model(path: path, options: options), tokens, step: 512) == expected)
}

@Test func modelsThatCannotBeOpenedSayWhy() async throws {
    await #expect { try await Model.open("/no/such/model.gguf") } throws: { ($0 as? LMError)?.status == .notFound }
    let error = #expect(throws: LMError.self) { try Model(data: Data("no model, but a text".utf8)) }
    #expect(error?.status == .format && error?.message.isEmpty == false && error?.localizedDescription == error?.message)
    #expect(throws: LMError.self) { try Model(data: Data()) }
    let web = try #require(URL(string: "https://example.com/model.gguf"))
    await #expect { try await Model.open(web) } throws: { ($0 as? LMError)?.status == .argument }
}
