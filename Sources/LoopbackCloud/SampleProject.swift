import Foundation
import VPScripts

/// A small project for the demo and for tests: a training script that really learns, its data, its settings.
///
/// The script needs Python 3 and nothing else. In about ten seconds it trains a small neural network to tell
/// two interleaved half moons apart, and leaves a model, its metrics and two plots in `outputs/`.
public enum SampleProject {
    /// The files that the training writes, relative to the project's folder.
    public static let results = [
        "outputs/model.json", "outputs/metrics.csv", "outputs/loss.svg", "outputs/decision.png",
    ]

    /// The command that runs it; `--epochs N` may be added.
    public static let command = ["python3", "train.py"]

    /// Writes the project into `folder`, which is created if it does not exist. Files of the same names are
    /// replaced; nothing else in the folder is touched.
    public static func write(to folder: String) throws {
        let files = [
            "train.py": ScriptFile.sampleTraining.text,
            "README.md": ScriptFile.sampleReadMe.text,
            "data/moons.csv": Self.moons(count: 4000, seed: 7),
            ".vp/config.yaml": ScriptFile.sampleConfiguration.text,
            ".vpignore": ScriptFile.sampleIgnoreRules.text,
        ]
        for (name, text) in files {
            let file = URL(fileURLWithPath: folder).appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file, options: .atomic)
        }
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: "\(folder)/train.py")
    }

    /// Points on two interleaved half circles, with noise. The same seed gives the same file.
    private static func moons(count: Int, seed: UInt64) -> String {
        var state = seed
        func uniform() -> Double {
            // SplitMix64: small, seedable, and good enough to scatter points.
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return Double((mixed ^ (mixed >> 31)) >> 11) / 9_007_199_254_740_992
        }
        func noise() -> Double { (uniform() + uniform() + uniform() - 1.5) * 0.30 }

        var text = "x,y,moon\n"
        for index in 0..<count {
            let angle = uniform() * Double.pi
            let isUpper = index.isMultiple(of: 2)
            let x = isUpper ? cos(angle) : 1 - cos(angle)
            let y = isUpper ? sin(angle) : 0.5 - sin(angle)
            text += String(format: "%.4f,%.4f,%d\n", x + noise(), y + noise(), isUpper ? 0 : 1)
        }
        return text
    }
}
