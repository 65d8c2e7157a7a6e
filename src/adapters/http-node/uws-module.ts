/** The part of uWebSockets.js that is used, and loading it: an optional peer, whose binary may not fit this machine. */
import { messageOf } from "../../core/errors/database-error.ts";

export interface UwsRequest {
  getUrl(): string;
  getQuery(): string | undefined;
  getCaseSensitiveMethod(): string;
  getHeader(lowerCaseName: string): string;
  forEach(visit: (name: string, value: string) => void): void;
}

/** Nothing of it may be called once it was aborted or ended. */
export interface UwsResponse {
  onAborted(listener: () => void): this;
  /** The chunk's memory is valid only during the call. */
  onData(listener: (chunk: ArrayBuffer, isLast: boolean) => void): this;
  /** To be called once, before the first `write`. */
  onWritable(listener: (offset: number) => boolean): this;
  /** As text. */
  getRemoteAddressAsText(): ArrayBuffer;
  /** Not in all releases that can be loaded: 20.51 does not have it. */
  getRemotePort?(): number;
  cork(write: () => void): this;
  writeStatus(status: string): this;
  writeHeader(name: string, value: string): this;
  /** False: wait for `onWritable`. */
  write(chunk: Uint8Array): boolean;
  end(body?: Uint8Array | string, closesConnection?: boolean): this;
  /** Cuts the connection at once. */
  close(): this;
  endWithoutBody(reportedLength?: number, closesConnection?: boolean): this;
}

export interface UwsApp {
  any(pattern: string, handler: (response: UwsResponse, request: UwsRequest) => void): this;
  listen(host: string, port: number, options: number, done: (socket: unknown) => void): this;
  close(): this;
}

export interface UwsModule {
  App(): UwsApp;
  us_listen_socket_close(socket: unknown): void;
  us_socket_local_port(socket: unknown): number;
  readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number;
}

/** A text says why it cannot be used here. */
export async function loadUws(): Promise<UwsModule | string> {
  try {
    // A name that the bundler and the type checker do not follow: the package is optional.
    const name: string = "@uwsjs/core";
    const loaded = (await import(name)) as { readonly default?: UwsModule } & UwsModule;
    const module = loaded.default ?? loaded;
    return typeof module.App === "function" ? module : "the package @uwsjs/core has another shape than expected";
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
    return missing ? "the package @uwsjs/core is not installed" : messageOf(error);
  }
}
