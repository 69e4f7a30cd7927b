import ArgumentParser
import Foundation
import VPEngine

struct CreateInstanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create-instance", abstract: "Rent an instance and wait until it is ready.",
        discussion: """
            Without --gpu-type, vp rents the cheapest offer that fits. If an offer is gone, or its machine does not \
            start, vp tries the next one, on both platforms, ordered by the job's total cost. It destroys an instance \
            that does not start, and avoids that machine for a while.
            """)

    @OptionGroup var hardware: HardwareOptions

    @OptionGroup var rental: RentalOptions

    @Option(
        help: ArgumentHelp("Kind of rental; interruptible is the same as --interruptible.", valueName: "type")
    )
    var instanceType: InstanceType?

    @Option(
        help: ArgumentHelp("Rent only this offer, an id from `vp offers`.", valueName: "id"),
        completion: Completions.offers)
    var offer: String?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "Environment variable for the container. A name without =VALUE passes on the value from your environment. "
                + "May be repeated.",
            valueName: "name=value"), transform: EnvironmentArgument.read)
    var env: [EnvironmentArgument] = []

    @Option(
        help: ArgumentHelp(
            "Shell text to run at every start of the container; @FILE reads it from a file.",
            valueName: "text"))
    var onStart: String?

    @Flag(inversion: .prefixedNo, help: "Wait until the instance is ready, or return once it is rented.")
    var wait = true

    @Flag(help: "Show the offer that would be rented and its cost, and rent nothing.")
    var dryRun = false

    @OptionGroup var budget: BudgetOptions
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

    func validate() throws {
        if self.instanceType == .onDemand, self.hardware.interruptible {
            throw ValidationError("--interruptible and --instance-type on-demand cannot be combined.")
        }
    }

    func run() async throws {
        let chosen = self.platform.platform.platform
        let session = try Session(self.common, asJSON: self.json.json)
        let offer = self.offer.map { Self.offerID($0, on: chosen) }
        try session.requireKey(for: chosen ?? offer?.platform)
        let engine = try session.engine()
        var request = await self.rental.request(
            self.hardware, offer: offer, platform: chosen, isBoth: self.platform.isBoth, engine, session)
        if self.instanceType == .interruptible { request.query.isInterruptible = true }
        request.environment = try EnvironmentArgument.values(self.env, from: session.environment)
        request.onStart = try self.onStart.map(Self.text)
        request.waitsUntilReady = self.wait
        request.maximumCost = self.budget.maxCost?.dollars
        guard !self.dryRun else {
            self.show(try await engine.rentalPlan(request), session)
            return
        }
        let began = ContinuousClock.now
        let instance = try await Rental(engine: engine, session: session, yes: self.rental.yes).rent(request)
        self.show(instance, after: (ContinuousClock.now - began) / .seconds(1))
    }

    /// Returns the offer's id with its platform: vast.ai numbers its offers, RunPod names them by their GPU.
    static func offerID(_ text: String, on platform: Platform?) -> OfferID {
        let isNumber = text.allSatisfy { $0.isASCII && $0.isNumber }
        return OfferID(platform: platform ?? (isNumber ? .vast : .runpod), rawValue: text)
    }

    private static func text(_ argument: String) throws -> String {
        guard argument.hasPrefix("@") else { return argument }
        let path = String(argument.dropFirst())
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(
                code: "usage", message: "The file \(path) of --on-start cannot be read.",
                advice: "Give the text itself, or @ and the path of a file.", status: Status.usage)
        }
        return String(decoding: data, as: UTF8.self)
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
                    + TimeSpan.exact(seconds)))
        if self.wait { Terminal.note("Run a command on it: vp python train.py") }
    }

    private func show(_ plan: RentalPlan, _ session: Session) {
        if self.json.json {
            Terminal.print(Documents.plan(plan).document)
        } else {
            for line in Self.lines(plan) { Terminal.print(Terminal.printable(line)) }
        }
        for failure in plan.failures {
            Report.show(failure.error, asJSON: self.json.json, terminal: session.terminal)
        }
    }

    static func lines(_ plan: RentalPlan) -> [String] {
        let offer = plan.offers[0]
        let count = offer.gpuCount > 1 ? "\(offer.gpuCount) × " : ""
        let place = offer.location.map { ", \($0)" } ?? ""
        let traffic = offer.trafficDollars(for: plan.job)
        var lines = [
            "Would rent \(count)\(offer.gpuName) (\(offer.id)) on \(offer.id.platform.displayName)\(place)",
            "  \(Units.hourly(offer.price.dollarsPerHour)) with its disk, \(Units.dollars(traffic)) of traffic: "
                + "\(Units.dollars(offer.dollars(for: plan.job))) for \(Figures.short(plan.job.hours)) h",
        ]
        let driver = offer.cudaVersion.map { "; the driver supports \(Figures.fixed($0, 1))" } ?? ""
        let needs = plan.imageCUDA.map { " (CUDA \(Figures.fixed($0, 1))\(driver))" } ?? ""
        lines.append("  image \(plan.image)\(needs)")
        if !plan.unfitGPUs.isEmpty {
            lines.append(
                "  omitted GPUs that cannot run the image: " + plan.unfitGPUs.joined(separator: ", "))
        }
        if let last = plan.offers.dropFirst().last {
            lines.append(
                "  if that fails, vp would try \(plan.offers.count - 1) more, up to \(Units.hourly(last.price.dollarsPerHour))"
            )
        }
        return lines + ["Nothing was rented."]
    }
}
