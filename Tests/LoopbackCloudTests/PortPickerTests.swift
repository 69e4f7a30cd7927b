import Foundation
import Testing
import VPTestSupport

@testable import LoopbackCloud

/// Ports of clouds that start side by side, in one process and in several.
@Suite struct PortPickerTests {
    /// Each picker has the file open for itself, as each process has.
    @Test func twoPickersNeverHaveOnePort() async throws {
        try await TemporaryFolder.with { folder in
            let pickers = (0..<2).map { _ in
                PortPicker(range: 18_000...18_199, lockFile: folder.path + "/ports")
            }
            let ports = (0..<80).map { pickers[$0 % 2].freePort() }
            #expect(Set(ports).count == 80)
        }
    }

    /// What is gone keeps none of its ports.
    @Test func aPickerThatIsGoneHasNone() async throws {
        try await TemporaryFolder.with { folder in
            func pick(_ count: Int) -> [Int] {
                let picker = PortPicker(range: 18_200...18_239, lockFile: folder.path + "/ports")
                return (0..<count).map { _ in picker.freePort() }
            }
            for _ in 0..<4 { #expect(Set(pick(20)).count == 20) }
        }
    }

    @Test func withoutAFileEachLooksForItself() {
        let picker = PortPicker(range: 18_300...18_399, lockFile: "/no/such/folder/ports")
        #expect(Set((0..<40).map { _ in picker.freePort() }).count == 40)
    }
}
