import Foundation
import Glibc

/// Sends the input of a job's command to its instance, before the job is started there.
struct JobInput: Sendable {
    let job: JobID
    let shell: RemoteShell

    /// Returns the file's path as a word of shell text.
    static func file(of job: JobID) -> String { "\"$HOME/.vp/\(Self.name(of: job))\"" }

    /// Returns the file's name below `~/.vp` on the instance.
    static func name(of job: JobID) -> String { "input-\(job.rawValue)" }

    /// Sends everything from `descriptor`, up to its end. Returns the number of bytes.
    ///
    /// The input is sent in parts, each at its own offset, so that a part that was cut off is sent again.
    func send(from descriptor: Int32) async throws(EngineError) -> Int64 {
        var part: Int64 = 0
        var count: Int64 = 0
        while true {
            let bytes = try await Self.read(descriptor)
            if !bytes.isEmpty || part == 0 { try await self.send(bytes, asPart: part) }
            count += Int64(bytes.count)
            part += 1
            if bytes.count < Self.partBytes { return count }
        }
    }

    private static let partBytes = 8 << 20
    /// The size of a part in blocks of dd.
    private static let partBlocks: Int64 = 8

    private func send(_ bytes: [UInt8], asPart part: Int64) async throws(EngineError) {
        let file = Self.file(of: self.job)
        let command =
            "umask 077; mkdir -p \"$HOME/.vp\" && "
            + (part == 0 ? ": > \(file) && " : "")
            + "dd of=\(file) bs=1048576 seek=\(part * Self.partBlocks) conv=notrunc 2>/dev/null"
        var failure: EngineError?
        for attempt in 0..<3 {
            if attempt > 0 {
                do { try await Task.sleep(for: .seconds(attempt)) } catch { break }
            }
            try self.shell.target.prepare()
            let words = try self.shell.words(running: command)
            let errors = ByteCollector()
            let ending = try await self.shell.runner.run(
                ProcessCommand(
                    words[0], Array(words.dropFirst()), environment: self.shell.environment, input: bytes),
                onOutput: { _ in }, onErrorOutput: { errors.append($0) })
            switch ending {
            case .exited(0): return
            case .exited(RemoteShell.sshFailure), .signalled:
                failure = self.shell.connectionError(errors.bytes)
            case .exited:
                throw EngineError(
                    .remoteDiskFull, .init("sending the standard input", subject: self.job.rawValue),
                    detail: "it could not be written on the instance")
            }
        }
        throw failure ?? EngineError(.cancelled, .init("sending the standard input"))
    }

    /// Reads a whole part, or the rest up to the end of the input.
    private static func read(_ descriptor: Int32) async throws(EngineError) -> [UInt8] {
        let (bytes, number): ([UInt8], Int32) = await withCheckedContinuation { continuation in
            // The program that writes it may take hours.
            Thread.detachNewThread {
                var bytes = [UInt8](repeating: 0, count: Self.partBytes)
                var done = 0
                while done < bytes.count {
                    let count = bytes.withUnsafeMutableBytes {
                        Glibc.read(descriptor, $0.baseAddress! + done, $0.count - done)
                    }
                    if count < 0 && errno == EINTR { continue }
                    if count < 0 { return continuation.resume(returning: ([], errno)) }
                    if count == 0 { break }
                    done += count
                }
                continuation.resume(returning: (Array(bytes[..<done]), 0))
            }
        }
        guard number == 0 else {
            throw EngineError(
                .fileSystem, .init("reading the standard input"), detail: String(cString: strerror(number)))
        }
        return bytes
    }
}
