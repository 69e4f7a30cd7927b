import Foundation
import VPEngine

/// What the mouse does. Nothing needs it: each click is a key that could have been pressed.
extension State {
    private static let doubleClickTime: TimeInterval = 0.4

    mutating func mouseUsed(_ event: MouseEvent, at date: Date) -> [Effect] {
        let layout = Layout(self)
        guard !layout.isTooSmall else { return [] }
        guard self.overlay == nil else { return self.mouseUsedInOverlay(event, at: date) }
        let list = layout.lists.first { $0.1.contains(event.point) }
        switch event.kind {
        case .wheelUp, .wheelDown:
            let step = event.kind == .wheelUp ? -3 : 3
            if let main = layout.main, main.contains(event.point) {
                self.scrollMain(by: step)
            } else if let (pane, _) = list {
                self.change(pane, .move(by: step))
            }
        case .press:
            if event.point.y == layout.hint.y {
                guard let key = HintBar.key(at: event.point, self) else { return [] }
                return self.keyPressed(key, at: date)
            }
            if let (pane, area) = list {
                return self.pressed(in: pane, area, event.point, at: date)
            }
            if let main = layout.main, main.contains(event.point) { self.focus(.main) }
        }
        return []
    }

    private mutating func pressed(in pane: Pane, _ area: Rect, _ point: Point, at date: Date) -> [Effect] {
        self.focus(pane)
        let rows = ListFrame(area: area, hasBanner: self.banner(of: pane) != nil).rows
        guard rows.contains(point) else { return [] }
        let top =
            switch pane {
            case .instances: self.instances.top
            case .offers: self.offers.top
            case .jobs: self.jobs.top
            case .main: 0
            }
        let count =
            switch pane {
            case .instances: self.instances.shownCount
            case .offers: self.offers.shownCount
            case .jobs: self.jobs.shownCount
            case .main: 0
            }
        let index = top + point.y - rows.y
        guard index < count else { return [] }
        self.change(pane, .select(index: index))
        let isDouble =
            self.lastClick?.point == point
            && date.timeIntervalSince(self.lastClick?.date ?? .distantPast) < Self.doubleClickTime
        self.lastClick = isDouble ? nil : Click(point: point, date: date)
        return isDouble ? self.keyPressed(.enter, at: date) : []
    }

    private mutating func mouseUsedInOverlay(_ event: MouseEvent, at date: Date) -> [Effect] {
        switch event.kind {
        case .wheelUp: return self.keyPressed(.up, at: date)
        case .wheelDown: return self.keyPressed(.down, at: date)
        case .press:
            guard case .dialog(var dialog) = self.overlay,
                let index = DialogScreen.button(at: event.point, dialog, self)
            else { return [] }
            // A click goes to the button; what loses something still wants its key.
            dialog.focusedButton = index
            self.overlay = .dialog(dialog)
            return dialog.buttons[index] == .cancel ? self.keyPressed(.enter, at: date) : []
        }
    }
}
