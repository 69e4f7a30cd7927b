/// The text of a program that runs elsewhere, or of a file that is written elsewhere. Each one is a file in
/// `Files`, so that the tools of its language check it (`scripts/shell.sh`), and is embedded in the binary,
/// which needs no files beside it.
///
/// A line `. ./alive.sh` in a shell script is replaced by the text of that file. The comment at the top of a
/// file is for its readers, and so are a shell script's indentation and empty lines: they are all removed.
/// Therefore no quoted text in a script may contain an indented line.
public struct ScriptFile: Sendable {
    /// The text, which ends with a line feed.
    public let text: String

    init(_ bytes: [UInt8]) { self.text = String(decoding: bytes, as: UTF8.self) }

    init(shell bytes: [UInt8]) { self.init(Self.assembled(bytes)) }

    init(perl bytes: [UInt8]) {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        self.init(Array(lines.drop { $0.first == UInt8(ascii: "#") }.joined(separator: [UInt8(ascii: "\n")])))
    }

    private static func assembled(_ bytes: [UInt8]) -> [UInt8] {
        let include = Array(". ./".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count)
        var isHeader = true
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            let words = line.drop { $0 == UInt8(ascii: " ") }
            if isHeader, words.first == UInt8(ascii: "#") { continue }
            isHeader = false
            if words.isEmpty { continue }
            if words.starts(with: include) {
                text += Self.assembled(
                    Self.part(String(decoding: words.dropFirst(include.count), as: UTF8.self)))
            } else {
                text += words
                text.append(UInt8(ascii: "\n"))
            }
        }
        return text
    }

    /// The text of a file that other scripts include.
    private static func part(_ name: String) -> [UInt8] {
        switch name {
        case "alive.sh": PackageResources.alive_sh
        case "changed.sh": PackageResources.changed_sh
        case "children.sh": PackageResources.children_sh
        case "find-files.sh": PackageResources.find_files_sh
        case "job-open.sh": PackageResources.job_open_sh
        case "job-report.sh": PackageResources.job_report_sh
        case "lease.sh": PackageResources.lease_sh
        case "plain-waiter.sh": PackageResources.plain_waiter_sh
        case "platform-orders.sh": PackageResources.platform_orders_sh
        case "processes.sh": PackageResources.processes_sh
        case "read-first.sh": PackageResources.read_first_sh
        case "since.sh": PackageResources.since_sh
        case "sshd.sh": PackageResources.sshd_sh
        default: fatalError("no script includes \(name)")
        }
    }
}

/// Scripts that run on instances.
extension ScriptFile {
    public static let archive = ScriptFile(shell: PackageResources.archive_sh)
    public static let behindLinks = ScriptFile(shell: PackageResources.behind_links_sh)
    public static let behindLinksSize = ScriptFile(shell: PackageResources.behind_links_size_sh)
    public static let bootGuard = ScriptFile(shell: PackageResources.boot_guard_sh)
    public static let bootPrepare = ScriptFile(shell: PackageResources.boot_prepare_sh)
    public static let bundle = ScriptFile(shell: PackageResources.bundle_sh)
    public static let countGPUs = ScriptFile(shell: PackageResources.count_gpus_sh)
    public static let digestTree = ScriptFile(shell: PackageResources.digest_tree_sh)
    public static let jobCancel = ScriptFile(shell: PackageResources.job_cancel_sh)
    public static let jobCatchUp = ScriptFile(shell: PackageResources.job_catch_up_sh)
    public static let jobFollow = ScriptFile(shell: PackageResources.job_follow_sh)
    public static let jobLoader = ScriptFile(shell: PackageResources.job_loader_sh)
    public static let jobLook = ScriptFile(shell: PackageResources.job_look_sh)
    public static let jobReportStarted = ScriptFile(shell: PackageResources.job_report_started_sh)
    public static let jobStart = ScriptFile(shell: PackageResources.job_start_sh)
    public static let jobStartUp = ScriptFile(shell: PackageResources.job_start_up_sh)
    public static let jobWaiter = ScriptFile(perl: PackageResources.job_waiter_pl)
    public static let keepVariables = ScriptFile(shell: PackageResources.keep_variables_sh)
    public static let lastLook = ScriptFile(shell: PackageResources.last_look_sh)
    public static let lastLookLinks = ScriptFile(shell: PackageResources.last_look_links_sh)
    public static let lastLookRemade = ScriptFile(shell: PackageResources.last_look_remade_sh)
    public static let lastLookRepository = ScriptFile(shell: PackageResources.last_look_repository_sh)
    public static let leaseArm = ScriptFile(shell: PackageResources.lease_arm_sh)
    public static let leaseLook = ScriptFile(shell: PackageResources.lease_look_sh)
    public static let leaseOrder = ScriptFile(shell: PackageResources.lease_order_sh)
    public static let leaseOrderAfterJobs = ScriptFile(shell: PackageResources.lease_order_after_jobs_sh)
    public static let leaseRenew = ScriptFile(shell: PackageResources.lease_renew_sh)
    public static let leaseSafe = ScriptFile(shell: PackageResources.lease_safe_sh)
    public static let leaseWithdraw = ScriptFile(shell: PackageResources.lease_withdraw_sh)
    public static let liveJobs = ScriptFile(shell: PackageResources.live_jobs_sh)
    public static let load = ScriptFile(shell: PackageResources.load_sh)
    public static let place = ScriptFile(shell: PackageResources.place_sh)
    public static let platformCall = ScriptFile(PackageResources.platform_call_py)
    public static let platformOrders = ScriptFile(shell: PackageResources.platform_orders_sh)
    public static let printFile = ScriptFile(shell: PackageResources.print_file_sh)
    public static let moveBeside = ScriptFile(shell: PackageResources.move_beside_sh)
    public static let putAside = ScriptFile(shell: PackageResources.put_aside_sh)
    public static let restoreVariables = ScriptFile(shell: PackageResources.restore_variables_sh)
    public static let scan = ScriptFile(shell: PackageResources.scan_sh)
    public static let settle = ScriptFile(shell: PackageResources.settle_sh)
    public static let supervise = ScriptFile(shell: PackageResources.supervise_sh)
    public static let watchLoss = ScriptFile(shell: PackageResources.watch_loss_sh)
    public static let watchdog = ScriptFile(shell: PackageResources.watchdog_sh)
}

/// Scripts that run on this computer; `digest` runs on instances as well.
extension ScriptFile {
    public static let digest = ScriptFile(shell: PackageResources.digest_sh)
    public static let notify = ScriptFile(shell: PackageResources.notify_sh)
    public static let quietSSH = ScriptFile(shell: PackageResources.quiet_ssh_sh)
    public static let tarReceive = ScriptFile(shell: PackageResources.tar_receive_sh)
    public static let tarSend = ScriptFile(shell: PackageResources.tar_send_sh)
}

/// Scripts that run in the loopback cloud.
extension ScriptFile {
    public static let containerInit = ScriptFile(shell: PackageResources.container_init_sh)
    public static let containerStart = ScriptFile(shell: PackageResources.container_start_sh)
    public static let guardFolder = ScriptFile(shell: PackageResources.guard_folder_sh)
    public static let guardPlain = ScriptFile(shell: PackageResources.guard_plain_sh)
    public static let guardSandbox = ScriptFile(shell: PackageResources.guard_sandbox_sh)
    public static let login = ScriptFile(shell: PackageResources.login_sh)
    public static let nvidiaSMI = ScriptFile(shell: PackageResources.nvidia_smi_sh)
    public static let nvidiaSMIFigures = ScriptFile(PackageResources.nvidia_smi_awk)
    public static let podStart = ScriptFile(shell: PackageResources.pod_start_sh)
    public static let python = ScriptFile(shell: PackageResources.python_sh)
    public static let sshd = ScriptFile(shell: PackageResources.sshd_sh)
}

/// The sample project of the demo.
extension ScriptFile {
    public static let sampleConfiguration = ScriptFile(PackageResources.config_yaml)
    public static let sampleIgnoreRules = ScriptFile(PackageResources.ignore_rules)
    public static let sampleReadMe = ScriptFile(PackageResources.read_me_md)
    public static let sampleTraining = ScriptFile(PackageResources.train_py)
}
