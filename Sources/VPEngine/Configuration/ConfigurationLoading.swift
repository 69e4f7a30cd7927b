extension EngineConfiguration {
    /// Reads the configuration for the project around `directory`.
    ///
    /// The project is the nearest folder upwards that holds `.vp`, else `directory` itself. Throws
    /// `.badConfiguration` with file and line. Missing keys are no error here: a command that needs one says so.
    public static func load(
        environment: [String: String], directory: String, configurationFile: String? = nil
    ) throws(EngineError) -> EngineConfiguration {
        fatalError()
    }
}
