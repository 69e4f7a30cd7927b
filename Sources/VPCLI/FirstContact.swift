import ArgumentParser
import Foundation
import VPEngine

/// The guided set-up that `vp` without arguments offers on a terminal while no API key is set up.
///
/// A step writes only after its own answer. Ctrl-C or the end of input at any question leaves everything else
/// as it was, and the last line says what was written until then.
struct FirstContact {
    private enum Choice { case setUp, demo, help }

    /// The end of input, or no usable answer.
    private struct Left: Error {}

    /// How often a question is asked that got no usable answer.
    private static let tries = 3

    private var session: Session
    private let interruption = ActionRunner.Interruption()
    /// What was written so far, as phrases for the last line.
    private var written: [String] = []

    init(session: Session) { self.session = session }

    /// Whether somebody is there to be asked who has no key yet.
    static func isOffered(_ session: Session) -> Bool {
        session.terminal.canAsk && session.terminal.outputIsTTY && session.configuration.endpoints.isEmpty
    }

    mutating func run() async throws {
        Terminal.print(
            """
            vp rents GPUs on vast.ai and RunPod, uploads this folder, runs a command and downloads the results.
            No API key is set up yet.

              1  Set up your account and this folder: about two minutes, nothing is rented
              2  See the demo: a cloud inside this machine, no account, no cost
              3  Show the help

            """)
        let signals = self.interruption.watch()
        let choice: Choice
        do {
            choice = try self.choose()
            if choice == .setUp { try await self.setUp() }
        } catch {
            signals.end()
            throw self.leaving(error)
        }
        signals.end()
        switch choice {
        case .setUp: break
        case .demo:
            try await DemoCommand.parse([]).run()
        case .help: Terminal.print(VP.helpMessage())
        }
    }

    // MARK: Steps

    private mutating func setUp() async throws {
        let platform = try self.choosePlatform()
        let key = try await self.askKey(of: platform)
        let file = self.session.configuration.paths.userConfigurationFile
        try ConfigurationEditor.apply(
            [("platforms.\(platform.rawValue).api_key", key)], to: file, mode: 0o600)
        self.written.append("the \(platform.displayName) key in \(file)")
        Terminal.print("Stored the key in \(file), which only you can read.")

        let (engine, findings) = try await self.repair()
        try self.setUpProject()
        Terminal.print("")
        for line in DoctorCommand.lines(findings, terminal: self.session.terminal) { Terminal.print(line) }
        try await self.showPrice(engine, platform)
    }

    private func choose() throws -> Choice {
        try self.answer("Choose 1, 2 or 3 [1]: ") { answer in
            switch answer {
            case "", "1": .setUp
            case "2", "demo": .demo
            case "3", "help": .help
            default: nil
            }
        }
    }

    private func choosePlatform() throws -> VPEngine.Platform {
        try self.answer("On which platform is your account? 1 vast.ai, 2 RunPod [1]: ") { answer in
            switch answer {
            case "", "1", "vast", "vast.ai": .vast
            case "2", "runpod": .runpod
            default: nil
            }
        }
    }

    /// A key that the platform has accepted, or that the user wants stored although nobody could be asked.
    private func askKey(of platform: VPEngine.Platform) async throws -> String {
        let page =
            switch platform {
            case .vast: "https://cloud.vast.ai/manage-keys/"
            case .runpod: "https://console.runpod.io/user/settings"
            }
        Terminal.print("Create an API key at \(page) and paste it here; it is not shown.")
        for _ in 0..<Self.tries {
            let typed = try Prompt.secret("\(platform.displayName) key", terminal: self.session.terminal)
            guard !typed.isEmpty else { throw Left() }
            do {
                let key = try ConfigSetCommand.checked(typed, platform)
                if try await self.isUsable(key, platform) { return key }
            } catch let error as EngineError {
                Report.show(error, asJSON: false, terminal: self.session.terminal)
            } catch let error as CommandFailure {
                Report.show(error, asJSON: false, terminal: self.session.terminal)
            }
        }
        throw Left()
    }

    /// `true` if the platform accepts `key`, or cannot be asked and the user wants the key stored all the
    /// same. Throws if the platform refuses it.
    private func isUsable(_ key: String, _ platform: VPEngine.Platform) async throws -> Bool {
        do {
            try await self.check(key, platform)
            Terminal.print("\(platform.displayName) accepts the key.")
            return true
        } catch let error as EngineError where Self.unanswered.contains(error.code) {
            Report.show(error, asJSON: false, terminal: self.session.terminal)
            return try self.agrees("Store the key unchecked?", usually: false)
        }
    }

    /// Failures that say nothing about the key.
    private static let unanswered: Set<EngineError.Code> = [
        .insecureConnection, .networkDown, .platformFailed, .rateLimited, .timedOut,
    ]

    /// Throws unless the platform lets `key` list the account's instances. Writes nothing.
    private func check(_ key: String, _ platform: VPEngine.Platform) async throws {
        var environment = self.session.environment
        environment["\(platform.rawValue.uppercased())_API_KEY"] = key
        let configuration = try Session(environment: environment, directory: self.session.directory)
            .configuration
        guard let endpoint = configuration.endpoints.first(where: { $0.platform == platform }) else {
            throw EngineError(.missingKey, .init("looking for an API key", platform: platform))
        }
        let client = PlatformClients.client(for: endpoint, timeScale: configuration.timeScale)
        _ = try await self.interruption.orEnd { try await client.listing() }
    }

    /// Looks at everything that a run needs, and repairs what the user agrees to.
    private mutating func repair() async throws -> (Engine, [Diagnosis]) {
        var asked: Set<Diagnosis.Remedy> = []
        while true {
            self.session = try Session(
                environment: self.session.environment, directory: self.session.directory)
            let engine = try self.session.engine(history: .wanted)
            let findings = try await self.interruption.orEnd { await engine.diagnose() }
            try self.stopIfInterrupted()
            let open = findings.compactMap(\.remedy).filter { !asked.contains($0) }
            guard let remedy = open.first else { return (engine, findings) }
            asked.insert(remedy)
            guard try self.agrees(Self.question(remedy), usually: true) else { continue }
            let words = try await self.interruption.orEnd { try await engine.apply(remedy) }
            self.written.append(words)
            Terminal.print(Terminal.printable(words) + ".")
        }
    }

    private static func question(_ remedy: Diagnosis.Remedy) -> String {
        switch remedy {
        case .makeKey(let path): "No ssh key was found. Create one in \(path), without a passphrase?"
        case .addKey(let platform):
            "Your \(platform.displayName) account does not have your ssh key. Add it?"
        case .tighten(let path, _): "Others can read \(path). Make it private?"
        }
    }

    private mutating func setUpProject() throws {
        let folder = self.session.directory
        if let file = self.session.configuration.projectConfigurationFile {
            Terminal.print("This folder belongs to the project of \(file).")
            return
        }
        guard folder != "/", folder != self.session.environment["HOME"] else {
            Terminal.print(
                "A home folder cannot be a project: run `vp --init` in the folder that you want to sync.")
            return
        }
        guard try self.agrees("Set up \(Terminal.printable(folder)) as a project?", usually: true) else {
            return
        }
        try InitCommand.parse([]).writeProject(self.session, asks: false)
        self.written.append("the project's settings in \(ProjectFolder.configurationFile(in: folder))")
    }

    private func showPrice(_ engine: Engine, _ platform: VPEngine.Platform) async throws {
        let query = try HardwareOptions.parse([]).query(self.session.configuration.defaults)
        let answers = try? await self.interruption.orEnd {
            try await engine.recentOffers(query, platform: platform, maximumAge: 300)
        }
        try self.stopIfInterrupted()
        Terminal.print("")
        if let offer = answers?.values.first {
            Terminal.print(Terminal.printable(Self.priceLine(offer, query)))
        }
        Terminal.print(
            """
            Nothing is rented yet. This command rents, uploads, runs, downloads the results and destroys:
              vp run --create --destroy -- python train.py
            `vp offers` lists the GPUs for rent; `vp-tui` opens the dashboard; `vp --help` lists all commands.
            """)
    }

    /// `The cheapest offer now: RTX 3060 (12 GB) on vast.ai, $0.062/h. A first hour costs $0.07.`
    static func priceLine(_ offer: Offer, _ query: OfferQuery) -> String {
        let memory = " (\(Units.gpuMemory(offer.gpuMemoryBytes, of: offer.gpuName)))"
        return "The cheapest offer now: \(offer.gpuName)\(memory) on \(offer.id.platform.displayName), "
            + "\(Units.hourly(offer.price.dollarsPerHour)). A first hour with \(Units.bytes(query.diskBytes)) of disk "
            + "costs \(Units.dollars(offer.dollars(for: JobEstimate(hours: 1))))."
    }

    // MARK: Questions

    /// Asks until `read` understands the answer, a few times.
    private func answer<Value>(_ question: String, _ read: (String) -> Value?) throws -> Value {
        for _ in 0..<Self.tries {
            guard let line = Prompt(terminal: self.session.terminal).line(question) else { break }
            if let value = read(line.lowercased()) { return value }
            Terminal.note("vp: \(Terminal.printable(line)) is not one of the choices.")
        }
        try self.stopIfInterrupted()
        throw Left()
    }

    private func agrees(_ question: String, usually fallback: Bool) throws -> Bool {
        try self.answer("\(question) \(fallback ? "[Y/n]" : "[y/N]"): ") { answer in
            switch answer {
            case "": fallback
            case "y", "yes": true
            case "n", "no": false
            default: nil
            }
        }
    }

    private func stopIfInterrupted() throws {
        if self.interruption.signal != nil { throw ExitStatus(status: self.interruption.exitStatus) }
    }

    /// Says what was written, and returns what to end with.
    private func leaving(_ error: any Error) -> any Error {
        Terminal.note(
            self.written.isEmpty
                ? "vp: nothing was written."
                : "vp: the set-up is not complete. Written so far: \(self.written.joined(separator: "; ")).")
        if self.written.isEmpty {
            Terminal.note("    `vp` starts the set-up again; `vp demo` needs no account.")
        } else {
            Terminal.note("    `vp doctor` shows what is missing; `vp --init` sets up a project.")
        }
        return error is Left ? ExitStatus(status: Status.interrupted) : error
    }
}
