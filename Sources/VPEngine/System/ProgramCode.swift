import Foundation
import Glibc

/// The memory that holds the code of this program.
public enum ProgramCode {
    /// Gives the pages of code back. Those that run again come back from the file,
    /// without its being read if the kernel still has it; the others, such as all code of a start,
    /// take no memory any more.
    public static func giveBack() {
        for pages in self.pages() { madvise(pages.baseAddress, pages.count, MADV_DONTNEED) }
    }

    /// Returns the ranges of addresses of this program's own code: of what is mapped,
    /// nothing else is both never written and mostly unused.
    static func pages() -> [UnsafeMutableRawBufferPointer] {
        // A file of /proc has no size, which `SmallFile` would ask for.
        guard let maps = try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8),
            let program = ProgramFile.own
        else { return [] }
        return maps.split(separator: "\n").compactMap { line in
            // `00400000-02617000 r-xp 00000000 08:01 1234   /usr/bin/vp-tui`
            let fields = line.split(separator: " ", maxSplits: 5)
            guard fields.count == 6, fields[1] == "r-xp", fields[5].drop(while: { $0 == " " }) == program
            else {
                return nil
            }
            let bounds = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard bounds.count == 2, bounds[0] < bounds[1] else { return nil }
            return UnsafeMutableRawBufferPointer(
                start: UnsafeMutableRawPointer(bitPattern: bounds[0]),
                count: Int(clamping: bounds[1] - bounds[0]))
        }
    }
}
