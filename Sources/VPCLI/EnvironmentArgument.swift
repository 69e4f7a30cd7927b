import ArgumentParser
import VPEngine

/// An environment variable for an instance or a job: `NAME=VALUE`, or `NAME` for the value set here,
/// which keeps a secret out of argument lists.
struct EnvironmentArgument: Hashable {
    var name: String
    var value: String?

    static func read(_ text: String) throws -> EnvironmentArgument {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first, Self.isName(name) else {
            throw ValidationError(
                "“\(Terminal.printable(text))” is not a variable: write NAME=VALUE, or NAME to pass on your own value."
            )
        }
        return EnvironmentArgument(name: String(name), value: parts.count > 1 ? String(parts[1]) : nil)
    }

    /// Whether `text` is a name by POSIX's rules: a shell cannot set any other.
    private static func isName(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return text.utf8.allSatisfy { byte in
            byte == UInt8(ascii: "_") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        }
    }

    /// Returns the variables, with values from `environment` if none was given. The last one of a name wins.
    static func values(
        _ arguments: [EnvironmentArgument], from environment: [String: String]
    ) throws -> [String: String] {
        var values: [String: String] = [:]
        for argument in arguments {
            guard let value = argument.value ?? environment[argument.name] else {
                throw CommandFailure(
                    code: "usage",
                    message: "--env \(argument.name) has no value, and your environment does not set it.",
                    advice: "Write --env \(argument.name)=value.", status: Status.usage)
            }
            values[argument.name] = value
        }
        return values
    }
}
