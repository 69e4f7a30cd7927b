/// The interpretation of a platform's messages about the start of an instance, on vast.ai (`status_msg`) and
/// RunPod (the system log).
///
/// Both pass on messages of docker, containerd and the registry. Only the messages are searched, never the
/// names that they quote: an image may be called `acme/failed-runs`.
enum StartMessages {
    /// The cause for which an instance does not start.
    enum Meaning: String, Hashable, Sendable {
        /// The image cannot be fetched, or cannot be started, on any machine.
        case image
        /// This machine cannot start it; another one may.
        case machine
        /// The registry serves nobody at that address for now. It counts by address, so that another machine
        /// may succeed, and this one will as well in some hours.
        case registry
        /// No problem is known: waiting is worthwhile.
        case nobody
    }

    /// Returns the meaning of `message` for the start of an instance with `image`.
    static func meaning(of message: String, image: String?) -> Meaning {
        let text = Self.withoutNames(message.lowercased(), image: image?.lowercased())
        let plain = Self.withoutQuotes(text)
        // A quoted part may be an answer within an answer, and a single word in it may be anything.
        return Self.match(plain) ?? Self.match(text, isQuoted: true) ?? .nobody
    }

    /// Returns the meaning of the newest of `lines` that has any, with that line. Progress after an error
    /// means that the platform has retried, and got further.
    static func verdict(of lines: [String], image: String?) -> (meaning: Meaning, line: String)? {
        for line in lines.reversed() {
            let meaning = Self.meaning(of: line, image: image)
            if meaning != .nobody { return (meaning, line) }
            let words = line.lowercased()
            if Self.progressWords.contains(where: words.contains) { return nil }
        }
        return nil
    }

    private static let progressWords = [
        "pulling fs layer", "downloading", "download complete", "extracting", "pull complete", "pulling from",
        "verifying checksum", "downloaded newer image", "image is up to date", "start container",
    ]

    // MARK: Names

    /// Words that precede the name of an image or a container.
    private static let introductions: Set<String> = [
        "image", "container", "from", "running", "for", "repository",
    ]

    /// Returns `text` without the image's name, in the platforms' spellings, and without other words that
    /// look like a name.
    private static func withoutNames(_ text: String, image: String?) -> String {
        var spellings: Set<String> = []
        if let image, !image.isEmpty {
            let repository = Self.repository(of: image)
            // A bare word may be a registry's as well; a name with an introduction is known by that.
            spellings = Set([image, repository].filter { $0.contains("/") || $0.contains(":") })
            if image.contains(":") { spellings.insert(image.replacing(":", with: "_")) }
        }
        var kept: [String] = []
        var isIntroduced = false
        for token in text.split(whereSeparator: \.isWhitespace) {
            // Punctuation belongs to the sentence, even directly after a name.
            let end = token.lastIndex { !":,;.)]}\"'".contains($0) } ?? token.startIndex
            let name = Self.bare(token[...end])
            let isName =
                spellings.contains(String(name)) || spellings.contains(where: { name.hasSuffix("/" + $0) })
                || spellings.contains(where: { !$0.isEmpty && name.hasPrefix($0 + "/") })
                || spellings.contains(where: { !$0.isEmpty && name.hasPrefix($0 + ":") })
                || (isIntroduced && !Self.articles.contains(String(name))) || Self.looksLikeReference(name)
            let isEnd = token.last.map { ":,;.".contains($0) } == true
            isIntroduced = !isEnd && Self.introductions.contains(String(name))
            if isName {
                kept.append(String(token[..<name.startIndex] + token[name.endIndex...]))
            } else {
                kept.append(String(token))
            }
        }
        return kept.joined(separator: " ")
    }

    /// Words that may follow an introduction and are no names.
    private static let articles: Set<String> = [
        "the", "a", "an", "this", "daemon", "container", "image", "task", "process", "platform",
        "linux/amd64",
        "linux/arm64",
    ]

    /// True for `docker.io/acme/failed-runs:1` and `acme/x@sha256:…`; a path of the file system begins with a
    /// slash, and a fraction or an address with a digit.
    private static func looksLikeReference(_ name: Substring) -> Bool {
        guard let first = name.first, first.isLetter, name.contains("/") || name.contains(":"),
            !name.hasPrefix("linux/")
        else { return false }
        return !Self.technicalTerms.contains(where: { name.hasPrefix($0) })
    }

    private static let technicalTerms = ["i/o", "input/output", "net/http", "driver/library", "read/write"]

    private static func bare(_ token: Substring) -> Substring {
        token.drop(while: { "\"'`([{".contains($0) })
    }

    private static func repository(of image: String) -> String {
        let name = image.split(separator: "@", maxSplits: 1).first.map(String.init) ?? image
        guard let colon = name.lastIndex(of: ":"), !name[colon...].contains("/") else { return name }
        return String(name[..<colon])
    }

    /// Removes quotations: messages quote commands and paths, which may contain any words.
    private static func withoutQuotes(_ text: String) -> String {
        var plain = ""
        var quote: Character?
        var previous: Character = " "
        for character in text.replacing("\\\"", with: "\"") {
            if let open = quote {
                if character == open { quote = nil }
            } else if character == "\"" || ((character == "'" || character == "`") && !previous.isLetter) {
                quote = character
            } else {
                plain.append(character)
            }
            previous = character
        }
        return plain
    }

    // MARK: Matching

    private static func match(_ text: String, isQuoted: Bool = false) -> Meaning? {
        let clauses = Self.clauses(of: text)
        return Self.table.first { row in
            switch row.form {
            case .start: text.hasPrefix(row.words)
            case .phrase: text.contains(row.words)
            case .clause where isQuoted: false
            case .clause:
                clauses.contains { clause in
                    clause.hasPrefix(row.words)
                        && clause.dropFirst(row.words.count).first.map { !$0.isLetter && $0 != "-" } ?? true
                }
            }
        }?.meaning
    }

    /// Returns the parts between colons, commas and the like, since a message wraps another one after a
    /// colon.
    private static func clauses(of text: String) -> [Substring] {
        text.split(whereSeparator: { ":;,.()[]\n".contains($0) }).map {
            $0.drop(while: { $0.isWhitespace || $0 == "-" || $0 == "\"" || $0 == "'" })
        }
    }

    struct Row: Sendable {
        enum Form: String, Sendable { case start, phrase, clause }

        let meaning: Meaning
        let form: Form
        let words: String
    }

    /// The meanings; the first row that fits decides.
    static let table: [Row] = StartMessages.text.split(separator: "\n").compactMap { line in
        let columns = line.split(separator: "|").map { $0.trimmingSpaces() }
        guard columns.count == 4, let meaning = Meaning(rawValue: columns[0]),
            let form = Row.Form(rawValue: columns[1])
        else { return nil }
        return Row(meaning: meaning, form: form, words: columns[2])
    }

    /// Meaning | place of the words | the words, in lower case | source.
    ///
    /// `phrase`: anywhere; these contain a blank, which no image's name does. `clause`: at the beginning of a
    /// clause; single words. Sources: V4 is vast-api.md section 4, R16 is runpod-api.md section 16, F is
    /// field.md; the others name the project whose program prints it: moby, containerd, distribution (the
    /// registry), runc, NVIDIA's container toolkit.
    private static let text = """
        nobody | start | success, running | V4
        registry | clause | toomanyrequests | R16
        registry | phrase | too many requests | distribution
        registry | phrase | pull rate limit | distribution
        registry | phrase | 500 internal server error | distribution
        registry | phrase | 502 bad gateway | distribution
        registry | phrase | 503 service unavailable | distribution
        registry | phrase | 504 gateway | distribution
        machine | phrase | requirement error | R16
        machine | phrase | unsatisfied condition: cuda | R16
        machine | clause | nvidia-container-cli | R16
        machine | phrase | could not select device driver | moby
        machine | phrase | failed to initialize nvml | NVIDIA
        machine | phrase | version mismatch | NVIDIA
        machine | phrase | unresolvable cdi devices | NVIDIA
        machine | phrase | no such device | V4
        machine | phrase | no space left | F 39
        machine | phrase | disk quota exceeded | moby
        machine | phrase | read-only file system | moby
        machine | phrase | input/output error | moby
        machine | phrase | cannot allocate memory | moby
        machine | phrase | layer does not exist | moby
        machine | phrase | layer verification failed | moby
        machine | phrase | failed to register layer | moby
        machine | phrase | error creating overlay mount | moby
        machine | phrase | unexpected eof | moby
        machine | phrase | port is already allocated | moby
        machine | phrase | address already in use | moby
        machine | phrase | is already in use by container | moby
        machine | phrase | cannot connect to the docker daemon | moby
        machine | phrase | i/o timeout | moby
        machine | phrase | tls handshake timeout | moby
        machine | phrase | connection refused | moby
        machine | phrase | connection reset by peer | moby
        machine | phrase | no route to host | moby
        machine | phrase | network is unreachable | moby
        machine | phrase | name resolution | moby
        machine | phrase | no such host | moby
        machine | phrase | server misbehaving | moby
        machine | phrase | context deadline exceeded | containerd
        machine | phrase | request canceled | moby
        machine | phrase | failed to do request | containerd
        image | phrase | manifest unknown | V4
        image | phrase | manifest for | V4
        image | phrase | manifest invalid | distribution
        image | phrase | no matching manifest | moby
        image | phrase | no match for platform | containerd
        image | phrase | does not match the specified platform | moby
        image | phrase | does not match the detected host platform | moby
        image | phrase | exec format error | R16
        image | phrase | pull access denied | V4
        image | phrase | repository does not exist | V4
        image | phrase | repository name not known | distribution
        image | phrase | does not exist or may require | moby
        image | phrase | failed to resolve reference | V4
        image | phrase | no such image | V4
        image | phrase | invalid reference format | moby
        image | phrase | must be lowercase | moby
        image | phrase | could not parse reference | containerd
        image | phrase | requested access to the resource is denied | distribution
        image | phrase | authentication required | distribution
        image | phrase | incorrect username or password | distribution
        image | phrase | no basic auth credentials | moby
        image | phrase | 401 unauthorized | distribution
        image | phrase | 403 forbidden | distribution
        image | phrase | access forbidden | distribution
        image | phrase | unsupported media type | containerd
        image | phrase | mediatype in manifest | moby
        image | phrase | blob unknown | distribution
        image | phrase | unknown blob | distribution
        image | phrase | executable file not found | runc
        image | phrase | unable to find user | runc
        image | clause | insufficient_scope | containerd
        image | clause | unauthorized | V4
        image | clause | denied | distribution
        image | clause | not found | V4
        machine | phrase | oci runtime | V4
        machine | phrase | failed to create task for container | containerd
        machine | phrase | failed to create shim | containerd
        machine | phrase | runc create failed | runc
        nobody | clause | retrying | moby
        machine | phrase | error response from daemon | moby
        machine | phrase | permission denied | V4
        machine | clause | error | V4
        machine | clause | failed | V4
        machine | clause | failure | V4
        machine | clause | fatal | V4
        machine | clause | exception | V4
        machine | clause | traceback | V4
        """
}
