import Foundation
import Testing
import VPEngine
import VPTUICore
import VPTestSupport

/// A screen as text: framed rows, and under each the runs of style that are not plain.
func screenText(_ buffer: CellBuffer) -> String {
    let edge = "+" + String(repeating: "-", count: buffer.size.width) + "+\n"
    var text = edge
    for y in 0..<buffer.size.height {
        let row = Array(buffer.row(y))
        text += "|" + row.filter { $0.width > 0 }.map { String($0.text) }.joined() + "|\n"
        var runs: [String] = []
        var start = 0
        while start < row.count {
            var end = start + 1
            while end < row.count, row[end].style == row[start].style { end += 1 }
            if row[start].style != .plain { runs.append("\(row[start].style.words) \(start)..<\(end)") }
            start = end
        }
        if !runs.isEmpty { text += "    " + runs.joined(separator: ", ") + "\n" }
    }
    text += edge
    if let cursor = buffer.cursor { text += "cursor \(cursor.x),\(cursor.y)\n" }
    return text
}

func expectScreen(
    _ state: State, _ name: String, width: Int, height: Int, file: String = #filePath,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    var state = state
    _ = update(&state, .resized(Size(width: width, height: height)))
    let folder = URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent("Goldens")
    let path = folder.appendingPathComponent("\(name)-\(width)x\(height).txt").path
    expectGolden(screenText(view(state)), at: path, sourceLocation: sourceLocation)
}
