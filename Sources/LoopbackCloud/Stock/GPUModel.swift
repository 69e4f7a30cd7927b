/// One kind of GPU on rental markets.
struct GPUModel: Hashable, Sendable {
    /// The platform's spelling, with spaces.
    let name: String
    /// The name that nvidia-smi prints.
    let productName: String
    /// Usable memory in MB, a little under the nominal size.
    let memory: Int
    /// In GB/s.
    let memoryBandwidth: Double
    /// In watts.
    let power: Double
    /// CUDA capability times 100.
    let capability: Int
    let teraflops: Double
    /// The platform's benchmark score.
    let benchmark: Double
    /// The typical price for one, in dollars an hour.
    let price: Double
    /// The numbers of GPUs per machine; repeated entries are more likely.
    let perMachine: [Int]
    /// The number of machines of this kind in the catalogue.
    let machines: Int
    let isDatacenter: Bool

    private init(
        _ name: String, _ productName: String, _ memory: Int, _ bandwidth: Double, _ power: Double,
        _ capability: Int, _ teraflops: Double, _ benchmark: Double, _ price: Double, _ perMachine: [Int],
        _ machines: Int, datacenter: Bool = false
    ) {
        self.name = name
        self.productName = productName
        self.memory = memory
        self.memoryBandwidth = bandwidth
        self.power = power
        self.capability = capability
        self.teraflops = teraflops
        self.benchmark = benchmark
        self.price = price
        self.perMachine = perMachine
        self.machines = machines
        self.isDatacenter = datacenter
    }

    static let all: [GPUModel] = [
        .init(
            "RTX 5090", "NVIDIA GeForce RTX 5090", 32607, 1792, 575, 1200, 104.8, 192, 0.62, [1, 2, 4, 8], 18),
        .init("RTX 5080", "NVIDIA GeForce RTX 5080", 16303, 960, 360, 1200, 56.3, 110, 0.29, [1, 1, 2], 6),
        .init(
            "RTX 5070 Ti", "NVIDIA GeForce RTX 5070 Ti", 16303, 896, 300, 1200, 43.9, 88, 0.21, [1, 1, 2], 5),
        .init(
            "RTX 4090", "NVIDIA GeForce RTX 4090", 24564, 909.5, 450, 890, 82.6, 92.1, 0.36, [1, 1, 2, 4, 8],
            26),
        .init("RTX 4090D", "NVIDIA GeForce RTX 4090 D", 24564, 909.5, 425, 890, 73.5, 82, 0.33, [4, 8], 4),
        .init("RTX 4080", "NVIDIA GeForce RTX 4080", 16376, 638, 320, 890, 48.7, 62, 0.22, [1, 2], 5),
        .init(
            "RTX 4080S", "NVIDIA GeForce RTX 4080 SUPER", 16376, 656, 320, 890, 52.2, 66, 0.24, [1, 2, 4], 5),
        .init(
            "RTX 4070 Ti", "NVIDIA GeForce RTX 4070 Ti", 12282, 449, 285, 890, 40.1, 50, 0.15, [1, 1, 2], 5),
        .init("RTX 4070S", "NVIDIA GeForce RTX 4070 SUPER", 12282, 449, 220, 890, 35.5, 45, 0.14, [1], 4),
        .init("RTX 4060 Ti", "NVIDIA GeForce RTX 4060 Ti", 16380, 258, 165, 890, 22.1, 29, 0.10, [1, 2], 5),
        .init(
            "RTX 3090", "NVIDIA GeForce RTX 3090", 24576, 831, 350, 860, 35.6, 55, 0.19, [1, 1, 2, 4, 8], 22),
        .init("RTX 3090 Ti", "NVIDIA GeForce RTX 3090 Ti", 24564, 899, 450, 860, 40.0, 60, 0.23, [1, 2], 4),
        .init("RTX 3080", "NVIDIA GeForce RTX 3080", 10240, 673, 320, 860, 29.8, 43, 0.12, [1, 2, 4], 6),
        .init("RTX 3080 Ti", "NVIDIA GeForce RTX 3080 Ti", 12288, 810, 350, 860, 34.1, 50, 0.15, [1, 2], 4),
        .init("RTX 3070", "NVIDIA GeForce RTX 3070", 8192, 402, 220, 860, 20.3, 29, 0.08, [1, 2, 4], 6),
        .init("RTX 3060", "NVIDIA GeForce RTX 3060", 12288, 328, 170, 860, 12.7, 18, 0.06, [1, 1, 2, 4], 8),
        .init(
            "RTX 2080 Ti", "NVIDIA GeForce RTX 2080 Ti", 11264, 558, 250, 750, 13.4, 14.4, 0.09,
            [1, 2, 4, 8], 5),
        .init(
            "GTX 1080 Ti", "NVIDIA GeForce GTX 1080 Ti", 11264, 436, 250, 610, 11.3, 10.2, 0.06, [1, 2, 4], 4),
        .init("GTX 1070", "NVIDIA GeForce GTX 1070", 8192, 229, 150, 610, 6.5, 6.1, 0.04, [1, 4], 3),
        .init(
            "RTX A6000", "NVIDIA RTX A6000", 49140, 672, 300, 860, 38.7, 58, 0.42, [1, 2, 4, 8], 9,
            datacenter: true),
        .init("RTX A5000", "NVIDIA RTX A5000", 24564, 672, 230, 860, 27.8, 44, 0.21, [1, 2, 4], 7),
        .init("RTX A4000", "NVIDIA RTX A4000", 16376, 385, 140, 860, 19.2, 29, 0.10, [1, 2, 4], 6),
        .init(
            "RTX 6000Ada", "NVIDIA RTX 6000 Ada Generation", 49140, 860, 300, 890, 91.1, 100, 0.67,
            [1, 2, 4, 8], 7,
            datacenter: true),
        .init(
            "RTX PRO 6000 S", "NVIDIA RTX PRO 6000 Blackwell Server Edition", 97887, 1597, 600, 1200, 126,
            220, 1.08,
            [1, 2, 4, 8], 6, datacenter: true),
        .init("Q RTX 8000", "Quadro RTX 8000", 49152, 609, 260, 750, 16.3, 21, 0.26, [1, 2, 4], 3),
        .init("A10", "NVIDIA A10", 23028, 554, 150, 860, 31.2, 40, 0.24, [1, 2, 4], 3, datacenter: true),
        .init("A40", "NVIDIA A40", 46068, 642, 300, 860, 37.4, 56, 0.38, [1, 2, 4, 8], 5, datacenter: true),
        .init("L4", "NVIDIA L4", 23034, 264, 72, 890, 30.3, 33, 0.30, [1, 2, 4], 4, datacenter: true),
        .init("L40", "NVIDIA L40", 46068, 769, 300, 890, 90.5, 92, 0.59, [1, 2, 4], 4, datacenter: true),
        .init(
            "L40S", "NVIDIA L40S", 46068, 769, 350, 890, 91.6, 98, 0.63, [1, 2, 4, 8], 8, datacenter: true),
        .init("Tesla T4", "Tesla T4", 15360, 256, 70, 750, 8.1, 10.5, 0.13, [1, 2, 4], 4, datacenter: true),
        .init(
            "Tesla V100", "Tesla V100-SXM2-16GB", 16384, 778, 300, 700, 14.1, 21, 0.17, [1, 4, 8], 5,
            datacenter: true),
        .init(
            "Tesla P100", "Tesla P100-PCIE-16GB", 16384, 571, 250, 600, 9.5, 9.9, 0.09, [1, 2, 4], 3,
            datacenter: true),
        .init(
            "A100 PCIE", "NVIDIA A100 80GB PCIe", 81920, 1674, 300, 800, 19.5, 82, 0.72, [1, 2, 4, 8], 8,
            datacenter: true),
        .init(
            "A100 SXM4", "NVIDIA A100-SXM4-80GB", 81920, 1748, 400, 800, 19.5, 90, 0.86, [1, 2, 4, 8], 8,
            datacenter: true),
        .init(
            "H100 PCIE", "NVIDIA H100 PCIe", 81559, 1740, 350, 900, 51.2, 170, 1.74, [1, 2, 4], 4,
            datacenter: true),
        .init(
            "H100 NVL", "NVIDIA H100 NVL", 95830, 3350, 400, 900, 60.3, 200, 1.92, [1, 2, 4], 4,
            datacenter: true),
        .init(
            "H100 SXM", "NVIDIA H100 80GB HBM3", 81559, 2870, 700, 900, 66.9, 240, 1.98, [1, 2, 4, 8], 9,
            datacenter: true),
        .init(
            "H200", "NVIDIA H200", 143771, 4200, 700, 900, 66.9, 265, 2.61, [1, 2, 4, 8], 7, datacenter: true),
        .init(
            "B200", "NVIDIA B200", 183359, 6600, 1000, 1000, 74.5, 420, 3.92, [1, 2, 4, 8], 4,
            datacenter: true),
        .init(
            "GH200 SXM", "NVIDIA GH200 480GB", 97871, 3350, 700, 900, 66.9, 235, 1.79, [1], 2,
            datacenter: true),
    ]
}
