/** Everything a command may touch outside of itself; `node-terminal.ts` is the real one, tests fake it. */

/** One HTTP exchange with a server. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  readonly tls: { readonly caFile: string | undefined; readonly noVerify: boolean };
}

export interface HttpResponse {
  readonly status: number;
  header(name: string): string | undefined;
  /** The whole body is never held by the transport. */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface Terminal {
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  readonly stdinIsTerminal: boolean;
  readonly homeDir: string;
  readonly workDir: string;
  readonly hostName: string;
  env(name: string): string | undefined;
  /** Data. Resolves when the stream takes more. */
  stdout(data: string | Uint8Array): Promise<void>;
  /** Everything else. */
  stderr(text: string): void;
  readStdin(): Promise<Uint8Array>;
  /** The next line; undefined at the end. */
  readLine(): Promise<string | undefined>;
  readFile(path: string): Promise<Uint8Array>;
  /** Creates or truncates. */
  openFile(path: string): Promise<FileWriter>;
  /** Creates a file that only its owner may read, whole or not at all. Throws `cli.failed`. */
  writeSecretFile(path: string, text: string): Promise<void>;
  /** From a secure source. */
  randomBytes(size: number): Uint8Array;
  /** Undefined when nothing is there. */
  fileKind(path: string): Promise<"file" | "folder" | undefined>;
  /** Files below a folder, relative paths with `/`, sorted. */
  listFiles(folder: string): Promise<readonly string[]>;
  resolvePath(path: string): string;
  gzip(bytes: Uint8Array): Promise<Uint8Array>;
  http(request: HttpRequest): Promise<HttpResponse>;
  /** For durations only. */
  nowMs(): number;
  /** Milliseconds since the Unix epoch. */
  epochMs(): number;
  /** Calls once for each SIGINT or SIGTERM. */
  onStopSignal(listener: () => void): void;
  /** Ends the process at once. */
  exit(code: number): never;
  /** Calls after the delay unless the process ends before. */
  after(delayMs: number, action: () => void): void;
  /** Keeps the process alive meanwhile. */
  pause(delayMs: number): Promise<void>;
}

export interface FileWriter {
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}
