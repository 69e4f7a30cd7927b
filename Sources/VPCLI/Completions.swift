import ArgumentParser
import Foundation
import VPEngine

/// Values that a shell completes from what this machine knows: instances, jobs, GPUs and offers.
enum Completions {
    static var instances: CompletionKind { Self.kind { $0.instances() } }
    static var jobs: CompletionKind { Self.kind { $0.jobs() } }
    static var openJobs: CompletionKind { Self.kind { $0.jobs(isOpen: true) } }
    static var gpus: CompletionKind { Self.kind { $0.gpus() } }
    static var offers: CompletionKind { Self.kind { $0.offers() } }

    /// The completion script for `shell`. In bash, words that are not verbs complete as file names,
    /// because they belong to a command for the instance: `vp python tr<Tab>`.
    static func script(for shell: CompletionShell) -> String {
        let script = VP.completionScript(for: shell)
        guard shell == .bash else { return script }
        return script.replacing(
            "complete -o filenames -F", with: "complete -o bashdefault -o default -o filenames -F")
    }

    private static func kind(
        _ names: @escaping @Sendable (KnownNames) -> [KnownNames.Name]
    ) -> CompletionKind {
        .custom { _, _, _ in
            let known = KnownNames(environment: ProcessInfo.processInfo.environment)
            return names(known).map { Self.line($0.value, $0.words, for: CompletionShell.requesting) }
        }
    }

    /// A candidate in the form that `shell` reads. bash shows no words beside a value.
    static func line(_ value: String, _ words: String, for shell: CompletionShell?) -> String {
        let words = DisplayWidth.cut(Terminal.printable(words), to: 60)
        guard !words.isEmpty else { return value }
        return switch shell {
        case .zsh?: "\(value):\(words)"
        case .fish?: "\(value)\t\(words)"
        default: value
        }
    }
}
