import ArgumentParser
import Foundation
import VPEngine

struct CreateInstanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create-instance", abstract: "Rent an instance and wait until it can be used.",
        discussion:
            "Without a GPU the cheapest offer that fits is taken. What is taken is tried cheapest first.")

    @OptionGroup var hardware: HardwareOptions

    @Option(help: ArgumentHelp("Container image. (default: the project's)", valueName: "image"))
    var image: String?

    @Option(
        help: ArgumentHelp(
            "on-demand, or interruptible for machines that may be taken back, for less.", valueName: "type"))
    var instanceType: InstanceType?

    @Option(help: ArgumentHelp("This very offer, from `vp offers`, and no other.", valueName: "id"))
    var offer: String?

    @Option(help: ArgumentHelp("Name of the instance. (default: made from the project's)", valueName: "name"))
    var name: String?

    @Flag(help: "Return as soon as it is rented, without waiting for its boot.")
    var noWait = false

    @Flag(
        name: .shortAndLong, help: "Ask nothing, not even after Ctrl-C: what was rented by then is destroyed."
    )
    var yes = false

    @OptionGroup var platform: PlatformOptions
    @OptionGroup var common: CommonOptions
    @OptionGroup var json: JSONOptions

    enum InstanceType: String, CaseIterable, ExpressibleByArgument {
        case onDemand = "on-demand"
        case interruptible

        init?(argument: String) {
            switch argument.lowercased().replacing("_", with: "-") {
            case "on-demand", "ondemand": self = .onDemand
            case "interruptible", "spot", "bid": self = .interruptible
            default: return nil
            }
        }
    }

    func run() async throws {
        let chosen = self.platform.platform.platform
        let session = try Session(self.common, asJSON: self.json.json)
        // A default without a key must not stand in the way of the platform that has one.
        let usable = Set(session.configuration.endpoints.map(\.platform))
        let usual = session.configuration.defaults.platform.flatMap { usable.contains($0) ? $0 : nil }
        let offer = self.offer.map { Self.offerID($0, on: chosen) }
        let platform = chosen ?? offer?.platform ?? usual
        try session.requireKey(for: platform)
        let engine = try session.engine()
        var query = self.hardware.query(session.configuration.defaults)
        query.isInterruptible = self.instanceType == .interruptible
        let request = CreateRequest(
            offer: offer, query: query, platform: platform, image: self.image, name: self.name,
            waitsUntilReady: !self.noWait)

        let began = ContinuousClock.now
        switch await ActionRunner(engine: engine, session: session).perform(.create(request)) {
        case .succeeded(.created(let instance)):
            self.show(instance, after: (ContinuousClock.now - began) / .seconds(1))
        case .succeeded: break
        case .failed(let error): throw error
        case .interrupted(let instance, _):
            try await self.tidyUp(instance, engine: engine, session: session)
            throw ExitStatus(status: Status.interrupted)
        }
    }

    /// vast.ai numbers its offers; RunPod's are called by their GPU.
    static func offerID(_ text: String, on platform: Platform?) -> OfferID {
        let isNumber = text.allSatisfy { $0.isASCII && $0.isNumber }
        return OfferID(platform: platform ?? (isNumber ? .vast : .runpod), rawValue: text)
    }

    private func show(_ instance: Instance, after seconds: Double) {
        if self.json.json {
            Terminal.print(Documents.instance(instance).document)
            return
        }
        let place = instance.location.map { ", \($0)" } ?? ""
        Terminal.print(
            Terminal.printable(
                "\(instance.id)  \(instance.gpuName)\(instance.gpuCount > 1 ? " ×\(instance.gpuCount)" : "")\(place), "
                    + "\(Units.hourly(instance.price.dollarsPerHour)), \(instance.status.rawValue) after "
                    + Units.duration(seconds)))
        if !self.noWait { Terminal.note("Run something on it: vp python train.py") }
    }

    /// After Ctrl-C an instance may be half way up, and is paid for already.
    private func tidyUp(_ instance: Instance?, engine: Engine, session: Session) async throws {
        guard let instance else {
            Terminal.note("vp: interrupted. Nothing is known to be rented; `vp ls` shows what is there.")
            return
        }
        let price = Units.hourly(instance.price.dollarsPerHour)
        // Nothing was run on it yet, so nothing can be lost; leaving it would go on costing money unseen.
        var destroys = true
        if session.terminal.canAsk, !self.yes {
            let answer = Prompt(terminal: session.terminal).text(
                "\(instance.id) is rented at \(price). [d]estroy it or [k]eep it?", fallback: "d")
            destroys = !answer.lowercased().hasPrefix("k")
        }
        guard destroys else {
            Terminal.note(
                "vp: \(instance.id) is kept at \(price). `vp destroy-instance \(instance.id)` ends it.")
            return
        }
        Terminal.note("vp: interrupted; \(instance.id) is being destroyed, nothing was run on it.")
        _ = try await ActionRunner(engine: engine, session: session)
            .result(of: .destroy(instance.id, DestroyRequest(discardsResults: true)))
        Terminal.note("vp: \(instance.id) is gone.")
    }
}
