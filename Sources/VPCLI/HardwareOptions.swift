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

/// A country's code or a part of the world in which a machine may be.
struct RegionArgument: ExpressibleByArgument, Hashable {
    /// Two-letter country codes, in capitals.
    var countries: [String]

    init?(argument: String) {
        let word = argument.lowercased().replacing("_", with: "-")
        if let countries = Self.parts[word] {
            self.countries = countries.split(separator: " ").map(String.init)
        } else if word.count == 2, word.allSatisfy({ $0.isASCII && $0.isLetter }) {
            self.countries = [word.uppercased()]
        } else {
            return nil
        }
    }

    /// The countries in which either platform has listed machines, by part of the world.
    static let parts: [String: String] = [
        "north-america": "US CA MX",
        "south-america": "BR AR CL CO PE UY EC",
        "europe": Self.union + " GB CH NO IS UA RS BA MD AL MK ME TR",
        "eu": Self.union,
        "asia": "JP KR TW HK SG IN CN TH VN MY ID PH AE SA IL KZ GE AM",
        "oceania": "AU NZ",
        "africa": "ZA EG MA NG KE TN",
    ]

    private static let union =
        "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
}

extension OfferQuery.Order: ExpressibleByArgument {}

/// Requirements for the hardware, the same for every search and rental.
struct HardwareOptions: ParsableArguments {
    @Option(
        name: [.long, .customLong("gpu")],
        help: ArgumentHelp(
            "The GPU; RTX4090, rtx_4090 and \"NVIDIA GeForce RTX 4090\" are the same.", valueName: "gpu"),
        completion: Completions.gpus)
    var gpuType: String?

    @Option(
        name: [.customLong("gpu-count"), .customLong("num-gpus"), .customLong("count")],
        help: ArgumentHelp("Number of GPUs in the instance.", valueName: "n"))
    var gpuCount = 1

    @Option(help: ArgumentHelp("Maximum price in dollars per hour.", valueName: "dollars"))
    var maxPrice: DollarsArgument?

    @Option(
        help: ArgumentHelp(
            "Disk size in GB, fixed for the instance's life. (default: the configured size, or 40)",
            valueName: "gb"))
    var disk: SizeArgument?

    @Option(
        help: ArgumentHelp(
            "Minimum memory of each GPU, in GB; up to 7% less is accepted, because a 24 GB card may report 22.5.",
            valueName: "gb"))
    var minMemory: SizeArgument?

    @Option(help: ArgumentHelp("Minimum reliability of the machine, from 0 to 1.", valueName: "share"))
    var minReliability: Double?

    @Option(
        name: [.customLong("min-cuda"), .customLong("cuda")],
        help: ArgumentHelp("Minimum CUDA version that the driver supports.", valueName: "version"))
    var minCuda: Double?

    @Option(
        name: [.customLong("region"), .customLong("country")],
        help: ArgumentHelp(
            "Country (US, DE) or part of the world (eu, europe, north-america, asia). May be repeated.",
            valueName: "region"), completion: .list(RegionArgument.parts.keys.sorted()))
    var region: [RegionArgument] = []

    @Flag(help: "Interruptible (spot) instances: cheaper, but the platform may reclaim them at any time.")
    var interruptible = false

    @Option(help: ArgumentHelp("Expected hours of use, for the price of the job.", valueName: "hours"))
    var hours = 1.0

    /// `true` if any of these options was given.
    var isGiven: Bool {
        self.gpuType != nil || self.gpuCount != 1 || self.maxPrice != nil || self.disk != nil
            || self.minMemory != nil || self.minReliability != nil || self.minCuda != nil
            || !self.region.isEmpty || self.interruptible || self.hours != 1
    }

    func validate() throws {
        if let problem = self.gpuType.flatMap(GPUName.problem) {
            throw ValidationError("--gpu-type \(problem).")
        }
        guard (1...64).contains(self.gpuCount) else {
            throw ValidationError("--gpu-count must be from 1 to 64.")
        }
        if let share = self.minReliability, !(0...1).contains(share) {
            throw ValidationError("--min-reliability must be from 0 to 1.")
        }
        guard self.hours > 0, self.hours < 10_000 else {
            throw ValidationError("--hours must be greater than 0 and less than 10000.")
        }
    }

    /// Returns a query for the lowest total cost, completed from the project's and the user's defaults.
    func query(_ defaults: EngineConfiguration.Defaults) -> OfferQuery {
        OfferQuery(
            gpu: self.gpuType ?? defaults.gpu,
            gpuCount: self.gpuCount,
            maximumPrice: self.maxPrice.map { HourlyPrice(dollarsPerHour: $0.dollars) }
                ?? defaults.maximumPrice,
            minimumGPUMemoryBytes: self.minMemory?.bytes,
            minimumReliability: self.minReliability,
            countries: Array(Set(self.region.flatMap(\.countries))).sorted(),
            minimumCUDA: self.minCuda,
            diskBytes: self.disk?.bytes ?? defaults.diskBytes,
            isInterruptible: self.interruptible, order: .cost, job: JobEstimate(hours: self.hours))
    }
}
