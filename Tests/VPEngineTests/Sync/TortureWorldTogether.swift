import Foundation

@testable import VPEngine

/// Two syncs at once, files that grow, and what the judge sees of both sides.
extension TortureWorld {
    // MARK: Two at once

    /// Two syncs at the same time, of one instance or of two.
    mutating func playTogether() async throws {
        for _ in 0..<Int.random(in: 0...4, using: &self.random) {
            let roots = [self.instance.project] + self.instances.map(\.remote)
            self.edit(roots.randomElement(using: &self.random)!)
        }
        let before = self.everySide()
        for instance in self.instances {
            self.instance = instance
            self.noteShared(before.here, before.there[instance.id.rawValue] ?? [:])
        }
        let pair = (0..<2).map { _ in
            (self.instances.randomElement(using: &self.random)!, Bool.random(using: &self.random))
        }
        self.note(
            "together: \(pair.map { "\($1 ? "upload" : "download") \($0.id.rawValue)" }.joined(separator: ", "))"
        )
        async let first = Self.sync(pair[0].0, pair[0].1, bulk: 200)
        async let second = Self.sync(pair[1].0, pair[1].1, bulk: 1)
        let failures = await [first, second].compactMap(\.self)
        // What the other of the two is changing does not stand still.
        if let failure = failures.first(where: { !$0.hasPrefix("[] ") }) { self.fail("together: \(failure)") }
        let after = self.everySide()
        let released = self.allSent.values.reduce(into: self.brought) { all, sent in
            for contents in sent.values { all.formUnion(contents) }
        }
        for content in before.contents where !after.contents.contains(content) && !released.contains(content)
        {
            self.fail("lost by two at once: \(content.prefix(40))")
        }
        for content in after.contents where !before.contents.contains(content) {
            self.fail("something nobody wrote: \(content)")
        }
        for (path, content) in before.here where after.here[path] != content {
            let isShared = self.allShared.values.contains { $0[path]?.contains(content) == true }
            if !isShared { self.fail("\(path) was changed here by two at once: \(content.prefix(40))") }
        }
        for instance in self.instances {
            self.instance = instance
            let there = after.there[instance.id.rawValue] ?? [:]
            let old = before.there[instance.id.rawValue] ?? [:]
            for (path, content) in there where old[path] != content && !Self.staysHere(path) {
                self.sent[path, default: []].insert(content)
            }
            self.noteShared(after.here, there)
        }
        self.judgeGrowth()
    }

    fileprivate struct Sides {
        var here: Side
        var there: [String: Side]

        var aside: Set<String>

        var contents: Set<String> {
            self.there.values.reduce(into: Set(self.here.values).union(self.aside)) {
                $0.formUnion($1.values)
            }
        }
    }

    private func everySide() -> Sides {
        Sides(
            here: self.read(self.instance.project),
            there: Dictionary(
                uniqueKeysWithValues: self.instances.map { ($0.id.rawValue, self.read($0.remote)) }),
            aside: self.instances.reduce(into: []) { $0.formUnion(Self.aside($1)) })
    }

    // MARK: What grows

    /// Files that only ever grow: the first here, each of the others on the instance of that number.
    static let growing = ["log-here", "log-7", "log-8"]

    func root(ofGrowing name: String) -> String {
        self.instances.first { name == "log-\($0.id.rawValue)" }?.remote ?? self.instance.project
    }

    /// Lets a file grow before each connection of the next sync.
    mutating func grow() throws {
        guard Int.random(in: 0..<3, using: &self.random) == 0 else { return }
        self.serial += 1
        let own = "log-\(self.instance.id.rawValue)"
        let name = Bool.random(using: &self.random) ? "log-here" : own
        let path = "\(self.root(ofGrowing: name))/\(name)"
        self.note("\(name) grows")
        let first = Int.random(in: 1...3, using: &self.random)
        for call in first...9 {
            let file = "\(self.instance.folder)/meanwhile-\(call)"
            guard !FileManager.default.fileExists(atPath: file) else { continue }
            try self.instance.meanwhile("echo 'line \(self.serial) \(call)' >> '\(path)'", beforeCall: call)
        }
    }

    mutating func judgeGrowth() {
        for name in Self.growing {
            guard let whole = FileManager.default.contents(atPath: "\(self.root(ofGrowing: name))/\(name)")
            else {
                continue
            }
            for root in [self.instance.project] + self.instances.map(\.remote) {
                let copy = FileManager.default.contents(atPath: "\(root)/\(name)") ?? Data()
                if !whole.starts(with: copy) { self.fail("\(name) is no beginning of itself in \(root)") }
                let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
                if names.contains(where: { $0.hasPrefix("\(name).remote-") }) {
                    self.fail("\(name) has another version in \(root)")
                }
            }
        }
    }

    // MARK: Looking

    /// Versions that are put aside on an instance, and are nowhere else.
    static func aside(_ instance: LocalInstance) -> Set<String> {
        let root = "\(instance.remote)/\(TransferFolder.aside)"
        let names = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        return Set(
            names.filter { !Self.growing.contains($0) }.compactMap { name in
                if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(root)/\(name)")
                {
                    return "-> \(target)"
                }
                return FileManager.default.contents(atPath: "\(root)/\(name)").map {
                    String(decoding: $0, as: UTF8.self)
                }
            })
    }

    func read(_ root: String) -> Side {
        var side: Side = [:]
        let files = FileManager.default
        for name in files.enumerator(atPath: root)?.compactMap({ $0 as? String }) ?? [] {
            if name.split(separator: "/").contains(where: { $0.hasPrefix(".vp") }) { continue }
            if Self.growing.contains(name) { continue }
            let path = "\(root)/\(name)"
            if let target = try? files.destinationOfSymbolicLink(atPath: path) {
                side[name] = "-> \(target)"
            } else if let content = files.contents(atPath: path) {
                side[name] = String(decoding: content, as: UTF8.self)
            }
        }
        return side
    }
}
