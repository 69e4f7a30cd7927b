import Foundation
import VPEngine

/// The `vp` command line that does the same as a key, for copying into a script.
enum CommandTwin {
    static func line(_ action: EngineAction) -> String {
        switch action {
        case .create(let request): Self.create(request)
        case .sync(let id, _): "vp sync \(id)"
        case .run(let id, let request): Self.run(id, request)
        case .download(let id, _): "vp download \(id)"
        case .start(let id): "vp start \(id)"
        case .stop(let id, let request): "vp stop \(id)" + (request.endsJobs ? " --end-jobs" : "")
        case .destroy(let id, let request):
            "vp destroy-instance \(id)" + (request.discardsResults ? " --discard-results" : "")
                + (request.endsJobs ? " --end-jobs" : "")
        case .cancel(let job, on: _, _): "vp cancel \(job)"
        case .attach(let job, on: _, _): "vp attach \(job)"
        }
    }

    static func lease(_ id: InstanceID, _ terms: LeaseTerms) -> String {
        "vp lease \(id) \(Self.lease(terms))"
    }

    private static func create(_ request: CreateRequest) -> String {
        var words = ["vp create-instance"]
        if let platform = request.platform { words.append("--platform \(platform.rawValue)") }
        if let offer = request.offer {
            words.append("--offer \(ShellQuoting.quoted(offer.rawValue))")
        } else {
            let query = request.query
            if let gpu = query.gpu { words.append("--gpu-type \(ShellQuoting.quoted(gpu))") }
            if query.gpuCount != 1 { words.append("--gpu-count \(query.gpuCount)") }
            if let price = query.maximumPrice {
                words.append("--max-price \(Self.number(price.dollarsPerHour))")
            }
            if let bytes = query.minimumGPUMemoryBytes {
                words.append("--min-memory \(Self.number(Double(bytes) / 1e9))")
            }
            if let reliability = query.minimumReliability {
                words.append("--min-reliability \(Self.number(reliability))")
            }
            // `vp` takes the version that the image needs from its name as well.
            if let cuda = query.minimumCUDA, cuda != request.image.flatMap({ ImageCUDA.version(of: $0) }) {
                words.append("--min-cuda \(Self.number(cuda))")
            }
            words += query.countries.map { "--region \($0)" }
            if query.isInterruptible { words.append("--interruptible") }
        }
        words.append("--disk \(request.query.diskBytes / 1_000_000_000)")
        if let image = request.image { words.append("--image \(ShellQuoting.quoted(image))") }
        if let name = request.name { words.append("--name \(ShellQuoting.quoted(name))") }
        if let lease = request.lease { words.append("--lease \(Self.lease(lease))") }
        if let limit = request.maximumCost { words.append("--max-cost \(Self.number(limit))") }
        return words.joined(separator: " ")
    }

    /// Dollars as `vp` reads them: no exponent, no group of digits, and no figure lost.
    private static func number(_ value: Double) -> String { Format.trimmed(Figures.fixed(value, 6)) }

    private static func lease(_ terms: LeaseTerms) -> String {
        terms.seconds.map { TimeSpan.text($0) } ?? "none"
    }

    private static func run(_ id: InstanceID, _ request: RunRequest) -> String {
        var words = ["vp"]
        if !request.syncsUp, !request.syncsDown { words.append("--no-sync") }
        words.append("-i \(id)")
        words.append("run")
        if let limit = request.maximumCost { words.append("--max-cost \(Self.number(limit))") }
        words.append("--")
        switch request.command {
        case .shell(let text): words.append(ShellQuoting.quoted(text))
        case .arguments(let arguments): words += arguments.map(ShellQuoting.quoted)
        case nil: break
        }
        return words.joined(separator: " ")
    }
}
