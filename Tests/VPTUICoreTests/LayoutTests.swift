import Foundation
import Testing
import VPEngine
import VPTUICore

/// For many sizes: nothing overlaps, nothing leaves the screen, nothing traps.
@Suite struct LayoutTests {
    static let sizes: [(Int, Int)] =
        [(0, 0), (1, 1), (2, 2), (59, 15), (60, 14), (60, 15), (61, 16), (99, 24), (100, 15), (500, 200)]
        + stride(from: 1, through: 220, by: 13).flatMap { width in
            stride(from: 1, through: 70, by: 7).map { (width, $0) }
        }

    static func overlays(_ state: State) -> [Overlay?] {
        let offer = Samples.offers[0]
        let error = ErrorWords(
            EngineError(
                .downloadFailed, EngineError.Activity("x"), detail: String(repeating: "long ", count: 60)))
        let report = Dialog.UnsafeReport.known(
            UnsafeResults(files: 9, bytes: 1, examples: ["a", "b", "c", "d", "e"]))
        return [
            nil, .help(scroll: 0), .help(scroll: 99),
            .prompt(Prompt(.run([Samples.trainer.id]), history: ["a", "b"])),
            .prompt(Prompt(.offerQuery)),
            .prompt(Prompt(.filter(.offers), text: String(repeating: "日", count: 90))),
            .dialog(
                Dialog(.destroy([Samples.trainer.id], [Samples.trainer.id: report]), openedAt: Samples.now)),
            .dialog(Dialog(.create(offer, CreateRequest(offer: offer.id)), openedAt: Samples.now)),
            .dialog(Dialog(.error(error), openedAt: Samples.now)),
            .dialog(Dialog(.quit, openedAt: Samples.now)),
            .dialog(
                Dialog(.destroy([Samples.trainer.id, Samples.parked.id], [:]), openedAt: Samples.now)),
            .form(
                LaunchForm(query: OfferQuery(), offer: offer, settings: state.settings, openedAt: Samples.now)
            ),
            .palette(Palette()), .list(ListOverlay(.history)), .list(ListOverlay(.actions)),
            .text(TextOverlay(title: "vp ls", lines: Array(repeating: "日本 line", count: 90))),
        ]
    }

    @Test func everythingIsInsideAndApart() {
        for (width, height) in Self.sizes {
            for pane in Pane.allCases {
                for zoom in [State.Zoom.both, .lists, .main] {
                    var state = Samples.overview()
                    state.focus = pane
                    state.zoom = zoom
                    _ = update(&state, .conflictsChecked([Samples.trainer.id], []))
                    _ = update(&state, .resized(Size(width: width, height: height)))
                    let layout = Layout(state)
                    if layout.isTooSmall { continue }
                    let screen = Rect(state.size)
                    var contents = layout.lists.map { $0.1.inner } + [layout.burn, layout.strip, layout.hint]
                    if let main = layout.main { contents.append(main.inner) }
                    for (index, area) in contents.enumerated() {
                        #expect(screen.contains(area), "\(width)x\(height) \(pane) \(zoom)")
                        for other in contents[(index + 1)...] {
                            #expect(
                                !area.intersects(other), "\(width)x\(height) \(pane) \(zoom) \(area) \(other)"
                            )
                        }
                    }
                    #expect(layout.main != nil || !layout.lists.isEmpty)
                }
            }
        }
    }

    @Test func everySizeAndOverlayIsDrawn() {
        for (width, height) in Self.sizes {
            var state = Samples.overview()
            _ = update(&state, .resized(Size(width: width, height: height)))
            for overlay in Self.overlays(state) {
                for focus in [Pane.offers, .main] {
                    state.focus = focus
                    state.overlay = overlay
                    let buffer = view(state)
                    #expect(buffer.size == Size(width: width, height: height))
                    for y in 0..<height {
                        let row = Array(buffer.row(y))
                        for (x, cell) in row.enumerated() where cell.width == 2 {
                            #expect(x + 1 < row.count && row[x + 1].width == 0)
                        }
                    }
                }
            }
        }
    }

    @Test func narrowScreensShowTheSideWithTheFocus() {
        var state = Samples.overview()
        _ = update(&state, .resized(Size(width: 80, height: 24)))
        #expect(Layout(state).main == nil)
        press(&state, .character("_"))
        #expect(Layout(state).main != nil && Layout(state).lists.isEmpty)
        press(&state, .character("_"))
        #expect(Layout(state).main == nil)
    }

    @Test func zoomGivesTheScreenToTheFocus() {
        var state = Samples.overview()
        _ = update(&state, .resized(Size(width: 160, height: 40)))
        press(&state, .character("4"), .character("+"))
        #expect(Layout(state).lists.isEmpty && Layout(state).main?.width == 160)
        press(&state, .character("1"))
        #expect(Layout(state).main == nil)
        press(&state, .character("_"))
        #expect(Layout(state).main != nil && Layout(state).lists.count == 3)
    }

    /// Random keys, sizes and answers: no trap, and what must hold holds.
    @Test func randomInputBreaksNothing() {
        var seed: UInt64 = 42
        func next(_ bound: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((seed >> 33) % UInt64(bound))
        }
        let keys: [Key] =
            "qwertyuiopasdfghjklzxcvbnmQWERTYUIOPSDFGHJKLZXCVBNM1234/?+_ é日".map { .character($0) }
            + [.enter, .escape, .tab, .backTab, .up, .down, .left, .right, .home, .end, .pageUp, .pageDown]
            + [
                .backspace, .delete, .control("d"), .control("u"), .control("w"), .control("r"),
                .control("l"),
            ]
        var state = Samples.overview()
        var time = Samples.now
        for step in 0..<20_000 {
            time = time.addingTimeInterval(Double(next(400)) / 1000)
            switch next(40) {
            case 0: _ = update(&state, .resized(Size(width: next(220), height: next(70))))
            case 1: _ = update(&state, .tick(time))
            case 2:
                let all = [Samples.trainer, Samples.loader, Samples.parked]
                _ = update(&state, .instancesLoaded(Samples.answers(Array(all.prefix(next(4))), at: time)))
            case 3: _ = update(&state, .jobsLoaded(.success([Samples.job("train-7", .running)])))
            case 4:
                let bytes = (0..<next(60)).map { _ in UInt8(next(256)) }
                _ = update(
                    &state,
                    .engine(
                        .jobOutput(JobID("train-7"), offset: state.log.size, bytes: bytes),
                        at: time))
            case 5:
                if let action = state.actions.first {
                    _ = update(&state, .engine(.started(action.id), at: time))
                }
            case 6:
                if let action = state.actions.first {
                    _ = update(&state, .engine(.finished(action.id, .cancelled), at: time))
                }
            default: _ = update(&state, .key(keys[next(keys.count)], at: time))
            }
            #expect(
                state.instances.selection.map { state.instances.row($0) != nil }
                    ?? (state.instances.shownCount == 0))
            #expect(state.offers.selection == nil || state.offers.selectedIndex != nil)
            if step % 20 == 0 { _ = view(state) }
        }
    }
}
