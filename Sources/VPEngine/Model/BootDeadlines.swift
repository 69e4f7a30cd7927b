/// How long each stage of a boot may take, in seconds.
public struct BootDeadlines: Hashable, Sendable {
    /// From the rental to a container that runs; most of it is the image's download.
    public var loading: Double
    /// From there to an sshd that answers.
    public var sshPort: Double
    /// From there to an accepted key.
    public var sshLogin: Double
    /// Making the workspace, and installing rsync where it is missing.
    public var preparing: Double
    /// Seeing every GPU.
    public var checkingGPU: Double
    /// In place of the shares of `loading`.
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

    /// How long nothing at all may change while the image loads.
    struct Silence: Hashable {
        /// Of an instance that was placed and has not begun to load.
        var placed: Double
        /// Of one that loads. Extracting one large layer is silent for minutes.
        var loading: Double
    }

    /// Shares of what loading may take as a whole, so that more patience with large images is more of both:
    /// 3 and 7.5 of 15 minutes.
    var silence: Silence {
        self.givenSilence
            ?? Silence(
                placed: min(self.loading, max(60, self.loading / 5)),
                loading: min(self.loading, max(120, self.loading / 2)))
    }
}
