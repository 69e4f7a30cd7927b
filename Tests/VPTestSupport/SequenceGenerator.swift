/// Generates escape sequences of every kind, none of which is a key of the dashboard.
public struct SequenceGenerator {
    private var random: SeededGenerator

    public init(seed: UInt64) { self.random = SeededGenerator(seed: seed) }

    public mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self.random) }

    public mutating func pick<Value>(_ values: [Value]) -> Value { values[self.below(values.count)] }

    /// Answers of terminals, to questions that were asked or not.
    public static let answers = [
        "\u{1B}[43;3R", "\u{1B}[?1;2c", "\u{1B}[?62;22c", "\u{1B}[>41;388;0c", "\u{1B}[=0c", "\u{1B}[0n",
        "\u{1B}]4;1;rgb:cdcd/0000/0000\u{07}", "\u{1B}]10;rgb:ffff/ffff/ffff\u{1B}\\",
        "\u{1B}P>|XTerm(388)\u{1B}\\", "\u{1B}[?2026;2$y", "\u{1B}[4;1$y", "\u{1B}[?1u", "\u{1B}[I",
        "\u{1B}[O",
        "\u{1B}P1$r0m\u{1B}\\", "\u{1B}P1+r544e=787465726d\u{1B}\\", "\u{1B}_Gi=31;OK\u{1B}\\",
        "\u{1B}[8;50;200t", "\u{1B}]52;c;ZGVzdHJveQ==\u{07}", "\u{1B}P!|7E565445\u{1B}\\",
        "\u{1B}]lDestroy\u{1B}\\", "\u{1B}^private D y\u{1B}\\", "\u{1B}Xq D R\u{1B}\\",
    ]
    /// Keys without a meaning here, as terminals send them.
    public static let keys = [
        "\u{1B}[2~", "\u{1B}[1;2B", "\u{1B}[1;5D", "\u{1B}[1;3A", "\u{1B}[5D", "\u{1B}Od", "\u{1B}[a",
        "\u{1B}[3;5~", "\u{1B}[15;2~", "\u{1B}[1;2P", "\u{1B}Oq", "\u{1B}Ok", "\u{1B}Oy", "\u{1B}OX",
        "\u{1B}O5D",
        "\u{1B}[27;5;9~", "\u{1B}[27;6;68~", "\u{1B}[113u", "\u{1B}[100;5u", "\u{1B}[57441;1:3u",
        "\u{1B}[1;1:3A",
        "\u{1B}D", "\u{1B}q", "\u{1B}:", "\u{1B}é", "\u{1B}[<66;10;10M", "\u{1B}[<67;10;10M",
        "\u{1B}[<2;3;4M", "\u{1B}[<0;3;4m", "\u{1B}[M\u{62}!!", "\u{1B}[32;10;10M", "\u{00}", "\u{1B}[201~",
        "\u{1B}[E", "\u{1B}[1;2R",
    ]

    /// A sequence that may be one of the known ones, or any other of its kind.
    public mutating func sequence() -> String {
        switch self.below(7) {
        case 0, 1: return self.pick(Self.answers)
        case 2, 3: return self.pick(Self.keys)
        case 4:
            // A control sequence with a private mark, or a final letter that is no key.
            let mark = self.pick(["?", ">", "=", "<", ""])
            let parameters = (0..<self.below(5)).map { _ in String(self.below(300)) }.joined(separator: ";")
            let letters = Array(mark.isEmpty ? "IJKLNOQTUVWXYabcefghijklmnopqrstuvwxyz`@" : "ABCDRcnuyhlq~")
            return "\u{1B}[\(mark)\(parameters)\(self.pick(letters))"
        case 5:
            let kind = self.pick(["]", "P", "X", "^", "_"])
            let text = String((0..<self.below(40)).map { _ in self.pick(Array("qDRXysrZ019;:/ \n日é[O~")) })
            // Must not be one that names the background.
            let end = kind == "]" && self.below(2) == 0 ? "\u{07}" : "\u{1B}\\"
            return "\u{1B}\(kind)0\(text)\(end)"
        default:
            return
                "\u{1B}O\(self.below(2) == 0 ? "" : "1;\(2 + self.below(14))")\(self.pick(Array("abcdjklmnopqrstuvwxyIEGTUVW")))"
        }
    }
}
