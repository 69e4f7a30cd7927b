import ArgumentParser
import VPEngine

/// `--stop-on nan,stall:10m,diverge`
enum StopArgument {
    static func read(_ text: String) throws -> StopRules {
        do throws(TimeSpan.Problem) {
            return try StopRules(text)
        } catch {
            throw ValidationError("--stop-on: \(error.sentence).")
        }
    }

    /// Returns notes that say where each rule is checked while nobody follows the job.
    static func keepers(of rules: StopRules) -> [String] {
        var watched = rules
        watched.onNotNumber = false
        var lines: [String] = []
        if rules.onNotNumber {
            lines.append(
                "vp: the instance itself ends the job if its loss is not a number on three steps.")
        }
        if watched != StopRules() {
            lines.append(
                "vp: --stop-on \(watched.text) takes effect only while someone follows the job, with `vp attach`, "
                    + "`vp logs -f` or its log in the dashboard.")
        }
        return lines
    }
}
