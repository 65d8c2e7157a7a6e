// The layer against a hostile guest: every pointer, path and number that a module could pass gives an error number.
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { DESCRIPTORS_MAX, OUTPUT_BYTES_PER_RUN_MAX, OUTPUT_LINE_BYTES_MAX } from "../limits.ts";
import { buildFileTree, resolvePath } from "./file-tree.ts";
import { type ParkableWasiLayer, createWasiLayer } from "./layer.ts";
import { LineSink } from "./line-sink.ts";
import { ERRNO, GuestExit, PREVIEW1_FUNCTIONS } from "./preview1.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const root = buildFileTree([
  { path: "lib/std.zip", bytes: encode("archive") },
  { path: "plugins/pack/__init__.py", bytes: encode("x = 1\n"), modifiedNs: 5n },
]);

type Call = (...values: (number | bigint)[]) => number;
let memory: WebAssembly.Memory;
let layer: ParkableWasiLayer;
let calls: Record<string, Call>;
let printed: string;
let slept: number[];

beforeEach(() => {
  memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true });
  printed = "";
  slept = [];
  layer = createWasiLayer({
    root,
    clockResolutionNs: 1_000n,
    environment: new Map([["TZ", "UTC"]]),
    realtimeNs: () => 1_700_000_000_000_000_000n,
    monotonicNs: () => 42n,
    random: (into) => void into.fill(7),
    output: (_stream, bytes) => void (printed += new TextDecoder().decode(bytes)),
    sleep: (ms) => void slept.push(ms),
    beforeCall: () => undefined,
  });
  calls = layer.imports(memory) as unknown as Record<string, Call>;
});

const call = (name: string, ...values: (number | bigint)[]): number => (calls[name] as Call)(...values);
const view = (): DataView => new DataView(memory.buffer);
const put = (at: number, bytes: Uint8Array): void => new Uint8Array(memory.buffer).set(bytes, at);

function open(path: string, flags = 0, rights = 2n): { errno: number; fd: number } {
  const bytes = encode(path);
  put(100, bytes);
  const errno = call("path_open", 3, 1, 100, bytes.length, flags, rights, 0n, 0, 64);
  return { errno, fd: view().getUint32(64, true) };
}

function read(fd: number, size: number): string {
  view().setUint32(16, 2000, true);
  view().setUint32(20, size, true);
  expect(call("fd_read", fd, 16, 1, 24)).toBe(0);
  return new TextDecoder().decode(new Uint8Array(memory.buffer).slice(2000, 2000 + view().getUint32(24, true)));
}

describe("wasi layer", () => {
  test("offers every function of preview 1; unsupported ones answer nosys", () => {
    expect(Object.keys(calls).sort()).toEqual([...PREVIEW1_FUNCTIONS].sort());
    for (const name of ["sock_accept", "sock_recv", "sock_send", "sock_shutdown", "proc_raise", "fd_renumber"]) expect(call(name, 0, 0, 0, 0)).toBe(ERRNO.nosys);
  });

  test("any arguments give an error number and never an exception, but for leaving", () => {
    const argument = fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.nat(5), fc.nat(70_000));
    fc.assert(
      fc.property(fc.constantFrom(...PREVIEW1_FUNCTIONS), fc.array(argument, { minLength: 9, maxLength: 9 }), (name, raw) => {
        const wide: Record<string, number[]> = { fd_seek: [1], fd_pread: [3], fd_pwrite: [3], fd_readdir: [3], path_open: [5, 6], clock_time_get: [1] };
        const values = raw.map((value, index) => (wide[name]?.includes(index) === true ? BigInt(value) : value));
        try {
          expect(call(name, ...values)).toBeTypeOf("number");
        } catch (error) {
          expect([name, error instanceof GuestExit]).toEqual(["proc_exit", true]);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ["/etc/passwd", ERRNO.notcapable], ["../etc/passwd", ERRNO.notcapable], ["lib/../../x", ERRNO.notcapable], ["nothing", ERRNO.noent],
    ["lib/std.zip/x", ERRNO.notdir], ["lib/std.zip/", ERRNO.notdir], ["lib/../lib/./std.zip", ERRNO.success], ["", ERRNO.noent], ["a\0b", ERRNO.inval],
  ])("path %j is answered with %i", (path, errno) => {
    expect(open(path).errno).toBe(errno);
  });

  test("no path leads outside the tree", () => {
    const names = new Set(["lib", "std.zip", "plugins", "pack", "__init__.py"]);
    fc.assert(
      fc.property(fc.array(fc.constantFrom("..", ".", "", "lib", "std.zip", "plugins", "pack", "etc"), { maxLength: 8 }), (parts) => {
        try {
          for (const name of resolvePath(root, [], parts.join("/")).names) expect(names.has(name)).toBe(true);
        } catch (error) {
          expect(error).toHaveProperty("errno");
        }
      }),
    );
  });

  test("refuses to create, truncate and write with read-only file system", () => {
    expect(open("lib/new", 1).errno).toBe(ERRNO.rofs);
    expect(open("lib/std.zip", 8).errno).toBe(ERRNO.rofs);
    expect(open("lib/std.zip", 0, 1n << 6n).errno).toBe(ERRNO.rofs);
    for (const name of ["path_unlink_file", "path_create_directory", "path_rename", "path_symlink"]) expect(call(name, 3, 0, 0, 0, 0)).toBe(ERRNO.rofs);
  });

  test("opens no more files than its table holds", () => {
    const opened = Array.from({ length: DESCRIPTORS_MAX }, () => open("lib/std.zip").errno);
    expect(opened.filter((errno) => errno === 0)).toHaveLength(DESCRIPTORS_MAX - 4);
    expect(opened.at(-1)).toBe(ERRNO.mfile);
  });

  test("a parked table goes on where it was; files that are gone are closed", () => {
    const { fd } = open("lib/std.zip");
    const other = open("plugins/pack/__init__.py").fd;
    expect(read(fd, 3)).toBe("arc");
    const saved = structuredClone(layer.save());
    layer.restore(buildFileTree([{ path: "lib/std.zip", bytes: encode("archive") }]), saved);
    expect(read(fd, 10)).toBe("hive");
    expect(call("fd_close", other)).toBe(ERRNO.badf);
  });

  test("shows environment and no arguments", () => {
    expect(call("environ_sizes_get", 0, 4)).toBe(0);
    expect([view().getUint32(0, true), view().getUint32(4, true)]).toEqual([1, 7]);
    expect(call("environ_get", 8, 200)).toBe(0);
    expect(new TextDecoder().decode(new Uint8Array(memory.buffer).slice(200, 207))).toBe("TZ=UTC\0");
    expect(call("args_sizes_get", 0, 4)).toBe(0);
    expect(view().getUint32(0, true)).toBe(0);
  });

  test("poll_oneoff sleeps for the shortest wait and reports it", () => {
    const subscribe = (at: number, userData: bigint, timeoutNs: bigint): void => {
      view().setBigUint64(at, userData, true);
      view().setUint8(at + 8, 0);
      view().setUint32(at + 16, 1, true);
      view().setBigUint64(at + 24, timeoutNs, true);
      view().setUint16(at + 40, 0, true);
    };
    subscribe(1000, 11n, 5_000_000n);
    subscribe(1048, 22n, 2_000_000n);
    expect(call("poll_oneoff", 1000, 3000, 2, 8)).toBe(0);
    expect(slept).toEqual([2]);
    expect([view().getUint32(8, true), view().getBigUint64(3000, true)]).toEqual([1, 22n]);
    expect(call("poll_oneoff", 1000, 3000, 0, 8)).toBe(ERRNO.inval);
    expect(call("poll_oneoff", 1000, 3000, 1_000_000, 8)).toBe(ERRNO.inval);
  });

  test("random fills exactly what was asked, and nothing outside the memory", () => {
    expect(call("random_get", 500, 3)).toBe(0);
    expect([...new Uint8Array(memory.buffer).slice(499, 504)]).toEqual([0, 7, 7, 7, 0]);
    expect(call("random_get", 65_530, 100)).toBe(ERRNO.fault);
  });
});

describe("line sink", () => {
  test("splits lines, keeps unfinished ones until the end, cuts long ones", () => {
    const lines: string[] = [];
    const sink = new LineSink((line) => lines.push(line));
    sink.write(encode("one\ntw"));
    sink.write(encode("o\n"));
    sink.write(encode("x".repeat(OUTPUT_LINE_BYTES_MAX + 10)));
    sink.flush();
    expect(lines).toEqual(["one", "two", `${"x".repeat(OUTPUT_LINE_BYTES_MAX)}… (cut)`]);
  });

  test("drops what is beyond the budget of a run and says so once", () => {
    const lines: string[] = [];
    const sink = new LineSink((line) => lines.push(line));
    for (let count = 0; count < 100_000; count += 1) sink.write(encode("\n"));
    expect(lines.length).toBeLessThan(OUTPUT_BYTES_PER_RUN_MAX / 32);
    expect(lines.filter((line) => line.includes("is dropped"))).toHaveLength(1);
    sink.flush();
    sink.write(encode("again\n"));
    expect(lines.at(-1)).toBe("again");
  });
});
