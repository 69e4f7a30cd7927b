/// The instances of an account, as one platform lists them.
public struct InstanceListing: Hashable, Sendable {
    /// The rows whose instance can be named.
    public var instances: [Instance]
    /// Why the list is not whole: rows that name nothing one could ask about. The others are as good as ever.
    public var refusal: EngineError?

    /// A complete list, unless there is a `refusal`.
    public init(_ instances: [Instance], refusal: EngineError? = nil) {
        self.instances = instances
        self.refusal = refusal
    }

    /// - Parameter refused: what was wrong with each row that was left out.
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

    /// The id of a row, which becomes the name of folders and files here.
    ///
    /// A row without any is an answer that was damaged; one whose id is no id is refused by itself,
    /// and named, since it may be paid for.
    static func id(of row: JSONValue, on platform: Platform) throws(WireDamage) -> RowID {
        guard let text = row["id"].text else {
            throw WireDamage(words: "an instance in the answer has no id")
        }
        if let id = InstanceID(platform, fromOutside: text) { return .usable(id) }
        let shown = text.singleLine(limit: 40) ?? ""
        return .refused(
            "an instance has the id \"\(shown)\", which cannot be one; it may be paid for: "
                + "look at the platform's own page")
    }
}

extension PlatformClient {
    /// Every instance of the account that can be named; all pages. Throws where none can,
    /// though some are there.
    public func instances() async throws(EngineError) -> [Instance] {
        let listing = try await self.listing()
        if let refusal = listing.refusal, listing.instances.isEmpty { throw refusal }
        return listing.instances
    }
}
