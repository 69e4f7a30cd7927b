/// `vastai copy` between an instance and the client's own disk: the platform returns an address, and the
/// client's rsync does the rest. Copies between instances, and to other clouds, are not supported.
extension VastAPI {
    func copy(_ method: String, _ body: JSON) async throws(VastError) -> APIReply {
        // The copy is the client's own rsync, so there is nothing to end here.
        if method == "DELETE" { return .json(["success": true]) }
        guard method == "PUT" else { throw .notFound }
        let (source, target) = (Self.place(body["src_id"]), Self.place(body["dst_id"]))
        switch (source, target) {
        case (.local, .instance(let id)):
            let port = try await self.portForCopies(id)
            return .json(["success": true, "dst_addr": "127.0.0.1", "dst_port": .int(port)])
        case (.instance(let id), .local):
            let port = try await self.portForCopies(id)
            return .json(["success": true, "src_addr": "127.0.0.1", "src_port": .int(port)])
        default:
            throw .invalidArguments("only copies between an instance and this machine are offered", ask: nil)
        }
    }

    private enum Place {
        case local
        case instance(Int)
        case other
    }

    /// Parses `777`, `C.777`, `local`, or nothing for a path alone.
    private static func place(_ id: JSON?) -> Place {
        guard let id, !id.isNull else { return .local }
        guard let text = id.text ?? id.integer.map(String.init) else { return .other }
        if text.isEmpty || text == "local" { return .local }
        return Int(text.hasPrefix("C.") ? String(text.dropFirst(2)) : text).map(Place.instance) ?? .other
    }

    private func portForCopies(_ id: Int) async throws(VastError) -> Int {
        guard let rental = await self.fleet.rental(id) else { throw .noSuchInstance(id) }
        // A plain sshd knows one user, and would expose the whole machine's files.
        guard rental.phase == .running, rental.instance.files.isSandboxed else {
            throw .invalidArguments("instance \(id) takes no copies now", ask: nil)
        }
        return rental.directPort ?? rental.proxyPort
    }
}
