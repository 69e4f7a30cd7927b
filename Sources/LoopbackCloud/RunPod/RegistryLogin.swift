import Foundation

/// A named login of an image registry. The user and password are not kept, because no image is pulled here.
struct RegistryLogin: Sendable {
    let id: String
    var name: String

    var row: JSON { ["id": .string(self.id), "name": .string(self.name)] }
}

extension Fleet {
    func addRegistryLogin(name: String) -> RegistryLogin {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        let login = RegistryLogin(
            id: String((0..<25).map { _ in self.generator.pick(alphabet) }), name: name)
        self.registryLogins.append(login)
        return login
    }

    func registryLogin(_ id: String) -> RegistryLogin? { self.registryLogins.first { $0.id == id } }

    func removeRegistryLogin(_ id: String) { self.registryLogins.removeAll { $0.id == id } }

    func isInUse(_ login: RegistryLogin) -> Bool {
        self.rentals.values.contains { $0.pod?.registry == login.id }
    }
}

extension RunPodAPI {
    func registries(_ method: String, _ body: JSON) async throws(RunPodError) -> APIReply {
        try Self.allow(["GET", "POST"], method)
        guard method == "POST" else {
            return .json(["registries": .array(await self.fleet.registryLogins.map(\.row))])
        }
        try RunPodSchema.createRegistry.validate(body)
        return .json(
            await self.fleet.addRegistryLogin(name: body["name"]?.text ?? "").row, status: 201)
    }

    func registry(_ method: String, _ id: String) async throws(RunPodError) -> APIReply {
        try Self.allow(["GET", "DELETE"], method)
        guard let login = await self.fleet.registryLogin(id) else {
            // The platform answers a DELETE so, and not by 404.
            if method == "DELETE" { throw .rule("Registry auth not found") }
            throw .noRegistry
        }
        guard method == "DELETE" else { return .json(login.row) }
        if await self.fleet.isInUse(login) { throw .rule("the registry credential is in use by a pod") }
        await self.fleet.removeRegistryLogin(id)
        return APIReply(status: 204, contentType: "application/json", body: Data())
    }
}
