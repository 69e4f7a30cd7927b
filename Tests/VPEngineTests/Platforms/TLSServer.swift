import Foundation
import Glibc

/// A web server with a certificate of the test's own making, and the authority that signed it.
///
/// TLS is Python's, certificates are made by `openssl`: both are in every Debian that can build this.
final class TLSServer {
    enum Certificate: String, CaseIterable {
        case good
        case expired
        case otherHost
    }

    let port: Int
    private let child: pid_t

    var url: URL { URL(string: "https://127.0.0.1:\(self.port)/x")! }

    /// Makes an authority, also as the folder `store`, and a certificate of each kind in `folder`;
    /// returns its file.
    static func makeCertificates(in folder: String) throws -> String {
        try Self.run(
            folder,
            """
            openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 30 -subj '/CN=vp test CA' \
                -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
            # OpenSSL finds an authority in a folder by a name made of its subject.
            mkdir store && cp ca.pem "store/$(openssl x509 -noout -hash -in ca.pem).0"
            mkdir -p issued && : > index.txt && echo 1000 > serial
            cat > ca.conf <<'END'
            [ca]
            default_ca = own
            [own]
            database = index.txt
            serial = serial
            new_certs_dir = issued
            certificate = ca.pem
            private_key = ca.key
            default_md = sha256
            policy = any
            unique_subject = no
            copy_extensions = copy
            [any]
            commonName = supplied
            END
            sign() { # NAME SAN START END
                openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1" -addext "subjectAltName=$2"
                openssl ca -batch -notext -config ca.conf -in "$1.csr" -out "$1.pem" -startdate "$3" -enddate "$4"
                cat "$1.key" "$1.pem" > "$1.both"
            }
            sign good IP:127.0.0.1 20200101000000Z 20491231235959Z
            sign expired IP:127.0.0.1 20200101000000Z 20210101000000Z
            sign otherHost DNS:other.example 20200101000000Z 20491231235959Z
            """)
        return "\(folder)/ca.pem"
    }

    /// - Parameter folder: where `makeCertificates` made them.
    init(_ certificate: Certificate, in folder: String) throws {
        let script = """
            import http.server, ssl, sys
            class Handler(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    self.send_response(200); self.send_header("Content-Length", "5"); self.end_headers()
                    self.wfile.write(b"hello")
                def log_message(self, *a): pass
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(sys.argv[1])
            server.socket = context.wrap_socket(server.socket, server_side=True)
            print(server.server_port, flush=True)
            server.serve_forever()
            """
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw POSIXError(.EIO) }
        self.child = try Self.spawn(
            [
                "/bin/sh", "-c", #"exec python3 -c "$1" "$2""#, "sh", script,
                "\(folder)/\(certificate.rawValue).both",
            ],
            output: ends[1])
        close(ends[1])
        defer { close(ends[0]) }
        var line = ""
        var byte: UInt8 = 0
        while read(ends[0], &byte, 1) == 1, byte != 0x0A { line.unicodeScalars.append(Unicode.Scalar(byte)) }
        guard let port = Int(line) else { throw POSIXError(.ECONNREFUSED) }
        self.port = port
    }

    deinit {
        kill(self.child, SIGKILL)
        waitpid(self.child, nil, 0)
    }

    private static func run(_ folder: String, _ script: String) throws {
        let log = open("\(folder)/log", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        defer { close(log) }
        let child = try Self.spawn(
            ["/bin/sh", "-c", "cd \"$1\" && set -e\n" + script, "sh", folder], output: log)
        var status: Int32 = 0
        waitpid(child, &status, 0)
        guard status == 0 else {
            throw TLSFailure(words: (try? String(contentsOfFile: "\(folder)/log", encoding: .utf8)) ?? "")
        }
    }

    struct TLSFailure: Error { let words: String }

    /// Starts a program whose both outputs go to `output`.
    private static func spawn(_ words: [String], output: Int32) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var child: pid_t = 0
        guard posix_spawn(&child, words[0], &actions, nil, &arguments, environ) == 0 else {
            throw POSIXError(.EAGAIN)
        }
        return child
    }
}
