/** Where the server's own log goes. */
export type LogLevel = "debug" | "info" | "warn" | "error";

export interface LogSink {
  /** `fields` are JSON values; never a token or a secret. */
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
}
