/// What about a training ends its job: `--stop-on nan,stall:10m,diverge`.
public struct StopRules: Hashable, Codable, Sendable {
    /// A loss is no number, on three lines.
    public var onNotNumber = false
    /// No step, for as long as `stallSeconds` or, without that, much longer than usual.
    public var onStall = false
    public var stallSeconds: Double?
    /// The loss only rises.
    public var onDivergence = false
    /// The evaluation gets no better.
    public var onPlateau = false

    /// Nothing ends it.
    public init() {}

    /// As it is typed. Throws a sentence that says what to type.
    public init(_ text: String) throws(TimeSpan.Problem) {
        for part in text.split(separator: ",") {
            let words = part.split(separator: ":", maxSplits: 1).map { $0.trimmingSpaces() }
            switch words.first {
            case "nan" where words.count == 1: self.onNotNumber = true
            case "diverge" where words.count == 1: self.onDivergence = true
            case "plateau" where words.count == 1: self.onPlateau = true
            case "stall":
                self.onStall = true
                if words.count > 1 { self.stallSeconds = try TimeSpan.seconds(words[1]) }
            default:
                throw TimeSpan.Problem(
                    sentence: "“\(part)” ends no job: type nan, stall, stall:10m, diverge or plateau")
            }
        }
        if self == StopRules() {
            throw TimeSpan.Problem(
                sentence: "nothing is named: type nan, stall, stall:10m, diverge or plateau")
        }
    }

    /// As it is typed.
    public var text: String {
        var parts: [String] = []
        if self.onNotNumber { parts.append("nan") }
        if self.onStall { parts.append("stall" + (self.stallSeconds.map { ":" + TimeSpan.text($0) } ?? "")) }
        if self.onDivergence { parts.append("diverge") }
        if self.onPlateau { parts.append("plateau") }
        return parts.joined(separator: ",")
    }
}
