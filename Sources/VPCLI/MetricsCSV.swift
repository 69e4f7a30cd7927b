import Foundation
import Glibc
import VPEngine

/// The figures of jobs as lines with commas: every one, as the logs have them, written as they are read.
struct MetricsCSV {
    private static let blockSize = 1 << 16

    /// Not yet written.
    private var bytes: [UInt8] = []
    /// Nobody reads any more.
    private var isClosed = false

    /// - Parameter logs: names, each with its job; nil for a file or standard input.
    static func write(_ logs: [(name: String, job: Job?)], _ engine: Engine?) throws {
        let table = Box(MetricsCSV())
        table.value.add("job,series,kind,step,value\n")
        for (name, job) in logs {
            let head = Self.field(job?.id.rawValue ?? name)
            let each: TrainingPoints.Each = { series, step, value in
                table.value.add(
                    "\(head),\(Self.field(series.name)),\(series.kind.rawValue),"
                        + "\(MetricsText.number(step)),\(MetricsText.number(value))\n")
            }
            if let job, let engine {
                engine.readTrainingPoints(of: job, each)
            } else {
                try Self.read(file: name, each)
            }
        }
        table.value.flush()
    }

    /// A reference to the table that the reader's closure and this function both write to.
    private final class Box {
        var value: MetricsCSV
        init(_ value: MetricsCSV) { self.value = value }
    }

    private static func read(file: String, _ each: @escaping TrainingPoints.Each) throws {
        let descriptor = try MetricsCommand.open(file)
        defer { if descriptor != STDIN_FILENO { close(descriptor) } }
        guard lseek(descriptor, 0, SEEK_CUR) < 0 else {
            TrainingPoints.read(descriptor, each)
            return
        }
        // A pipe cannot be read twice: its copy has no name, and goes with this program.
        guard let copy = tmpfile() else { throw MetricsCommand.failure(file) }
        defer { fclose(copy) }
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw MetricsCommand.failure(file) }
            guard count > 0 else { break }
            guard fwrite(buffer, 1, count, copy) == count else { throw MetricsCommand.failure(file) }
        }
        guard fflush(copy) == 0 else { throw MetricsCommand.failure(file) }
        TrainingPoints.read(fileno(copy), each)
    }

    /// RFC 4180: a field with a comma, a quotation mark or a line's end is quoted.
    private static func field(_ text: String) -> String {
        let text = Terminal.printable(text)
        guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }

    private mutating func add(_ text: String) {
        self.bytes.append(contentsOf: text.utf8)
        if self.bytes.count >= Self.blockSize { self.flush() }
    }

    private mutating func flush() {
        if !self.isClosed { self.isClosed = !Terminal.write(self.bytes, to: STDOUT_FILENO) }
        self.bytes.removeAll(keepingCapacity: true)
    }
}
