/** `--trigger-settings`: one setting so far, in the form of the arguments' flag. */
import { pairsOf } from "./common-flags.ts";

export function checkTriggerSettings(text: string): string | undefined {
  return text.split(",").every((pair) => /^durable=(true|false)$/.test(pair)) ? undefined : "the one setting is durable=true or durable=false";
}

/** As a member of the request's body; nothing when the flag was not given. */
export function triggerSettings(pairs: readonly (readonly [key: string, value: string])[]): { readonly durable?: boolean } {
  const durable = pairsOf(pairs)?.["durable"];
  return durable === undefined ? {} : { durable: durable === "true" };
}
