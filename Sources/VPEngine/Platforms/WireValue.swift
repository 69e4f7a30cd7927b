/// An answer that cannot be what the platform meant to say.
struct WireDamage: Error {
    let words: String
}

extension JSONValue {
    /// A price or a sum in dollars. What is negative or absurd is no price.
    var dollars: Double? {
        self.double.flatMap { $0 >= 0 && $0 < 1e6 ? $0 : nil }
    }

    /// A size that the platform states in units of `unit` bytes.
    func bytes(unit: Double) -> Int64? {
        guard let value = self.double, value >= 0, value * unit < 9e18 else { return nil }
        return Int64(value * unit)
    }

    /// A TCP port. The very last is refused, since one platform wants its successor.
    var port: Int? {
        self.int.flatMap { (1...65534).contains($0) ? $0 : nil }
    }

    /// A host that can be put into an ssh command: it must not look like an option or hold a blank.
    var host: String? {
        guard let host = self.text?.split(whereSeparator: \.isWhitespace).first.map(String.init),
            !host.hasPrefix("-"),
            host.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || ".-_:[]".contains($0)) })
        else { return nil }
        return host
    }

    /// A user's name that can be put into an ssh command, by the rule for hosts.
    var login: String? {
        guard let name = self.text, !name.isEmpty, !name.hasPrefix("-"),
            name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || ".-_".contains($0)) })
        else { return nil }
        return name
    }
}
