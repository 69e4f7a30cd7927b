import ArgumentParser
import Foundation
import VPEngine

struct OffersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "offers", abstract: "List the instances for rent, cheapest first.",
        discussion: """
            The job's price is the cost of its hours, its disk and the traffic of this folder's files in both \
            directions. Machines differ widely in what they charge for traffic.

            vast.ai limits the number of searches per day. If you ask the same again within half a minute, vp shows the \
            previous list; --refresh searches again.
            """)

    @OptionGroup var hardware: HardwareOptions

    @Option(
        name: [.long, .customLong("sort")],
        help: "Sort by cost of the job, price per hour, memory, reliability or download rate.")
    var order: OfferQuery.Order = .cost

    @Option(help: ArgumentHelp("Maximum number of offers, over all platforms.", valueName: "n"))
    var limit = 20

    @Flag(help: "Search again even if the same search was made a moment ago.")
    var refresh = false

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
        let engine = try session.engine(history: .wanted)
        var query = self.hardware.query(session.configuration.defaults)
        query.order = self.order
        // More offers than are shown: the traffic of the files, counted meanwhile, may change the order.
        query.limit = max(64, self.limit)
        async let job = engine.jobEstimate(hours: self.hardware.hours)
        var answers = try await engine.recentOffers(
            query, platform: platform, maximumAge: self.refresh ? 0 : 30)
        query.job = await job
        query.limit = self.limit
        answers.rank(by: query)
        try Answer.show(
            answers, asJSON: self.json.json, session: session,
            document: { Documents.offers($0, job: query.job) }
        ) { [dearer = answers.dearer] in
            Self.lines($0, query: query, terminal: session.terminal)
                + Self.lines(dearer: dearer, query: query)
        }
    }

    static func lines(_ offers: [Offer], query: OfferQuery, terminal: Terminal) -> [String] {
        guard !offers.isEmpty else {
            // A price that nobody has limited hides no offer.
            return [
                query.maximumPrice == nil
                    ? "No offer fits. Relax the requirements: another GPU, fewer of them, a smaller disk."
                    : "No offer fits. Relax the requirements, or raise --max-price."
            ]
        }
        var table = TextTable([
            ("PLATFORM", .left), ("ID", .left), ("GPU", .left), ("MEMORY", .right), ("PRICE", .right),
            ("JOB", .right), ("RELIABLE", .right), ("CPUS", .right), ("RAM", .right), ("DOWN", .right),
            ("CUDA", .right), ("LOCATION", .left),
        ])
        let times = terminal.hasUnicode ? "×" : "x"
        for offer in offers {
            table.add([
                .init(offer.id.platform.rawValue),
                .init(offer.id.rawValue, .strong),
                .init(
                    offer.gpuName + (offer.gpuCount > 1 ? " \(times)\(offer.gpuCount)" : "")
                        + (offer.isInterruptible ? " spot" : "")),
                .init(Units.gpuMemory(offer.gpuMemoryBytes, of: offer.gpuName)),
                .init(Units.hourly(offer.price.dollarsPerHour), .good),
                .init(Units.dollars(offer.dollars(for: query.job))),
                .init(offer.reliability.map { Figures.fixed($0 * 100, 1) + "%" } ?? ""),
                .init(offer.cpuCores.map { Figures.short($0) } ?? ""),
                .init(offer.memoryBytes.map(Units.bytes) ?? ""),
                .init(offer.downloadMbps.map { Figures.fixed($0, 0) + " Mb/s" } ?? ""),
                .init(offer.cudaVersion.map { Figures.fixed($0, 1) } ?? ""),
                .init(offer.location ?? ""),
            ])
        }
        let basis = "PRICE includes \(Units.bytes(query.diskBytes)) of disk; \(Self.describe(query.job))"
        let hint = "Rent the best offer for your image: vp create-instance. Rent any other: --offer ID"
        return table.lines(colour: terminal.outputHasColour)
            + [basis, hint].map { Style.faint.apply($0, if: terminal.outputHasColour) }
    }

    /// The reasons for platforms without a row: `RunPod: 12 offers, all dearer than $0.400/h.`
    static func lines(dearer: [Platform: Int], query: OfferQuery) -> [String] {
        guard let limit = query.maximumPrice else { return [] }
        return Platform.allCases.compactMap { platform in
            dearer[platform].map {
                "\(platform.displayName): \(Units.count($0, "offer")), \($0 == 1 ? "" : "all ")dearer than "
                    + "\(Units.hourly(limit.dollarsPerHour))."
            }
        }
    }

    /// `JOB is the price of 1 h, with 120 MB up and as much down.`
    static func describe(_ job: JobEstimate) -> String {
        let traffic =
            job.sentBytes.addingSaturated(job.receivedBytes) > 0
            ? "with \(Units.bytes(job.sentBytes)) up and as much down" : "without data transfer"
        return "JOB is the price of \(Figures.short(job.hours)) h, \(traffic)."
    }
}
