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

/// Where a machine may stand: a country's code, or a part of the world.
struct RegionArgument: ExpressibleByArgument, Hashable {
    /// Two-letter codes, in capitals.
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

    /// Countries where either platform has ever listed machines.
    private static let parts: [String: String] = [
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

/// What is wanted of the hardware; the same wherever something is looked for or rented.
struct HardwareOptions: ParsableArguments {
    @Option(
        name: [.long, .customLong("gpu")],
        help: ArgumentHelp(
            "RTX4090, rtx_4090 and \"NVIDIA GeForce RTX 4090\" are the same.", valueName: "gpu"))
    var gpuType: String?

    @Option(
        name: [.customLong("gpu-count"), .customLong("num-gpus"), .customLong("count")],
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

    @Option(
        name: [.customLong("min-cuda"), .customLong("cuda")],
        help: ArgumentHelp("CUDA version the driver must support.", valueName: "version"))
    var minCuda: Double?

    @Option(
        name: [.customLong("region"), .customLong("country")],
        help: ArgumentHelp(
            "Country (US, DE) or part of the world (eu, europe, north-america, asia); may be repeated.",
            valueName: "region"))
    var region: [RegionArgument] = []

    @Flag(help: "Machines that may be taken back at any time, for less.")
    var interruptible = false

    @Option(help: ArgumentHelp("How long it is needed, for the price of the job.", valueName: "hours"))
    var hours = 1.0

    /// True where any of them was given.
    var isGiven: Bool {
        self.gpuType != nil || self.gpuCount != 1 || self.maxPrice != nil || self.disk != nil
            || self.minMemory != nil || self.minReliability != nil || self.minCuda != nil
            || !self.region.isEmpty || self.interruptible || self.hours != 1
    }

    func validate() throws {
        if let gpu = self.gpuType {
            guard gpu.contains(where: { $0.isLetter || $0.isNumber }) else {
                throw ValidationError("--gpu-type names no GPU. Leave it out for the cheapest that fits.")
            }
            guard !["cpu", "none", "nogpu"].contains(gpu.lowercased().filter(\.isLetter)) else {
                throw ValidationError("--gpu-type \(gpu): vp rents instances with a GPU only.")
            }
        }
        guard (1...64).contains(self.gpuCount) else {
            throw ValidationError("--gpu-count must be from 1 to 64.")
        }
        if let share = self.minReliability, !(0...1).contains(share) {
            throw ValidationError("--min-reliability must be from 0 to 1.")
        }
        guard self.hours > 0, self.hours < 10_000 else {
            throw ValidationError("--hours must be more than 0.")
        }
    }

    /// The query, completed from the project's and the user's defaults, for what is cheapest in the whole.
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
