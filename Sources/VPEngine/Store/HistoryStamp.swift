import Foundation

/// Differs from an earlier one when somebody, this program or another, has written to the history since.
///
/// Made from the files' times and sizes: a front end can compare it every second without waking anybody,
/// which asking the database would.
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
