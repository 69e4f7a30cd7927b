import Foundation
import Glibc
import VPEngine

/// Shows the progress of an action on stderr: one live line on a terminal,
/// a plain line for each stage elsewhere.
///
/// A stage that ends within a second leaves no trace, so that a warm `vp run` looks like the command itself.
final class ProgressDisplay {
    private let session: Session
    private let isWordy: Bool
    private var stage: ActionStage?
    private var detail: String?
    private var transfer: TransferProgress?
    private var began = ContinuousClock.now
    private var isDrawn = false
    private var frame = 0

    init(session: Session, action: EngineAction) {
        self.session = session
        // Renting and destroying are rare and slow, and they concern money: every stage gets a line.
        self.isWordy =
            switch action {
            case .create, .destroy, .start, .stop: true
            case .sync, .run, .download, .cancel, .attach: session.isVerbose
            }
    }

    func show(_ progress: ActionProgress) {
        if progress.stage != self.stage {
            self.closeStage(mark: .done)
            self.stage = progress.stage
            self.detail = progress.detail
            self.transfer = progress.transfer
            self.began = .now
            if !self.session.terminal.canRedraw, self.isTold(progress.stage) {
                let detail = progress.detail.map { ": \(Terminal.printable($0))" } ?? ""
                Terminal.note("vp: \(progress.stage.words)\(detail)")
            }
        } else {
            if let detail = progress.detail, detail != self.detail {
                self.detail = detail
                if progress.stage == .running {
                    // The command has ended, but its background processes continue.
                    self.hide()
                    Terminal.note("vp: \(progress.stage.words): \(Terminal.printable(detail))")
                } else if !self.session.terminal.canRedraw, self.isWordy || progress.stage == .reconnecting {
                    Terminal.note("vp: \(progress.stage.words): \(Terminal.printable(detail))")
                }
            }
            self.transfer = progress.transfer ?? self.transfer
        }
        self.redraw()
    }

    func jobChanged(_ job: Job) {
        guard job.state == .running, self.session.isVerbose else { return }
        self.hide()
        Terminal.note("vp: \(job.id) runs: \(Terminal.printable(job.command.shellText))")
    }

    /// Redraws the live line.
    func redraw() {
        guard self.session.terminal.canRedraw, let stage = self.stage, stage != .running else { return }
        self.frame += 1
        let width = max(20, self.session.terminal.width - 1)
        let elapsed = self.seconds
        let spinner = self.session.terminal.hasUnicode ? Array("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏") : Array("|/-\\")
        var line = "\(spinner[self.frame % spinner.count]) \(stage.words)"
        if let transfer = self.transfer, transfer.totalBytes > 0 {
            line += "  \(self.bar(transfer.fraction ?? 0)) \(Self.describe(transfer))"
        } else if let detail = self.detail {
            line += ": \(Terminal.printable(detail))"
        }
        if elapsed >= 1 { line += "  \(TimeSpan.exact(elapsed))" }
        Terminal.write("\r\u{1B}[K\(DisplayWidth.cut(line, to: width))".utf8, to: STDERR_FILENO)
        self.isDrawn = true
    }

    /// Erases the live line, so that other output can follow.
    func hide() {
        guard self.isDrawn else { return }
        Terminal.write("\r\u{1B}[K".utf8, to: STDERR_FILENO)
        self.isDrawn = false
    }

    func end(_ outcome: ActionOutcome) {
        switch outcome {
        case .succeeded: self.closeStage(mark: .done)
        case .failed, .cancelled: self.closeStage(mark: .failed)
        }
    }

    private enum Mark { case done, failed }

    private func closeStage(mark: Mark) {
        self.hide()
        defer { self.stage = nil }
        guard let stage = self.stage, stage != .running else { return }
        let elapsed = self.seconds
        guard self.isWordy || elapsed >= 1 || mark == .failed || stage == .reconnecting else { return }
        guard self.session.terminal.canRedraw else {
            if stage == .reconnecting, mark == .done {
                Terminal.note("vp: connected again after \(TimeSpan.exact(elapsed))")
            } else if elapsed >= 1 {
                let end = mark == .done ? "done" : "stopped"
                Terminal.note("vp: \(stage.words): \(end) after \(TimeSpan.exact(elapsed))")
            }
            return
        }
        let hasUnicode = self.session.terminal.hasUnicode
        let colour = self.session.terminal.errorHasColour
        let sign =
            mark == .done
            ? Style.good.apply(hasUnicode ? "✓" : "ok", if: colour)
            : Style.bad.apply(hasUnicode ? "✗" : "!!", if: colour)
        var line = "\(sign) \(stage.words)"
        if let transfer = self.transfer, transfer.totalFiles > 0 {
            line += "  \(Units.count(transfer.totalFiles, "file")), \(Units.bytes(transfer.totalBytes))"
        } else if let detail = self.detail {
            let room = max(60, self.session.terminal.width - 30)
            line += ": \(DisplayWidth.cut(Terminal.printable(detail), to: room))"
        }
        Terminal.note("\(line)  \(Style.faint.apply(TimeSpan.exact(elapsed), if: colour))")
    }

    /// Whether a stage gets a line. A lost connection always does, because a silent wait looks like a hang.
    private func isTold(_ stage: ActionStage) -> Bool {
        stage == .reconnecting || self.isWordy && !Self.isBrief(stage)
    }

    /// Whether a stage means nothing to people who read the lines afterwards.
    private static func isBrief(_ stage: ActionStage) -> Bool {
        switch stage {
        case .running, .scanning, .verifying, .preparing, .searching: true
        default: false
        }
    }

    private var seconds: Double { (ContinuousClock.now - self.began) / .seconds(1) }

    private func bar(_ fraction: Double) -> String {
        let width = 20
        let full = Int(saturating: (NumberRange.share.clamp(fraction) * Double(width)).rounded(.down))
        let (on, off) = self.session.terminal.hasUnicode ? ("█", "░") : ("#", ".")
        return String(repeating: on, count: full) + String(repeating: off, count: width - full)
    }

    /// `31%  12 MB of 40 MB  120 of 400 files  4.1 MB/s  7 s left`
    static func describe(_ transfer: TransferProgress) -> String {
        var parts = [
            "\(Int(saturating: ((transfer.fraction ?? 0) * 100).rounded(.down)))%",
            "\(Units.bytes(transfer.bytes)) of \(Units.bytes(transfer.totalBytes))",
        ]
        if transfer.totalFiles > 0 { parts.append("\(transfer.files) of \(transfer.totalFiles) files") }
        if let rate = transfer.bytesPerSecond { parts.append("\(Units.bytes(Int64(saturating: rate)))/s") }
        if let left = transfer.secondsLeft { parts.append("\(TimeSpan.exact(left)) left") }
        return parts.joined(separator: "  ")
    }
}
