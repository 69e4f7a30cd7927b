import Foundation

/// What an image's name tells of what it can run on.
public struct ImageTraits: Hashable, Sendable {
    /// The CUDA version of the image, such as 12.8; nil where the name does not tell.
    public let cuda: Double?
    /// The PyTorch release of the image, with the minor number in hundredths: 2.08 is 2.8, and 2.1 is 2.10.
    /// Nil where the name does not tell.
    public let torch: Double?
    /// Made for AMD's GPUs.
    public let isROCm: Bool
    /// Known to be made for x86 alone.
    let isX86Only: Bool
    /// Official images that need no GPU, and images of other programs, say nothing of CUDA;
    /// they may run anywhere.
    let repository: String

    /// Reads an image's name as Docker takes it: registry, repository, tag and digest. The digest is
    /// ignored.
    public init(_ image: String) {
        let name = image.lowercased().split(separator: "@").first.map(String.init) ?? ""
        let tagStart = name.lastIndex(of: ":").flatMap { name[$0...].contains("/") ? nil : $0 }
        let path = tagStart.map { String(name[..<$0]) } ?? name
        let tag = tagStart.map { String(name[name.index(after: $0)...]) } ?? ""
        let repository = path.hasPrefix("docker.io/") ? String(path.dropFirst(10)) : path
        self.repository = repository
        self.cuda = ImageCUDA.version(of: image)
        self.isROCm =
            path.split(separator: "/").contains { $0.hasPrefix("rocm") || $0.hasSuffix("-rocm") }
            || tag.contains("rocm")
        self.torch = ImageTraits.torch(repository, tag)
        self.isX86Only = ImageTraits.x86Only.contains { repository.hasPrefix($0) }
    }

    private static let x86Only = ["pytorch/", "runpod/", "vastai/", "tensorflow/", "huggingface/", "vllm/"]

    /// `torch280` and `torch2.8.0` anywhere; the tag's own number where the repository is PyTorch's.
    private static func torch(_ repository: String, _ tag: String) -> Double? {
        let words = tag.split(whereSeparator: { $0 == "-" || $0 == "_" })
        for word in words where word.hasPrefix("torch") {
            let rest = word.dropFirst(5)
            if let version = ImageTraits.dotted(rest) { return version }
            // `torch280`: one digit each.
            if rest.count >= 3, rest.allSatisfy(\.isNumber), let major = Double(rest.prefix(1)),
                let minor = Double(rest.dropFirst().dropLast())
            {
                return major + minor / 100
            }
        }
        guard repository == "pytorch/pytorch" || repository == "runpod/pytorch",
            let first = words.first, !tag.contains("-torch")
        else { return nil }
        return ImageTraits.dotted(first)
    }

    /// `2.10.1` is 2.10: minor releases count from .01, so that 2.10 is after 2.9.
    private static func dotted(_ text: Substring) -> Double? {
        let numbers = text.split(separator: ".")
        guard numbers.count >= 2, let major = Int(numbers[0]), (0...99).contains(major),
            let minor = Int(numbers[1]), (0...99).contains(minor)
        else { return nil }
        return Double(major) + Double(minor) / 100
    }
}

/// Whether an image can run on a GPU, by what the names of both tell.
public enum ImageFit {
    /// Why `image` cannot run on `gpu`, as a sentence's end; nil where nothing is known against it.
    ///
    /// - Parameter driverCUDA: the highest CUDA that the machine's driver supports, where it is known.
    public static func problem(image: String, gpu: String, driverCUDA: Double?) -> String? {
        let traits = ImageTraits(image)
        if let architecture = GPUArchitecture.of(gpu: gpu) {
            if let problem = self.problem(traits, architecture, gpu) { return problem }
            guard !architecture.isAMD else { return nil }
        }
        guard let cuda = traits.cuda, let driverCUDA, driverCUDA < cuda else { return nil }
        return "it needs CUDA \(self.tenths(cuda)) and the driver there has \(self.tenths(driverCUDA))"
    }

    private static func problem(
        _ image: ImageTraits, _ architecture: GPUArchitecture, _ gpu: String
    ) -> String? {
        if architecture.isAMD {
            guard !image.isROCm else { return nil }
            return "\(gpu) is a GPU of AMD, which needs an image made for ROCm"
        }
        if image.isROCm { return "it is made for AMD's GPUs, and \(gpu) is NVIDIA's" }
        if architecture.isARM, image.isX86Only {
            return "it is made for x86, and the processor beside \(gpu) is ARM"
        }
        if let cuda = image.cuda {
            if cuda < architecture.leastRunningCUDA {
                let least = self.tenths(architecture.leastRunningCUDA)
                return "it has CUDA \(self.tenths(cuda)), and \(gpu) needs \(least) or newer"
            }
            if let greatest = architecture.greatestCUDA, cuda > greatest {
                return
                    "it has CUDA \(self.tenths(cuda)), and \(gpu) is supported up to \(self.tenths(greatest))"
            }
        }
        guard let torch = image.torch else { return nil }
        if torch < self.hundredths(architecture.leastTorch) {
            let least = self.words(self.hundredths(architecture.leastTorch))
            return "it has PyTorch \(self.words(torch)), and \(gpu) needs \(least) or newer"
        }
        if let from = architecture.torchLeavesOutFrom, let cuda = image.cuda, cuda >= from {
            return "builds of PyTorch for CUDA \(self.tenths(cuda)) leave out \(gpu)"
        }
        return nil
    }

    private static func tenths(_ version: Double) -> String { Figures.fixed(version, 1) }

    /// `2.7` in the table is 2.07 as `ImageTraits` counts.
    private static func hundredths(_ version: Double) -> Double {
        let major = version.rounded(.down)
        return major + ((version - major) * 10).rounded() / 100
    }

    private static func words(_ version: Double) -> String {
        let major = version.rounded(.down)
        return "\(Int(saturating: major)).\(Int(saturating: ((version - major) * 100).rounded()))"
    }
}

/// Images of PyTorch that exist, newest first, for `image: auto`.
public enum StockImage {
    /// What stands for the newest that the GPU and its driver can run.
    public static let auto = "auto"

    /// pytorch/pytorch on Docker Hub; RunPod's own begin with sshd and rsync in place (its documentation's
    /// default).
    static let all: [Platform: [String]] = [
        .vast: [
            "pytorch/pytorch:2.8.0-cuda12.9-cudnn9-runtime", "pytorch/pytorch:2.8.0-cuda12.8-cudnn9-runtime",
            "pytorch/pytorch:2.6.0-cuda12.4-cudnn9-runtime", "pytorch/pytorch:2.5.1-cuda12.1-cudnn9-runtime",
            "pytorch/pytorch:2.5.1-cuda11.8-cudnn9-runtime",
        ],
        .runpod: [
            "pytorch/pytorch:2.8.0-cuda12.9-cudnn9-runtime",
            "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404",
            "pytorch/pytorch:2.6.0-cuda12.4-cudnn9-runtime", "pytorch/pytorch:2.5.1-cuda12.1-cudnn9-runtime",
            "runpod/pytorch:2.1.0-py3.10-cuda11.8.0-devel-ubuntu22.04",
        ],
    ]

    /// The one for most GPUs, where nothing is known of GPU or driver.
    static func usual(on platform: Platform) -> String {
        StockImage.all[platform]?[1] ?? "pytorch/pytorch:2.8.0-cuda12.8-cudnn9-runtime"
    }

    /// The one that runs on `gpu`: the usual one where it does, else the newest; nil where none does.
    public static func best(on platform: Platform, gpu: String, driverCUDA: Double?) -> String? {
        let images = [self.usual(on: platform)] + (self.all[platform] ?? [])
        return images.first { ImageFit.problem(image: $0, gpu: gpu, driverCUDA: driverCUDA) == nil }
    }
}
