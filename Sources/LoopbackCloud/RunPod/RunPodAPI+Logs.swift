import Foundation

/// A pod's log as server-sent events, which continue for as long as the client listens.
extension RunPodAPI {
    /// The lines that a client wants.
    private struct Wanted: Sendable {
        var source: String?
        var tail = 100
        var since: Double?
        /// The number of the last line that the client has.
        var after: Int?
    }

    func logs(_ id: String, _ request: APIRequest) async throws(RunPodError) -> APIReply {
        let wanted = try Self.wanted(request)
        guard let lines = await self.fleet.podLog(id) else { throw .noPod }
        let fleet = self.fleet
        let (stream, continuation) = AsyncStream<Data>.makeStream()
        let sending = Task {
            var position = lines.count
            continuation.yield(Self.frames(Self.backlog(lines, wanted)))
            var quiet = 0
            while (try? await Task.sleep(for: .milliseconds(100))) != nil {
                guard let lines = await fleet.podLog(id) else { break }
                let new = lines.enumerated().dropFirst(position).filter { Self.fits($0.element, wanted) }
                position = lines.count
                quiet = new.isEmpty ? quiet + 1 : 0
                if !new.isEmpty { continuation.yield(Self.frames(Array(new))) }
                // Pings also detect a client that is gone.
                if quiet % 10 == 9 { continuation.yield(Data(": ping\n\n".utf8)) }
            }
            continuation.finish()
        }
        continuation.onTermination = { _ in sending.cancel() }
        return APIReply(
            status: 200, contentType: "text/event-stream", body: Data(),
            headers: ["Cache-Control": "no-cache"], stream: stream)
    }

    private static func wanted(_ request: APIRequest) throws(RunPodError) -> Wanted {
        var wanted = Wanted()
        if let source = request.query["source"] {
            guard ["container", "system"].contains(source) else {
                throw .invalid(["source: value must be one of container, system"])
            }
            wanted.source = source
        }
        if let text = request.query["tail"] {
            guard let tail = Int(text), (0...5000).contains(tail) else {
                throw .invalid(["tail: must be between 0 and 5000"])
            }
            wanted.tail = tail
        }
        if let text = request.query["since"] {
            guard let date = try? Date.ISO8601FormatStyle().parse(text) else {
                throw .invalid(["since: expected an RFC 3339 timestamp"])
            }
            wanted.since = date.timeIntervalSince1970
        }
        // The event id overrides the time, which overrides the number of lines.
        wanted.after = request.headers["last-event-id"]?.split(separator: "/").last.flatMap { Int($0) }
        return wanted
    }

    private static func fits(_ line: Pod.LogLine, _ wanted: Wanted) -> Bool {
        wanted.source.map { $0 == line.source } ?? true
    }

    private static func backlog(
        _ lines: [Pod.LogLine], _ wanted: Wanted
    ) -> [(offset: Int, element: Pod.LogLine)] {
        let fitting = lines.enumerated().filter { Self.fits($0.element, wanted) }
        // Lines are numbered from 1; the line that the client names is not sent again.
        if let after = wanted.after { return fitting.filter { $0.offset + 1 > after } }
        if let since = wanted.since { return fitting.filter { $0.element.time >= since } }
        return fitting.suffix(wanted.tail)
    }

    private static func frames(_ lines: [(offset: Int, element: Pod.LogLine)]) -> Data {
        let text = lines.map { offset, line in
            let time = RunPodRows.time(line.time)
            let number = String(offset + 1)
            let data: JSON = [
                "ts": .string(time), "source": .string(line.source), "line": .string(line.text),
            ]
            let padding = String(repeating: "0", count: max(0, 12 - number.count))
            return "id: \(time)/\(padding)\(number)\ndata: \(data.serialized)\n\n"
        }.joined()
        // Some bytes must be sent at once, or the client does not see the stream begin.
        return Data((text.isEmpty ? ": ping\n\n" : text).utf8)
    }
}
