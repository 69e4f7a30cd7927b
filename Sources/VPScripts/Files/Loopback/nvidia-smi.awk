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
    # A heat sink loses half of a difference in some twenty seconds.
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
