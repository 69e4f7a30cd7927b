import Foundation

/// The requirements of an image, as far as its name states them.
public struct ImageTraits: Hashable, Sendable {
    /// The CUDA version of the image, such as 12.8; nil if the name does not tell.
    public let cuda: Double?
    /// The PyTorch release of the image, with the minor number in hundredths: 2.08 is 2.8, and 2.1 is 2.10.
    /// Nil if the name does not tell.
    public let torch: Double?
    /// True if the image is made for AMD's GPUs.
    public let isROCm: Bool
    /// True if the image is known to be made for x86 alone.
    let isX86Only: Bool
    /// The name without tag and digest. Official images that need no GPU, and images of other programs, do
    /// not mention CUDA; they may run anywhere.
    let repository: String

    /// Reads an image's name in Docker's form: registry, repository, tag and digest. The digest is ignored.
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

    /// Reads `torch280` and `torch2.8.0` anywhere in the tag, or the tag's own number if the repository is
    /// PyTorch's.
    private static func torch(_ repository: String, _ tag: String) -> Double? {
        let words = tag.split(whereSeparator: { $0 == "-" || $0 == "_" })
        for word in words where word.hasPrefix("torch") {
            let rest = word.dropFirst(5)
            if let version = ImageTraits.dotted(rest) { return version }
            // `torch280` has one digit for each part.
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

    /// Reads `2.10.1` as 2.10: minor releases count from .01, so that 2.10 is after 2.9.
    private static func dotted(_ text: Substring) -> Double? {
        let numbers = text.split(separator: ".")
        guard numbers.count >= 2, let major = Int(numbers[0]), (0...99).contains(major),
            let minor = Int(numbers[1]), (0...99).contains(minor)
        else { return nil }
        return Double(major) + Double(minor) / 100
    }
}

/// The check whether an image can run on a GPU, by the names of both.
public enum ImageFit {
    /// Returns why `image` cannot run on `gpu`, as the end of a sentence; nil if nothing is known against it.
    ///
    /// - Parameter driverCUDA: the highest CUDA that the machine's driver supports, if it is known.
    public static func problem(image: String, gpu: String, driverCUDA: Double?) -> String? {
        let traits = ImageTraits(image)
        if let architecture = GPUArchitecture.of(gpu: gpu) {
            if let problem = self.problem(traits, architecture, gpu) { return problem }
            guard !architecture.isAMD else { return nil }
        }
        guard let cuda = traits.cuda, let driverCUDA, driverCUDA < cuda else { return nil }
        return "it needs CUDA \(self.tenths(cuda)), and the driver has only \(self.tenths(driverCUDA))"
    }

    private static func problem(
        _ image: ImageTraits, _ architecture: GPUArchitecture, _ gpu: String
    ) -> String? {
        if architecture.isAMD {
            guard !image.isROCm else { return nil }
            return "\(gpu) is an AMD GPU, which needs an image made for ROCm"
        }
        if image.isROCm { return "it is made for AMD GPUs, and \(gpu) is an NVIDIA GPU" }
        if architecture.isARM, image.isX86Only {
            return "it is made for x86, and machines with \(gpu) have ARM processors"
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
            return "PyTorch's builds for CUDA \(self.tenths(cuda)) do not support \(gpu)"
        }
        return nil
    }

    private static func tenths(_ version: Double) -> String { Figures.fixed(version, 1) }

    /// Converts `2.7` in the table to 2.07, as `ImageTraits` counts.
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
    /// The value of `image:` that selects an image for the GPU and its driver.
    public static let auto = "auto"

    /// Images of pytorch/pytorch come from Docker Hub; RunPod's own begin with sshd and rsync in place (its
    /// documentation's default).
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

    /// The image for most GPUs, if neither GPU nor driver is known.
    static func usual(on platform: Platform) -> String {
        StockImage.all[platform]?[1] ?? "pytorch/pytorch:2.8.0-cuda12.8-cudnn9-runtime"
    }

    /// Returns an image that runs on `gpu`: the usual one if it does, else the newest; nil if none does.
    public static func best(on platform: Platform, gpu: String, driverCUDA: Double?) -> String? {
        let images = [self.usual(on: platform)] + (self.all[platform] ?? [])
        return images.first { ImageFit.problem(image: $0, gpu: gpu, driverCUDA: driverCUDA) == nil }
    }
}
