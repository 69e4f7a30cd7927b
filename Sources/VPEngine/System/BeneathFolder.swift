import Foundation

/// An open folder and its contents: every path is followed from the folder's descriptor, and no symbolic link
/// in the path is followed.
///
/// So a name that came from elsewhere cannot lead out of the folder, not even if a link replaces a folder
/// between two calls. Nothing is remembered between calls.
package final class BeneathFolder: Sendable {
    /// A system call that failed.
    package struct Failure: Error, Hashable, Sendable {
        package let number: Int32

        package init(_ number: Int32) { self.number = number }

        /// The error in the system's words.
        package var words: String { String(cString: strerror(self.number)) }

        /// True if a part of the path is a link or a file, so that nothing can lie below it.
        package var isInTheWay: Bool { self.number == ELOOP || self.number == ENOTDIR }
    }

    /// A descriptor of the folder, for as long as this value lives.
    package let descriptor: Int32
    /// The path of the folder. Links in it are followed, since the user named it.
    package let path: String
    /// Tests turn this off, to behave like old kernels and some sandboxes.
    private let asksKernel: Bool

    package init(_ path: String, asksKernel: Bool = true) throws(Failure) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(errno) }
        self.descriptor = descriptor
        self.path = path
        self.asksKernel = asksKernel
    }

    /// Opens the folder `path` beneath `parent`, which must exist.
    package init(_ path: SyncPath, in parent: BeneathFolder) throws(Failure) {
        self.descriptor = try parent.openFolder(path)
        self.path = "\(parent.path)/\(String(decoding: path.bytes, as: UTF8.self))"
        self.asksKernel = parent.asksKernel
    }

    deinit { close(self.descriptor) }

    // MARK: Looking

    /// Returns the entry at `path`; nil if there is none, or if a link or a file is in the way.
    package func entry(of path: SyncPath) -> FileEntry? {
        try? self.withFolder(of: path) { folder, name in FileEntry(named: name, in: folder) }
    }

    /// Returns the names in the folder that this value is open on, in no order.
    package func names() -> [SyncPath] {
        let copy = openat(self.descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { return [] }
        guard let stream = fdopendir(copy) else {
            close(copy)
            return []
        }
        defer { closedir(stream) }
        var names: [SyncPath] = []
        while let item = readdir(stream) {
            if !Self.isDots(item) { names.append(Self.name(of: item)) }
        }
        return names
    }

    // MARK: Changing

    /// Makes the folders above `path`, and `path` itself if `isFolder`, with modes by the umask.
    package func makeFolders(for path: SyncPath, isFolder: Bool = false, mode: mode_t = 0o777)
        throws(Failure)
    {
        let folders = (isFolder ? [path] : []) + Array(path.ancestors)
        guard let deepest = folders.first else { return }
        if let descriptor = try? self.openFolder(deepest) {
            close(descriptor)
            return
        }
        for folder in folders.reversed() {
            try self.withFolder(of: folder) { parent, name throws(Failure) in
                guard mkdirat(parent, name, mode) != 0 else { return }
                guard errno == EEXIST else { throw Failure(errno) }
                var information = stat()
                guard fstatat(parent, name, &information, AT_SYMLINK_NOFOLLOW) == 0 else {
                    throw Failure(errno)
                }
                guard information.st_mode & S_IFMT == S_IFDIR else { throw Failure(ENOTDIR) }
            }
        }
    }

    /// Makes one folder; fails if an entry of that name exists.
    package func makeFolder(_ path: SyncPath, mode: mode_t = 0o777) throws(Failure) {
        try self.withFolder(of: path) { folder, name throws(Failure) in
            guard mkdirat(folder, name, mode) == 0 else { throw Failure(errno) }
        }
    }

    /// Makes a symbolic link to `target`; fails if an entry of that name exists.
    package func makeLink(_ path: SyncPath, to target: [UInt8]) throws(Failure) {
        try self.withFolder(of: path) { folder, name throws(Failure) in
            let isMade = (target + [0]).withUnsafeBufferPointer { bytes in
                bytes.withMemoryRebound(to: CChar.self) { symlinkat($0.baseAddress!, folder, name) }
            }
            guard isMade == 0 else { throw Failure(errno) }
        }
    }

    /// Removes a file or a link.
    package func remove(_ path: SyncPath) throws(Failure) {
        try self.withFolder(of: path) { folder, name throws(Failure) in
            guard unlinkat(folder, name, 0) == 0 else { throw Failure(errno) }
        }
    }

    /// Removes an empty folder.
    package func removeEmptyFolder(_ path: SyncPath) throws(Failure) {
        try self.withFolder(of: path) { folder, name throws(Failure) in
            guard unlinkat(folder, name, AT_REMOVEDIR) == 0 else { throw Failure(errno) }
        }
    }

    /// Sets a regular file's permission bits.
    package func setMode(_ mode: mode_t, of path: SyncPath) throws(Failure) {
        try self.withFolder(of: path) { folder, name throws(Failure) in
            // O_PATH opens a file that may be neither read nor written, and never follows a link.
            let file = openat(folder, name, Self.pathOnly | O_NOFOLLOW | O_CLOEXEC)
            guard file >= 0 else { throw Failure(errno) }
            defer { close(file) }
            var information = stat()
            guard fstat(file, &information) == 0 else { throw Failure(errno) }
            guard information.st_mode & S_IFMT == S_IFREG else { throw Failure(EINVAL) }
            if information.st_mode & 0o7777 == mode { return }
            if chmod("/proc/self/fd/\(file)", mode) == 0 { return }
            // This is for systems without /proc. The name was that of a regular file just now.
            guard fchmodat(folder, name, mode, 0) == 0 else { throw Failure(errno) }
        }
    }

    /// Renames `source` to `target` beneath another folder of the same file system.
    package func rename(
        _ source: SyncPath, to target: SyncPath, in other: BeneathFolder, _ manner: RenameManner
    )
        throws(Failure)
    {
        try self.withFolder(of: source) { from, oldName throws(Failure) in
            try other.withFolder(of: target) { to, newName throws(Failure) in
                if let number = manner.rename(from, oldName, to, newName) { throw Failure(number) }
            }
        }
    }

    /// Removes the folder `path` with all its contents, without following links. It is only for folders that
    /// a transfer of ours made.
    package func removeTree(_ path: SyncPath) throws(Failure) {
        let folder = try BeneathFolder(path, in: self)
        for name in folder.names() {
            do throws(Failure) {
                try folder.remove(name)
            } catch {
                // Linux reports EISDIR for a folder; POSIX allows EPERM.
                guard error.number == EISDIR || error.number == EPERM else { throw error }
                // A transfer may have made the folder with permissions that exclude us.
                _ = name.withCString { fchmodat(folder.descriptor, $0, 0o700, 0) }
                try folder.removeTree(name)
            }
        }
        try self.removeEmptyFolder(path)
    }

    /// Returns once everything written so far on this folder's file system is on its disk.
    package func flush() throws(Failure) {
        guard let syncfs = Self.syncfs else { throw Failure(ENOSYS) }
        guard syncfs(self.descriptor) == 0 else { throw Failure(errno) }
    }

    // MARK: Walking

    /// Calls `body` with a descriptor of the folder that contains `path`, and the last part of the path.
    package func withFolder<Result>(
        of path: SyncPath, _ body: (Int32, UnsafePointer<CChar>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let folder = path.parent else {
            guard path.isName else { throw Failure(EINVAL) }
            return try Self.named(path, self.descriptor, body)
        }
        let descriptor = try self.openFolder(folder)
        defer { close(descriptor) }
        let name = SyncPath(path.bytes[(folder.bytes.count + 1)...])
        guard name.isName else { throw Failure(EINVAL) }
        return try Self.named(name, descriptor, body)
    }

    private static func named<Result>(
        _ name: SyncPath, _ folder: Int32, _ body: (Int32, UnsafePointer<CChar>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var answer: Swift.Result<Result, Failure>?
        name.withCString { pointer in
            do throws(Failure) {
                answer = .success(try body(folder, pointer))
            } catch {
                answer = .failure(error)
            }
        }
        return try answer!.get()
    }

    /// Returns a descriptor of the folder `path`, for the caller to close.
    func openFolder(_ path: SyncPath) throws(Failure) -> Int32 {
        guard path.isPlain else { throw Failure(EINVAL) }
        if self.asksKernel {
            let descriptor = path.withCString { OpenHow.folder.open($0, in: self.descriptor) }
            if descriptor >= 0 { return descriptor }
            switch errno {
            // The call is unknown to this kernel, forbidden by a sandbox, or raced with a rename: go step by
            // step.
            case ENOSYS, EPERM, EINVAL, E2BIG, EAGAIN: break
            case let number: throw Failure(number == EXDEV ? ELOOP : number)
            }
        }
        return try self.walk(path)
    }

    private func walk(_ path: SyncPath) throws(Failure) -> Int32 {
        var current = self.descriptor
        for part in path.bytes.split(separator: SyncPath.slash, omittingEmptySubsequences: false) {
            let next = SyncPath(part).withCString {
                openat(current, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            }
            let number = errno
            if current != self.descriptor { close(current) }
            guard next >= 0 else { throw Failure(number) }
            current = next
        }
        return current
    }

    private typealias Syncfs = @convention(c) (Int32) -> Int32

    // glibc has had it since 2.14, and the Swift overlay does not export it.
    private static let syncfs = dlsym(UnsafeMutableRawPointer(bitPattern: 0), "syncfs").map {
        unsafeBitCast($0, to: Syncfs.self)
    }

    private static let pathOnly: Int32 = 0o10000000

    private static func isDots(_ item: UnsafeMutablePointer<dirent>) -> Bool {
        let name = self.name(of: item).bytes
        return name == [0x2e] || name == [0x2e, 0x2e]
    }

    private static func name(of item: UnsafeMutablePointer<dirent>) -> SyncPath {
        withUnsafePointer(to: &item.pointee.d_name) { tuple in
            tuple.withMemoryRebound(to: CChar.self, capacity: 256) { name in
                SyncPath(UnsafeRawBufferPointer(start: name, count: strlen(name)))
            }
        }
    }
}

/// The argument of openat2(2), `struct open_how` of <linux/openat2.h>.
private struct OpenHow {
    var flags: UInt64
    var mode: UInt64 = 0
    var resolve: UInt64

    // RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH.
    static let folder = OpenHow(
        flags: UInt64(O_RDONLY | O_DIRECTORY | O_CLOEXEC), resolve: 0x02 | 0x04 | 0x08)

    private typealias SystemCall =
        @convention(c) (
            Int, Int, UnsafePointer<CChar>, UnsafeRawPointer, Int
        ) -> Int

    // Swift imports no variadic functions; Linux passes these arguments like any others.
    private static let systemCall = dlsym(UnsafeMutableRawPointer(bitPattern: 0), "syscall").map {
        unsafeBitCast($0, to: SystemCall.self)
    }

    /// The system call's number, which is the same on every architecture.
    private static let openat2 = 437

    func open(_ path: UnsafePointer<CChar>, in folder: Int32) -> Int32 {
        guard let systemCall = Self.systemCall else {
            errno = ENOSYS
            return -1
        }
        return withUnsafePointer(to: self) { how in
            Int32(systemCall(Self.openat2, Int(folder), path, how, MemoryLayout<OpenHow>.size))
        }
    }
}

extension SyncPath {
    /// True for a path that a file below a folder can have: it is not absolute, and no part of it is empty,
    /// `.` or `..`.
    package var isPlain: Bool {
        self.bytes.withUnsafeBufferPointer { bytes in
            var length = 0
            var dots = 0
            for byte in bytes {
                switch byte {
                case 0: return false
                case SyncPath.slash:
                    if length == 0 || dots == length && length <= 2 { return false }
                    (length, dots) = (0, 0)
                default:
                    length += 1
                    if byte == 0x2e { dots += 1 }
                }
            }
            return length > 0 && !(dots == length && length <= 2)
        }
    }

    /// True for a valid name of an entry in a folder.
    package var isName: Bool {
        !self.bytes.isEmpty && self.bytes.count <= 255 && self.bytes != [0x2e] && self.bytes != [0x2e, 0x2e]
            && !self.bytes.contains(Self.slash) && !self.bytes.contains(0)
    }

    /// Calls `body` with these bytes as a C string.
    package func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        (self.bytes + [0]).withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { body($0.baseAddress!) }
        }
    }
}
