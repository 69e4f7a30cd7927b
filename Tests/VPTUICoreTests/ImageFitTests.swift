import Foundation
import Testing
import VPEngine
import VPTUICore

/// Offers whose GPU cannot run the project's image, and images that cannot be.
@Suite struct ImageFitTests {
    private func screen(image: String, _ offers: [Offer]) -> String {
        var state = Samples.empty()
        state.settings.defaults.image = image
        _ = update(&state, .resized(Size(width: 160, height: 50)))
        _ = update(&state, .tick(Samples.now))
        _ = state.begin()
        _ = update(
            &state,
            .answered(.offersLoaded(.success(Samples.answers(offers)), generation: state.market.generation)))
        return screenText(view(state))
    }

    @Test func offersThatCannotRunTheImageAreMarked() {
        let old = "pytorch/pytorch:2.4.0-cuda12.4-cudnn9-runtime"
        let blackwell = [Samples.offer(1, "RTX 5090", 0.6)]
        #expect(self.screen(image: old, blackwell).contains("not for image"))
        #expect(!self.screen(image: old, [Samples.offer(1, "RTX 4090", 0.3)]).contains("not for image"))
        // A driver for CUDA 12.4 is too old for what a 5090 needs, whichever image is taken.
        #expect(self.screen(image: "auto", blackwell).contains("not for image"))
        #expect(!self.screen(image: "auto", [Samples.offer(1, "RTX 4090", 0.3)]).contains("not for image"))
        #expect(!self.screen(image: "me/mine:1", blackwell).contains("not for image"))
    }

    @Test func theFormRefusesAnImageThatCannotBe() throws {
        func request(_ image: String) throws -> CreateRequest {
            var settings = Samples.empty().settings
            settings.defaults.image = image
            return try LaunchForm(
                query: OfferQuery(), offer: nil, settings: settings, openedAt: Samples.now
            ).request()
        }
        #expect(throws: LaunchForm.Problem.self) { try request("My Image") }
        #expect(throws: LaunchForm.Problem.self) { try request("--privileged") }
        #expect(try request("auto").image == "auto")
    }
}
