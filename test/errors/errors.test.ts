// Goal: docs/errors.md names every code and every text that the program can say. Method: the texts are read out of the sources and the
// page is a reviewed snapshot of them; texts that the specification gives, and some that need every trick of the reader, must be in it.
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { ERROR_CODES, type ErrorCode } from "../../src/core/errors/codes.ts";
import { readErrorTexts, type ErrorText } from "./error-texts.ts";
import { CHAPTERS } from "./meanings.ts";
import { renderErrors } from "./render.ts";

let read: Awaited<ReturnType<typeof readErrorTexts>>;
let texts: readonly ErrorText[];
beforeAll(async () => {
  read = await readErrorTexts();
  texts = read.texts;
});

it("docs/errors.md says what the program says", async () => {
  await expect(renderErrors(read)).toMatchFileSnapshot(fileURLToPath(new URL("../../docs/errors.md", import.meta.url)));
});

it("every code is in a chapter and has a text", () => {
  const families = Object.values(CHAPTERS).flat();
  const codes = Object.keys(ERROR_CODES) as ErrorCode[];
  expect(codes.filter((code) => !families.includes(code.split(".")[0] as string))).toEqual([]);
  expect(codes.filter((code) => !texts.some((text) => text.code === code))).toEqual([]);
  expect(texts.filter(({ code }) => !(code in ERROR_CODES))).toEqual([]);
});

describe("the reader of the sources finds", () => {
  it.each<[how: string, code: ErrorCode, message: string]>([
    ["a plain text", "write.empty", "incoming write was empty"],
    ["a text with a limit that is a constant elsewhere", "token.limit", "Adding a token would exceed limit of 1000 tokens"],
    ["a text of a helper in another module", "query.invalid", "Error during planning: table function '<name>' not found"],
    ["a text through two helpers", "request.invalid", "serde json error: missing field `<field>`"],
    ["a code that depends", "write.partial_limit", "partial write of line protocol occurred"],
    ["a text out of a table of texts", "auth.not_local", 'Web pages of "<origin>" may not use this server, which runs without authentication'],
    ["the message of a check at the edge", "request.invalid", "serde error: provided string was not `true` or `false`"],
  ])("%s", (_how, code, message) => expect(texts.map((text) => `${text.code} ${text.message}`)).toContain(`${code} ${message}`));
});

describe("texts of the specification", () => {
  it("line-protocol §5, §6: about a line", () => {
    expect(read.lines).toEqual(expect.arrayContaining(["No fields were provided", "invalid line protocol - multiple instances of '<name>' field found"]));
    expect(read.lines.filter((text) => text.startsWith("invalid column type for column '<name>', expected "))).toHaveLength(1);
  });

  it.each<[section: string, code: ErrorCode, message: string]>([
    ["http-api §2", "request.no_such_path", "Not found"],
    ["http-api §2", "request.not_supported", "endpoint disabled, started without auth"],
    ["http-api §3.1", "auth.malformed", '{"error": "Authorization header was malformed, the request was not in the form of \'Authorization: <auth-scheme> <token>\', supported auth-schemes are Bearer, Token and Basic"}'],
    ["http-api §3.2", "auth.unauthenticated", '{"error": "the request was not authenticated"}'],
    ["http-api §3.4", "token.exists", "token name already exists, <name>"],
    ["http-api §3.4", "token.operator", "cannot delete operator token"],
    ["http-api §4", "request.too_large", "max request size (<size max> bytes) exceeded"],
    ["http-api §4", "request.content_type", "unacceptable content-type, expected: application/json"],
    ["http-api §4", "request.invalid", "unacceptable content-encoding: <encoding>"],
    ["http-api §4", "request.overloaded", "this service is overloaded, please try again later"],
    ["http-api §4", "plugin.no_directory", "Python plugins not enabled on this server"],
    ["http-api §6.1", "request.invalid", "missing query parameter 'db'"],
    ["http-api §6.1", "write.rejected", "line protocol parsing error"],
    ["http-api §6.1", "database.limit", "Adding a new database would exceed limit of <limit> databases"],
    ["http-api §6.1", "database.deleted", "cannot write to soft-deleted database '<name>' - it is marked for deletion"],
    ["http-api §6.1", "wal.closed", "wal is shutdown and not accepting writes"],
    ["http-api §6.2", "request.invalid", "no org/bucket destination provided"],
    ["http-api §6.3", "request.invalid", "no db destination provided"],
    ["http-api §7", "request.invalid", "missing query parameters 'db' and 'q'"],
    ["http-api §7", "query.database_not_found", "query error: database not found: <database>"],
    ["http-api §10", "resource.exists", "attempted to create a resource that already exists"],
    ["http-api §10", "resource.not_found", "the requested resource was not found: <name>"],
    ["http-api §10", "database.internal", "cannot modify internal db"],
    ["http-api §12", "request.invalid", "invalid request: server is configured to reject WalRows plugin triggers"],
    ["http-api §12", "request.no_such_path", '{error: "not found"}'],
    ["line-protocol §8", "database.invalid_name", "db name did not start with a number or letter"],
    ["line-protocol §8", "database.invalid_name", "db name too long: max 511"],
    ["cli §3.1", "server.misconfigured", "tls requires both a cert and a key file to be passed in to work"],
    ["cli §4", "cli.failed", "Either --path or --plugin-filename must be provided"],
    ["cli §5", "trigger.running", "Cannot delete running plugin <name>. Disable it first or use --force."],
    ["cli §5", "cli.failed", "Cannot proceed without confirmation"],
    ["cli §9", "package.disabled", "Package installation has been disabled. Contact your administrator for more information."],
    ["cli §10", "cli.failed", "either --lp or --file must be provided"],
    ["cli §11", "cli.failed", "No input from stdin detected, no string was passed in,  and no file path was given"],
  ])("%s: %s %s", (_section, code, message) => expect(texts.map((text) => `${text.code} ${text.message}`)).toContain(`${code} ${message}`));
});
