import Testing

@testable import VPEngine

/// What was rented, held against what the platform gave.
@Suite struct RentedHardwareTests {
    private func difference(
        _ gpu: String, _ count: Int = 1, _ price: Double = 0.31, from rented: String = "RTX 4090",
        _ rentedCount: Int = 1, on platform: Platform = .vast
    ) -> String? {
        let offer = Offer(
            id: OfferID(platform: platform, rawValue: "1"), gpuName: rented, gpuCount: rentedCount,
            gpuMemoryBytes: 24_000_000_000, price: HourlyPrice(dollarsPerHour: 0.31))
        let instance = Instance(
            id: InstanceID(platform: platform, rawValue: "2"), status: .running, gpuName: gpu,
            gpuCount: count,
            price: HourlyPrice(dollarsPerHour: price))
        return RentedHardware(offer).difference(from: instance)
    }

    @Test func otherGPUsFewerAndDearerOnesAreSaid() {
        #expect(
            self.difference("RTX 3060", 1, 0.9)
                == "the platform gave RTX 3060 in place of RTX 4090 and $0.900/h in place of $0.310/h")
        #expect(
            self.difference("RTX 4090", 1, 0.31, from: "RTX 4090", 4)?.contains("1 GPUs in place of 4")
                == true)
        #expect(self.difference("RTX 4090D") != nil && self.difference("RTX 4080") != nil)
        #expect(self.difference("RTX 4090", 1, 0.40) != nil)
        #expect(self.difference("a GPU of tomorrow") != nil)
    }

    @Test func theSameInOtherWordsIsTheSame() {
        #expect(self.difference("RTX 4090") == nil)
        #expect(self.difference("NVIDIA GeForce RTX 4090", on: .runpod) == nil)
        #expect(self.difference("H100 SXM", from: "NVIDIA H100 80GB HBM3") == nil)
        #expect(self.difference("a GPU of tomorrow", from: "A GPU of tomorrow") == nil)
        // Cheaper, more, rounded, stopped, and what is not told.
        #expect(self.difference("RTX 4090", 2, 0.0) == nil)
        #expect(self.difference("RTX 4090", 1, 0.345) == nil)
        #expect(self.difference(Instance.unknownGPU, 0) == nil)
    }
}
