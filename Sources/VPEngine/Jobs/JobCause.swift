/// The cause of a job's end, in one line, if it can be known.
///
/// It names causes for which there is evidence, those first that a reader can do most about: a machine out of
/// memory shows as a signal, and the signal alone would say little.
package enum JobCause {
    /// - Parameter tail: the last bytes of the job's output.
    package static func words(for end: JobEnd, tail: [UInt8]) -> String? {
        if end.limitIsReached { return Budget.words(ofTheRun: nil) }
        if let stop = end.stop { return stop.stopWords }
        if end.wasCancelled { return end.isUnstarted ? "cancelled before it began" : "cancelled" }
        switch end.outcome {
        case .exited(0): return nil
        case _ where end.leaseHasEnded: return "lease expired: ended with the instance"
        case nil:
            return "the job's supervisor on the instance was killed, so the command's exit status is unknown"
        case .exited, .signalled: break
        }
        let text = String(decoding: tail.suffix(Self.tailBytes), as: UTF8.self)
        let lines = text.split(whereSeparator: \.isNewline).suffix(Self.tailLines)
        func said(_ words: [String]) -> Bool {
            lines.contains { line in words.contains { line.contains($0) } }
        }
        let killed = end.outcome == .signalled(9) || end.outcome == .exited(137)
        if end.memoryRanOut {
            return killed
                ? "out of memory: killed by the instance's kernel"
                : "out of memory: the instance's kernel killed one of its processes"
        }
        if said(Self.gpuWords) { return "GPU out of memory" }
        if end.diskIsFull || said(Self.diskWords) { return "disk full on the instance" }
        if said(Self.memoryWords) { return "out of memory: an allocation was refused" }
        let scriptReturns = [
            "\\r': command not found", "$'\\r'", "\\r''", "^M: bad interpreter", "\u{D}: not found",
        ]
        if end.scriptHasCRLF || said(scriptReturns)
            || (end.outcome == .exited(127) && said(["\\r’", "\\r'"]))
        {
            return "a script has the line ends of Windows (CRLF); `sed -i 's/\\r$//' FILE` fixes it"
        }
        if let interpreter = end.missingInterpreter {
            return "the script's interpreter is not on the instance: \(interpreter)"
        }
        switch end.outcome {
        case .signalled(let signal): return "killed by \(Self.name(of: signal))"
        case .exited(let code) where end.isAmbiguous:
            return "exit status \(code), its own or that of \(Self.name(of: code - 128)): "
                + "the instance's shell cannot tell"
        case .exited(127) where said(["not found", "No such file"]): return "command not found"
        case .exited(126)
        where said(["Permission denied", "permission denied", "cannot execute", "annot be entered"]):
            return said(["annot be entered"])
                ? "the working folder cannot be entered" : "the command cannot be executed"
        case .exited(let code) where (129...192).contains(code):
            return "exit status \(code), which a shell gives a command killed by \(Self.name(of: code - 128))"
        case .exited, nil: return nil
        }
    }

    /// The part of a log that is searched: the last output of a program tells why it ended. A traceback that
    /// names its cause in the last line fits many times over.
    package static let tailBytes = 16 << 10
    private static let tailLines = 60

    // The words of PyTorch, CUDA, JAX and TensorFlow, and ROCm.
    private static let gpuWords = [
        "CUDA out of memory", "torch.OutOfMemoryError", "torch.cuda.OutOfMemoryError",
        "CUDA error: out of memory", "CUDA_ERROR_OUT_OF_MEMORY", "cudaErrorMemoryAllocation",
        "CUBLAS_STATUS_ALLOC_FAILED", "RESOURCE_EXHAUSTED: Out of memory", "HIP out of memory",
        "hipErrorOutOfMemory",
    ]
    private static let diskWords = ["No space left on device", "Disk quota exceeded"]
    private static let memoryWords = [
        "MemoryError", "std::bad_alloc", "Cannot allocate memory",
        "DefaultCPUAllocator: can't allocate memory",
        "DefaultCPUAllocator: not enough memory",
    ]

    /// Returns a name such as `SIGKILL`; the numbers are Linux's, on every machine that can be rented.
    package static func name(of signal: Int32) -> String {
        let names: [Int32: String] = [
            1: "HUP", 2: "INT", 3: "QUIT", 4: "ILL", 5: "TRAP", 6: "ABRT", 7: "BUS", 8: "FPE", 9: "KILL",
            10: "USR1", 11: "SEGV", 12: "USR2", 13: "PIPE", 14: "ALRM", 15: "TERM", 24: "XCPU", 25: "XFSZ",
        ]
        return names[signal].map { "SIG\($0)" } ?? "signal \(signal)"
    }
}
