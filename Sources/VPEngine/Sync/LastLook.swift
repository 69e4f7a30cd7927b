import Foundation

/// What a workspace's listing does not show and an end would lose all the same: asked for once, in one round trip.
package enum LastLook {
    /// What was found there.
    package struct Findings: Hashable, Sendable {
        /// A link that leads out of the workspace.
        package struct Link: Hashable, Sendable {
            package var path: SyncPath
            /// Absolute and without links.
            package var target: SyncPath
            package var isFolder: Bool
        }

        /// A repository whose history holds something that no remote of it has.
        package struct Repository: Hashable, Sendable {
            /// The folder that holds its `.git`; empty for the workspace itself.
            package var path: SyncPath
            /// False where a bundle cannot hold it: no git there, a shallow clone, objects of git-lfs.
            package var canBeBundled: Bool
            /// Names of the commits that it would bring.
            package var tips: [String]
        }

        /// A folder that every machine can make again.
        package struct Remade: Hashable, Sendable {
            package var path: SyncPath
            package var bytes: Int64
        }

        package var links: [Link] = []
        package var repositories: [Repository] = []
        package var remade: [Remade] = []
        /// Folders outside the workspace in which jobs worked, absolute and without links.
        package var folders: [SyncPath] = []

        package init() {}
    }

    /// Rows of one kind that are read; who has more of them has to look for himself.
    private static let limit = 1000
    /// How far a link behind a link is followed.
    private static let depth = 3

    /// Made when the instance first came up: what changed later was written there.
    package static let reference = "$HOME/.vp/since"

    /// Makes `reference`, unless it is there, or jobs have been there before it.
    package static let mark = """
        mkdir -p "$HOME/.vp" && { [ -e "\(reference)" ] || [ -d "$HOME/.vp/jobs" ] || : > "\(reference)"; } 2>/dev/null
        """

    /// Prints records of words that end with NUL each.
    ///
    /// - Parameter folders: in which jobs worked, as they were asked for.
    package static func script(root: String, folders: [String]) -> String {
        """
        export LC_ALL=C
        [ -e \(ShellQuoting.quoted(root)) ] || { printf 'end\\0'; exit; }
        cd \(ShellQuoting.quoted(root)) || exit 3
        # Where nobody knows since when, everything counts.
        [ -e "\(Self.reference)" ] || { mkdir -p "$HOME/.vp" && touch -t 197001020000 "\(Self.reference)"; }
        root=$(pwd -P)
        home=$(cd "$HOME" && pwd -P)
        since=\(Self.reference)
        # Each of them may hold others, for which the same script is there; find takes but one `{}`.
        export sort=\(ShellQuoting.quoted(Self.sorting))
        find . -mindepth 1 \\( -type d \\( -name .git -o -name .vp-sync \\) \\) -prune \\
        -o -type l -exec sh -c 'eval "$sort"' sh "$root" "$home" \(Self.depth) ./ '' {} + 2>/dev/null
        for folder in \(folders.map(ShellQuoting.quoted).joined(separator: " ")); do
        folder=$(cd "$folder" 2>/dev/null && pwd -P) || continue
        case ${folder%/}/ in "$root"/* | / | /proc/* | /sys/* | /dev/* | /run/*) ;; *) printf 'folder\\0%s\\0' "$folder" ;; esac
        done
        export remade='for folder; do
        folder=${folder%/CACHEDIR.TAG}
        size=$(du -sk "$folder" 2>/dev/null | cut -f 1)
        printf "remade\\0%s\\0%s\\0" "${folder#./}" "${size:-0}"
        done'
        find . \\( \(RemoteScan.remade) \\) -prune -exec sh -c 'eval "$remade"' sh {} + 2>/dev/null
        find . \\( \(RemoteScan.remade) \\) -prune -o -type f -name CACHEDIR.TAG ! -path ./CACHEDIR.TAG \
        -exec sh -c 'eval "$remade"' sh {} + 2>/dev/null
        repository=\(ShellQuoting.quoted(Self.repository))
        find . -name .vp-sync -prune -o -name .git -prune -exec sh -c "$repository" sh "$since" {} \\; 2>/dev/null
        printf 'end\\0'
        """
    }

    /// Prints for each link that leads out of the workspace how many bytes were written behind it since the instance came
    /// up: for a look while a job runs.
    package static func sizes(root: String) -> String {
        """
        export LC_ALL=C
        cd \(ShellQuoting.quoted(root)) 2>/dev/null && [ -e "\(Self.reference)" ] || { printf 'end\\0'; exit; }
        # find takes but one `{}`.
        export measure='root=$1 home=$2 since=$3
        shift 3
        for link; do
        target=$(readlink -f "$link" 2>/dev/null) && [ -e "$target" ] || continue
        case $target/ in "$root"/* | /proc/* | /sys/* | /dev/* | /run/* | "$home"/.vp/*) continue ;; esac
        case $root/ in "${target%/}"/*) continue ;; esac
        case $home/ in "${target%/}"/*) continue ;; esac
        sum=0
        for size in $(find "$target" -type f -cnewer "$since" -exec du -k {} + 2>/dev/null | cut -f 1); do
        case $size in *[!0-9]*) continue ;; esac
        sum=$((sum + size))
        done
        printf "behind\\0%s\\0%s\\0" "${link#./}" "$sum"
        done'
        find . -mindepth 1 \\( -type d \\( -name .git -o -name .vp-sync \\) \\) -prune -o -type l \
        -exec sh -c 'eval "$measure"' sh "$(pwd -P)" "$(cd "$HOME" && pwd -P)" "\(Self.reference)" {} + 2>/dev/null
        printf 'end\\0'
        """
    }

    /// What `sizes` printed, in bytes; nil where the answer was cut.
    package static func parseSizes(_ output: [UInt8]) -> [SyncPath: Int64]? {
        let words = output.split(separator: 0, omittingEmptySubsequences: false).dropLast()
        guard words.last?.elementsEqual("end".utf8) == true else { return nil }
        var sizes: [SyncPath: Int64] = [:]
        var rest = words.dropLast()
        while !rest.isEmpty {
            let record = Array(rest.prefix(3))
            rest = rest.dropFirst(3)
            guard record.count == 3, record[0].elementsEqual("behind".utf8), sizes.count < Self.limit,
                let kilobytes = NumberRange.bytes.read(String(decoding: record[2], as: UTF8.self)),
                kilobytes >= 0
            else { return nil }
            let path = SyncPath(record[1])
            if Self.isAccepted(path) { sizes[path] = kilobytes.multipliedSaturated(by: 1024) }
        }
        return sizes
    }

    /// `$1` is the workspace, `$2` the home, `$3` how deep links are still followed, `$4` the folder that the links are
    /// in and `$5` what it is called; then links.
    private static let sorting = #"""
        root=$1 home=$2 depth=$3 base=$4 prefix=$5
        shift 5
        for link; do
        target=$(readlink -f "$link" 2>/dev/null) && [ -e "$target" ] || continue
        case $target/ in
        "$root"/* | "$base"* | /proc/* | /sys/* | /dev/* | /run/* | "$home"/.vp/*) continue ;;
        esac
        # What holds the workspace or the home is no folder of results.
        case $root/ in "${target%/}"/*) continue ;; esac
        case $home/ in "${target%/}"/*) continue ;; esac
        name=$prefix${link#"$base"}
        if [ -d "$target" ]; then
        printf "link\0%s\0%s\0d\0" "$name" "$target"
        [ "$depth" -eq 0 ] || find "$target" -type l \
        -exec sh -c "eval \"\$sort\"" sh "$root" "$home" $((depth - 1)) "$target/" "$name/" {} +
        elif [ -f "$target" ]; then
        printf "link\0%s\0%s\0f\0" "$name" "$target"
        fi
        done
        """#

    /// `$1` is the reference, `$2` a `.git`.
    private static let repository = #"""
        since=$1 git=$2
        [ -d "$git" ] || exit 0
        repository=${git%/.git}
        name=${repository#.}
        name=${name#/}
        own() {
        git -c safe.directory="*" -c core.fsmonitor=false -c core.hooksPath=/dev/null -C "$repository" "$@" 2>/dev/null
        }
        if ! command -v git >/dev/null 2>&1; then
        changed=$(find "$git" -type f \( -path "*/objects/*" -o -path "*/refs/*" \) -cnewer "$since" 2>/dev/null | head -n 1)
        [ -e "$since" ] && [ -z "$changed" ] || printf "git\0%s\0raw\0\0" "$name"
        exit 0
        fi
        head=$(own rev-parse -q --verify HEAD)
        stashes=$(own rev-list -g refs/stash)
        # shellcheck disable=SC2086
        count=$(own rev-list --count --all $head $stashes --not --remotes) || count=unknown
        case $count in
        0) exit 0 ;;
        unknown)
        # A damaged one, or none that this git can read.
        printf "git\0%s\0raw\0\0" "$name"
        exit 0
        ;;
        esac
        kind=bundle
        [ ! -e "$git/shallow" ] || kind=raw
        [ -z "$(find "$git/lfs/objects" -type f 2>/dev/null | head -n 1)" ] || kind=raw
        tips=$({ own for-each-ref --format="%(objectname)" refs/heads refs/tags; echo "$head"; echo "$stashes"; } \
        | sort -u | head -n 1000 | tr "\n" " ")
        printf "git\0%s\0%s\0%s\0" "$name" "$kind" "$tips"
        """#

    /// Prints the bundle of what no remote of the repository in `path` has. Says its size on standard error.
    package static func bundle(root: String, path: SyncPath, limit: Int64) -> [UInt8] {
        let folder = path.bytes.isEmpty ? Array("./".utf8) : path.shellWord
        var script = Array("export LC_ALL=C\ncd \(ShellQuoting.quoted(root)) && cd ".utf8) + folder
        script += Array(
            """
             || exit 3
            own() { git -c safe.directory='*' -c core.fsmonitor=false -c core.hooksPath=/dev/null "$@"; }
            umask 077
            file=$HOME/.vp/bundle.$$
            trap 'rm -f "$file"' EXIT
            # Of stashes only the newest has a name, and a bundle holds names.
            stashes=$(own rev-list -g refs/stash 2>/dev/null | head -n 1001)
            # Each takes a program. Of so many the whole repository is kept as it is.
            [ "$(echo "$stashes" | wc -l)" -le 1000 ] || exit 4
            number=0
            for stash in $stashes; do
            own update-ref "refs/vp-stash/$number" "$stash"
            number=$((number + 1))
            done
            head=$(own rev-parse -q --verify HEAD >/dev/null && echo HEAD)
            own bundle create "$file" --all $head --not --remotes >/dev/null || exit 4
            size=$(($(wc -c < "$file")))
            [ "$size" -le \(limit) ] || { echo "it is $size bytes" >&2; exit 5; }
            echo "\(Self.sizeMark)$size" >&2
            cat "$file"
            """.utf8)
        return script
    }

    /// Prints the file at `target`, after its size on standard error.
    package static func file(_ target: SyncPath, limit: Int64) -> [UInt8] {
        Array("cd / && file=".utf8) + SyncPath(target.bytes.drop { $0 == SyncPath.slash }).shellWord
            + Array(
                """

                size=$(($(wc -c < "$file"))) || exit 3
                [ "$size" -le \(limit) ] || { echo "it is $size bytes" >&2; exit 5; }
                echo "\(Self.sizeMark)$size" >&2
                cat "$file"
                """.utf8)
    }

    /// A link may be called what must not come here: what lies behind it comes beside. None of ours is looked for below
    /// such a name.
    private static func isPossible(_ path: SyncPath) -> Bool {
        guard let (reason, place) = IncomingGate.refusal(of: path) else { return true }
        switch reason {
        case .impossible, .tooLong: return false
        case .kind, .ownFolder, .repository, .bareRepository, .ignoreFile, .staging: return place == path
        }
    }

    /// Whether a name from there may be looked at here at all; the gate judges it once more where it is to come.
    private static func isAccepted(_ path: SyncPath, mayBeEmpty: Bool = false) -> Bool {
        path.bytes.isEmpty ? mayBeEmpty : IncomingGate.refusal(of: path) == nil
    }

    package static let sizeMark = "vp-size "

    /// Nil where the answer was cut.
    package static func parse(_ output: [UInt8]) -> Findings? {
        let words = output.split(separator: 0, omittingEmptySubsequences: false).dropLast()
        guard words.last?.elementsEqual("end".utf8) == true else { return nil }
        var findings = Findings()
        var rest = words.dropLast()
        func take(_ count: Int) -> [ArraySlice<UInt8>]? {
            guard rest.count > count else { return nil }
            defer { rest = rest.dropFirst(count + 1) }
            return Array(rest.dropFirst().prefix(count))
        }
        while let kind = rest.first {
            switch String(decoding: kind, as: UTF8.self) {
            case "link":
                guard let words = take(3), Self.isPossible(SyncPath(words[0])),
                    words[1].first == SyncPath.slash
                else { return nil }
                findings.links.append(
                    .init(
                        path: SyncPath(words[0]), target: SyncPath(words[1]),
                        isFolder: words[2].elementsEqual("d".utf8)))
            case "folder":
                guard let words = take(1), words[0].first == SyncPath.slash else { return nil }
                findings.folders.append(SyncPath(words[0]))
            case "remade":
                guard let words = take(2) else { return nil }
                let kilobytes = NumberRange.bytes.read(String(decoding: words[1], as: UTF8.self)) ?? 0
                findings.remade.append(
                    .init(path: SyncPath(words[0]), bytes: min(max(0, kilobytes), 1 << 50) * 1024))
            case "git":
                guard let words = take(3), Self.isAccepted(SyncPath(words[0]), mayBeEmpty: true) else {
                    return nil
                }
                let tips = String(decoding: words[2], as: UTF8.self).split(separator: " ").map(String.init)
                findings.repositories.append(
                    .init(
                        path: SyncPath(words[0]), canBeBundled: words[1].elementsEqual("bundle".utf8),
                        tips: tips.filter { $0.count >= 40 && $0.allSatisfy(\.isHexDigit) }))
            default: return nil
            }
            guard findings.links.count + findings.repositories.count + findings.remade.count < Self.limit * 10
            else { return nil }
        }
        return findings
    }
}
