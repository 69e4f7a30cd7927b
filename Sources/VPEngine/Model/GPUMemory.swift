/// The memory of a GPU as it is advertised, which is the figure that both front ends show.
public enum GPUMemory {
    /// Returns the advertised gigabytes for the `bytes` that a platform states of one `gpu`.
    ///
    /// Platforms state the usable part, up to a fifteenth less; RunPod counts it in gigabytes, drivers in
    /// mebibytes, and vast.ai shows the drivers' figure as megabytes. Together an L40S is anything from 42.9
    /// to 48.
    public static func gigabytes(_ bytes: Int64, of gpu: String? = nil) -> Int {
        let size = Double(NumberRange.bytes.clamp(bytes)) / 1_073_741_824
        let sold = gpu.flatMap(GPUName.select)?.models.flatMap(\.memoryGB).sorted() ?? []
        if let named = Self.first(of: sold, for: size, upTo: 1.15) { return named }
        return Self.first(of: Self.sizes, for: size, upTo: 1.12) ?? Int(saturating: size.rounded())
    }

    private static func first(of sizes: [Int], for size: Double, upTo excess: Double) -> Int? {
        sizes.first { Double($0) >= size * 0.995 }.flatMap { Double($0) <= size * excess ? $0 : nil }
    }

    /// Advertised sizes of GPUs that the table of names lacks.
    private static let sizes = [
        4, 6, 8, 10, 11, 12, 16, 20, 24, 32, 40, 48, 64, 80, 94, 96, 128, 141, 180, 192, 288,
    ]
}
