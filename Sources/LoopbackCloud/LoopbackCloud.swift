import Foundation
import Glibc
import Synchronization
import VPScripts

/// An emulator of the rental platforms' HTTP APIs on random 127.0.0.1 ports, where every rented instance is a
/// real sshd in a sandbox of its own.
///
/// Nothing outlives it: `stop()` ends every process and removes every folder it made, and so does the end of
/// this process in any way, `kill -9` included.
public final class LoopbackCloud: Sendable {
    public struct Options: Hashable, Sendable {
        /// A seed; the same one gives the same catalogue, boot times and telemetry.
        public var seed: UInt64
        /// The factor by which boot stages are faster than real ones; 1 takes tens of seconds, 20 about one.
        /// The platform's rate limits shrink with it. Money is counted in real time.
        public var speed: Double
        /// The initial balance of the account, in dollars.
        public var balance: Double
        /// `true` to answer calls that follow each other too closely with 429, as the platform does.
        public var enforcesRateLimits: Bool
        /// `true` to run instances in bubblewrap sandboxes where that works. Otherwise each is a plain sshd
        /// whose sessions see the whole file system and begin in a home below the cloud's folder.
        public var usesSandboxes: Bool

        public init(
            seed: UInt64 = 1, speed: Double = 20, balance: Double = 25, enforcesRateLimits: Bool = true,
            usesSandboxes: Bool = true
        ) {
            self.seed = seed
            self.speed = speed
            self.balance = balance
            self.enforcesRateLimits = enforcesRateLimits
            self.usesSandboxes = usesSandboxes
        }
    }

    public enum StartError: Error, Hashable, CustomStringConvertible {
        case missingProgram(String)
        case hostKeyFailed, noFolder, noPort

        public var description: String {
            switch self {
            case .missingProgram(let name):
                "The loopback cloud needs \(name), which is not installed. On Debian: apt-get install openssh-server bubblewrap"
            case .hostKeyFailed: "ssh-keygen could not make a key for the loopback cloud."
            case .noFolder: "No folder could be made for the loopback cloud."
            case .noPort: "The loopback cloud found no port to listen on."
            }
        }
    }

    /// `http://127.0.0.1:PORT`, the value for `VAST_URL`.
    public let vastURL: URL
    public let vastAPIKey: String
    /// `http://127.0.0.1:PORT/v2`, the value for `RUNPOD_REST_V2_URL`.
    public let runPodURL: URL
    /// `http://127.0.0.1:PORT/graphql`, the value for `RUNPOD_GRAPHQL_URL`.
    public let runPodGraphQLURL: URL
    public let runPodAPIKey: String
    /// A private ssh key created for this cloud; its public half is already on the account.
    public let identityFile: String
    /// The folder of everything that the cloud writes; it is removed at the end.
    public let folder: String
    /// `false` if bubblewrap is missing or forbidden, or if sandboxes were not requested.
    public let isSandboxed: Bool
    /// The working directory to use for jobs: absolute in a sandbox, below the home without one.
    public var workspace: String { self.isSandboxed ? "/workspace" : "workspace" }
    /// The user for ssh logins. A plain sshd that is not root admits only its own user.
    public let user: String

    private let speed: Double
    private let fleet: Fleet
    private let listeners: [HTTPListener]
    private let guardian: Guardian
    private let isStopped = Mutex(false)
    private let interceptor: Interceptor
    private let lead: ClockLead

    /// The environment in which `vp`, `vp-tui` and the official clients use this cloud and nothing of the
    /// user's own: API addresses and keys, the ssh identity, XDG folders below the cloud's own folder.
    public var environment: [String: String] {
        var environment = [
            "VAST_URL": self.vastURL.absoluteString,
            "VAST_API_KEY": self.vastAPIKey,
            "RUNPOD_API_KEY": self.runPodAPIKey,
            "RUNPOD_REST_V2_URL": self.runPodURL.absoluteString,
            "RUNPOD_GRAPHQL_URL": self.runPodGraphQLURL.absoluteString,
            // The base URL to which the Python SDK appends `/graphql`, and the base that runpodctl expects
            // for version 1: without it, runpodctl would ask the real platform.
            "RUNPOD_API_BASE_URL": self.runPodBase,
            "RUNPOD_API_URL": self.runPodBase + "/v1",
            "VP_SSH_IDENTITY": self.identityFile,
            "XDG_CONFIG_HOME": self.folder + "/config",
            "XDG_STATE_HOME": self.folder + "/state",
            "XDG_CACHE_HOME": self.folder + "/cache",
            "VASTAI_NO_UPDATE_CHECK": "1",
            // Boots and limits are faster by this factor, so pauses between questions may be as well.
            "VP_TIME_SCALE": String(1 / self.speed),
        ]
        // The platforms provide a folder at the root and a login as root, which a plain sshd cannot.
        if !self.isSandboxed { environment["VP_WORKSPACE"] = self.workspace }
        if self.user != "root" { environment["VP_SSH_USER"] = self.user }
        return environment
    }

    private init(
        vastURL: URL, vastAPIKey: String, runPodURL: URL, runPodAPIKey: String, identityFile: String,
        folder: String, isSandboxed: Bool, speed: Double, fleet: Fleet, listeners: [HTTPListener],
        guardian: Guardian, interceptor: Interceptor, lead: ClockLead
    ) {
        self.interceptor = interceptor
        self.lead = lead
        self.speed = speed
        self.vastURL = vastURL
        self.vastAPIKey = vastAPIKey
        self.runPodURL = runPodURL.appendingPathComponent("v2")
        self.runPodGraphQLURL = runPodURL.appendingPathComponent("graphql")
        self.runPodAPIKey = runPodAPIKey
        self.identityFile = identityFile
        self.folder = folder
        self.isSandboxed = isSandboxed
        self.user = Self.user(isSandboxed: isSandboxed)
        self.fleet = fleet
        self.listeners = listeners
        self.guardian = guardian
    }

    /// Starts the cloud. It writes only below a new folder in `parent` (the temporary folder if nil).
    public static func start(in parent: String? = nil, options: Options = Options()) async throws
        -> LoopbackCloud
    {
        let programs = try await HostPrograms.find(useSandboxes: options.usesSandboxes)
        let folder = try Self.makeFolder(in: parent ?? NSTemporaryDirectory())
        // From here on the folder is removed in any case.
        let guardian = try Guardian(script: ScriptFile.guardFolder.text, arguments: [folder])
        do {
            for name in ["config", "state", "cache", "keys", "instances"] {
                try FileManager.default.createDirectory(
                    atPath: "\(folder)/\(name)", withIntermediateDirectories: false,
                    attributes: [.posixPermissions: 0o700])
            }
            let identity = folder + "/keys/id_ed25519"
            let status = try await ChildProcess.run([
                programs.sshKeygen, "-q", "-t", "ed25519", "-N", "", "-C", "loopback-cloud", "-f", identity,
            ])
            guard status == 0 else { throw StartError.hostKeyFailed }
            let publicKey = try String(contentsOfFile: identity + ".pub", encoding: .utf8)

            let lead = ClockLead()
            let interceptor = Interceptor()
            let fleet = Fleet(options: options, folder: folder, programs: programs, clock: { lead.now })
            let key = publicKey.trimmingCharacters(in: .whitespacesAndNewlines)
            _ = await fleet.addAccountKey(key)
            await fleet.setPodKeys([key])
            let apiKey = Self.makeKey()
            let runPodKey = "rpa_" + Self.makeKey().uppercased()
            let speed = max(0.01, options.speed)
            let api = VastAPI(
                fleet: fleet, apiKey: apiKey,
                limiter: options.enforcesRateLimits ? RateLimiter(speed: options.speed) : nil)
            let runPodAPI = RunPodAPI(
                fleet: fleet, apiKey: runPodKey, user: Self.user(isSandboxed: programs.bubblewrap != nil),
                limiter: options.enforcesRateLimits ? RunPodLimiter(speed: speed) : nil)
            let listener = try await HTTPListener {
                await interceptor.answer($0, on: .vast) { await api.answer($0) }
            }
            let runPodListener = try await HTTPListener {
                await interceptor.answer($0, on: .runPod) { await runPodAPI.answer($0) }
            }
            guard let url = URL(string: "http://127.0.0.1:\(listener.port)"),
                let runPodURL = URL(string: "http://127.0.0.1:\(runPodListener.port)")
            else { throw StartError.noPort }
            return LoopbackCloud(
                vastURL: url, vastAPIKey: apiKey, runPodURL: runPodURL, runPodAPIKey: runPodKey,
                identityFile: identity, folder: folder, isSandboxed: programs.bubblewrap != nil, speed: speed,
                fleet: fleet, listeners: [listener, runPodListener], guardian: guardian,
                interceptor: interceptor, lead: lead)
        } catch {
            await guardian.release()
            throw error
        }
    }

    /// Ends every instance and process and removes the folder. A second call has no effect.
    public func stop() async {
        let wasStopped = self.isStopped.withLock { isStopped in
            defer { isStopped = true }
            return isStopped
        }
        guard !wasStopped else { return }
        await self.fleet.close()
        for listener in self.listeners { await listener.stop() }
        await self.guardian.release()
    }

    /// Applies `fault`: to running instances now, or to the next matching event.
    public func inject(_ fault: Fault) async { await self.fleet.inject(fault) }

    /// Calls `hook` with every request from now on, and follows its decision; nil removes it.
    public func intercept(_ hook: (@Sendable (SeenRequest) async -> Interception)?) {
        self.interceptor.set(hook)
    }

    /// Advances the clock by `seconds`, for money and dates.
    public func advance(by seconds: Double) async {
        // The use so far is paid at the prices of its time.
        await self.fleet.charge()
        self.lead.advance(by: seconds)
        await self.fleet.watchCredit()
    }

    /// Advances the clock without booking anything at that moment.
    func advanceUnseen(by seconds: Double) { self.lead.advance(by: seconds) }

    /// The cloud's own time.
    public var now: Date { Date(timeIntervalSince1970: self.lead.now) }

    /// The charges for each instance, including those that are gone, keyed by the id in the bills.
    public func accounts(_ platform: Market = .vast) async -> [String: Double] {
        await self.fleet.bookEntries(of: platform).reduce(into: [:]) { $0[$1.id, default: 0] += $1.total }
    }

    /// Adds a disk of `size` GB to the account and returns its id; on vast.ai `user` is the instance that
    /// uses it.
    public func addVolume(
        name: String, size: Int, usedBy user: String? = nil, on platform: Market
    ) async -> String {
        switch platform {
        case .vast: await self.fleet.addLocalVolume(name: name, size: size, usedBy: user)
        case .runPod:
            await self.fleet.addVolume(name: name, size: size, dataCenter: "EU-RO-1", isFast: false).id
        }
    }

    /// The number of instances, running or not.
    public var instanceCount: Int { get async { await self.fleet.rentals.count } }

    /// The number of offers on the market, including taken ones.
    public var offerCount: Int { self.fleet.catalogue.offers.count }

    /// The processes of all instances, with the ids that they have on this machine.
    public var processIDs: [Int32] { get async { await self.fleet.processIDs() } }

    /// The dollars left on the vast.ai account after everything up to now has been paid.
    public var credit: Double { get async { await self.fleet.currentCredit() } }

    /// The dollars left on the RunPod account.
    public var runPodCredit: Double { get async { await self.fleet.currentCredit(.runPod) } }

    /// `http://127.0.0.1:PORT`.
    private var runPodBase: String { String(self.runPodURL.absoluteString.dropLast("/v2".count)) }

    private static func user(isSandboxed: Bool) -> String {
        isSandboxed || geteuid() == 0 ? "root" : NSUserName()
    }

    private static func makeKey() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<4).map { _ in
            let word = String(generator.next(), radix: 16)
            return String(repeating: "0", count: 16 - word.count) + word
        }.joined()
    }

    private static func makeFolder(in parent: String) throws(StartError) -> String {
        var template = Array("\(parent)/vp-cloud-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw .noFolder }
        // Links are resolved, so that the printed path is the one that others see.
        guard let real = realpath(made, nil) else { throw .noFolder }
        defer { free(real) }
        return String(cString: real)
    }
}

/// The time by which the cloud's clock is ahead of the real one.
final class ClockLead: Sendable {
    private let seconds = Mutex(0.0)

    var now: Double { Date().timeIntervalSince1970 + self.seconds.withLock { $0 } }

    func advance(by seconds: Double) { self.seconds.withLock { $0 += seconds } }
}
