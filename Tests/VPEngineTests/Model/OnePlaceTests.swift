import Foundation
import Testing
import VPEngine

/// Facts that stood in several places, each differing a little. A second place for one of them fails here.
@Suite struct OnePlaceTests {
    private static let package = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The files below `folder`, without the emulator, which shares nothing with the engine,
    /// that hold `text`.
    private static func files(holding text: String, below folder: String = "Sources") -> [String] {
        let root = Self.package.appendingPathComponent(folder)
        let names = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
        return names.filter { name in
            name.hasSuffix(".swift") && !name.hasPrefix("LoopbackCloud")
                && (try? String(contentsOf: root.appendingPathComponent(name), encoding: .utf8))?
                    .contains(text) == true
        }.map { ($0 as NSString).lastPathComponent }
    }

    @Test(arguments: [
        (#""0.1.0""#, ["Product.swift"]),
        ("/proc/self/exe", ["ProgramFile.swift"]),
        (#"["XDG_CONFIG_HOME"]"#, ["UserFolders.swift"]),
        // Ranges of wide characters.
        ("(0x1100, 0x115F)", ["DisplayWidth.swift"]), ("0xAC00...0xD7A3", []),
        // Factors of units of time; logs of others spell them in ways of their own.
        (#""m": 60"#, ["LineReader+TimeLeft.swift"]), (#"("h", 3600)"#, ["TimeSpan.swift"]),
        // Lengths of time in words.
        (#"(whole(86_400)) d""#, ["TimeSpan.swift"]), ("/ 3600 % 24", ["TimeSpan.swift"]),
        // JSON as the command line writes it, and lists of platforms in pages.
        (#"text += "\\u""#, ["JSON.swift"]), ("cursors.insert(", ["Pages.swift"]),
        // The terminal's modes: whoever changes them is to put them back whatever ends the process.
        ("tcsetattr(", ["Signals.swift", "TerminalModes.swift"]),
        ("43_200.0", ["Lease.swift"]),
        // Sizes of GPU memory.
        ("94, 96, 128, 141", ["GPUMemory.swift"]),
        // What burns, and how long the money lasts.
        ("max(0, balance.dollars) /", ["MoneyReport.swift"]),
        // The rule for names of variables.
        ("func isName(", ["EnvironmentArgument.swift"]),
    ]) func isKeptOnce(text: String, files: [String]) {
        #expect(Self.files(holding: text).sorted() == files)
    }

    /// The same of what tests share.
    @Test(arguments: [
        (": RandomNumberGenerator {", ["SeededGenerator.swift"]),
        (#"["XDG_CONFIG_HOME", "XDG_STATE_HOME""#, ["CLIHarness.swift"]),
        ("func waitUntil(", ["StagedRun.swift", "Waiting.swift"]),
    ]) func isKeptOnceInTests(text: String, files: [String]) {
        // Not this file's own list.
        let found = Self.files(holding: text, below: "Tests").filter { $0 != "OnePlaceTests.swift" }
        #expect(found.sorted() == files)
    }

    /// By what drivers state of them in mebibytes, and vast.ai in megabytes.
    @Test(arguments: [
        ("L40S", 46_068, 48), ("A40", 46_068, 48), ("RTX 4090", 24_564, 24), ("RTX 5090", 32_607, 32),
        ("A100 SXM4", 81_920, 80), ("A100 PCIE", 40_960, 40), ("H100 SXM", 81_559, 80),
        ("H100 NVL", 95_830, 94),
        ("H200", 143_771, 141), ("B200", 183_359, 180), ("RTX A6000", 49_140, 48), ("Tesla T4", 15_360, 16),
        ("L4", 23_034, 24), ("A10", 23_028, 24), ("Tesla V100", 16_384, 16), ("RTX 2080 Ti", 11_264, 11),
        ("RTX 3080", 10_240, 10), ("RTX PRO 6000 WS", 97_887, 96), ("InstinctMI300X", 196_592, 192),
        ("RTX 3060", 12_288, 12),
    ]) func memoryIsThatOnTheBox(gpu: String, mebibytes: Int64, gigabytes: Int) {
        #expect(GPUMemory.gigabytes(mebibytes << 20) == gigabytes)
        #expect(GPUMemory.gigabytes(mebibytes * 1_000_000, of: gpu) == gigabytes)
    }

    /// As RunPod, a driver and vast.ai state it: gigabytes, mebibytes of the usable part,
    /// and these as megabytes.
    @Test func memoryOfEveryModelIsThatOfItsBox() {
        // Of these the greater size less its reserve is the smaller one.
        for model in GPUName.table where !["B200", "B300"].contains(model.name) {
            for size in model.memoryGB {
                let usable = Int64(Double(size) * 1024 * 0.9375)
                for bytes in [
                    Int64(size) << 30, Int64(size) * 1_000_000_000, usable << 20, usable * 1_000_000,
                ] {
                    #expect(GPUMemory.gigabytes(bytes, of: model.name) == size, "\(model.name) of \(bytes)")
                }
            }
        }
    }

    @Test(arguments: [Int64.min, -1, 0, .max]) func noNumberTraps(bytes: Int64) {
        #expect(GPUMemory.gigabytes(bytes) >= 0)
    }
}
