/// Columns and rows.
public struct Size: Hashable, Sendable {
    public var width: Int
    public var height: Int

    public init(width: Int, height: Int) {
        self.width = max(0, width)
        self.height = max(0, height)
    }
}

public struct Point: Hashable, Sendable {
    public var x: Int
    public var y: Int

    public init(x: Int, y: Int) {
        self.x = x
        self.y = y
    }
}

/// A rectangle of cells. Its width and height are never negative, so that arithmetic on tiny
/// screens cannot trap.
public struct Rect: Hashable, Sendable {
    public var x: Int
    public var y: Int
    public var width: Int
    public var height: Int

    public init(x: Int, y: Int, width: Int, height: Int) {
        self.x = x
        self.y = y
        self.width = max(0, width)
        self.height = max(0, height)
    }

    public init(_ size: Size) {
        self.init(x: 0, y: 0, width: size.width, height: size.height)
    }

    public var maxX: Int { self.x + self.width }
    public var maxY: Int { self.y + self.height }
    public var isEmpty: Bool { self.width == 0 || self.height == 0 }

    /// The area inside a border.
    public var inner: Rect { self.inset(x: 1, y: 1) }

    public func inset(x: Int, y: Int) -> Rect {
        Rect(x: self.x + x, y: self.y + y, width: self.width - 2 * x, height: self.height - 2 * y)
    }

    public func row(_ index: Int) -> Rect {
        guard index >= 0, index < self.height else { return Rect(x: self.x, y: self.y, width: 0, height: 0) }
        return Rect(x: self.x, y: self.y + index, width: self.width, height: 1)
    }

    public func dropFirst(rows: Int) -> Rect {
        let rows = max(0, min(rows, self.height))
        return Rect(x: self.x, y: self.y + rows, width: self.width, height: self.height - rows)
    }

    public func dropLast(rows: Int) -> Rect {
        Rect(x: self.x, y: self.y, width: self.width, height: self.height - max(0, rows))
    }

    public func intersects(_ other: Rect) -> Bool {
        !self.isEmpty && !other.isEmpty && self.x < other.maxX && other.x < self.maxX && self.y < other.maxY
            && other.y < self.maxY
    }

    public func contains(_ other: Rect) -> Bool {
        other.isEmpty
            || (other.x >= self.x && other.y >= self.y && other.maxX <= self.maxX && other.maxY <= self.maxY)
    }

    public var size: Size { Size(width: self.width, height: self.height) }

    public func contains(_ point: Point) -> Bool {
        point.x >= self.x && point.x < self.maxX && point.y >= self.y && point.y < self.maxY
    }

    /// Returns a box of at most `size` in this one, a little above the centre, where dialogs belong.
    public func centred(_ size: Size) -> Rect {
        let width = min(size.width, self.width)
        let height = min(size.height, self.height)
        return Rect(
            x: self.x + (self.width - width) / 2, y: self.y + (self.height - height) * 2 / 5, width: width,
            height: height)
    }
}
