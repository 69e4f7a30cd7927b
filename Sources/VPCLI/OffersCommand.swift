import ArgumentParser
import Foundation
import VPEngine

/// A size on the command line; a bare number is in gigabytes.
struct SizeArgument: ExpressibleByArgument, Hashable {
    var bytes: Int64

    init?(argument: String) {
        guard let bytes = ByteCount.parse(argument) else { return nil }
        self.bytes = bytes
    }
}

/// Dollars on the command line, with or without the sign.
struct DollarsArgument: ExpressibleByArgument, Hashable {
    var dollars: Double

    init?(argument: String) {
        let digits = argument.hasPrefix("$") ? String(argument.dropFirst()) : argument
        guard let dollars = Double(digits), dollars > 0, dollars.isFinite else { return nil }
        self.dollars = dollars
    }
}

extension OfferQuery.Order: ExpressibleByArgument {}

/// What is wanted of the hardware; the same for `offers` and `create-instance`.
struct HardwareOptions: ParsableArguments {
    @Option(
        name: [.long, .customLong("gpu")],
        help: ArgumentHelp(
            "RTX4090, rtx_4090 and \"NVIDIA GeForce RTX 4090\" are the same.", valueName: "gpu"))
    var gpuType: String?

    @Option(
        name: [.customLong("gpu-count"), .customLong("num-gpus")],
        help: ArgumentHelp("How many GPUs.", valueName: "n"))
    var gpuCount = 1

    @Option(help: ArgumentHelp("Dollars an hour at most.", valueName: "dollars"))
    var maxPrice: DollarsArgument?

    @Option(help: ArgumentHelp("Disk of the instance, in GB; fixed for its life.", valueName: "gb"))
    var disk: SizeArgument?

    @Option(help: ArgumentHelp("Memory of each GPU at least, in GB.", valueName: "gb"))
    var minMemory: SizeArgument?

    @Option(help: ArgumentHelp("Share of the time the machine was up, from 0 to 1.", valueName: "share"))
    var minReliability: Double?

    @Option(help: ArgumentHelp("CUDA version the driver must support.", valueName: "version"))
    var minCuda: Double?

    @Option(help: ArgumentHelp("Two-letter country code; may be given several times.", valueName: "code"))
    var country: [String] = []

    func validate() throws {
        guard (1...64).contains(self.gpuCount) else {
            throw ValidationError("--gpu-count must be from 1 to 64.")
        }
        if let share = self.minReliability, !(0...1).contains(share) {
            throw ValidationError("--min-reliability must be from 0 to 1.")
        }
        if let code = self.country.first(where: { $0.count != 2 }) {
            throw ValidationError("--country takes two-letter codes such as US or DE, not \(code).")
        }
    }

    /// The query, completed from the project's and the user's defaults.
    func query(_ defaults: EngineConfiguration.Defaults) -> OfferQuery {
        OfferQuery(
            gpu: self.gpuType ?? defaults.gpu,
            gpuCount: self.gpuCount,
            maximumPrice: self.maxPrice.map { HourlyPrice(dollarsPerHour: $0.dollars) }
                ?? defaults.maximumPrice,
            minimumGPUMemoryBytes: self.minMemory?.bytes,
            minimumReliability: self.minReliability,
            countries: self.country.map { $0.uppercased() },
            minimumCUDA: self.minCuda,
            diskBytes: self.disk?.bytes ?? defaults.diskBytes)
    }
}

struct OffersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "offers", abstract: "List what is for rent, cheapest first.")

    @OptionGroup var hardware: HardwareOptions

    @Option(help: "price, memory, reliability or download.")
    var order: OfferQuery.Order = .price

    @Option(help: ArgumentHelp("How many at most.", valueName: "n"))
    var limit = 20

    @Flag(help: "Machines that may be taken back at any time, for less.")
    var interruptible = false

    @OptionGroup var platform: PlatformOptions
    @OptionGroup var common: CommonOptions
    @OptionGroup var json: JSONOptions

    func validate() throws {
        guard self.limit > 0 else { throw ValidationError("--limit must be 1 or more.") }
    }

    func run() async throws {
        let platform = self.platform.platform.platform
        let session = try Session(self.common, asJSON: self.json.json)
        try session.requireKey(for: platform)
        var query = self.hardware.query(session.configuration.defaults)
        query.order = self.order
        query.limit = self.limit
        query.isInterruptible = self.interruptible
        var answers = try await session.engine().offers(query, platform: platform)
        // Each platform was asked for that many.
        answers.values = Array(answers.values.prefix(self.limit))
        try Answer.show(answers, asJSON: self.json.json, session: session, document: Documents.offers) {
            offers in
            Self.lines(offers, query: query, terminal: session.terminal)
        }
    }

    static func lines(_ offers: [Offer], query: OfferQuery, terminal: Terminal) -> [String] {
        guard !offers.isEmpty else {
            return ["No offer fits. Ask for less, or raise --max-price."]
        }
        var table = TextTable([
            ("PLATFORM", .left), ("ID", .left), ("GPU", .left), ("MEMORY", .right), ("PRICE", .right),
            ("RELIABLE", .right), ("CPUS", .right), ("RAM", .right), ("DOWN", .right), ("CUDA", .right),
            ("LOCATION", .left),
        ])
        let times = terminal.hasUnicode ? "×" : "x"
        for offer in offers {
            table.add([
                .init(offer.id.platform.rawValue),
                .init(offer.id.rawValue, .strong),
                .init(offer.gpuName + (offer.gpuCount > 1 ? " \(times)\(offer.gpuCount)" : "")),
                .init(Units.gpuMemory(offer.gpuMemoryBytes)),
                .init(Units.hourly(offer.price.dollarsPerHour), .good),
                .init(offer.reliability.map { String(format: "%.1f%%", $0 * 100) } ?? ""),
                .init(offer.cpuCores.map { String(format: "%g", $0) } ?? ""),
                .init(offer.memoryBytes.map(Units.bytes) ?? ""),
                .init(offer.downloadMbps.map { String(format: "%.0f Mb/s", $0) } ?? ""),
                .init(offer.cudaVersion.map { String(format: "%.1f", $0) } ?? ""),
                .init(offer.location ?? ""),
            ])
        }
        let disk = "Prices include \(Units.bytes(query.diskBytes)) of disk; traffic is extra."
        let hint = "Rent one: vp create-instance --offer \(ShellQuoting.quoted(offers[0].id.rawValue))"
        return table.lines(colour: terminal.outputHasColour)
            + [Style.faint.apply("\(disk) \(hint)", if: terminal.outputHasColour)]
    }
}
