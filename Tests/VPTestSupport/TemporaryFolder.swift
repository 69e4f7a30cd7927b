import Foundation

/// A separate folder for one test, removed afterwards.
public struct TemporaryFolder: Sendable {
    public let path: String

    /// Runs `body` with a new, empty folder whose path contains no links, and removes it in any case.
    public static func with<Result>(
        named name: String = "vp-test", _ body: (TemporaryFolder) async throws -> Result
    ) async throws -> Result {
        let path = NSTemporaryDirectory() + "/\(name)-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await body(
            TemporaryFolder(path: URL(fileURLWithPath: path).resolvingSymlinksInPath().path))
    }

    /// Writes `text` to the file `name`, creating the folders on the way, and returns its path.
    @discardableResult
    public func write(_ text: String, to name: String) throws -> String {
        let file = self.path + "/" + name
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        return file
    }

    /// Writes the program `text` to the file `name`, for everybody to run, creating the folders on the way.
    @discardableResult
    public func writeProgram(_ text: String, to name: String) throws -> String {
        let file = self.path + "/" + name
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try ProgramFile.write(text, to: file)
        return file
    }

    public func read(_ name: String) throws -> String {
        try String(contentsOfFile: self.path + "/" + name, encoding: .utf8)
    }

    public func exists(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: self.path + "/" + name)
    }
}
