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
            nil, .help(HelpOverlay()), .help(HelpOverlay(scroll: 99)),
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
            .list(ListOverlay(.alarms)),
            .dialog(Dialog(.extendLease(Samples.trainer.id, seconds: 43_200), openedAt: Samples.now)),
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
                    _ = update(&state, .answered(.conflictsChecked([Samples.trainer.id], [])))
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
}
