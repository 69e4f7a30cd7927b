import Foundation
import VPEngine

/// The palette: `vp` command lines and names of commands, carried out by the dashboard if it can,
/// otherwise by `vp`.
extension State {
    mutating func openPalette() -> [Effect] {
        self.overlay = .palette(Palette())
        return self.verbs.verbs.isEmpty ? [.ask(.loadVerbs)] : []
    }

    /// Carries out a line of the palette; `--plain` uses it as well.
    public mutating func execute(line: String) -> [Effect] {
        self.overlay = nil
        var words = ShellWords.split(line)
        if words.first == "vp" { words.removeFirst() }
        guard let verb = words.first else { return [] }
        self.paletteHistory.removeAll { $0 == line }
        self.paletteHistory.insert(line, at: 0)
        if self.paletteHistory.count > 50 { self.paletteHistory.removeLast() }
        if words.count == 1,
            let command = Command.allCases.first(where: { $0.words == verb || $0.rawValue == verb })
        {
            // A verb of `vp` and a list command share a name if they do the same.
            self.focusForCommand(command)
            return self.execute(command)
        }
        if let effects = self.executeNatively(verb, Array(words.dropFirst())) { return effects }
        return self.runLine(words)
    }

    /// Focuses the list that the command applies to, if it does not apply to the focused pane.
    private mutating func focusForCommand(_ command: Command) {
        let contexts = Set(self.keyMap.bindings.filter { $0.command == command }.map(\.context))
        guard !contexts.isEmpty, contexts.isDisjoint(with: KeyMap.contexts(of: self.focus, self.mainContent))
        else { return }
        if contexts.contains(.instances) {
            self.focus(.instances)
        } else if contexts.contains(.offers) {
            self.focus(.offers)
        } else if contexts.contains(.jobs) {
            self.focus(.jobs)
        } else if contexts.contains(.log) {
            self.focus(.main)
        }
    }

    /// Returns nil if the dashboard leaves the line to `vp`.
    private mutating func executeNatively(_ verb: String, _ words: [String]) -> [Effect]? {
        let isPlain = !words.contains { $0.hasPrefix("-") }
        switch verb {
        case "q", "quit": return self.execute(.quit)
        case "ls" where words.isEmpty, "list-instances" where words.isEmpty:
            self.focus(.instances)
            return []
        case "jobs" where words.isEmpty:
            self.focus(.jobs)
            return []
        case "offers" where isPlain:
            self.focus(.offers)
            guard !words.isEmpty else { return self.askOffers() }
            do {
                return try self.wantOffers(words.joined(separator: " "))
            } catch {
                self.toast(error.sentence, .warning)
                return []
            }
        case "create", "create-instance":
            guard !words.contains(where: { ["--json", "-y", "--yes", "--offer"].contains($0) }) else {
                return nil
            }
            guard !self.settings.isReadOnly else { return self.execute(.create) }
            self.focus(.instances)
            let effects = self.openForm(offer: nil)
            if !words.isEmpty, !self.fillForm(from: words) {
                self.overlay = nil
                return nil
            }
            return effects
        case "run":
            // A line that begins with an option of `run` is left to `vp`; options of the command
            // belong to the command.
            var text = words
            let limit: Double?
            do { limit = try Self.takeLimit(from: &text) } catch { return nil }
            let isEnded = text.first == "--"
            if isEnded { text.removeFirst() }
            guard isEnded || text.first?.hasPrefix("-") == false, !text.isEmpty else { return nil }
            guard !self.settings.isReadOnly else { return self.execute(.run) }
            let instances = self.instances.targets.filter { $0.status == .running }
            guard !instances.isEmpty else {
                self.toast("No running instance is selected", .warning)
                return []
            }
            // One word is shell text, several are exact words, as on the command line.
            let command = text.count == 1 ? text[0] : text.map(ShellQuoting.quoted).joined(separator: " ")
            return self.run(command, limit: limit, on: instances.map(\.id))
        case "rename" where words.count == 2:
            guard self.select(instance: words[0]), let id = self.instances.selection else { return nil }
            return self.settings.isReadOnly ? self.execute(.rename) : [.order(.rename(id, words[1]))]
        default: break
        }
        guard let row = PaletteVerb.named(verb), let command = row.command else { return nil }
        switch row.argument {
        case .instance where words.count <= 1 && isPlain:
            if let name = words.first, !self.select(instance: name) { return nil }
            self.focus(.instances)
            return self.execute(command)
        case .job where isPlain || verb == "logs":
            let names = words.filter { !$0.hasPrefix("-") }
            guard names.count <= 1 else { return nil }
            if let name = names.first {
                guard let job = self.jobs.rows.first(where: { $0.id.rawValue == name }) else { return nil }
                self.jobs.select(job.id)
            }
            self.focus(.jobs)
            return self.execute(command)
        case .instance, .job, .command, .nothing:
            return nil
        }
    }

    /// Selects the instance with this id or name.
    private mutating func select(instance name: String) -> Bool {
        let rows = self.instances.rows
        let named = rows.filter { $0.name == name }
        guard let row = rows.first(where: { $0.id.rawValue == name }) ?? (named.count == 1 ? named[0] : nil)
        else { return false }
        self.instances.apply(.clearMarks)
        self.instances.select(row.id)
        return self.instances.selection == row.id
    }

    mutating func runLine(_ given: [String]) -> [Effect] {
        guard let name = given.first else { return [] }
        let verb = PaletteVerb.longNames[name] ?? name
        let words = [verb] + given.dropFirst()
        let row = PaletteVerb.named(verb)
        if row?.needsTerminal == true {
            self.toast("`vp \(verb)` needs a terminal of its own", .warning)
            return []
        }
        // `vp` would run any other word on an instance. Until it has listed its verbs,
        // the palette's own rows count.
        let isKnown =
            self.verbs.verbs.isEmpty
            ? row != nil && !PaletteVerb.own.contains(verb) : self.verbs.verb(verb) != nil
        guard isKnown || verb == "help" || verb.hasPrefix("-") else {
            let list =
                self.settings.isPlain ? "help lists" : "\(self.way(to: .palette, word: "")) and Tab list"
            let near = self.nearest(to: verb).map { "did you mean \($0)?" } ?? "\(list) the commands"
            self.toast("“\(verb)” is not a command; \(near)", .warning)
            return []
        }
        guard !self.settings.isReadOnly || row?.isLooking == true else {
            self.toast("Read-only: \(verb) is off (--readonly)", .warning)
            return []
        }
        self.toast("vp \(words.map(ShellQuoting.quoted).joined(separator: " ")) …", .muted)
        return [.ask(.runLine(words))]
    }

    /// Returns the command that a mistyped word is closest to; nil if none is close.
    private func nearest(to word: String) -> String? {
        let names = Set(self.verbs.verbs.map(\.name) + PaletteVerb.rows.keys)
        let all = names.sorted() + Command.allCases.filter { !$0.isMovement }.map(\.words)
        return all.map { (name: $0, distance: EditDistance.between(word.lowercased(), $0)) }
            .filter { $0.distance <= min(2, $0.name.count / 2) }
            .min { $0.distance < $1.distance }?.name
    }

    mutating func lineEnded(
        _ line: String, _ output: [String], _ status: Int32, _ seconds: Double, _ date: Date
    ) {
        self.now = max(self.now, date)
        self.history.ran(
            "vp \(line)", status: status, at: date.addingTimeInterval(-seconds), duration: seconds)
        let lines =
            output.isEmpty
            ? [status == 0 ? "Done." : "The command failed with exit status \(status)."] : output
        let text = TextOverlay(title: "vp \(line)", lines: lines, isBad: status != 0)
        if self.overlay == nil {
            self.overlay = .text(text)
        } else {
            self.toast(
                "vp \(line) \(status == 0 ? "is done" : "failed"); @ shows it", status == 0 ? .good : .bad)
        }
    }
}
