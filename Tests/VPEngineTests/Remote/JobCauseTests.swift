import Testing

@testable import VPEngine

struct JobCauseTests {
    private static func end(_ outcome: Job.Outcome?, _ change: (inout JobEnd) -> Void = { _ in }) -> JobEnd {
        var end = JobEnd(outcome: outcome)
        change(&end)
        return end
    }

    private static let gpuTail =
        "Traceback…\ntorch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.\n"

    @Test(
        arguments: [
            (Self.end(.exited(0)), "CUDA out of memory", nil), (Self.end(.exited(3)), "boom", nil),
            (Self.end(.exited(1)), Self.gpuTail, "GPU out of memory"),
            (
                Self.end(.exited(1)),
                "jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying",
                "GPU out of memory"
            ),
            (
                Self.end(.exited(1)), "OSError: [Errno 28] No space left on device",
                "disk full on the instance"
            ),
            (Self.end(.exited(1)) { $0.diskIsFull = true }, "", "disk full on the instance"),
            (Self.end(.exited(1)), "Traceback\nMemoryError", "out of memory: an allocation was refused"),
            (
                Self.end(.signalled(9)) { $0.memoryRanOut = true }, "",
                "out of memory: killed by the instance's kernel"
            ),
            (
                Self.end(.exited(1)) { $0.memoryRanOut = true }, Self.gpuTail,
                "out of memory: the instance's kernel killed one of its processes"
            ),
            (Self.end(.signalled(9)), "", "killed by SIGKILL"),
            (Self.end(.signalled(11)), "", "killed by SIGSEGV"),
            (Self.end(.signalled(40)), "", "killed by signal 40"),
            (
                Self.end(.exited(137)), "",
                "exit status 137, which a shell gives a command killed by SIGKILL"
            ),
            (
                Self.end(.exited(143)) { $0.isAmbiguous = true }, "",
                "exit status 143, its own or that of SIGTERM: the instance's shell cannot tell"
            ),
            (Self.end(.exited(127)), "sh: 1: nosuch: not found\n", "command not found"),
            (Self.end(.exited(127)), "", nil),
            (Self.end(.exited(126)), "sh: 1: ./x: Permission denied\n", "the command cannot be executed"),
            (Self.end(.signalled(15)) { $0.wasCancelled = true }, "", "cancelled"),
            (
                Self.end(nil) {
                    $0.isUnstarted = true
                    $0.wasCancelled = true
                }, "", "cancelled before it began"
            ),
        ] as [(JobEnd, String, String?)])
    func theEvidenceDecides(end: JobEnd, tail: String, words: String?) {
        #expect(JobCause.words(for: end, tail: Array(tail.utf8)) == words)
    }

    /// An allocation that failed and was survived long ago is not why it ended.
    @Test func onlyTheLastLinesCount() {
        let tail = "CUDA out of memory\n" + String(repeating: "epoch\n", count: 100)
        #expect(JobCause.words(for: Self.end(.exited(1)), tail: Array(tail.utf8)) == nil)
    }
}
