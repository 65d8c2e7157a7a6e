/** Names of databases: two checks, as in the reference (spec: line-protocol-and-write §8). */
import { DatabaseError } from "../errors/database-error.ts";
import { DATABASE_NAME_BYTES_MAX } from "./limits.ts";

const encoder = new TextEncoder();

const invalid = (message: string): DatabaseError =>
  new DatabaseError("database.invalid_name", { message, hint: "start with a letter or digit, then use letters, digits, '_' and '-'" });

/** The check of the write and query endpoints; `/` separates a retention policy. Throws `database.invalid_name`. */
export function checkRequestDatabaseName(name: string): void {
  if (name === "") throw invalid("db name cannot be empty");
  if (encoder.encode(name).length > DATABASE_NAME_BYTES_MAX) throw invalid(`db name too long: max ${DATABASE_NAME_BYTES_MAX}`);
  if (!/^[A-Za-z0-9]/.test(name)) throw invalid("db name did not start with a number or letter");
  const badPolicy = (): DatabaseError =>
    invalid("db name with invalid retention policy, if providing a retention policy name, must be of form '<db_name>/<rp_name>'");
  if (name.endsWith("/")) throw badPolicy();
  if (!/^[A-Za-z0-9_/-]+$/.test(name)) {
    throw invalid("invalid character in database or rp name: must be ASCII, containing only letters, numbers, underscores, or hyphens");
  }
  if (name.split("/").length > 2) throw badPolicy();
}

/** The check of the configure calls. Throws `database.invalid_name`. */
export function checkCatalogDatabaseName(name: string): void {
  const size = encoder.encode(name).length;
  if (size < 1 || size > DATABASE_NAME_BYTES_MAX) throw invalid(`database name ${name} length must be between 1 and ${DATABASE_NAME_BYTES_MAX} characters`);
  let number = 0;
  for (const character of name) {
    if (!/[\p{Alphabetic}\p{N}/_-]/u.test(character)) {
      throw invalid(`database name '${name}' contains invalid character, character number ${number} is not allowed`);
    }
    number++;
  }
}

/** `<name>-YYYYMMDDTHHMMSS` (UTC), as soft delete renames; `taken` names get a further number. */
export function deletedName(name: string, nowNs: bigint, taken: (name: string) => boolean): string {
  const stamp = new Date(Number(nowNs / 1_000_000n)).toISOString().slice(0, 19).replace(/[-:]/g, "");
  const base = `${name}-${stamp}`;
  let candidate = base;
  for (let number = 1; taken(candidate); number++) candidate = `${base}-${number}`;
  return candidate;
}
