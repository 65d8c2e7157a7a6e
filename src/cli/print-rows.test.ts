// Goal: what is stored cannot steer the terminal it is shown on; what goes elsewhere is passed on as it is.
import { expect, test } from "vitest";
import { printRows } from "./print-rows.ts";
import type { HttpResponse, Terminal } from "./terminal.ts";

async function printed(isTerminal: boolean, chunks: readonly Uint8Array[]): Promise<string> {
  const out: Uint8Array[] = [];
  const terminal = { stdoutIsTerminal: isTerminal, stdout: async (data: string | Uint8Array) => void out.push(Buffer.from(data)) } as unknown as Terminal;
  async function* body(): AsyncGenerator<Uint8Array> {
    yield* chunks;
  }
  await printRows(terminal, { status: 200, headers: {}, body: body() } as unknown as HttpResponse, "pretty");
  return Buffer.concat(out).toString();
}

const bytes = Buffer.from("| a\u001b[2J\u202e é😀 |\t|\n");

test("on a terminal control characters are shown, wherever chunks end", async () => {
  for (let cut = 0; cut <= bytes.length; cut += 1) expect(await printed(true, [bytes.subarray(0, cut), bytes.subarray(cut)])).toBe("| a\\u001b[2J\\u202e é😀 |\t|\n\n");
});

test("elsewhere nothing is changed", async () => expect(await printed(false, [bytes])).toBe(`${bytes.toString()}\n`));
