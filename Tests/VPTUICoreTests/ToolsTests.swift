import Foundation
import Testing
import VPEngine
import VPTUICore

/// Help, palette and history as tools: what one looks for is found, and nothing is cut.
@Suite struct ToolsTests {
    private static func rows(_ state: State) -> [String] {
        let buffer = view(state)
        return (0..<buffer.size.height).map { String(buffer.row($0).filter { $0.width > 0 }.map(\.text)) }
    }

    private static func opened(_ width: Int, _ height: Int, _ keys: [Key]) -> State {
        var state = Samples.fleet()
        _ = update(&state, .resized(Size(width: width, height: height)))
        for key in keys { press(&state, key) }
        return state
    }

    // MARK: Help

    @Test(arguments: [(200, 50), (120, 40), (80, 24), (61, 15)], Pane.allCases)
    func everyKeyCanBeReadWhole(_ size: (Int, Int), _ pane: Pane) {
        let focus = Key.character(Character(String(pane.rawValue)))
        var state = Self.opened(size.0, size.1, [focus, .character("?")])
        var text = ""
        var before: Overlay?
        while state.overlay != before {
            before = state.overlay
            text += Self.rows(state).joined(separator: "\n") + "\n"
            press(&state, .pageDown)
        }
        let words = Set(text.split { $0 == " " || $0 == "\n" || $0 == "│" }.map(String.init))
        for context in KeyMap.contexts(of: pane) {
            for binding in state.keyMap.bindings(in: context) {
                for word in binding.help.split(separator: " ") {
                    #expect(words.contains(String(word)), "\(word) of \(binding.help)")
                }
            }
        }
        #expect(!text.contains("…"))
    }

    @Test func aWideScreenHasTwoColumns() {
        let state = Self.opened(200, 50, [.character("?")])
        #expect(Self.rows(state).contains { $0.contains(" Instances  ") && $0.contains("  Lists ") })
    }

    @Test func typingFindsAKey() {
        var state = Self.opened(80, 24, [.character("?")])
        _ = type(&state, "ends by itself")
        var rows = Self.rows(state)
        #expect(rows.contains { $0.contains("e  sets when it ends by itself") })
        #expect(!rows.contains { $0.contains("moves down") })
        _ = type(&state, "zzz")
        rows = Self.rows(state)
        #expect(rows.contains { $0.contains("No key does that.") })
        // The first Esc shows all again, the second closes.
        press(&state, .escape)
        #expect(state.overlay == .help(HelpOverlay()))
        press(&state, .escape)
        #expect(state.overlay == nil)
        for key in [Key.character("?"), .enter] {
            press(&state, .character("?"), key)
            #expect(state.overlay == nil)
        }
    }

    // MARK: Palette

    private static func palette(_ text: String, _ change: (inout State) -> Void = { _ in }) -> [String] {
        var state = Samples.fleet()
        change(&state)
        var palette = Palette()
        palette.field = TextField(text)
        return palette.candidates(state).map(\.text)
    }

    @Test func itBeginsWithWhatFitsTheSelection() {
        #expect(
            Self.palette("").prefix(5) == [
                "sync 31415", "download 31415", "lease 31415", "stop 31415", "destroy-instance 31415",
            ])
        #expect(
            Self.palette("") { press(&$0, .character("3"), .character("G")) }.prefix(3) == [
                "logs eval-2", "metrics eval-2", "rerun eval-2",
            ])
        let parked = Self.palette("") {
            _ = update(&$0, .answered(.instancesLoaded(Samples.answers([Samples.parked]))))
        }
        #expect(parked.prefix(2) == ["start 27182", "destroy-instance 27182"])
        // Enter on an empty line does none of it.
        var state = Samples.fleet()
        let before = state.actions
        press(&state, .character(":"), .enter)
        #expect(state.actions == before && state.overlay == .palette(Palette()))
    }

    @Test func itCompletesWhatOptionsTake() {
        #expect(Self.palette("offers --gpu-type 4090").first == "offers --gpu-type 'RTX 4090'")
        #expect(Self.palette("ls --platform ") == ["ls --platform vast", "ls --platform runpod"])
        #expect(Self.palette("logs -i 3141").first == "logs -i 31415")
        #expect(Self.palette("create --image ").contains { $0.contains("pytorch/pytorch") })
    }

    @Test func itCompletesPaths() {
        var state = Samples.fleet()
        press(&state, .character(":"))
        var effects = type(&state, "diff src/")
        #expect(
            effects == [.ask(.loadVerbs)] + [.ask(.listFolder("src/"))]
                || effects == [.ask(.listFolder("src/"))])
        let listing = Palette.Listing(
            folder: "src/", names: [".hidden", "data/", "train.py", "trash my.txt"])
        _ = update(&state, .answered(.folderListed(listing)))
        func candidates() -> [String] {
            guard case .palette(let palette) = state.overlay else { return [] }
            return palette.candidates(state).map(\.text)
        }
        #expect(candidates() == ["diff src/data/", "diff src/train.py", "diff 'src/trash my.txt'"])
        // Asked once for a folder, however much is typed of a name.
        effects = type(&state, "tr")
        #expect(effects.isEmpty)
        #expect(candidates() == ["diff src/train.py", "diff 'src/trash my.txt'"])
        press(&state, .control("u"))
        _ = type(&state, "diff src/d")
        _ = update(&state, .answered(.folderListed(listing)))
        // Into a folder one goes on typing, and its names are asked for.
        #expect(press(&state, .tab) == [.ask(.listFolder("src/data/"))])
        // An answer about another folder shows nothing.
        _ = update(&state, .answered(.folderListed(listing)))
        #expect(candidates().isEmpty)
    }

    // MARK: History

    private static func history() -> State {
        var state = Samples.fleet()
        let path = "/api/v0/bundles/?q=%7B%22gpu_name%22%3A%22RTX%204090%22%7D"
        for number in 0..<20 {
            let call = APICallRecord(
                platform: .vast, method: "GET", path: path, status: 200, startedAt: Samples.now,
                duration: 0.1 + Double(number))
            _ = update(&state, .called(call))
        }
        _ = update(
            &state, .engine(.queued(ActionID(Samples.session), .sync(Samples.trainer.id)), at: Samples.now))
        press(&state, .character("@"))
        return state
    }

    @Test func whatWasDoneHereComesFirst() {
        var state = Self.history()
        #expect(Self.rows(state).contains { $0.contains("vp sync 31415") })
        #expect(!Self.rows(state).contains { $0.contains("bundles") })
        press(&state, .character("p"))
        #expect(Self.rows(state).contains { $0.contains(#"GET /api/v0/bundles/?q={"gpu_name":"RTX 4090"}"#) })
        press(&state, .character("p"))
        #expect(!Self.rows(state).contains { $0.contains("bundles") })
    }

    @Test func theHistoryIsFiltered() {
        var state = Self.history()
        press(&state, .character("p"), .character("/"))
        _ = type(&state, "sync")
        #expect(!Self.rows(state).contains { $0.contains("bundles") })
        #expect(press(&state, .enter, .character("y")) == [.terminal(.copy("vp sync 31415"))])
        press(&state, .escape)
        #expect(Self.rows(state).contains { $0.contains("bundles") })
        press(&state, .escape)
        #expect(state.overlay == nil)
    }

    // MARK: Hints

    private static func hints(_ state: State) -> String { Self.rows(state).last ?? "" }

    @Test func theHintBarHoldsOnlyWhatWorks() {
        var state = Self.opened(200, 50, [.character("4")])
        #expect(Self.hints(state).contains("f follow") && Self.hints(state).contains("[ previous job"))
        press(&state, .character("m"))
        #expect(!Self.hints(state).contains("follow") && !Self.hints(state).contains("/ search"))
        press(&state, .escape, .character("/"))
        answer(&state, type(&state, "loss") + press(&state, .enter), MemoryLog(Samples.log))
        #expect(Self.hints(state).contains("n next hit") && Self.hints(state).contains("Esc end search"))
        state = Self.opened(200, 50, [.character("g"), .character(" "), .character(" ")])
        #expect(Self.hints(state).contains("S sync 2") && Self.hints(state).contains("u unmark"))
        state = Samples.empty()
        _ = update(&state, .answered(.instancesLoaded(Samples.answers([]))))
        state.focus = .instances
        #expect(Self.hints(state).contains("c create") && !Self.hints(state).contains("sync"))
    }

    @Test(arguments: [200, 120, 80, 61]) func whatIsLeftOutIsMarked(_ width: Int) {
        let state = Self.opened(width, 40, [])
        let line = Self.hints(state)
        #expect(line.contains("? help") && line.contains("q quit"))
        #expect(line.contains("…") == !line.contains("F files"), "\(line)")
    }

    // MARK: Mouse

    @Test func theFormTakesClicks() throws {
        var state = Self.opened(120, 40, [.character("c")])
        func click(_ words: String) throws -> [Effect] {
            let rows = Self.rows(state)
            let y = try #require(rows.lastIndex { $0.contains(words) })
            let column = try #require(rows[y].range(of: words)).lowerBound
            let x = rows[y].distance(from: rows[y].startIndex, to: column)
            return update(
                &state,
                .mouse(MouseEvent(.press, at: Point(x: x, y: y)), at: Samples.now.addingTimeInterval(2)))
        }
        func form() -> LaunchForm? { if case .form(let form) = state.overlay { form } else { nil } }
        _ = try click("disk GB")
        #expect(form()?.focused == .disk)
        _ = try click("platform")
        #expect(form()?.focused == .platform && form()?.platform == nil)
        _ = try click("platform")
        #expect(form()?.platform == .vast)
        // One click goes to the button, another presses it.
        _ = try click("Rent it")
        #expect(form()?.focused == .rent && state.actions.isEmpty)
        _ = try click("Rent it")
        #expect(state.overlay == nil && state.actions.count == 1)
    }

    @Test func aBoxOfRowsTakesClicks() throws {
        var state = Self.history()
        press(&state, .character("p"))
        let y = try #require(Self.rows(state).firstIndex { $0.contains("vp sync") })
        let below = MouseEvent(.press, at: Point(x: 20, y: y + 1))
        _ = update(&state, .mouse(below, at: Samples.now))
        guard case .list(let list) = state.overlay else {
            Issue.record("closed")
            return
        }
        #expect(list.selected == 1)
    }

    // MARK: Log

    private static func lines(_ text: String) -> [String] {
        var buffer = LogBuffer()
        buffer.append(Array(text.utf8))
        return (buffer.firstNumber..<buffer.endNumber).map { buffer.line($0).text }
    }

    @Test func aFullBarIsFoldedOnceItIsOver() {
        let rest = "| 250/250 [00:01<00:00, 445it/s]"
        let bar = "Epoch 1: 100%|██████████" + rest
        #expect(Self.lines(bar + "\n") == ["Epoch 1: 100% 250/250 [00:01<00:00, 445it/s]"])
        #expect(
            Self.lines("  0%|          |\r" + bar + "\n").first
                == "Epoch 1: 100% 250/250 [00:01<00:00, 445it/s]")
        #expect(Self.lines("100%|##########" + rest + "\n").first == "100% 250/250 [00:01<00:00, 445it/s]")
        // One that lives, one that was cut off and what only looks like one stay as they are.
        for text in [bar, " 64%|██████▍   | 640/1000", "100%|words| 1", "100%", "100%||", "100%|██"] {
            #expect(Self.lines(text) == [text])
            if text != bar { #expect(Self.lines(text + "\n") == [text]) }
        }
    }

    @Test func coloursBesideAFoldedBarStay() {
        var buffer = LogBuffer()
        buffer.append(Array("\u{1B}[32mdone\u{1B}[0m 100%|████| 4/4 \u{1B}[31mred\u{1B}[0m\n".utf8))
        let line = buffer.line(buffer.firstNumber)
        #expect(line.text == "done 100% 4/4 red")
        let red = line.runs.first { $0.style.role == .red }
        #expect(red?.start == "done 100% 4/4 ".utf8.count)
    }

    @Test(arguments: [
        ("|\u{8}/\u{8}-\n", "-"), ("ab\u{8}\u{8}\u{8}c\n", "c"), ("日\u{8}本\n", "本"), ("a\u{8}\n", ""),
        ("12\r\u{8}3\n", "3"),
    ]) func aBackspaceTakesBack(_ text: String, _ wanted: String) {
        #expect(Self.lines(text) == [wanted])
    }

    @Test func aLogThatHasEndedSaysSo() {
        var state = Self.opened(200, 50, [])
        #expect(Self.rows(state).contains { $0.contains(" following ") })
        _ = update(&state, .engine(.jobChanged(Samples.job("train-7", .succeeded)), at: Samples.now))
        #expect(Self.rows(state).contains { $0.contains(" ended ✓ ") })
        _ = update(&state, .engine(.jobChanged(Samples.job("train-7", .failed)), at: Samples.now))
        #expect(Self.rows(state).contains { $0.contains(" ended ✗ ") })
        // A line begins beside the border, not on it.
        #expect(Self.rows(state).contains { $0.contains("│ Loading 50 000 samples") })
    }
}
