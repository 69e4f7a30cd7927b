/// How long each stage of a boot may take, in seconds.
public struct BootDeadlines: Hashable, Sendable {
    /// Time from the rental until the container runs, most of which is the image's download.
    public var loading: Double
    /// Time from then until sshd answers.
    public var sshPort: Double
    /// Time from then until sshd accepts our key.
    public var sshLogin: Double
    /// Time to make the workspace, and to install rsync if it is missing.
    public var preparing: Double
    /// Time until every GPU is visible.
    public var checkingGPU: Double
    /// Replaces the values that `silence` derives from `loading`.
    var givenSilence: Silence?

    /// Limits in seconds: 15 minutes for loading, which large images need, and less for the rest, unless
    /// given.
    public init(
        loading: Double = 900, sshPort: Double = 180, sshLogin: Double = 180, preparing: Double = 240,
        checkingGPU: Double = 60
    ) {
        self.loading = loading
        self.sshPort = sshPort
        self.sshLogin = sshLogin
        self.preparing = preparing
        self.checkingGPU = checkingGPU
    }

    /// The longest time in which nothing at all may change while the image loads.
    struct Silence: Hashable {
        /// For an instance that was placed and has not begun to load.
        var placed: Double
        /// For an instance that is loading. Extracting one large layer is silent for minutes.
        var loading: Double
    }

    /// Shares of `loading`, so that a longer limit for large images extends both: 3 and 7.5 of 15 minutes.
    var silence: Silence {
        self.givenSilence
            ?? Silence(
                placed: min(self.loading, max(60, self.loading / 5)),
                loading: min(self.loading, max(120, self.loading / 2)))
    }
}
