import Testing

@testable import VPEngine

/// What the platforms' words on a start mean, and that names in them mean nothing.
@Suite struct StartMessagesTests {
    @Test func theTableIsWhole() {
        #expect(StartMessages.table.count > 80)
        #expect(StartMessages.table.allSatisfy { $0.form != .phrase || $0.words.contains(" ") })
        #expect(StartMessages.table.allSatisfy { $0.words == $0.words.lowercased() })
    }

    @Test(arguments: [
        "Error response from daemon: manifest for IMAGE not found: manifest unknown: manifest unknown",
        "pull access denied for IMAGE, repository does not exist or may require 'docker login'",
        "error pulling image: unauthorized: authentication required",
        "Error response from daemon: Head \"https://ghcr.io/v2/x/manifests/1\": denied: denied",
        "denied: requested access to the resource is denied",
        "failed to resolve reference \"docker.io/IMAGE\": docker.io/IMAGE: not found",
        "no such image: IMAGE", "exec /start.sh: exec format error", "invalid reference format",
        "no matching manifest for linux/amd64 in the manifest list entries",
        "OCI runtime create failed: runc create failed: exec: \"bash\": executable file not found in $PATH",
        "unexpected status from HEAD request to https://ghcr.io/v2/x/manifests/1: 401 Unauthorized",
    ])
    func theImagesFault(message: String) { self.expect(message, .image) }

    @Test(arguments: [
        "docker: Error response from daemon: OCI runtime create failed: no such device: unknown.",
        "OCI runtime create failed: container_linux.go:380: starting container process caused: unknown",
        "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8, please update your driver",
        "failed to register layer: write /usr/lib/libx.so: no space left on device",
        "Error response from daemon: layer does not exist", "error creating container: layer does not exist",
        "could not select device driver \"\" with capabilities: [[gpu]]",
        "Get \"https://registry-1.docker.io/v2/\": net/http: TLS handshake timeout",
        "dial tcp 1.2.3.4:443: i/o timeout", "Error: something that nobody has seen before",
        "mkdir /var/lib/docker: permission denied", "failed to create shim task: unknown",
    ])
    func theMachinesFault(message: String) { self.expect(message, .machine) }

    @Test(arguments: [
        "toomanyrequests: You have reached your pull rate limit.",
        "Error response from daemon: toomanyrequests: retry-after: 1ms",
        "error pulling image: received unexpected HTTP status: 503 Service Unavailable",
    ])
    func theRegistrysFault(message: String) { self.expect(message, .registry) }

    @Test(arguments: [
        "8cf1e2: Pulling fs layer 31%", "8cf1e2: Retrying in 5 seconds", "pulling image IMAGE",
        "Status: Downloaded newer image for IMAGE", "create container IMAGE", "starting container",
        "success, running IMAGE/ssh", "1.0 Pulling from IMAGE", "Digest: sha256:0123", "",
        "start container for IMAGE: begin",
    ])
    func nobodysFault(message: String) { self.expect(message, .nobody) }

    private static let images = [
        "acme/failed-runs", "acme/failed-runs:2.1", "error-analysis", "error-analysis:latest",
        "denied/oci-runtime:1", "unauthorized", "ghcr.io/exception/traceback:error", "toomanyrequests:1",
        "localhost:5000/not-found/failure:fatal", "pytorch/pytorch:2.4.0-cuda12.4",
    ]

    /// Whatever the image is called, and also where the platform does not say what it is called.
    private func expect(_ message: String, _ meaning: StartMessages.Meaning) {
        for image in Self.images {
            // vast.ai writes an underscore for the colon once the container runs.
            let spelled = message.hasPrefix("success") ? image.replacing(":", with: "_") : image
            let words = message.replacing("IMAGE", with: spelled)
            #expect(StartMessages.meaning(of: words, image: image) == meaning, "\(words)")
            #expect(StartMessages.meaning(of: words.uppercased(), image: image) == meaning, "\(words)")
            #expect(StartMessages.meaning(of: words, image: nil) == meaning, "\(words), unknown image")
        }
    }

    @Test func whatIsQuotedMeansNothing() {
        let words = #"create container x: args ["bash" "-c" "echo error: failed; exit"]"#
        #expect(StartMessages.meaning(of: words, image: "x") == .nobody)
        let failed = #"OCI runtime create failed: exec: "denied: 401 unauthorized": permission denied"#
        #expect(StartMessages.meaning(of: failed, image: "x") == .machine)
    }

    /// The last attempt counts; what it announces does not hide what became of the one before.
    @Test func aLogIsReadFromItsEnd() {
        let failed = ["create container x:1", "error: toomanyrequests: slow down", "create container x:1"]
        #expect(StartMessages.verdict(of: failed, image: "x:1")?.meaning == .registry)
        let recovered = failed + ["1 Pulling from library/x", "8cf1e2: Downloading 3%"]
        #expect(StartMessages.verdict(of: recovered, image: "x:1") == nil)
        #expect(StartMessages.verdict(of: [], image: nil) == nil)
    }
}
