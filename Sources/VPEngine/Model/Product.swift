/// Facts about this program.
public enum Product {
    public static let version = "0.1.0"
}
