import Foundation
import Testing

/// Compares `text` with the file `name` beside the tests, and shows the first difference.
///
/// `VP_RECORD_GOLDENS=1` writes the file instead; without it a missing file is a failure.
public func expectGolden(
    _ text: String, at path: String, sourceLocation: SourceLocation = #_sourceLocation
) {
    let url = URL(fileURLWithPath: path)
    if ProcessInfo.processInfo.environment["VP_RECORD_GOLDENS"] == "1" {
        do {
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: url, atomically: true, encoding: .utf8)
        } catch {
            Issue.record("cannot write \(path): \(error)", sourceLocation: sourceLocation)
        }
        return
    }
    guard let golden = try? String(contentsOf: url, encoding: .utf8) else {
        Issue.record(
            "\(url.lastPathComponent) is missing; VP_RECORD_GOLDENS=1 writes it. It would hold:\n\(text)",
            sourceLocation: sourceLocation)
        return
    }
    guard golden != text else { return }
    let old = golden.split(separator: "\n", omittingEmptySubsequences: false)
    let new = text.split(separator: "\n", omittingEmptySubsequences: false)
    var differences: [String] = []
    for index in 0..<max(old.count, new.count) {
        let before = index < old.count ? String(old[index]) : nil
        let after = index < new.count ? String(new[index]) : nil
        if before == after { continue }
        differences.append(
            "line \(index + 1)\n  golden: \(before ?? "(none)")\n  now:    \(after ?? "(none)")")
        if differences.count == 8 { break }
    }
    Issue.record(
        "\(url.lastPathComponent) differs (VP_RECORD_GOLDENS=1 rewrites it):\n\(differences.joined(separator: "\n"))",
        sourceLocation: sourceLocation)
}
