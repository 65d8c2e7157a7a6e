/** Randomness of the machine, given to what needs it. */
import { randomBytes } from "node:crypto";

export const random16 = (): Uint8Array => randomBytes(16);

export const randomName = (): string => randomBytes(8).toString("hex");

const MS_BITS = 48n;

/** UUID version 7: sorts by time (spec: http-api §9). */
export function randomUuid7(nowMs: number): string {
  const bytes = randomBytes(16);
  const time = BigInt.asUintN(Number(MS_BITS), BigInt(nowMs));
  for (let index = 0; index < 6; index++) bytes[index] = Number((time >> BigInt(40 - index * 8)) & 0xffn);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
