/// The instances of an account, as one platform lists them.
public struct InstanceListing: Hashable, Sendable {
    /// The rows that have a usable id.
    public var instances: [Instance]
    /// The reason why the list is incomplete: some rows have no usable id. The other rows are unaffected.
    public var refusal: EngineError?

    /// A complete list, unless there is a `refusal`.
    public init(_ instances: [Instance], refusal: EngineError? = nil) {
        self.instances = instances
        self.refusal = refusal
    }

    /// - Parameter refused: the problem of each row that was left out.
    init(_ instances: [Instance], refused: [String], _ activity: EngineError.Activity) {
        let more = refused.count > 1 ? ", and \(refused.count - 1) more like it" : ""
        self.init(
            instances,
            refusal: refused.first.map { EngineError(.badResponse, activity, detail: $0 + more) })
    }

    enum RowID {
        case usable(InstanceID)
        case refused(String)
    }

    /// Reads the id of a row, which becomes the name of folders and files here.
    ///
    /// A row without any id means that the answer was damaged. A row with an unusable id is refused alone,
    /// and named, since the instance may be billed.
    static func id(of row: JSONValue, on platform: Platform) throws(WireDamage) -> RowID {
        guard let text = row["id"].text else {
            throw WireDamage(words: "an instance in the answer has no id")
        }
        if let id = InstanceID(platform, fromOutside: text) { return .usable(id) }
        let shown = text.singleLine(limit: 40) ?? ""
        return .refused(
            "an instance has the id \"\(shown)\", which is not valid; it may be billed: "
                + "check the platform's website")
    }
}

extension PlatformClient {
    /// Returns every instance of the account that has a usable id, from all pages. Throws if there are
    /// instances but none has one.
    public func instances() async throws(EngineError) -> [Instance] {
        let listing = try await self.listing()
        if let refusal = listing.refusal, listing.instances.isEmpty { throw refusal }
        return listing.instances
    }
}
