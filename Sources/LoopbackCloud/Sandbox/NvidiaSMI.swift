import VPScripts

/// The stand-in for `nvidia-smi` that instances find on their `PATH`.
///
/// The figures change with time, differ from GPU to GPU, and depend on the running processes.
enum NvidiaSMI {
    /// The settings that the script sources to know the emulated GPUs.
    static func settings(for offer: Offer, seed: UInt64, stateFile: String) -> String {
        var generator = SeededGenerator(seed: seed &+ UInt64(offer.id))
        let identity = "\(generator.hex(8))-\(generator.hex(4))-\(generator.hex(4))-\(generator.hex(4))"
        return SandboxFiles.assignments([
            "gpu_name": offer.gpu.productName, "gpu_count": "\(offer.gpuCount)",
            "gpu_memory": "\(offer.gpu.memory)",
            "gpu_power": "\(Int(offer.gpu.power))",
            "gpu_capability": "\(Double(offer.gpu.capability) / 100)",
            "gpu_identity": "\(identity)-\(generator.hex(10))", "gpu_phase": "\(generator.int(0...999))",
            "driver_version": "\(offer.machine.driverVersion)",
            "cuda_version": "\(offer.machine.cudaVersion)",
            "state_file": stateFile, "workloads": self.workloads.joined(separator: " "),
        ])
    }

    /// Programs whose presence means that the GPU has work; shell patterns for process names.
    static let workloads = [
        "python*", "*.py", "train*", "torchrun", "accelerate", "deepspeed", "vllm*", "ollama*", "julia",
        "gpu-burn",
    ]

    /// `true` if a process called `name` loads the GPU.
    static func isWorkload(_ name: String) -> Bool {
        self.workloads.contains { pattern in
            if pattern.hasSuffix("*") { return name.hasPrefix(pattern.dropLast()) }
            if pattern.hasPrefix("*") { return name.hasSuffix(pattern.dropFirst()) }
            return name == pattern
        }
    }

    /// The text of the program; it sources `settingsFile` first, and `figuresFile` contains
    /// `ScriptFile.nvidiaSMIFigures`.
    static func program(settingsFile: String, figuresFile: String) -> String {
        SandboxFiles.program(.nvidiaSMI, ["settings": settingsFile, "figures": figuresFile])
    }
}
