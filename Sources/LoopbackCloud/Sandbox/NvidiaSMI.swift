/// The stand-in for `nvidia-smi` that instances find on their `PATH`.
///
/// A POSIX shell and awk script, because those are there in every image. Its figures move with time, differ
/// from GPU to GPU, and follow what runs: a Python process (or another that looks like training) loads the
/// GPU, and temperature follows load with the inertia of a heat sink.
enum NvidiaSMI {
    /// What the script sources to know which GPUs it stands for.
    static func settings(for offer: Offer, seed: UInt64, stateFile: String) -> String {
        var generator = SeededGenerator(seed: seed &+ UInt64(offer.id))
        let identity = "\(generator.hex(8))-\(generator.hex(4))-\(generator.hex(4))-\(generator.hex(4))"
        return """
            gpu_name='\(offer.gpu.productName)'
            gpu_count=\(offer.gpuCount)
            gpu_memory=\(offer.gpu.memory)
            gpu_power=\(Int(offer.gpu.power))
            gpu_capability=\(Double(offer.gpu.capability) / 100)
            gpu_identity=\(identity)-\(generator.hex(10))
            gpu_phase=\(generator.int(0...999))
            driver_version=\(offer.machine.driverVersion)
            cuda_version=\(offer.machine.cudaVersion)
            state_file='\(stateFile)'

            """
    }

    /// Programs whose presence means that the GPU has work; shell patterns for process names.
    static let workloads = [
        "python*", "*.py", "train*", "torchrun", "accelerate", "deepspeed", "vllm*", "ollama*", "julia",
        "gpu-burn",
    ]

    /// True when a process called `name` loads the GPU.
    static func isWorkload(_ name: String) -> Bool {
        self.workloads.contains { pattern in
            if pattern.hasSuffix("*") { return name.hasPrefix(pattern.dropLast()) }
            if pattern.hasPrefix("*") { return name.hasSuffix(pattern.dropFirst()) }
            return name == pattern
        }
    }

    /// The script; `settingsFile` is sourced first.
    static func script(settingsFile: String) -> String {
        """
        #!/bin/sh
        . '\(settingsFile)'
        mode=table query= format= period= only=
        while [ $# -gt 0 ]; do
            case $1 in
                --query-gpu=*) mode=query query=${1#*=} ;;
                --query-compute-apps=*) mode=apps query=${1#*=} ;;
                --format=*) format=${1#*=} ;;
                -L | --list-gpus) mode=list ;;
                -l | -i | --loop | --id | -lms)
                    [ $# -gt 1 ] || { echo "Option $1 needs a value." >&2; exit 2; }
                    case $1 in
                        -l | --loop) period=$2 ;;
                        -lms) period=$(awk "BEGIN { print $2 / 1000 }") ;;
                        *) only=$2 ;;
                    esac
                    shift ;;
                --loop=*) period=${1#*=} ;;
                --loop-ms=*) period=$(awk "BEGIN { print ${1#*=} / 1000 }") ;;
                --id=*) only=${1#*=} ;;
                --version) echo "NVIDIA-SMI version  : $driver_version"; exit 0 ;;
                -h | --help) echo "NVIDIA System Management Interface -- v$driver_version (stand-in)"; exit 0 ;;
                *) echo "Invalid combination of input arguments. Please run 'nvidia-smi -h' for help." >&2; exit 2 ;;
            esac
            shift
        done
        if [ $mode = query ] || [ $mode = apps ]; then
            case $format in
                csv*) ;;
                *) echo '"--format=" switch is missing. Please run '"'nvidia-smi -h'"' for help.' >&2; exit 2 ;;
            esac
        fi
        workers() {
            for file in /proc/[0-9]*/comm; do
                { read -r name <"$file"; } 2>/dev/null || continue
                case $name in
                    \(self.workloads.joined(separator: " | "))) id=${file#/proc/}; echo "${id%/comm} $name" ;;
                esac
            done
        }
        once() {
            busy=$(workers)
            read -r now _ </proc/uptime
            last=
            [ -r "$state_file" ] && read -r last <"$state_file"
            awk -v mode=$mode -v query="$query" -v format="$format" -v only="$only" -v busy="$busy" \\
                -v now="$now" -v last="$last" -v clock="$(date '+%Y/%m/%d %H:%M:%S')" \\
                -v name="$gpu_name" -v count="$gpu_count" -v memory="$gpu_memory" -v limit="$gpu_power" \\
                -v capability="$gpu_capability" -v identity="$gpu_identity" -v phase="$gpu_phase" \\
                -v driver="$driver_version" -v cuda="$cuda_version" -v state="$state_file" '
        \(self.figures)'
        }
        once || exit $?
        while [ -n "$period" ]; do
            sleep "$period" || exit 1
            once || exit $?
        done

        """
    }

    /// The awk program: one look at all GPUs.
    private static let figures = #"""
        function wave(speed, i) { return sin(now / speed + phase + i * 1.7) }
        function look(i,    noise) {
            noise = wave(0.9, i * 3)
            load = 0
            if (working) {
                load = 90 + 6 * wave(4.3, i) + 3 * noise
                if (age < 2) load *= (0.3 + age * 0.35)
                if (load > 100) load = 100
            }
            heat = warmth + (working ? 1.5 * wave(11, i) : 0) + i % 3
            used = working ? memory * (0.34 + 0.16 * (1 - exp(-age / 9)) + 0.01 * wave(7, i)) : 2 + i % 2
            watts = limit * (0.055 + 0.83 * load / 100) + noise * (working ? limit * 0.02 : 0.6)
            clock_sm = working ? 1980 + 15 * noise : 210
        }
        function value(field, i) {
            unit = ""
            if (field == "index") return i
            if (field == "count") return count
            if (field == "name" || field == "gpu_name") return name
            if (field == "timestamp") return clock ".000"
            if (field == "uuid" || field == "gpu_uuid") return sprintf("GPU-%s%02x", identity, i)
            if (field == "driver_version") return driver
            if (field == "compute_cap") return capability
            if (field == "pstate") return working ? "P2" : "P8"
            if (field == "pci.bus_id") return sprintf("00000000:%02X:00.0", i + 1)
            if (field == "utilization.gpu") { unit = " %"; return int(load + 0.5) }
            if (field == "utilization.memory") { unit = " %"; return int(load * 0.55 + 0.5) }
            if (field == "fan.speed") { unit = " %"; return int(heat > 40 ? 30 + (heat - 40) * 1.4 : 30) }
            if (field == "temperature.gpu") return int(heat + 0.5)
            if (field == "memory.total") { unit = " MiB"; return memory }
            if (field == "memory.used") { unit = " MiB"; return int(used) }
            if (field == "memory.free") { unit = " MiB"; return memory - int(used) }
            if (field == "power.draw") { unit = " W"; return sprintf("%.2f", watts) }
            if (field == "power.limit") { unit = " W"; return sprintf("%.2f", limit) }
            if (field == "clocks.sm" || field == "clocks.current.sm") { unit = " MHz"; return int(clock_sm) }
            if (field == "clocks.mem" || field == "clocks.current.memory") { unit = " MHz"; return working ? 10251 : 405 }
            failed = 1
            return ""
        }
        function title(field) {
            if (field ~ /^utilization|^fan/) return field " [%]"
            if (field ~ /^memory|^used_memory/) return field " [MiB]"
            if (field ~ /^power/) return field " [W]"
            if (field ~ /^clocks/) return field " [MHz]"
            return field
        }
        function header(    f, line) {
            if (format ~ /noheader/) return
            for (f = 1; f <= fields; f++) line = line (f > 1 ? ", " : "") title(wanted[f])
            print line
        }
        function rule(left) { print "+" left "+" }
        BEGIN {
            workers = split(busy, worker, "\n")
            working = workers > 0
            split(last, before, " ")
            # A heat sink forgets half of a difference in some twenty seconds.
            target = working ? 66 : 33
            warmth = before[1] == "" ? (working ? 45 : 33) : target + (before[2] - target) * exp(-(now - before[1]) / 28)
            since = working ? (before[3] > 0 ? before[3] : now) : 0
            age = working ? now - since : 0
            print now, warmth, since > state
            close(state)
            plain = format ~ /nounits/
            fields = split(query, wanted, ",")
            for (f = 1; f <= fields; f++) gsub(/ /, "", wanted[f])
            if (mode == "list") {
                for (i = 0; i < count; i++) printf "GPU %d: %s (UUID: GPU-%s%02x)\n", i, name, identity, i
                exit 0
            }
            if (mode == "apps") {
                header()
                for (w = 1; w <= workers; w++) {
                    split(worker[w], part, " ")
                    look(0)
                    line = ""
                    for (f = 1; f <= fields; f++) {
                        field = wanted[f]
                        text = field == "pid" ? part[1] : field ~ /name/ ? part[2] : \
                            field ~ /^used/ ? int(used / workers) (plain ? "" : " MiB") : value(field, 0)
                        line = line (f > 1 ? ", " : "") text
                    }
                    print line
                }
                exit 0
            }
            if (mode == "query") {
                look(0)
                for (f = 1; f <= fields; f++) {
                    value(wanted[f], 0)
                    if (failed) {
                        print "Field \"" wanted[f] "\" is not a valid field to query.\n"
                        exit 2
                    }
                }
                header()
                for (i = 0; i < count; i++) {
                    if (only != "" && only != i) continue
                    look(i)
                    line = ""
                    for (f = 1; f <= fields; f++) {
                        text = value(wanted[f], i)
                        line = line (f > 1 ? ", " : "") text (plain ? "" : unit)
                    }
                    print line
                }
                exit 0
            }
            wide = "-----------------------------------------------------------------------------------------"
            cells = "-----------------------------------------+------------------------+----------------------"
            print clock
            rule(wide)
            printf "| NVIDIA-SMI %-18s     Driver Version: %-15s CUDA Version: %-7s |\n", driver, driver, cuda
            rule(cells)
            print "| GPU  Name                 Persistence-M | Bus-Id          Disp.A | Volatile Uncorr. ECC |"
            print "| Fan  Temp   Perf          Pwr:Usage/Cap |           Memory-Usage | GPU-Util  Compute M. |"
            print "|=========================================+========================+======================|"
            for (i = 0; i < count; i++) {
                if (only != "" && only != i) continue
                look(i)
                printf "| %3d  %-28s   On  |   %s Off |                  Off |\n", i, substr(name, 1, 28), value("pci.bus_id", i)
                printf "| %2d%%  %3dC    %s          %4dW / %4dW |   %6dMiB / %6dMiB | %6d%%      Default |\n", \
                    value("fan.speed", i), heat + 0.5, value("pstate", i), watts, limit, used, memory, load + 0.5
                rule(cells)
            }
            print ""
            rule(wide)
            printf "| %-87s |\n", "Processes:"
            printf "| %-87s |\n", " GPU   GI   CI              PID   Type   Process name                        GPU Memory"
            rule("=========================================================================================")
            if (!working) printf "| %-87s |\n", " No running processes found"
            look(0)
            for (w = 1; w <= workers; w++) {
                split(worker[w], part, " ")
                printf "| %-87s |\n", sprintf("   0   N/A  N/A %16d      C   %-31.31s %10dMiB", part[1], part[2], used / workers)
            }
            rule(wide)
        }
        """#
}
