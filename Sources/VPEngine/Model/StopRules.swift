/// Conditions of a training that end its job: `--stop-on nan,stall:10m,diverge`.
public struct StopRules: Hashable, Codable, Sendable {
    /// Ends the job after three lines whose loss is not a number.
    public var onNotNumber = false
    /// Ends the job if no step is logged for `stallSeconds` or, without that, for much longer than usual.
    public var onStall = false
    public var stallSeconds: Double?
    /// Ends the job if the loss only rises.
    public var onDivergence = false
    /// Ends the job if the evaluation no longer improves.
    public var onPlateau = false

    /// The option itself, with which the reason of each such end begins.
    static let option = "--stop-on"

    /// Rules that end no job.
    public init() {}

    /// Parses the rules as they are typed. Throws a sentence that says what to type.
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
                    sentence: "“\(part)” is not a stop rule: type nan, stall, stall:10m, diverge or plateau")
            }
        }
        if self == StopRules() {
            throw TimeSpan.Problem(
                sentence: "no stop rule is given: type nan, stall, stall:10m, diverge or plateau")
        }
    }

    /// The rules as they are typed.
    public var text: String {
        var parts: [String] = []
        if self.onNotNumber { parts.append("nan") }
        if self.onStall { parts.append("stall" + (self.stallSeconds.map { ":" + TimeSpan.text($0) } ?? "")) }
        if self.onDivergence { parts.append("diverge") }
        if self.onPlateau { parts.append("plateau") }
        return parts.joined(separator: ",")
    }
}
