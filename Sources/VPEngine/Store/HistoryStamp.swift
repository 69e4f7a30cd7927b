import Foundation

/// A stamp that differs from an earlier one if this program or another has written to the history since.
///
/// It consists of the files' times and sizes: a front end can compare it every second without disk activity,
/// which a query of the database would cause.
public struct HistoryStamp: Equatable, Sendable {
    private let marks: [Int]

    init(stateFolder: String) {
        self.marks = ["history.sqlite", "history.sqlite-wal"].flatMap { name in
            var information = stat()
            guard stat("\(stateFolder)/\(name)", &information) == 0 else { return [0, 0, 0] }
            return [
                information.st_mtim.tv_sec, information.st_mtim.tv_nsec, Int(information.st_size),
            ]
        }
    }
}
