import Testing

@testable import VPEngine

/// Which images can run on which GPUs.
@Suite struct ImageFitTests {
    /// Each model of the table has its architecture; what is new there must be given one.
    @Test func everyGPUHasAnArchitecture() {
        for model in GPUName.table {
            #expect(GPUArchitecture.of(gpu: model.name) != nil, "\(model.name)")
            for name in model.vastNames + model.runpodIDs {
                #expect(GPUArchitecture.of(gpu: name) != nil, "\(name)")
            }
        }
        #expect(GPUArchitecture.all.count == 13)
    }

    @Test(arguments: [
        ("RTX 5090", 12.0), ("B200", 10.0), ("B300", 10.3), ("RTX PRO 6000 WS", 12.0), ("H100", 9.0),
        ("GH200", 9.0), ("RTX 4090", 8.9), ("L4", 8.9), ("L40S", 8.9), ("RTX 6000 Ada", 8.9), ("A100", 8.0),
        ("A800", 8.0), ("A30", 8.0), ("RTX 3090", 8.6), ("RTX A6000", 8.6), ("A40", 8.6), ("T4", 7.5),
        ("RTX 2080 Ti", 7.5), ("GTX 1660", 7.5), ("Q RTX 8000", 7.5), ("V100", 7.0), ("GTX 1080", 6.1),
        ("P100", 6.0),
    ])
    func capabilities(gpu: String, capability: Double) {
        #expect(GPUArchitecture.of(gpu: gpu)?.computeCapability == capability)
    }

    private static let cuda124 = "pytorch/pytorch:2.4.0-cuda12.4-cudnn9-runtime"

    @Test(arguments: [
        // The default of earlier versions, on what is rented most today.
        (Self.cuda124, "RTX 5090"), (Self.cuda124, "B200"), (Self.cuda124, "RTX PRO 6000 S"),
        ("nvidia/cuda:12.6.1-devel-ubuntu24.04", "RTX 5080"),
        ("pytorch/pytorch:2.8.0-cuda12.8-cudnn9-runtime", "B300"),
        // CUDA is new enough, and the PyTorch in it is not.
        ("runpod/pytorch:1.0.2-cu1281-torch260-ubuntu2404", "NVIDIA GeForce RTX 5090"),
        ("pytorch/pytorch:1.12.1-cuda11.3-cudnn8-runtime", "H100 SXM"),
        ("nvidia/cuda:11.7.1-base-ubuntu22.04", "NVIDIA H100 80GB HBM3"),
        ("nvidia/cuda:10.2-base", "RTX 3090"), ("nvidia/cuda:10.2-base", "RTX 4090"),
        // What is too new.
        ("nvidia/cuda:13.0.1-base-ubuntu24.04", "Tesla V100"),
        ("nvidia/cuda:13.0.1-base-ubuntu24.04", "GTX 1080"),
        ("pytorch/pytorch:2.8.0-cuda12.8-cudnn9-runtime", "Tesla V100"),
        ("runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404", "GTX 1070"),
        // Another maker, another processor.
        (Self.cuda124, "InstinctMI300X"), ("ubuntu:22.04", "AMD Instinct MI300X OAM"),
        ("rocm/pytorch:rocm6.2_ubuntu22.04_py3.10_pytorch_release_2.3.0", "RTX 4090"),
        (Self.cuda124, "GH200 SXM"),
    ])
    func cannotRun(image: String, gpu: String) {
        #expect(ImageFit.problem(image: image, gpu: gpu, driverCUDA: 13.0) != nil)
        #expect(ImageFit.problem(image: image, gpu: gpu, driverCUDA: nil) != nil)
    }

    @Test(arguments: [
        ("pytorch/pytorch:2.8.0-cuda12.8-cudnn9-runtime", "RTX 5090"),
        ("pytorch/pytorch:2.7.1-cuda12.8-cudnn9-runtime", "B200"),
        ("pytorch/pytorch:2.8.0-cuda12.9-cudnn9-runtime", "B300"),
        ("runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404", "RTX 4090"),
        ("nvidia/cuda:12.8.1-base-ubuntu24.04", "Tesla V100"), (Self.cuda124, "Tesla V100"),
        (Self.cuda124, "GTX 1080"), (Self.cuda124, "H100 SXM"), (Self.cuda124, "L4"),
        // Binaries for Ampere run on Ada.
        ("pytorch/pytorch:1.13.1-cuda11.6-cudnn8-runtime", "RTX 4090"),
        ("rocm/pytorch:latest", "MI300X"), ("me/train:rocm6.2", "InstinctMI250X"),
        ("nvcr.io/nvidia/pytorch:25.01-py3", "GH200"), ("ubuntu:22.04", "GH200"),
        // Nothing is known against these.
        ("pytorch/pytorch:latest", "RTX 5090"), ("ubuntu:22.04", "B200"), ("me/mine:1", "RTX 9090"),
        ("", "RTX 4090"), ("%s%n:1-cuda12.8", "%@"),
    ])
    func canRun(image: String, gpu: String) {
        #expect(ImageFit.problem(image: image, gpu: gpu, driverCUDA: nil) == nil)
        #expect(ImageFit.problem(image: image, gpu: gpu, driverCUDA: 13.0) == nil)
    }

    @Test func theDriverMustBeNewEnough() {
        #expect(ImageFit.problem(image: Self.cuda124, gpu: "RTX 4090", driverCUDA: 12.4) == nil)
        let words = ImageFit.problem(image: Self.cuda124, gpu: "RTX 4090", driverCUDA: 12.2)
        #expect(words == "it needs CUDA 12.4, and the driver has only 12.2")
        #expect(ImageFit.problem(image: Self.cuda124, gpu: "a GPU of tomorrow", driverCUDA: 12.2) != nil)
    }

    @Test func theWordsNameBothSides() {
        #expect(
            ImageFit.problem(image: Self.cuda124, gpu: "RTX 5090", driverCUDA: nil)
                == "it has CUDA 12.4, and RTX 5090 needs 12.8 or newer")
        #expect(
            ImageFit.problem(
                image: "runpod/pytorch:1.0.2-cu1281-torch260-ubuntu2404", gpu: "RTX 5090", driverCUDA: nil)
                == "it has PyTorch 2.6, and RTX 5090 needs 2.7 or newer")
    }

    /// Every GPU of NVIDIA with a driver of its time has an image of ours, and none that cannot run there.
    @Test(arguments: Platform.allCases) func autoFindsAnImage(platform: Platform) {
        for model in GPUName.table {
            let architecture = GPUArchitecture.of(gpu: model.name)
            let image = StockImage.best(on: platform, gpu: model.name, driverCUDA: nil)
            #expect(
                (image == nil) == (architecture?.isAMD == true || architecture?.isARM == true),
                "\(model.name)")
            if let image { #expect(ImageFit.problem(image: image, gpu: model.name, driverCUDA: nil) == nil) }
        }
        #expect(
            StockImage.best(on: platform, gpu: "RTX 4090", driverCUDA: 12.4)?.contains("cuda12.4") == true)
        #expect(
            StockImage.best(on: platform, gpu: "RTX 4090", driverCUDA: 12.2)?.contains("cuda12.1") == true)
        #expect(StockImage.best(on: platform, gpu: "RTX 4090", driverCUDA: 11.2) == nil)
        #expect(
            StockImage.best(on: platform, gpu: "RTX 5090", driverCUDA: 12.8) == StockImage.usual(on: platform)
        )
        #expect(StockImage.best(on: platform, gpu: "B300", driverCUDA: 12.9)?.contains("cuda12.9") == true)
        #expect(StockImage.best(on: platform, gpu: "V100", driverCUDA: 12.8)?.contains("cuda12.4") == true)
    }

    // MARK: Names

    @Test(arguments: [
        "ubuntu", "ubuntu:22.04", "pytorch/pytorch:2.8.0-cuda12.8-cudnn9-runtime",
        "ghcr.io/Me/x".lowercased(),
        "localhost:5000/team/cuda:11.8-base", "REGISTRY.example.com/a__b/c-d.e:V1_2",
        "ubuntu@sha256:" + String(repeating: "0a", count: 32), "vastai/pytorch:@vastai-automatic-tag",
        "a/b/c/d:latest", "nvcr.io/nvidia/pytorch:25.01-py3",
    ])
    func canBeAName(name: String) { #expect(ImageName.problem(name) == nil) }

    @Test(arguments: [
        "", " ", "my image", "Ubuntu:22.04", "acme/Train", "-x", "--privileged", "ubuntu:", "ubuntu:-x",
        "ubuntu:22 04", "a//b", "/a", "a/", "a\u{0}b", "a\nb", "a\u{1B}[31m", "über/x", "a/b:c:d",
        "x@sha256:12",
        "_a", "a_", "a..b", "http://docker.io/ubuntu", "ubuntu;reboot", "$(id)", "`id`", "a&b",
        String(repeating: "a", count: 1025), "x:" + String(repeating: "a", count: 129), "x@", "host:99999/x",
    ])
    func cannotBeAName(name: String) { #expect(ImageName.problem(name) != nil) }
}
