/// The CUDA version that a container image was built for, read from its name.
///
/// An image newer than the machine's driver dies at its start or finds no GPU, and no platform warns of it.
public enum ImageCUDA {
    /// Reads the version from names such as `pytorch/pytorch:2.4.0-cuda12.4-cudnn9-runtime`,
    /// `runpod/pytorch:1.0.2-cu1281-torch280` and `nvidia/cuda:12.4.1-devel`; nil if the name states none.
    public static func version(of image: String) -> Double? {
        let name = image.lowercased()
        // A registry's port is not a tag.
        let parts = name.split(separator: "@")[...].first?.split(separator: "/").last?
            .split(separator: ":", maxSplits: 1)
        guard let parts, let repository = parts.first else { return nil }
        let tag = parts.count > 1 ? parts[1] : ""
        if repository == "cuda", let version = ImageCUDA.dotted(tag) { return version }
        for word in (repository + "-" + tag).split(whereSeparator: { $0 == "-" || $0 == "_" || $0 == "+" }) {
            for prefix in ["cuda", "cu"] where word.hasPrefix(prefix) {
                let rest = word.dropFirst(prefix.count)
                if let version = ImageCUDA.dotted(rest) ?? ImageCUDA.packed(rest) { return version }
            }
        }
        return nil
    }

    /// Reads `12.4.1` as 12.4.
    package static func dotted(_ text: Substring) -> Double? {
        let numbers = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }.split(separator: ".")
        guard numbers.count >= 2, let major = Int(numbers[0]), (8...30).contains(major),
            let minor = Int(numbers[1]), (0...9).contains(minor)
        else { return nil }
        return Double(major) + Double(minor) / 10
    }

    /// Reads `124` as 12.4, and `1281`, which is 12.8.1, as 12.8.
    private static func packed(_ text: Substring) -> Double? {
        guard text.count == 3 || text.count == 4, let number = Int(text) else { return nil }
        let tenths = text.count == 3 ? number : number / 10
        return (80...309).contains(tenths) ? Double(tenths) / 10 : nil
    }
}
