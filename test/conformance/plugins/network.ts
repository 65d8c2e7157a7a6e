/**
 * The network by grant (docs/plugins.md): what Python's own libraries do with it, unpatched. Expected values are what CPython
 * 3.13 does over the same local servers; refusals are ours.
 */
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { certificate, identity, listening, serveSockets, type LocalServer } from "../../support/network.ts";
import { createTrigger, evaluate, handler, raised, request, store, theServer, until } from "./harness.ts";

let web: LocalServer;
let secure: LocalServer;
let expired: LocalServer;
let wrongName: LocalServer;
let raw: LocalServer;
const url = (path: string): string => `http://127.0.0.1:${web.port}${path}`;
const tlsUrl = (server: LocalServer, path = "/"): string => `https://localhost:${server.port}${path}`;

/** `ctx` trusts the tests' own authority. */
const CONTEXT = `import ssl\nctx = ssl.create_default_context(cadata=${JSON.stringify(certificate("ca"))})`;

const connections = new Set<number>();

function answer(message: IncomingMessage, response: ServerResponse): void {
  connections.add(message.socket.remotePort ?? 0);
  const chunks: Buffer[] = [];
  message.on("data", (chunk: Buffer) => chunks.push(chunk)).on("end", () => {
    const body = Buffer.concat(chunks);
    switch (message.url) {
      case "/redirect":
        return response.writeHead(302, { location: "/plain" }).end();
      case "/away":
        return response.writeHead(302, { location: `http://elsewhere.tidemark.test:${web.port}/plain` }).end();
      case "/gzip":
        return response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("x".repeat(100_000)));
      case "/chunks":
        for (let part = 0; part < 100; part += 1) response.write("y".repeat(10_000));
        return response.end();
      case "/echo":
        return response.writeHead(200, { "x-method": message.method, "x-agent": message.headers["user-agent"] }).end(body);
      case "/never":
        return undefined;
      case "/cut":
        response.writeHead(200, { "content-length": "1000" });
        return response.write("half", () => response.destroy());
      case "/missing":
        return response.writeHead(404).end("no such page");
      default:
        return response.end("plain");
    }
  });
}

/** What `expression` is after `body`, through JSON. */
async function told(expression: string, body: string): Promise<unknown> {
  return ((await evaluate(`[${expression}]`, body)) as unknown[])[0];
}

const opened = (server: Server): Promise<LocalServer> => listening(server);

export function networkCases(): void {
  describe("network", () => {
    beforeAll(async () => {
      web = await opened(createHttp(answer));
      secure = await opened(createHttps({ ...identity("server"), ALPNProtocols: ["http/1.1"] }, answer));
      expired = await opened(createHttps(identity("expired"), answer));
      wrongName = await opened(createHttps(identity("wrong-name"), answer));
      raw = await serveSockets((socket) => {
        socket.write("220 ready\r\n");
        let seen = "";
        socket.on("data", (chunk: Buffer) => {
          seen += chunk.toString();
          if (seen.endsWith("HOLD\n")) return;
          socket.write(chunk);
        });
        socket.on("end", () => socket.end(`bye ${seen.length}`));
      });
    });
    afterAll(() => Promise.all([web, secure, expired, wrongName, raw].map((server) => server.close())));

    describe("urllib and http.client", () => {
      it("urllib.request.urlopen gives status, headers and body", async () => {
        expect(await told("(r.status, r.reason, r.read().decode(), r.headers.get_content_maintype())", `import urllib.request\nr = urllib.request.urlopen("${url("/plain")}")`)).toEqual([200, "OK", "plain", "text"]);
      });
      it("a POST sends its body and headers", async () => {
        const body = `import urllib.request\nq = urllib.request.Request("${url("/echo")}", data=b"z" * 300000, headers={"User-Agent": "plugin"})\nr = urllib.request.urlopen(q)`;
        expect(await told('(r.headers["x-method"], r.headers["x-agent"], len(r.read()))', body)).toEqual(["POST", "plugin", 300_000]);
      });
      it("redirects are followed", async () => expect(await told("(r.url, r.read().decode())", `import urllib.request\nr = urllib.request.urlopen("${url("/redirect")}")`)).toEqual([url("/plain"), "plain"]));
      it("an error status is HTTPError", async () => expect(await raised(`import urllib.request\nurllib.request.urlopen("${url("/missing")}")`)).toBe("HTTPError: HTTP Error 404: Not Found"));
      it("a chunked megabyte arrives whole", async () => expect(await told("len(r.read())", `import urllib.request\nr = urllib.request.urlopen("${url("/chunks")}")`)).toBe(1_000_000));
      it("gzip is for the plugin to unpack", async () => expect(await told("len(gzip.decompress(r.read()))", `import gzip, urllib.request\nr = urllib.request.urlopen("${url("/gzip")}")`)).toBe(100_000));
      it("http.client keeps a connection alive", async () => {
        connections.clear();
        const body = `import http.client\nc = http.client.HTTPConnection("127.0.0.1", ${web.port})\nbodies = []\nfor _ in range(3):\n    c.request("GET", "/plain")\n    bodies.append(c.getresponse().read().decode())`;
        expect(await told("bodies", body)).toEqual(["plain", "plain", "plain"]);
        expect(connections.size).toBe(1);
      });
      it("a body that is cut is IncompleteRead", async () => expect(await raised(`import urllib.request\nurllib.request.urlopen("${url("/cut")}").read()`)).toMatch(/^(IncompleteRead: IncompleteRead\(4 bytes read, 996 more expected\)|ConnectionResetError)/));
      it("a server that never answers is TimeoutError", async () => expect(await raised(`import urllib.request\nurllib.request.urlopen("${url("/never")}", timeout=0.2)`)).toBe("TimeoutError: timed out"));
      it("nobody listens: URLError with ConnectionRefusedError", async () => expect(await raised('import urllib.request\nurllib.request.urlopen("http://127.0.0.1:1/")')).toMatch(/^URLError: <urlopen error \[Errno \d+\] Connection refused>$/));
      it("no proxy of the server's environment is used", async () => expect(await told("urllib.request.getproxies()", "import urllib.request")).toEqual({}));
    });

    describe("TLS", () => {
      it("a certificate of a trusted authority", async () => expect(await told("(r.status, r.read().decode())", `${CONTEXT}\nimport urllib.request\nr = urllib.request.urlopen("${tlsUrl(secure)}", context=ctx)`)).toEqual([200, "plain"]));
      it("is refused when nobody trusts the authority", async () => expect(await raised(`import urllib.request\nurllib.request.urlopen("${tlsUrl(secure)}")`)).toMatch(/^URLError: <urlopen error \[SSL: CERTIFICATE_VERIFY_FAILED\] certificate verify failed: unable to get local issuer certificate/));
      it("is refused when it has expired", async () => expect(await raised(`${CONTEXT}\nimport urllib.request\nurllib.request.urlopen("${tlsUrl(expired)}", context=ctx)`)).toMatch(/certificate verify failed: certificate has expired/));
      it("is refused for another name", async () => expect(await raised(`${CONTEXT}\nimport urllib.request\nurllib.request.urlopen("${tlsUrl(wrongName)}", context=ctx)`)).toMatch(/certificate verify failed: Hostname mismatch, certificate is not valid for 'localhost'/));
      it("is taken unverified where the plugin says so", async () => expect(await told("r.read().decode()", `import ssl, urllib.request\nctx = ssl.create_default_context()\nctx.check_hostname = False\nctx.verify_mode = ssl.CERT_NONE\nr = urllib.request.urlopen("${tlsUrl(expired)}", context=ctx)`)).toBe("plain"));
      it("tells what was agreed on", async () => {
        const body = `${CONTEXT}\nimport socket\nctx.set_alpn_protocols(["http/1.1"])\ns = ctx.wrap_socket(socket.create_connection(("localhost", ${secure.port})), server_hostname="localhost")\nnames = dict(s.getpeercert()["subjectAltName"])`;
        expect(await told('(s.version(), s.selected_alpn_protocol(), s.cipher()[2], names["DNS"] != "", len(s.getpeercert(True)) > 500)', body)).toEqual(["TLSv1.3", "http/1.1", 256, true, true]);
      });
      it("is spoken over bytes that the plugin carries", async () => {
        const body = `${CONTEXT}
import socket
s = socket.create_connection(("localhost", ${secure.port}))
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = ctx.wrap_bio(incoming, outgoing, server_hostname="localhost")
def carry(work, *values):
    while True:
        try:
            result = work(*values)
            s.sendall(outgoing.read())
            return result
        except ssl.SSLWantReadError:
            s.sendall(outgoing.read())
            data = s.recv(65536)
            incoming.write(data) if data else incoming.write_eof()
carry(tls.do_handshake)
carry(tls.write, b"GET /chunks HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
body = b""
while piece := carry(tls.read, 65536):
    body += piece`;
        expect(await told("(tls.version(), body.count(b'y'))", body)).toEqual(["TLSv1.3", 1_000_000]);
      });
      it("plain HTTP on the other side is a TLS failure", async () => expect(await raised(`import urllib.request\nurllib.request.urlopen("https://127.0.0.1:${web.port}/")`)).toMatch(/^URLError: <urlopen error \[SSL: WRONG_VERSION_NUMBER\]/));
    });

    describe("sockets", () => {
      const connected = (): string => `import socket, select\ns = socket.create_connection(("127.0.0.1", ${raw.port}), timeout=5)`;
      it("read lines, write, and end one direction", async () => {
        const body = `${connected()}\nf = s.makefile("rwb")\nlines = [f.readline().decode()]\nf.write(b"hello\\n")\nf.flush()\nlines.append(f.readline().decode())\ns.shutdown(socket.SHUT_WR)\nlines.append(f.read().decode())`;
        expect(await told("lines", body)).toEqual(["220 ready\r\n", "hello\n", "bye 6"]);
      });
      it("time out without losing what comes later", async () => {
        const body = `${connected()}\nfirst = s.recv(100)\ns.settimeout(0.05)\ntry:\n    s.recv(1)\n    kind = "data"\nexcept socket.timeout as problem:\n    kind = str(problem)\ns.settimeout(5)\ns.sendall(b"late")\nlater = s.recv(4)`;
        expect(await told("(kind, later.decode())", body)).toEqual(["timed out", "late"]);
      });
      it("connect without blocking and are selected", async () => {
        const body = `import socket, select, errno\ns = socket.socket()\ns.setblocking(False)\ncode = s.connect_ex(("127.0.0.1", ${raw.port}))\n_, writable, _ = select.select([], [s], [], 5)\nstate = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)\nreadable, _, _ = select.select([s], [], [], 5)\ngreeting = s.recv(100).decode()\ntry:\n    s.recv(1)\n    more = "data"\nexcept BlockingIOError:\n    more = "blocks"`;
        expect(await told("(code == errno.EINPROGRESS, writable == [s], state, readable == [s], greeting, more)", body)).toEqual([true, true, 0, true, "220 ready\r\n", "blocks"]);
      });
      it("a refused connection shows in SO_ERROR", async () => {
        const body = 'import socket, select, errno\ns = socket.socket()\ns.setblocking(False)\ns.connect_ex(("127.0.0.1", 1))\nselect.select([], [s], [], 5)';
        expect(await told("s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED", body)).toBe(true);
      });
      it("selectors wait for several at once", async () => {
        const body = `import socket, selectors\nchosen = selectors.DefaultSelector()\nsockets = [socket.create_connection(("127.0.0.1", ${raw.port})) for _ in range(5)]\nfor one in sockets:\n    chosen.register(one, selectors.EVENT_READ, one)\nlines = []\nwhile len(lines) < 5:\n    for key, _ in chosen.select(5):\n        lines.append(key.data.recv(100).decode())\n        chosen.unregister(key.data)`;
        expect(await told("lines", body)).toEqual(Array.from({ length: 5 }, () => "220 ready\r\n"));
      });
      it("peek, recv_into and recv with nothing left", async () => {
        const body = `${connected()}\npeeked = s.recv(3, socket.MSG_PEEK)\nbuffer = bytearray(3)\ns.recv_into(buffer)\ns.shutdown(socket.SHUT_WR)\nrest = b""\nwhile piece := s.recv(2):\n    rest += piece`;
        expect(await told("(peeked.decode(), buffer.decode(), rest.decode(), s.recv(1).decode())", body)).toEqual(["220", "220", " ready\r\nbye 0", ""]);
      });
      it("names are resolved by the server", async () => expect(await told('[entry[4] for entry in socket.getaddrinfo("localhost", "http", socket.AF_INET, socket.SOCK_STREAM)]', "import socket")).toEqual([["127.0.0.1", 80]]));
      it("a name that there is not is gaierror", async () => expect(await raised('import socket\nsocket.getaddrinfo("nothing.invalid", 80)')).toMatch(/^gaierror: \[Errno -[23]\] /));
      it("a pair in memory", async () => expect(await told("(b.recv(9).decode(), select.select([a], [b], [], 0) == ([], [b], []))", 'import socket, select\na, b = socket.socketpair()\na.sendall(b"through")')).toEqual(["through", true]));
      it("a listener hears its own interpreter, for libraries that make a pair of it", async () => {
        const body = `import socket\nl = socket.create_server(("127.0.0.1", 0))\nc = socket.socket()\nc.setblocking(False)\nc.connect(l.getsockname())\ns, _ = l.accept()\nl.close()\nc.sendall(b"hi")\nreceived = s.recv(10).decode()\nc.close()\ntry:\n    socket.create_connection(l.getsockname() if l.fileno() != -1 else ("127.0.0.1", 1))\n    gone = "open"\nexcept ConnectionRefusedError:\n    gone = "refused"`;
        expect(await told("(received, s.recv(1).decode(), gone)", body)).toEqual(["hi", "", "refused"]);
      });
      it.each([
        ['socket.socket(socket.AF_INET, socket.SOCK_DGRAM)', /^OSError: \[Errno \d+\] Protocol not supported: a plugin has TCP connections only$/],
        ['socket.create_server(("", 9000))', /^PermissionError: \[Errno \d+\] a plugin cannot choose its own address or port/],
        ["socket.socket().listen()", /^PermissionError: \[Errno \d+\] a plugin cannot listen for connections of others$/],
        ["socket.socket().recv(1)", /^OSError: \[Errno \d+\] Socket not connected$/],
        ["a, b = socket.socketpair()\na.recv(1)", /^RuntimeError: this would wait forever/],
        ['select.select([], [], [], float("nan"))', /^ValueError: Invalid value NaN/],
        ["select.select([], [], [])", /^RuntimeError: this would wait forever/],
      ])("%s", async (expression, expected) => expect(await raised(`import socket, select\n${expression}`)).toMatch(expected));
    });

    describe("grants and limits", () => {
      it("nothing is granted: the sentence names the flag, and nothing is connected to", async () => {
        connections.clear();
        expect(await raised(`import urllib.request\nurllib.request.urlopen("${url("/plain")}")`, { grants: { net: "none" } })).toBe(
          `URLError: <urlopen error the network address 127.0.0.1:${web.port} is not granted to this trigger (grant it with --allow-net 127.0.0.1:${web.port} on create trigger or update trigger)>`,
        );
        expect(connections.size).toBe(0);
      });
      it("a redirect to what is not granted is refused", async () => {
        expect(await raised(`import urllib.request\nurllib.request.urlopen("${url("/away")}")`, { grants: { net: `127.0.0.1:${web.port}` } })).toMatch(/elsewhere\.tidemark\.test:\d+ is not granted to this trigger/);
      });
      it("a granted name opens its addresses and no others", async () => {
        const grants = { net: `localhost:${web.port}` };
        expect(await raised(`import urllib.request\nurllib.request.urlopen("http://localhost:${web.port}/").read()`, { grants })).toBe("nothing was raised");
        expect(await raised(`import socket\nsocket.create_connection(("127.0.0.1", ${raw.port}))`, { grants })).toMatch(/^PermissionError: .*is not granted/);
      });
      it("the cloud's metadata needs a grant of its own", async () => expect(await raised('import socket\nsocket.create_connection(("169.254.169.254", 80), 1)', { grants: { net: "*" } })).toMatch(/^PermissionError: .*169\.254\.169\.254/));
      it("connections are limited", async () => expect(await raised(`import socket\nkept = [socket.create_connection(("127.0.0.1", ${raw.port})) for _ in range(3)]`, { limits: { connections: 2 } })).toMatch(/^ResourceLimitError: .*2/));
      it("bytes are limited", async () => expect(await raised(`import urllib.request\nurllib.request.urlopen("${url("/chunks")}").read()`, { limits: { network_bytes: "500kb" } })).toMatch(/^ResourceLimitError: /));
      it("waiting for a server ends with the run's time", async () => {
        const trigger = await createTrigger(await store(handler(`import urllib.request\nurllib.request.urlopen("${url("/never")}")\nreturn "answered"`)), "request", { limits: { time: "300ms" } });
        const started = performance.now();
        expect((await trigger.get()).status).toBe(500);
        expect(performance.now() - started).toBeLessThan(5000);
        await trigger.remove();
      });
      it("what is left open ends with the run, and the next run sees it ended", async () => {
        const body = `import socket\nkept = influxdb3_local.cache.get("socket")\nif kept is None:\n    kept = socket.create_connection(("127.0.0.1", ${raw.port}))\n    influxdb3_local.cache.put("socket", kept)\n    return kept.recv(100).decode()\ntry:\n    return repr(kept.recv(1))\nexcept OSError as problem:\n    return type(problem).__name__`;
        const trigger = await createTrigger(await store(handler(body)), "request");
        expect((await trigger.get()).body).toBe("220 ready\r\n");
        expect((await trigger.get()).body).toBe("OSError");
        await trigger.remove();
      });
    });

    it("a plugin calls this server's own API while it runs", async () => {
      const port = new URL(theServer().url).port;
      const body = `import urllib.request, json\nq = urllib.request.Request("http://127.0.0.1:${port}/api/v3/query_sql?db=conformance&format=json&q=SELECT%201%20AS%20one")\nreturn urllib.request.urlopen(q).read().decode()`;
      expect((await request(body, { grants: { net: "self" } })).body).toBe('[{"one":1}]');
      const denied = await raised(`import urllib.request\nurllib.request.urlopen("${url("/plain")}")`, { grants: { net: "self" } });
      expect(denied).toMatch(/is not granted to this trigger/);
    });

    it("a plugin that asks itself, without an instance free, is told so at once", async () => {
      const port = new URL(theServer().url).port;
      const trigger = await createTrigger(await store(handler(`import urllib.request\ntry:\n    return urllib.request.urlopen("http://127.0.0.1:${port}" + query_parameters["path"], timeout=20).read().decode()\nexcept urllib.request.HTTPError as problem:\n    return f"{problem.code} {problem.read().decode()}"`)), "request");
      const answered = await until("the answer", async () => trigger.get(`?path=/api/v3/engine/${trigger.name}/path`));
      expect(answered.body).toMatch(/wait/);
      await trigger.remove();
    });
  });
}
