import Foundation
import VPEngine

/// The effects of the mouse. It is never required: each click stands for a key.
extension State {
    private static let doubleClickTime: TimeInterval = 0.4

    mutating func mouseUsed(_ event: MouseEvent, at date: Date) -> [Effect] {
        let target = Layout(self).target(at: event.point, self)
        guard self.overlay == nil else { return self.mouseUsedInOverlay(event, target, at: date) }
        switch event.kind {
        case .wheelUp: self.scroll(target, by: -3)
        case .wheelDown: self.scroll(target, by: 3)
        case .press: return self.pressed(target, event.point, at: date)
        }
        return []
    }

    private mutating func scroll(_ target: Layout.Target?, by step: Int) {
        switch target {
        case .main: self.scrollMain(by: step)
        case .row(let pane, _), .list(let pane): self.change(pane, .move(by: step))
        case .hint, .alarms, .button, .field, .listRow, nil: break
        }
    }

    private mutating func pressed(_ target: Layout.Target?, _ point: Point, at date: Date) -> [Effect] {
        switch target {
        case .hint(let key): return self.keyPressed(key, at: date)
        case .alarms: return self.execute(.alarms)
        case .main: self.focus(.main)
        case .list(let pane): self.focus(pane)
        case .row(let pane, let index):
            self.focus(pane)
            self.change(pane, .select(index: index))
            return self.isDoubleClick(point, at: date) ? self.keyPressed(.enter, at: date) : []
        case .button, .field, .listRow, nil: break
        }
        return []
    }

    private mutating func mouseUsedInOverlay(
        _ event: MouseEvent, _ target: Layout.Target?, at date: Date
    ) -> [Effect] {
        switch event.kind {
        case .wheelUp: return self.keyPressed(.up, at: date)
        case .wheelDown: return self.keyPressed(.down, at: date)
        case .press:
            return self.pressedInOverlay(target, event.point, at: date)
        }
    }

    private mutating func pressedInOverlay(
        _ target: Layout.Target?, _ point: Point, at date: Date
    ) -> [Effect] {
        switch (self.overlay, target) {
        case (_, .hint(let key)): return self.keyPressed(key, at: date)
        case (.dialog(var dialog), .button(let index)):
            // A click focuses the button; a button that loses something still needs its key.
            dialog.focusedButton = index
            self.overlay = .dialog(dialog)
            return dialog.buttons[index] == .cancel ? self.keyPressed(.enter, at: date) : []
        case (.form(var form), .field(let field)):
            // A click on the focused field changes its choice or presses the button.
            let isThere = form.focused == field
            form.focused = field
            self.overlay = .form(form)
            guard isThere else { return [] }
            return field == .rent
                ? self.keyPressed(.enter, at: date)
                : field.isChoice ? self.keyPressed(.right, at: date) : []
        case (.list(var list), .listRow(let row)):
            list.selected = row
            list.anchor = nil
            self.overlay = .list(list)
            return self.isDoubleClick(point, at: date) ? self.keyPressed(.enter, at: date) : []
        default: return []
        }
    }

    private mutating func isDoubleClick(_ point: Point, at date: Date) -> Bool {
        let isDouble =
            self.lastClick?.point == point
            && date.timeIntervalSince(self.lastClick?.date ?? .distantPast) < Self.doubleClickTime
        self.lastClick = isDouble ? nil : Click(point: point, date: date)
        return isDouble
    }
}
