import Foundation
import Testing
import VPEngine
import VPTUICore

/// Keys that nobody has given a meaning, and keys where nothing can be seen.
@Suite struct UnknownKeyTests {
    private static let spare: [Key] = [
        .alt("d"), .alt("D"), .alt("q"), .alt("y"), .function(5), .function(13),
    ]

    @Test func theyDoNothingWhateverIsOnScreen() {
        let openers: [[Key]] = [
            [], [.character("?")], [.character(":")], [.character("@")], [.character("a")], [.character("/")],
            [.character("r")], [.character("c")], [.character("D")], [.character("q")],
        ]
        for opener in openers {
            var state = Samples.overview()
            for key in opener { press(&state, key) }
            for key in Self.spare {
                let before = state
                let effects = press(&state, key)
                #expect(effects.withoutWatch.isEmpty, "\(key) after \(opener)")
                #expect(
                    state.overlay == before.overlay && state.focus == before.focus, "\(key) after \(opener)")
                #expect(state.pendingDestroys.isEmpty && state.actions == before.actions)
            }
        }
    }

    @Test func anAltKeyCanBeGivenAMeaning() throws {
        let map = try KeyMap.standard.applying(["everywhere": ["help": ["Alt-h"], "history": ["F13"]]])
        #expect(map.command(for: .alt("h"), focus: .instances) == .help)
        #expect(map.command(for: .function(13), focus: .jobs) == .history)
        #expect(Key(name: "Alt-H") == .alt("H") && Key.alt("H").name == "Alt-H")
        // With Alt, these are the start of what terminals send.
        for name in ["Alt-[", "Alt-O", "Alt-]", "Alt-P"] { #expect(Key(name: name) == nil, "\(name)") }
    }

    @Test func inAWindowThatIsTooSmallOnlyWhatItSaysWorks() throws {
        for opener in [[], [Key.character("D"), .tab], [.character(":")], [.character("c")]] {
            var state = Samples.overview()
            for key in opener { press(&state, key) }
            _ = update(&state, .resized(Size(width: 40, height: 10)))
            let overlay = state.overlay
            for key: Key in [
                .character("y"), .enter, .character("D"), .character("R"), .character("x"), .tab, .down,
                .escape,
            ] {
                #expect(press(&state, key) == [], "\(key) after \(opener)")
            }
            _ = update(&state, .pasted("D y", at: state.now))
            #expect(state.overlay == overlay && state.pendingDestroys.isEmpty && state.actions.isEmpty)
            #expect(press(&state, .control("z")) == [.terminal(.suspend)])
            #expect(press(&state, .character("q")) == [.terminal(.quit)])
            // All of it is there again with the room.
            _ = update(&state, .resized(Size(width: 120, height: 40)))
            #expect(state.overlay == overlay)
        }
    }

    @Test func aDestroyCanBeTakenBackInAWindowThatIsTooSmall() {
        var state = Samples.overview()
        press(&state, .character("D"), .tab, .character("y"))
        _ = update(&state, .resized(Size(width: 40, height: 10)))
        #expect(screenText(view(state)).contains("z cancels the destroy"))
        #expect(press(&state, .character("z")) == [.order(.takeBackDestroys([Samples.trainer.id]))])
        #expect(state.pendingDestroys.isEmpty)
    }

    @Test func runningAgainAsksFirst() throws {
        var state = Samples.overview()
        press(&state, .character("3"))
        state.jobs.select(JobID("train-6"))
        #expect(press(&state, .character("R")).withoutWatch == [])
        #expect(state.actions.isEmpty && screenText(view(state)).contains("Run train-6 again"))
        #expect(screenText(view(state)).contains("python train.py --epochs 10"))
        // The key that asked does not confirm, and neither does Enter on Cancel.
        press(&state, .character("R"))
        #expect(state.actions.isEmpty)
        press(&state, .enter)
        #expect(state.actions.isEmpty && state.overlay == nil)
        press(&state, .character("R"), .character("y"))
        #expect(
            state.actions.map(\.action) == [
                .run(Samples.trainer.id, RunRequest(command: .shell("python train.py --epochs 10")))
            ])
    }

    @Test func aRentalThatIsReadyTakesTheFocusFromNobodyWhoTypes() throws {
        func rent(_ meanwhile: Key...) throws -> State {
            var state = Samples.overview()
            press(&state, .character("2"), .enter, .character("y"))
            let action = try #require(state.actions.last?.id)
            _ = update(&state, .engine(.started(action), at: state.now.addingTimeInterval(0.1)))
            for key in meanwhile { _ = update(&state, .key(key, at: state.now.addingTimeInterval(1))) }
            var fresh = Samples.parked
            fresh.id = InstanceID(platform: .vast, rawValue: "999")
            _ = update(
                &state,
                .engine(.finished(action, .succeeded(.created(fresh))), at: state.now.addingTimeInterval(5)))
            return state
        }
        let idle = try rent()
        #expect(idle.focus == .instances && idle.instances.selection?.rawValue == "999")
        let busy = try rent(.character("3"), .down)
        #expect(busy.focus == .jobs && busy.instances.selection == Samples.trainer.id)
        let typing = try rent(.character("1"), .character("/"), .character("t"))
        #expect(typing.instances.selection != InstanceID(platform: .vast, rawValue: "999"))
    }

    @Test func whatWasConfirmedIsStillToBeDoneWhenTheDashboardEnds() throws {
        var state = Samples.overview()
        press(&state, .character(" "), .down, .character(" "), .character("D"), .tab, .character("y"))
        #expect(state.pendingDestroys.count == 2)
        let due = try #require(state.pendingDestroys.first?.due)
        #expect(state.pendingDestroys[0].words.starts(with: ["destroy-instance"]))
        #expect(state.pendingDestroys[0].words.contains("--confirmed"))
        _ = update(&state, .tick(due))
        #expect(state.pendingDestroys.isEmpty && state.activeDestroys.count == 2)
        let ids = state.activeDestroys.map(\.instance)
        _ = update(&state, .destroysHandedOver(ids))
        #expect(state.activeDestroys.isEmpty && state.actions.isEmpty)
    }
}
