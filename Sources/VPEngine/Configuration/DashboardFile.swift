import Foundation
import Yams

/// `dashboard.yaml` beside the user's configuration, with the dashboard's appearance and keys. The dashboard
/// interprets the names in it.
public struct DashboardFile: Equatable, Sendable {
    /// The name of a theme; nil for the theme that suits the terminal.
    public var theme: String?
    /// True if the dashboard takes the mouse; nil counts as true.
    public var mouse: Bool?
    /// True if it draws with ASCII characters alone; nil counts as false.
    public var ascii: Bool?
    /// Keys by place and command: place -> command -> keys.
    public var keys: [String: [String: [String]]] = [:]
    /// Colours of themes: theme -> role or surface -> colour.
    public var themes: [String: [String: String]] = [:]

    /// A file that sets nothing.
    public init() {}

    /// Returns its path, from the variables of `environment`.
    public static func path(_ environment: [String: String]) -> String {
        (EngineConfiguration.userConfigurationFile(environment) as NSString).deletingLastPathComponent
            + "/dashboard.yaml"
    }

    /// Reads the file at `path`; sets nothing if there is none.
    public init(path: String) throws(EngineError) {
        try self.init(text: ConfigurationFile.contents(of: path) ?? "", path: path)
    }

    /// Reads `text` as the contents of `path`, which is named in errors.
    ///
    /// Throws `.badConfiguration` for text that is not YAML, for an unknown setting and for a value of the
    /// wrong kind.
    public init(text: String, path: String) throws(EngineError) {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw ConfigurationFile.error("\(path): \(error)")
        }
        guard let root, root.null == nil else { return }
        guard let mapping = root.mapping else {
            throw ConfigurationFile.error("\(path):1: expected `key: value` lines")
        }
        for (key, value) in mapping {
            switch key.string {
            case "theme": self.theme = try Self.text(value, "theme", path)
            case "mouse": self.mouse = try Self.flag(value, "mouse", path)
            case "ascii": self.ascii = try Self.flag(value, "ascii", path)
            case "keys":
                for (place, commands) in try Self.pairs(value, "keys", path) {
                    for (command, keys) in try Self.pairs(commands, "keys.\(place)", path) {
                        let name = "keys.\(place).\(command)"
                        var texts: [String] = []
                        if let sequence = keys.sequence {
                            for node in sequence { texts.append(try Self.text(node, name, path)) }
                        } else {
                            texts.append(try Self.text(keys, name, path))
                        }
                        self.keys[place, default: [:]][command] = texts
                    }
                }
            case "themes":
                for (theme, colors) in try Self.pairs(value, "themes", path) {
                    for (role, color) in try Self.pairs(colors, "themes.\(theme)", path) {
                        self.themes[theme, default: [:]][role] =
                            try Self.text(color, "themes.\(theme).\(role)", path)
                    }
                }
            default:
                throw Self.error(
                    key,
                    "“\(key.string ?? "")” is not a setting; the settings are theme, mouse, ascii, keys, themes",
                    path)
            }
        }
    }

    private static func pairs(_ node: Node, _ name: String, _ path: String) throws(EngineError) -> [(
        String, Node
    )] {
        guard let mapping = node.mapping else { throw Self.error(node, "\(name) must contain names", path) }
        return mapping.map { ($0.key.scalar?.string ?? "", $0.value) }
    }

    private static func text(_ node: Node, _ name: String, _ path: String) throws(EngineError) -> String {
        guard let scalar = node.scalar else { throw Self.error(node, "\(name) must be one value", path) }
        return scalar.string
    }

    private static func flag(_ node: Node, _ name: String, _ path: String) throws(EngineError) -> Bool {
        guard let flag = node.bool else { throw Self.error(node, "\(name) must be true or false", path) }
        return flag
    }

    private static func error(_ node: Node, _ sentence: String, _ path: String) -> EngineError {
        ConfigurationFile.error("\(path)\(node.mark.map { ":\($0.line)" } ?? ""): \(sentence)")
    }
}
