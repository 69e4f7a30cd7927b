extension GPUName {
    /// Every GPU that we know by name, the most rented first.
    ///
    /// One line each: name | sizes in GB | vast.ai names | RunPod ids | further names. The table is text
    /// because a hundred initialisers in one array literal take the compiler longer than the rest of the
    /// module.
    public static let table: [GPUModel] = GPUName.text.split(separator: "\n").map { line in
        let columns = line.split(separator: "|", omittingEmptySubsequences: false).map { $0.trimmingSpaces() }
        let lists = columns.map { $0.split(separator: ",").map { $0.trimmingSpaces() } }
        return GPUModel(
            columns[0], columns[1].split(separator: " ").compactMap { Int($0) }, vast: lists[2],
            runpod: lists[3], aliases: lists[4])
    }

    private static let text = """
        RTX 4090 | 24 | RTX 4090 | NVIDIA GeForce RTX 4090 |
        RTX 3090 | 24 | RTX 3090 | NVIDIA GeForce RTX 3090 |
        RTX 5090 | 32 | RTX 5090 | NVIDIA GeForce RTX 5090 |
        H100 SXM | 80 | H100 SXM | NVIDIA H100 80GB HBM3 | H100, H100 SXM5, H100 HBM3
        H100 PCIe | 80 | H100 PCIE | NVIDIA H100 PCIe | H100
        H100 NVL | 94 | H100 NVL | NVIDIA H100 NVL | H100
        A100 SXM | 80 40 | A100 SXM4 | NVIDIA A100-SXM4-80GB, NVIDIA A100-SXM4-40GB | A100, A100 SXM4
        A100 PCIe | 80 40 | A100 PCIE | NVIDIA A100 80GB PCIe, NVIDIA A100-PCIE-40GB | A100
        H200 | 141 | H200 | NVIDIA H200 | H200 SXM, H200 SXM5
        H200 NVL | 141 | H200 NVL | NVIDIA H200 NVL |
        B200 | 180 192 | B200 | NVIDIA B200 | B200 SXM, B200 SXM6
        B300 | 270 288 | B300 | NVIDIA B300 SXM6 AC | B300 SXM, B300 SXM6
        GH200 | 96 | GH200 SXM |  | GH200 Superchip
        L40S | 48 | L40S | NVIDIA L40S |
        L40 | 48 | L40 | NVIDIA L40 |
        L4 | 24 | L4 | NVIDIA L4 |
        RTX A6000 | 48 | RTX A6000 | NVIDIA RTX A6000 |
        RTX A5000 | 24 | RTX A5000 | NVIDIA RTX A5000 |
        RTX A4500 | 20 | RTX A4500 | NVIDIA RTX A4500 |
        RTX A4000 | 16 | RTX A4000 | NVIDIA RTX A4000 |
        RTX A2000 | 6 12 | RTX A2000 | NVIDIA RTX A2000 |
        A40 | 48 | A40 | NVIDIA A40 |
        A30 | 24 | A30 | NVIDIA A30 | RTX A30
        A16 | 16 | A16 |  |
        A10 | 24 | A10 |  | A10G
        A100X | 80 | A100X |  |
        A800 PCIe | 80 | A800 PCIE |  | A800
        RTX 6000 Ada | 48 | RTX 6000Ada | NVIDIA RTX 6000 Ada Generation |
        RTX 5880 Ada | 48 | RTX 5880Ada |  |
        RTX 5000 Ada | 32 | RTX 5000Ada | NVIDIA RTX 5000 Ada Generation | A5000 Ada
        RTX 4500 Ada | 24 | RTX 4500Ada |  |
        RTX 4000 Ada | 20 | RTX 4000Ada | NVIDIA RTX 4000 Ada Generation |
        RTX 4000 SFF Ada | 20 |  | NVIDIA RTX 4000 SFF Ada Generation |
        RTX 2000 Ada | 16 | RTX 2000Ada | NVIDIA RTX 2000 Ada Generation |
        RTX PRO 6000 WS | 96 | RTX PRO 6000 WS | \
          NVIDIA RTX PRO 6000 Blackwell Workstation Edition | RTX PRO 6000, RTX 6000 Pro
        RTX PRO 6000 Server | 96 | RTX PRO 6000 S | NVIDIA RTX PRO 6000 Blackwell Server Edition | \
          RTX PRO 6000, RTX 6000 Pro
        RTX PRO 6000 Max-Q | 96 | RTX PRO 6000 Max-Q | \
          NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition | RTX PRO 6000, RTX 6000 Pro
        RTX PRO 5000 | 48 72 | RTX PRO 5000 |  | RTX 5000 Pro
        RTX PRO 4500 | 32 | RTX PRO 4500 | NVIDIA RTX PRO 4500 Blackwell | RTX 4500 Pro
        RTX PRO 4000 | 24 | RTX PRO 4000 |  | RTX 4000 Pro
        RTX 5080 | 16 | RTX 5080 | NVIDIA GeForce RTX 5080 |
        RTX 5070 Ti | 16 | RTX 5070 Ti |  |
        RTX 5070 | 12 | RTX 5070 |  |
        RTX 5060 Ti | 16 8 | RTX 5060 Ti |  |
        RTX 5060 | 8 | RTX 5060 |  |
        RTX 4090D | 24 48 | RTX 4090D |  |
        RTX 4080 SUPER | 16 | RTX 4080S | NVIDIA GeForce RTX 4080 SUPER |
        RTX 4080 | 16 | RTX 4080 | NVIDIA GeForce RTX 4080 |
        RTX 4070 Ti SUPER | 16 | RTX 4070S Ti |  |
        RTX 4070 Ti | 12 | RTX 4070 Ti | NVIDIA GeForce RTX 4070 Ti |
        RTX 4070 SUPER | 12 | RTX 4070S |  |
        RTX 4070 | 12 | RTX 4070 |  |
        RTX 4060 Ti | 16 8 | RTX 4060 Ti |  |
        RTX 4060 | 8 | RTX 4060 |  |
        RTX 3090 Ti | 24 | RTX 3090 Ti | NVIDIA GeForce RTX 3090 Ti |
        RTX 3080 Ti | 12 | RTX 3080 Ti | NVIDIA GeForce RTX 3080 Ti |
        RTX 3080 | 10 12 | RTX 3080 | NVIDIA GeForce RTX 3080 |
        RTX 3070 Ti | 8 | RTX 3070 Ti |  |
        RTX 3070 | 8 | RTX 3070 | NVIDIA GeForce RTX 3070 |
        RTX 3060 Ti | 8 | RTX 3060 Ti |  |
        RTX 3060 | 12 | RTX 3060 |  |
        RTX 3050 | 8 | RTX 3050 |  |
        RTX 2080 Ti | 11 22 | RTX 2080 Ti |  |
        RTX 2080 SUPER | 8 | RTX 2080S |  |
        RTX 2080 | 8 | RTX 2080 |  |
        RTX 2070 SUPER | 8 | RTX 2070S |  |
        RTX 2070 | 8 | RTX 2070 |  |
        RTX 2060 SUPER | 8 | RTX 2060S |  |
        RTX 2060 | 6 12 | RTX 2060 |  |
        Quadro RTX 8000 | 48 | Q RTX 8000 |  |
        Quadro RTX 6000 | 24 | Q RTX 6000 |  |
        Quadro RTX 4000 | 8 | Q RTX 4000 |  |
        TITAN RTX | 24 | Titan RTX |  |
        TITAN V | 12 | Titan V |  |
        TITAN Xp | 12 | Titan Xp |  |
        V100 | 16 32 | Tesla V100 | Tesla V100-PCIE-16GB, Tesla V100-PCIE-32GB, \
          Tesla V100-SXM2-16GB, Tesla V100-SXM2-32GB, Tesla V100-FHHL-16GB | V100 SXM2, V100 PCIe
        T4 | 16 | Tesla T4 | Tesla T4 |
        P100 | 16 | Tesla P100 |  |
        P40 | 24 | Tesla P40 |  |
        P4 | 8 | Tesla P4 |  |
        GTX 1660 SUPER | 6 | GTX 1660 S |  |
        GTX 1660 Ti | 6 | GTX 1660 Ti |  |
        GTX 1660 | 6 | GTX 1660 |  |
        GTX 1650 | 4 | GTX 1650 |  |
        GTX 1080 Ti | 11 | GTX 1080 Ti |  |
        GTX 1080 | 8 | GTX 1080 |  |
        GTX 1070 Ti | 8 | GTX 1070 Ti |  |
        GTX 1070 | 8 | GTX 1070 |  |
        GTX 1060 | 6 3 | GTX 1060 |  |
        MI300X | 192 | InstinctMI300X | AMD Instinct MI300X OAM |
        MI250X | 128 | InstinctMI250X |  |
        MI100 | 32 | InstinctMI100 |  |
        MI50 | 16 32 | InstinctMI50 |  |
        """
}
