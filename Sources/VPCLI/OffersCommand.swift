import ArgumentParser
import Foundation
import VPEngine

struct OffersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "offers", abstract: "List what is for rent, cheapest first.",
        discussion: """
            The price of the job is that of its hours, its disk and the traffic of this folder's files there and \
            back; machines differ much in what they charge for traffic.

            vast.ai allows a number of searches a day. The same question again within half a minute is answered from \
            the list that was found before; --refresh asks all the same.
            """)

    @OptionGroup var hardware: HardwareOptions

    @Option(
        name: [.long, .customLong("sort")],
        help: "cost (of the job), price (of an hour), memory, reliability or download.")
    var order: OfferQuery.Order = .cost

    @Option(help: ArgumentHelp("How many at most, of all platforms together.", valueName: "n"))
    var limit = 20

    @Flag(help: "Ask the platforms again, also where the same was asked a moment ago.")
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
        // More than are shown: the files are counted meanwhile, and may change the order.
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
        ) { Self.lines($0, query: query, terminal: session.terminal) }
    }

    static func lines(_ offers: [Offer], query: OfferQuery, terminal: Terminal) -> [String] {
        guard !offers.isEmpty else {
            return ["No offer fits. Ask for less, or raise --max-price."]
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
        let basis = "PRICE has \(Units.bytes(query.diskBytes)) of disk in it; \(Self.describe(query.job))"
        let hint = "Rent the best that fits your image: vp create-instance, or any: --offer ID"
        return table.lines(colour: terminal.outputHasColour)
            + [basis, hint].map { Style.faint.apply($0, if: terminal.outputHasColour) }
    }

    /// `JOB is 1 h of it with 120 MB there and as much back.`
    static func describe(_ job: JobEstimate) -> String {
        let traffic =
            job.sentBytes.addingSaturated(job.receivedBytes) > 0
            ? "with \(Units.bytes(job.sentBytes)) there and as much back" : "without traffic"
        return "JOB is \(Figures.short(job.hours)) h of it \(traffic)."
    }
}
