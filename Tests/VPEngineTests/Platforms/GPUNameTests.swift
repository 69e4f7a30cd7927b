import Testing
import VPEngine

@Suite("GPU names")
struct GPUNameTests {
    @Test(arguments: [
        ("RTX3090", ["RTX 3090"]), ("RTX_3090", ["RTX 3090"]), ("rtx 3090", ["RTX 3090"]),
        ("rtx-3090", ["RTX 3090"]), ("3090", ["RTX 3090"]), ("NVIDIA GeForce RTX 3090", ["RTX 3090"]),
        ("geforce_rtx_3090", ["RTX 3090"]), ("GeForceRTX3090", ["RTX 3090"]), ("3090ti", ["RTX 3090 Ti"]),
        ("RTX 4080 Super", ["RTX 4080 SUPER"]), ("RTX 4080S", ["RTX 4080 SUPER"]),
        ("RTX 4070S Ti", ["RTX 4070 Ti SUPER"]), ("4070 ti super", ["RTX 4070 Ti SUPER"]),
        ("1080ti", ["GTX 1080 Ti"]), ("4090d", ["RTX 4090D"]), ("RTX 4090 24GB", ["RTX 4090"]),
        ("a6000", ["RTX A6000"]), ("RTX 6000 Ada Generation", ["RTX 6000 Ada"]),
        ("6000ada", ["RTX 6000 Ada"]),
        ("NVIDIA RTX 6000 Ada Generation", ["RTX 6000 Ada"]), ("Quadro RTX 8000", ["Quadro RTX 8000"]),
        ("Q RTX 8000", ["Quadro RTX 8000"]), ("Tesla T4", ["T4"]), ("t4", ["T4"]), ("TeslaV100", ["V100"]),
        ("Tesla V100-SXM2-32GB", ["V100"]), ("H100", ["H100 SXM", "H100 PCIe", "H100 NVL"]),
        ("h100_pcie", ["H100 PCIe"]), ("NVIDIA H100 80GB HBM3", ["H100 SXM"]), ("H100 SXM5", ["H100 SXM"]),
        ("H100 80GB", ["H100 SXM", "H100 PCIe", "H100 NVL"]), ("A100", ["A100 SXM", "A100 PCIe"]),
        ("A100-SXM4-80GB", ["A100 SXM"]), ("A100 80GB PCIe", ["A100 PCIe"]),
        ("A100 80 GB", ["A100 SXM", "A100 PCIe"]),
        ("H200", ["H200"]), ("B300 SXM6 AC", ["B300"]), ("AMD Instinct MI300X OAM", ["MI300X"]),
        ("InstinctMI300X", ["MI300X"]), ("mi300x", ["MI300X"]),
        ("RTX PRO 6000", ["RTX PRO 6000 WS", "RTX PRO 6000 Server", "RTX PRO 6000 Max-Q"]),
        ("pro6000", ["RTX PRO 6000 WS", "RTX PRO 6000 Server", "RTX PRO 6000 Max-Q"]),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", ["RTX PRO 6000 Server"]),
        ("RTX PRO 6000 S", ["RTX PRO 6000 Server"]), ("L40S", ["L40S"]), ("l4", ["L4"]),
        ("RTX 6000 Pro", ["RTX PRO 6000 WS", "RTX PRO 6000 Server", "RTX PRO 6000 Max-Q"]),
        ("Quadro RTX 6000", ["Quadro RTX 6000"]), ("Q RTX 6000", ["Quadro RTX 6000"]),
        ("titan rtx", ["TITAN RTX"]), ("L40S PCIe", ["L40S"]), ("a100-pci-e", ["A100 PCIe"]),
        ("RTX A6000 PCIe", ["RTX A6000"]), ("B200 SXM6", ["B200"]), ("nvidia_a10_pcie_24gb", ["A10"]),
    ])
    func spellingsMeanTheirModels(text: String, names: [String]) {
        #expect(GPUName.select(text)?.models.map(\.name) == names)
    }

    @Test(arguments: ["", "  ", "nvidia", "banana", "RTX 4099", "80GB", "rtx", "💥", "RTX 6000", "rtx6000"])
    func whatIsNoGPUIsNone(text: String) {
        #expect(GPUName.select(text) == nil)
    }

    @Test(arguments: [
        ("RTX 4099", "RTX 4090"), ("rtx490", "RTX 4090"), ("H10", "H100 SXM"), ("a60000", "RTX A6000"),
        ("RTX 6000", "RTX 6000 Ada"), ("rtx_6000", "RTX PRO 6000"), ("3009", "RTX 3090"), ("L04S", "L40S"),
        ("geforce 4080 supr", "RTX 4080 SUPER"),
    ])
    func theNearestNameIsSuggested(text: String, name: String) {
        #expect(GPUName.suggestions(for: text).contains(name), "\(GPUName.suggestions(for: text))")
    }

    @Test func nothingIsSuggestedForNonsense() {
        #expect(GPUName.suggestions(for: "quantum-banana-9000x").isEmpty)
        #expect(GPUName.suggestions(for: "").isEmpty)
    }

    @Test func namesOfACatalogueAreSuggestedToo() {
        #expect(
            GPUName.suggestions(for: "RTX 7090 Ultra", among: ["RTX 7090 Ultr"]).contains("RTX 7090 Ultr"))
    }

    @Test func aSizeNarrowsTheOffers() throws {
        let selection = try #require(GPUName.select("A100 80GB"))
        #expect(selection.memoryGB == 80)
        #expect(selection.includes(platformName: "A100 SXM4", memoryBytes: 81_920_000_000))
        #expect(!selection.includes(platformName: "A100 SXM4", memoryBytes: 40_960_000_000))
        #expect(!selection.includes(platformName: "H100 SXM", memoryBytes: 81_559_000_000))
    }

    @Test func everyPlatformNameLeadsBackToItsModel() {
        for model in GPUName.table {
            for name in [model.name] + model.vastNames + model.runpodIDs {
                let selection = GPUName.select(name)
                #expect(selection?.models.contains(model) == true, "\(name)")
                #expect(selection?.includes(platformName: name, memoryBytes: nil) == true, "\(name)")
            }
        }
    }

    @Test func namesOfOnePlatformBelongToOneModel() {
        var owners: [String: String] = [:]
        for model in GPUName.table {
            for name in model.vastNames + model.runpodIDs {
                let key = GPUName.normalize(name)
                #expect(owners[key] == nil || owners[key] == model.name, "\(name)")
                owners[key] = model.name
            }
        }
        #expect(Set(GPUName.table.map(\.name)).count == GPUName.table.count)
    }

    @Test func namesAreShownAsPeopleKnowThem() {
        #expect(GPUName.display("NVIDIA GeForce RTX 4090") == "RTX 4090")
        #expect(GPUName.display("RTX 4080S") == "RTX 4080 SUPER")
        #expect(GPUName.display("Something New 9") == "Something New 9")
    }
}
