import Foundation

/// The account: money and keys.
extension VastAPI {
    func user() async -> APIReply {
        let credit = await self.fleet.currentCredit()
        let key = await self.fleet.accountKeys.first?.text
        return .json([
            "id": 123_456, "username": "loopback", "email": "loopback@example.com",
            "credit": .rounded(credit, 6),
            "balance": 0.0, "api_key": .string(self.apiKey), "key_id": 1, "ssh_key": .optional(key),
            "sid": "loopback", "can_pay": true, "has_billing": true, "balance_threshold": 0.0,
            "balance_threshold_enabled": false, "billed_expected": 0.0, "billed_verified": 0.0,
            "paid_expected": 0.0, "paid_verified": 0.0, "email_verified": true, "got_signup_credit": false,
            "last4": nil, "fullname": nil,
        ])
    }

    func accountKeys(_ method: String, _ path: [String], _ body: JSON) async throws(VastError) -> APIReply {
        let id = path.first.flatMap { Int($0) }
        switch (method, id) {
        case ("GET", nil):
            let keys = await self.fleet.accountKeys
            // An empty list of keys is answered with "not found".
            guard !keys.isEmpty else { throw .noSuchKey }
            return .json(.array(keys.map { Self.row($0, textColumn: "key") }))
        case ("POST", nil):
            let key = await self.fleet.addAccountKey(try Self.keyText(body))
            return .json(["success": true, "key": Self.row(key, textColumn: "public_key")])
        case ("PUT", let id?):
            let text = try Self.keyText(body)
            guard let key = try? await self.fleet.replaceAccountKey(id, with: text) else { throw .noSSHKey }
            return .json(["success": true, "key": Self.row(key, textColumn: "public_key")])
        case ("DELETE", let id?):
            guard (try? await self.fleet.removeAccountKey(id)) != nil else { throw .noSSHKey }
            return .json(["success": true])
        default: throw .notFound
        }
    }

    private static func keyText(_ body: JSON) throws(VastError) -> String {
        guard let text = body["ssh_key"]?.text?.trimmingCharacters(in: .whitespacesAndNewlines),
            text.hasPrefix("ssh-") || text.hasPrefix("ecdsa-") || text.hasPrefix("sk-"), !text.contains("\n")
        else { throw .noSSHKey }
        return text
    }

    /// The text's column has different names when a key is created and when keys are listed.
    private static func row(_ key: PublicKey, textColumn: String) -> JSON {
        [
            "id": .int(key.id), "user_id": 123_456, textColumn: .string(key.text), "deleted_at": nil,
            "created_at": .string(Date(timeIntervalSince1970: key.createdAt).ISO8601Format()),
        ]
    }
}
