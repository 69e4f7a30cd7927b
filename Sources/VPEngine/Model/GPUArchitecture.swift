/// A generation of GPUs, and the software that it can run.
public struct GPUArchitecture: Hashable, Sendable {
    /// The name, such as `Blackwell`.
    public let name: String
    /// CUDA's compute capability; nil for AMD, which has none.
    public let computeCapability: Double?
    /// The first CUDA toolkit that builds for it.
    public let leastCUDA: Double
    /// The last CUDA toolkit that builds for it; nil if the newest does.
    public let greatestCUDA: Double?
    /// The first release of PyTorch whose builds run on it.
    public let leastTorch: Double
    /// The first CUDA version for which PyTorch's own builds no longer support it; nil if all builds do.
    public let torchLeavesOutFrom: Double?
    /// True if the machine's processor is ARM: images must be made for it.
    public let isARM: Bool
    /// The first CUDA version whose builds run on it: binaries run on later GPUs of the same major
    /// capability.
    let leastRunningCUDA: Double

    /// True for AMD's GPUs, which run images made for ROCm and no CUDA.
    public var isAMD: Bool { self.computeCapability == nil }
}

extension GPUArchitecture {
    /// Returns the architecture of the GPU that a platform lists, or the user calls, `name`; nil if the table
    /// lacks it.
    public static func of(gpu name: String) -> GPUArchitecture? {
        guard let models = GPUName.select(name)?.models, let first = models.first else {
            return GPUArchitecture.isAMD(name) ? GPUArchitecture.named["AMD"] : nil
        }
        let found = GPUArchitecture.byModel[first.name]
        return models.allSatisfy { GPUArchitecture.byModel[$0.name] == found } ? found : nil
    }

    private static func isAMD(_ name: String) -> Bool {
        let name = name.lowercased()
        return name.contains("instinct") || name.contains("radeon") || name.hasPrefix("amd ")
    }

    static let named = Dictionary(uniqueKeysWithValues: GPUArchitecture.all.map { ($0.name, $0) })

    /// Architecture | capability | CUDA from | to | runs builds from | PyTorch from | dropped at CUDA | ARM
    ///
    /// Sources. Capabilities: NVIDIA's list of CUDA GPUs (developer.nvidia.com/cuda-gpus).
    /// First toolkits: NVIDIA's compatibility guides for Ampere, Ada, Hopper and Blackwell, and the release
    /// notes of CUDA 11.0, 11.1, 11.8, 12.8 and 12.9. Last toolkits: CUDA 13.0's release notes, which end
    /// Maxwell, Pascal and Volta. Binaries of one major capability: the CUDA programming guide, "Binary
    /// Compatibility"; B300's libraries are built for it alone, so it is not taken for a B200. PyTorch: the
    /// architectures of its builds as `torch.cuda.get_arch_list()` tells them (those for CUDA 12.8 begin at
    /// 7.5, those for 12.6 at 5.0; Blackwell comes with 2.7). GH200: NVIDIA's data sheet.
    static let all: [GPUArchitecture] = """
        Pascal 6.0 | 6.0 | 8.0 | 12.9 | 8.0 | 1.0 | 12.8 |
        Pascal | 6.1 | 8.0 | 12.9 | 8.0 | 1.0 | 12.8 |
        Volta | 7.0 | 9.0 | 12.9 | 9.0 | 1.0 | 12.8 |
        Turing | 7.5 | 10.0 | | 9.0 | 1.0 | |
        Ampere 8.0 | 8.0 | 11.0 | | 11.0 | 1.7 | |
        Ampere | 8.6 | 11.1 | | 11.0 | 1.7 | |
        Ada | 8.9 | 11.8 | | 11.1 | 1.8 | |
        Hopper | 9.0 | 11.8 | | 11.8 | 2.0 | |
        Grace Hopper | 9.0 | 11.8 | | 11.8 | 2.0 | | arm
        Blackwell 10.0 | 10.0 | 12.8 | | 12.8 | 2.7 | |
        Blackwell 10.3 | 10.3 | 12.9 | | 12.9 | 2.8 | |
        Blackwell | 12.0 | 12.8 | | 12.8 | 2.7 | |
        AMD | | 0 | | 0 | 0 | |
        """.split(separator: "\n").map { line in
            let columns = line.split(separator: "|", omittingEmptySubsequences: false).map {
                $0.trimmingSpaces()
            }
            let numbers = columns.map { Double($0) }
            return GPUArchitecture(
                name: columns[0], computeCapability: numbers[1], leastCUDA: numbers[2] ?? 0,
                greatestCUDA: numbers[3], leastTorch: numbers[5] ?? 0, torchLeavesOutFrom: numbers[6],
                isARM: columns.last == "arm", leastRunningCUDA: numbers[4] ?? 0)
        }

    /// Architectures by the names of `GPUName.table`.
    private static let byModel: [String: GPUArchitecture] = {
        var found: [String: GPUArchitecture] = [:]
        for model in GPUName.table {
            if let name = GPUArchitecture.name(of: model.name) {
                found[model.name] = GPUArchitecture.named[name]
            }
        }
        return found
    }()

    /// Recognizes a series by its prefix; `single` lists the models that belong to none.
    private static func name(of model: String) -> String? {
        if model.hasPrefix("MI") { return "AMD" }
        if let name = GPUArchitecture.single[model] { return name }
        if model.hasSuffix(" Ada") { return "Ada" }
        let rules: [(String, String)] = [
            ("RTX PRO", "Blackwell"), ("RTX 50", "Blackwell"), ("RTX 40", "Ada"), ("RTX 30", "Ampere"),
            ("RTX 20", "Turing"), ("GTX 16", "Turing"), ("GTX 10", "Pascal"), ("Quadro RTX", "Turing"),
            ("RTX A", "Ampere"), ("H100", "Hopper"), ("H200", "Hopper"), ("A100", "Ampere 8.0"),
            ("A800", "Ampere 8.0"), ("L4", "Ada"),
        ]
        return rules.first { model.hasPrefix($0.0) }?.1
    }

    private static let single = [
        "B200": "Blackwell 10.0", "B300": "Blackwell 10.3", "GH200": "Grace Hopper", "A30": "Ampere 8.0",
        "A40": "Ampere", "A16": "Ampere", "A10": "Ampere", "T4": "Turing", "V100": "Volta",
        "TITAN V": "Volta", "TITAN RTX": "Turing", "TITAN Xp": "Pascal", "P100": "Pascal 6.0",
        "P40": "Pascal",
        "P4": "Pascal",
    ]
}
