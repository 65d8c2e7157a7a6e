// The descriptors against the types jco makes from plugin.wit: a field that is missing, renamed or of another type does
// not compile. The order of fields is proven by the runs in test/sandbox.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { ValueOf } from "./canonical-abi.ts";
import {
  ERROR_KINDS, GUEST_EXPORTS, HOST_CALL_NAMES, type bufferedWrite, type failure, type hostError, type instanceSettings, type request, type response, type runContext, type tableRows,
} from "./contract.ts";
import type * as Wit from "./generated/interfaces/tidemark-plugin-types.js";

/** jco writes `field?: T` for an option, our descriptors `field: T | undefined`. */
type Plain<T> = T extends Uint8Array
  ? Uint8Array
  : T extends readonly (infer E)[]
    ? Plain<E>[]
    : T extends object
      ? { [K in keyof T]-?: Plain<Exclude<T[K], undefined>> | (undefined extends T[K] ? undefined : never) }
      : T;
type Same<A, B> = [Plain<A>] extends [Plain<B>] ? ([Plain<B>] extends [Plain<A>] ? true : false) : false;

const wit = readFileSync(new URL("../../../runtime-wasm/wit/plugin.wit", import.meta.url), "utf8");

describe("contract", () => {
  test("records have the shapes of plugin.wit", () => {
    const same: [
      Same<ValueOf<typeof hostError>, Wit.HostError>,
      Same<ValueOf<typeof runContext>, Wit.RunContext>,
      Same<ValueOf<typeof tableRows>, Wit.TableRows>,
      Same<ValueOf<typeof request>, Wit.Request>,
      Same<ValueOf<typeof response>, Wit.Response>,
      Same<ValueOf<typeof bufferedWrite>, Wit.BufferedWrite>,
      Same<ValueOf<typeof failure>, Wit.Failure>,
      Same<ValueOf<typeof instanceSettings>, Wit.InstanceSettings>,
    ] = [true, true, true, true, true, true, true, true];
    expect(same).toHaveLength(8);
  });

  test("every host call and export of plugin.wit is there and no other", () => {
    const host = /interface host \{(.*?)\n\}/su.exec(wit)?.[1] ?? "";
    const calls = [...host.matchAll(/^ {2}([a-z-]+): func/gmu)].map((match) => match[1]);
    expect([...HOST_CALL_NAMES, "poll"].sort()).toEqual(calls.sort());
    const exports = [...wit.matchAll(/^ {2}export ([a-z-]+): func/gmu)].map((match) => match[1]);
    expect(Object.keys(GUEST_EXPORTS).sort()).toEqual(exports.sort());
  });

  test("error kinds have the numbers of plugin.wit", () => {
    const body = /enum error-kind \{(.*?)\n {2}\}/su.exec(wit)?.[1] ?? "";
    expect([...body.matchAll(/^ {4}([a-z-]+),/gmu)].map((match) => match[1])).toEqual([...ERROR_KINDS]);
  });
});
