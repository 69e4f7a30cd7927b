import Foundation

/// An answer that cannot be what the platform meant to say.
struct WireDamage: Error {
    let words: String
}

extension JSONValue {
    /// A price in dollars an hour.
    var hourly: Double? { self.number(in: .dollarsPerHour) }

    /// What a gigabyte costs, in dollars. Throws where something else stands there:
    /// what names a price of its own invention is not to be had for nothing.
    func dollarsPerGB() throws(WireDamage) -> Double? {
        if self.isNull { return nil }
        guard let price = self.number(in: .dollarsPerGB) else { throw WireDamage(words: "a price is none") }
        return price
    }

    /// A size that the platform states in units of `unit` bytes.
    func bytes(unit: Double) -> Int64? { NumberRange.bytes.read(self.double.map { $0 * unit }) }

    /// A moment, in seconds since 1970; 0 is how a field says that there is none.
    var date: Date? { self.double.flatMap { $0 > 0 ? Date(fromOutside: $0) : nil } }

    /// Words for a cell of a table, on one line.
    func words(limit: Int) -> String? { self.text?.singleLine(limit: limit) }

    /// Where an sshd listens, where this is its host.
    func address(port: JSONValue, user: String = "root", isNextPort: Bool = false) -> SSHAddress? {
        // Some answers end an address by a line feed.
        guard let host = self.text?.split(whereSeparator: \.isWhitespace).first,
            let port = port.whole(in: .port)
        else { return nil }
        return SSHAddress(fromOutside: String(host), port: isNextPort ? port + 1 : port, user: user)
    }
}
