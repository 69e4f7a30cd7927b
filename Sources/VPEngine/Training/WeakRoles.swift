/// Figures whose role only a word suggests that stands on every line with them so far.
///
/// Such a word is often no role: `env: dev` is the machine, `CV fold 3` a part of the training,
/// `test run` its name. The figures count as the training's. If a line without the word has them, too, the
/// word is a role after all, and what was read before is the evaluation's.
struct WeakRoles {
    private static let limit = 512
    /// The roles by the keys of the figures.
    private var roles: [UInt64: FigureRole] = [:]

    var isEmpty: Bool { self.roles.isEmpty }

    func role(of figure: TrainingLine.Figure) -> FigureRole? { self.roles[figure.name.key] }

    mutating func note(_ figure: TrainingLine.Figure, _ role: FigureRole) {
        guard self.roles.count < Self.limit else { return }
        self.roles[figure.name.key] = role
    }

    /// Forgets a role, and returns the keys that had it.
    mutating func take(_ role: FigureRole) -> [UInt64] {
        let keys = self.roles.filter { $0.value == role }.map(\.key)
        for key in keys { self.roles[key] = nil }
        return keys
    }
}

extension TrainingState {
    /// Decides whether the role that a word of the line suggests is one.
    mutating func settleRole(of line: inout TrainingLine) {
        let isOwn = line.figures.contains {
            $0.section != .none || ($0.name.role != .none && $0.name.kind.isEvidence)
        }
        guard line.weakRole.isEvaluation, line.role == .none, !isOwn else {
            self.settle(line, except: .none)
            return
        }
        self.settle(line, except: line.weakRole)
        let isRole = line.figures.contains { figure in
            figure.name.kind.isEvidence && self.weakRoles.role(of: figure) == nil && self.isKnown(figure)
        }
        if isRole {
            self.apply(line.weakRole, to: &line)
            line.count?.isTraining = false
            line.epochCount = nil
        } else {
            for figure in line.figures where !self.isKnown(figure) {
                self.weakRoles.note(figure, line.weakRole)
            }
        }
    }

    /// Makes figures the evaluation's that only lines with another role had until this line.
    private mutating func settle(_ line: TrainingLine, except role: FigureRole) {
        guard !self.weakRoles.isEmpty else { return }
        for figure in line.figures
        where figure.name.kind.isEvidence && figure.name.role == .none && figure.section == .none {
            guard let weak = self.weakRoles.role(of: figure), weak != role else { continue }
            for key in self.weakRoles.take(weak) {
                self.book.move(key, to: weak)
                for index in self.held.indices where self.held[index].figure.name.key == key {
                    self.held[index].figure.section = weak
                }
            }
        }
    }

    private func isKnown(_ figure: TrainingLine.Figure) -> Bool {
        self.book.has(figure) || self.held(figure) != nil
    }
}
