import Foundation
import Testing

@testable import VPEngine

/// An instance's id names folders, files and words of a shell here: what cannot is refused where it comes in.
@Suite("Ids from outside")
struct InstanceIDTests {
    static let bad = [
        "../../x", "a/b", "..", ".", ".hidden", "-oProxyCommand=x", "a b", "a\nb", "%s%n", "$(id)", "a'b",
        "é",
        String(repeating: "9", count: 65), "a\u{0}b", "`id`", "*",
    ]

    @Test(arguments: Self.bad) func anIdThatIsNoneIsRefused(_ id: String) {
        for platform in Platform.allCases { #expect(InstanceID(platform, fromOutside: id) == nil) }
    }

    @Test(arguments: ["31415", " 31415\n", "7h9k2m4n6p", "a-b_c.d", "2025.08"])
    func anIdThatIsOneIsTaken(_ id: String) {
        #expect(InstanceID(.vast, fromOutside: id)?.rawValue == id.trimmingSpaces())
    }

    @Test(arguments: Self.bad) func otherRowsStayVisible(_ id: String) async throws {
        let vast = VastBench(
            VastSamples.page([VastSamples.edit(VastSamples.row, ["id": .string(id)]), VastSamples.row]))
        let runpod = RunPodBench([
            .ok(
                RunPodSamples.list(
                    VastSamples.edit(RunPodSamples.pod, ["id": .string(id)]), RunPodSamples.pod))
        ])
        for listing in [try await vast.client.listing(), try await runpod.client.listing()] {
            #expect(listing.instances.count == 1)
            #expect(listing.refusal?.code == .badResponse)
            #expect(listing.refusal?.detail?.contains("which is not valid") == true)
        }
    }

    @Test(arguments: Self.bad) func oneSuchRowAloneIsNoEmptyList(_ id: String) async {
        let page = VastSamples.page([VastSamples.edit(VastSamples.row, ["id": .string(id)])])
        let error = await failure { () async throws(EngineError) in
            _ = try await VastBench(page).client.instances()
        }
        #expect(error?.code == .badResponse)
    }

    @Test(arguments: Self.bad) func aRentalWhoseIdIsNoneMayExist(_ id: String) async {
        let body = JSONValue.object(["success": true, "new_contract": .string(id)]).encoded
        let offer = Offer(
            id: OfferID(platform: .vast, rawValue: "1"), gpuName: "x", gpuCount: 1, gpuMemoryBytes: 1,
            price: HourlyPrice(dollarsPerHour: 1))
        let request = RentRequest(offer: offer, name: "vp-1", image: "x:1", diskBytes: 1_000_000_000)
        let error = await failure { () async throws(EngineError) in
            _ = try await VastBench(body).client.rent(request)
        }
        #expect(error?.code == .badResponse)
    }
}
