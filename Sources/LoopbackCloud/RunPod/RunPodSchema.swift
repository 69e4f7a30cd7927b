import Foundation

/// The rules of REST v2 for request bodies: every key is known, and every value has its type.
indirect enum RunPodSchema: Sendable {
    case text(minimum: Int = 0)
    case pattern(String)
    case optionalText
    case flag
    case integer(minimum: Int, maximum: Int = .max)
    case word([String])
    case list(RunPodSchema, most: Int? = nil)
    /// Any keys, with values of one type.
    case dictionary(RunPodSchema)
    case object([String: RunPodSchema], required: [String] = [])

    /// Throws 422 with all problems of `body`.
    func validate(_ body: JSON) throws(RunPodError) {
        let complaints = self.complaints(body, at: "$")
        guard complaints.isEmpty else { throw .invalid(complaints) }
    }

    private func complaints(_ value: JSON, at place: String) -> [String] {
        switch self {
        case .text(let minimum):
            guard case .string(let text) = value else { return ["\(place): expected string"] }
            return text.count < minimum ? ["\(place): length must be at least \(minimum)"] : []
        case .pattern(let pattern):
            guard case .string(let text) = value else { return ["\(place): expected string"] }
            let matches = text.range(of: pattern, options: .regularExpression) != nil
            return matches ? [] : ["\(place): does not match pattern \(pattern)"]
        case .optionalText:
            if case .string = value { return [] }
            return value.isNull ? [] : ["\(place): expected string or null"]
        case .flag:
            if case .bool = value { return [] }
            return ["\(place): expected boolean"]
        case .integer(let minimum, let maximum):
            // To a schema, a number without a fraction is an integer, however it is written.
            let number: Double? =
                switch value {
                case .int(let number): Double(number)
                case .number(let number): number
                default: nil
                }
            guard let number, number.rounded() == number else { return ["\(place): expected integer"] }
            if number < Double(minimum) { return ["\(place): must be at least \(minimum)"] }
            return number > Double(maximum) ? ["\(place): must be at most \(maximum)"] : []
        case .word(let words):
            guard case .string(let text) = value, words.contains(text) else {
                return ["\(place): value must be one of \(words.joined(separator: ", "))"]
            }
            return []
        case .list(let element, let most):
            guard case .array(let elements) = value else { return ["\(place): expected array"] }
            var found = elements.enumerated().flatMap {
                element.complaints($1, at: "\(place)[\($0)]")
            }
            if let most, elements.count > most { found.append("\(place): at most \(most) items") }
            return found
        case .dictionary(let element):
            guard case .object(let members) = value else { return ["\(place): expected object"] }
            return members.sorted { $0.key < $1.key }.flatMap {
                element.complaints($0.value, at: "\(place).\($0.key)")
            }
        case .object(let fields, let required):
            guard case .object(let members) = value else { return ["\(place): expected object"] }
            var found = members.keys.sorted().filter { fields[$0] == nil }.map {
                "\(place): additional properties '\($0)' not allowed"
            }
            found += required.filter { members[$0] == nil }.map { "\(place): missing property '\($0)'" }
            for (name, field) in fields.sorted(by: { $0.key < $1.key }) {
                if let member = members[name] {
                    found += field.complaints(member, at: "\(place).\(name)")
                }
            }
            return found
        }
    }

    // MARK: The bodies

    private static let mounts = RunPodSchema.object([
        "persistent": .object(
            ["size": .integer(minimum: 10), "path": .text()], required: ["size", "path"]),
        "network": .list(
            .object(["volumeId": .text(), "path": .text()], required: ["volumeId", "path"]), most: 1),
    ])
    private static let container: [String: RunPodSchema] = [
        "image": .text(), "args": .text(), "disk": .integer(minimum: 1), "env": .dictionary(.text()),
        "ports": .list(.text()), "registry": .optionalText, "mounts": Self.mounts, "name": .text(minimum: 1),
        "globalNetworking": .flag, "templateId": .text(minimum: 1), "cmd": .list(.text()),
        "entrypoint": .list(.text()),
    ]
    private static let cuda = #"^\d+\.\d+$"#

    static let createPod = RunPodSchema.object(
        Self.container.merging([
            "cloud": .word(["SECURE", "COMMUNITY"]), "dataCenterIds": .list(.text()),
            "gpu": .object(
                [
                    "id": .text(), "count": .integer(minimum: 1),
                    "allowedCudaVersions": .list(.pattern(cuda)),
                    "minCudaVersion": .pattern(cuda), "minRamPerGpu": .integer(minimum: 1),
                    "minVcpuCountPerGpu": .integer(minimum: 1),
                ], required: ["id"]),
            "cpu": .object(["id": .text(), "vcpuCount": .integer(minimum: 2)], required: ["id"]),
            "startSsh": .flag, "startJupyter": .flag,
        ]) { $1 }, required: ["name"])

    static let updatePod = RunPodSchema.object(Self.container.merging(["locked": .flag]) { $1 })

    static let createRegistry = RunPodSchema.object(
        ["name": .text(minimum: 1), "username": .text(minimum: 1), "password": .text(minimum: 1)],
        required: ["name", "username", "password"])

    static let createVolume = RunPodSchema.object(
        Self.volume.merging([
            "dataCenter": .text(minimum: 1), "type": .word(["STANDARD", "HIGH_PERFORMANCE"]),
        ]) {
            $1
        }, required: ["name", "size", "dataCenter"])

    static let updateVolume = RunPodSchema.object(Self.volume)
    private static let volume: [String: RunPodSchema] = [
        "name": .text(minimum: 1), "size": .integer(minimum: 10, maximum: 4096),
    ]

    static let action = RunPodSchema.object(
        ["action": .word(["start", "stop", "restart", "terminate"])], required: ["action"])

    static let sshKeys = RunPodSchema.object(
        ["keys": .list(.pattern(#"^(ssh|ecdsa|sk)-[^\s]+ [^\s]+([ \t][^\n\r]*)?$"#))], required: ["keys"])
}
