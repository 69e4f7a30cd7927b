import Foundation

/// The error for an answer that cannot be what the platform meant to say.
struct WireDamage: Error {
    let words: String
}

extension JSONValue {
    /// The price in dollars an hour.
    var hourly: Double? { self.number(in: .dollarsPerHour) }

    /// The price of a gigabyte, in dollars. Throws for anything that is not a price: traffic with an
    /// unreadable price is not free.
    func dollarsPerGB() throws(WireDamage) -> Double? {
        if self.isNull { return nil }
        guard let price = self.number(in: .dollarsPerGB) else {
            throw WireDamage(words: "a price is not valid")
        }
        return price
    }

    /// Reads a size that the platform states in units of `unit` bytes.
    func bytes(unit: Double) -> Int64? { NumberRange.bytes.read(self.double.map { $0 * unit }) }

    /// The moment, from seconds since 1970; 0 in a field means that there is none.
    var date: Date? { self.double.flatMap { $0 > 0 ? Date(fromOutside: $0) : nil } }

    /// Returns the text on one line, for a cell of a table.
    func words(limit: Int) -> String? { self.text?.singleLine(limit: limit) }

    /// Returns the address of an sshd whose host is this value.
    func address(port: JSONValue, user: String = "root", isNextPort: Bool = false) -> SSHAddress? {
        // Some answers end an address with a line feed.
        guard let host = self.text?.split(whereSeparator: \.isWhitespace).first,
            let port = port.whole(in: .port)
        else { return nil }
        return SSHAddress(fromOutside: String(host), port: isNextPort ? port + 1 : port, user: user)
    }
}
