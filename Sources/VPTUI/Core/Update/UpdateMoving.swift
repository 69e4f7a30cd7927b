import Foundation
import VPEngine

/// Focus, selection and scrolling, which are the same in every pane.
extension State {
    mutating func focus(_ pane: Pane) {
        if pane != .main, pane != self.lastList {
            self.lastList = pane
            self.mainScroll = 0
        }
        self.focus = pane
        if self.zoom != .both { self.zoom = pane == .main ? .main : .lists }
    }

    mutating func movePane(_ step: Int) {
        let panes = Pane.allCases
        let index = (panes.firstIndex(of: self.focus) ?? 0) + step
        self.focus(panes[(index + panes.count) % panes.count])
    }

    mutating func zoomOut() {
        if self.zoom != .both {
            self.zoom = .both
        } else {
            // A narrow screen has no room for both: there the key switches between them.
            guard Layout(self).isNarrow else { return }
            self.focus(self.focus == .main ? self.lastList : .main)
        }
    }

    /// Changes one list, whatever the type of its rows.
    mutating func change(_ pane: Pane, _ change: ListChange) {
        switch pane {
        case .instances: self.instances.apply(change)
        case .offers: self.offers.apply(change)
        case .jobs: self.jobs.apply(change)
        case .main: break
        }
    }

    func filter(of pane: Pane) -> String {
        switch pane {
        case .instances: self.instances.filter
        case .offers: self.offers.filter
        case .jobs: self.jobs.filter
        case .main: ""
        }
    }

    func markCount(of pane: Pane) -> Int {
        switch pane {
        case .instances: self.instances.marks.count
        case .offers: self.offers.marks.count
        case .jobs: self.jobs.marks.count
        case .main: 0
        }
    }

    var logSize: Size {
        Layout(self).logText(self)
    }

    var pageHeight: Int {
        guard self.focus != .main else { return self.logSize.height }
        return Layout(self).rows(of: self.focus, self)?.height ?? 10
    }

    mutating func move(by step: Int) {
        guard self.focus == .main else {
            self.change(self.focus, .move(by: step))
            return
        }
        self.scrollMain(by: step)
    }

    mutating func scrollMain(by step: Int) {
        switch self.mainContent {
        case .log: self.log.scroll(by: step, self.logSize)
        case .metrics: self.metrics.select(self.metrics.selected + step)
        case .details, .files: self.mainScroll = max(0, self.mainScroll + step)
        }
    }

    mutating func moveToEdge(isEnd: Bool) {
        guard self.focus == .main else {
            self.change(self.focus, .select(index: isEnd ? .max : 0))
            return
        }
        switch self.mainContent {
        case .log: if isEnd { self.log.follow() } else { self.log.goToStart() }
        case .metrics: self.metrics.select(isEnd ? .max : 0)
        case .details, .files: self.mainScroll = isEnd ? 1 << 20 : 0
        }
    }

    mutating func openSearch() {
        if self.focus == .main {
            self.mainContent = self.log.job == nil ? self.mainContent : .log
            self.overlay = .prompt(Prompt(.search, text: ""))
        } else {
            self.overlay = .prompt(Prompt(.filter(self.focus), text: self.filter(of: self.focus)))
        }
    }
}

extension MetricsState {
    /// Selects the series that users look for first.
    mutating func selectLoss() {
        self.select(self.series.firstIndex { $0.name == self.mainSeries?.name } ?? 0)
        self.isChosen = false
    }

    mutating func select(_ index: Int) {
        self.selected = max(0, min(self.series.count - 1, index))
        self.isChosen = true
    }
}
