/// The names of the series of a line's figures: from its text, or from titles of its own.
///
/// A value instead of a closure: a closure would be created for each line, and is needed
/// only for a new series.
struct LineNames {
    private let text: UnsafePointer<UInt8>?
    private let names: Unmanaged<FigureNames>?

    /// - Parameter text: the line's text, which must outlive this value.
    init(_ text: UnsafePointer<UInt8>, _ names: FigureNames) {
        self.text = text
        self.names = .passUnretained(names)
    }

    /// Creates the names for a line whose figures have titles.
    init() {
        self.text = nil
        self.names = nil
    }

    func title(_ figure: TrainingLine.Figure, _ line: inout TrainingLine) -> String {
        guard let text, let names = self.names?.takeUnretainedValue() else {
            return figure.titleIndex >= 0 ? line.titles[figure.titleIndex] : line.stepTitle ?? "step"
        }
        if figure.titleIndex >= 0 { return names.title(names.find(line.titles[figure.titleIndex])) }
        let count = Int(figure.nameEnd - figure.nameStart)
        guard count > 0 else { return "step" }
        return names.title(names.find(text + Int(figure.nameStart), count))
    }
}
