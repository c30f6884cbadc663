// SPDX-License-Identifier: MIT
internal import CLM
@_exported public import LM // who imports LMBox has all of LM

extension Model {
    /// The small model that is part of the program (`examples/box/README.md` says what it knows): nothing to download. Its bytes are used
    /// where they lie.
    ///
    ///     let chat = try await Chat(try await Context.open(try Model.builtin()))
    public static func builtin(options: Options = Options(), runtime: Runtime? = nil) throws(LMError) -> Model {
        try Model(options, runtime) { params, out, error in lm_model_open_builtin(params, out, error) }
    }
}
