/// The status line and headers of one answer, as they arrive.
struct ResponseHead {
    enum Problem: Hashable {
        case tooLong
        case headTooLong
        /// The answer has an encoding of this name.
        case encoded(String)

        func words(host: String) -> String {
            switch self {
            case .tooLong: "\(host) sent an answer that is too long"
            case .headTooLong: "\(host) sent a head that is too long before its answer"
            case .encoded(let name):
                "\(host) sent an answer encoded as \(name), which was not requested and is not decoded"
            }
        }
    }

    private(set) var status = 0
    /// The fields by name in lower case; if a name occurs several times, the last one counts.
    private(set) var fields: [String: String] = [:]
    /// The length in bytes that the server announces.
    private(set) var contentLength: Int?
    private var count = 0
    private var isComplete = false
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    /// True once the head of the answer proper, after any interim ones, has been read to its end.
    var isFinal: Bool { self.isComplete && self.status >= 200 }

    /// The target of a redirect, as far as it may be shown; nil for an answer that is none.
    var redirect: String? {
        guard (300..<400).contains(self.status), let target = self.fields["location"] else { return nil }
        // The query may hold a signature.
        let address = target.prefix { $0 != "?" && $0 != "#" }
        return ShownAddress.redacted(String(address)).singleLine(limit: 120) ?? "nowhere"
    }

    /// Takes one line; returns the problem if the answer cannot be read on.
    mutating func take(_ line: UnsafeRawBufferPointer) -> Problem? {
        self.count += line.count
        guard self.count <= self.limit else { return .headTooLong }
        let text = String(decoding: line, as: UTF8.self)
        guard !text.hasPrefix("HTTP/") || self.status != 0 && !self.isComplete else {
            self.begin(text)
            return nil
        }
        guard let colon = text.firstIndex(of: ":") else {
            if text.allSatisfy(\.isWhitespace) { self.isComplete = true }
            return nil
        }
        let name = text[..<colon].lowercased()
        let value = text[text.index(after: colon)...].trimmingSpaces()
        self.fields[name] = value
        switch name {
        case "content-length": self.contentLength = NumberRange.bytes.read(value).map { Int($0) }
        case "content-encoding": return Self.problem(of: value, allowed: ["", "identity"])
        case "transfer-encoding": return Self.problem(of: value, allowed: ["", "identity", "chunked"])
        default: break
        }
        return nil
    }

    /// Starts a new head, since an interim answer (`100 Continue`) is followed by another.
    private mutating func begin(_ line: String) {
        self.status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        self.fields = [:]
        self.contentLength = nil
        self.isComplete = false
    }

    private static func problem(of value: String, allowed: Set<String>) -> Problem? {
        for name in value.lowercased().split(separator: ",", omittingEmptySubsequences: false) {
            let name = name.trimmingSpaces()
            if !allowed.contains(name) { return .encoded(name.singleLine(limit: 40) ?? "something") }
        }
        return nil
    }
}
