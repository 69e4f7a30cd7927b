import Foundation
import Testing
import VPTestSupport

@testable import VPEngine

/// The download after a job's end.
@Suite(.startsCloud, .requires("sshd", "rsync", "ssh"), .timeLimit(.minutes(5)))
struct JobResultsTests {
    /// A download by hand brings what a detached job has left, and its record says so; a part of it does not.
    @Test func aLaterDownloadIsRecordedInTheJob() async throws {
        try await EndsFixture.with(usesSandboxes: false) { fixture in
            let instance = try await fixture.create(on: .vast)
            let request = RunRequest(
                command: .shell("echo saved > model.bin; echo log > log.txt"), syncsUp: false,
                isDetached: true)
            guard case .ran(let summary) = try await fixture.perform(.run(instance.id, request)) else {
                throw EngineFixture.WrongResult()
            }
            let id = try #require(summary.job?.id)
            let attach = EngineAction.attach(id, on: instance.id, bringsResults: false)
            guard case .attached(let seen) = try await fixture.perform(attach) else {
                throw EngineFixture.WrongResult()
            }
            #expect(seen.job?.state == .succeeded && seen.job?.record?.results == nil)
            _ = try await fixture.perform(.download(instance.id, DownloadRequest(paths: ["log.txt"])))
            #expect(try fixture.engine.job(named: id.rawValue).record?.results == nil)
            _ = try await fixture.perform(.download(instance.id, DownloadRequest()))
            let results = try fixture.engine.job(named: id.rawValue).record?.results
            #expect(results?.files == 1 && fixture.here("model.bin") == "saved\n")
        }
    }

    /// What a destroy has brought is not said to be on an instance that is gone.
    @Test func aDestroyRecordsWhatItHasBrought() async throws {
        try await EndsFixture.with(usesSandboxes: false) { fixture in
            let instance = try await fixture.create(on: .vast)
            let request = RunRequest(
                command: .shell("echo saved > model.bin"), syncsUp: false, isDetached: true)
            guard case .ran(let summary) = try await fixture.perform(.run(instance.id, request)) else {
                throw EngineFixture.WrongResult()
            }
            let id = try #require(summary.job?.id)
            _ = try await fixture.perform(.attach(id, on: instance.id, bringsResults: false))
            _ = try await fixture.perform(.destroy(instance.id, DestroyRequest()))
            #expect(try fixture.engine.job(named: id.rawValue).record?.results?.files == 1)
        }
    }

    /// A connection that breaks between the job's end and the download is made again; one that stays broken
    /// is told, beside the job's own end.
    @Test(arguments: [("ssh", 1), ("ssh", 3), ("rsync", 2), ("ssh", 1000)])
    func aBrokenConnectionIsMadeAgain(program: String, times: Int) async throws {
        let runner = CutRunner()
        try await EndsFixture.with(usesSandboxes: false, runner: runner) { fixture in
            let instance = try await fixture.create(on: .vast)
            let request = RunRequest(
                command: .shell("echo saved > model.bin"), syncsUp: false, isDetached: true)
            guard case .ran(var summary) = try await fixture.perform(.run(instance.id, request)) else {
                throw EngineFixture.WrongResult()
            }
            try await waitUntil("the job's result") {
                (try? await fixture.there("[ -s model.bin ]", on: instance)) != nil
            }
            await fixture.engine.context.connections.close(instance.id)
            runner.cut(program, times: times)
            try await JobResults(context: fixture.engine.context).bring(from: instance.id, into: &summary) {
                _ in
            }
            runner.cut(program, times: 0)
            if times < 1000 {
                #expect(summary.downloadError == nil, "\(String(describing: summary.downloadError))")
                #expect(fixture.here("model.bin") == "saved\n")
            } else {
                #expect(summary.downloadError?.code == .unreachable)
                #expect(fixture.here("model.bin") == nil)
            }
        }
    }
}
