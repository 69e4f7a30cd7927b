import Foundation
import LoopbackCloud
import Testing
import VPTestSupport

/// What a rented instance is: a login, files and processes of its own.
@Suite(.requires("sshd", "ssh", "ssh-keygen"))
struct InstanceTests {
    @Test(.loopbackCloud()) func aRentedInstanceLetsItsOwnerLogIn() async throws {
        let cloud = try #require(CloudTrait.current)
        let client = TestClient(cloud)
        let row = try await client.running(try await client.rent())
        let outcome = try await Shell.login(
            cloud, row, "id -un; pwd; hostname; python3 -c 'print(6*7)'; python --version")
        #expect(outcome.status == 0)
        #expect(outcome.output.hasPrefix("root\n/root\nC.\(row["id"] ?? 0)\n42\nPython 3"), "\(outcome)")
    }
}
