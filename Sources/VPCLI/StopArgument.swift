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
}
