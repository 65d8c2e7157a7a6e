// Goal: the kernel takes the lines that it is made for, and what passes its bounds (window, stage, line length, memory)
// gives the same as without it. Method: a kernel that counts the lines it took, next to a parser without one.
import { describe, expect, it } from "vitest";
import type { LineProtocolKernel } from "../../../src/core/line-protocol/kernel.ts";
import { LineProtocolParser } from "../../../src/core/line-protocol/parser.ts";
import { kernelMaker } from "../../support/kernel.ts";
import { writeLines } from "../../support/parse-lines.ts";

const makeKernel = await kernelMaker();

/** A kernel and how many lines it has taken. */
function counting(): { kernel: LineProtocolKernel; taken: { lines: number } } {
  const inner = makeKernel();
  const taken = { lines: 0 };
  const words = new Int32Array(inner.memory);
  const run: LineProtocolKernel["run"] = (from, size, start, lineNumber) => {
    const code = inner.run(from, size, start, lineNumber);
    taken.lines += (words[(inner.reportAddress() >> 2) + 1] as number) - lineNumber;
    return code;
  };
  return { kernel: { ...inner, run }, taken };
}

/** Lines that the kernel took of the last body; the result is the same as without it. */
function takenOf(...bodies: readonly string[]): number {
  const { kernel, taken } = counting();
  const parser = new LineProtocolParser(kernel);
  for (const body of bodies) {
    taken.lines = 0;
    expect(writeLines(body, { parser })).toEqual(writeLines(body));
  }
  return taken.lines;
}

const lines = (count: number, line: (index: number) => string): string => Array.from({ length: count }, (_, index) => line(index)).join("\n");

describe("line protocol kernel", () => {
  it("takes every line of a body whose series, keys and types it knows", () => {
    const body = lines(3_000, (index) => `m,host=h${index % 50} f=${index}.25,i=${-index}i,u=${index}u,b=${index % 3 === 0},s="a ${index}" ${1_700_000_000_000_000_000n + BigInt(index)}`);
    expect(takenOf(body, body)).toBe(3_000);
  });

  it("takes tables in turn, fields that only some lines have, and lines without a timestamp", () => {
    const body = lines(4_000, (index) => `t${index % 7},a=${index % 3} f${index % 5}=${index},g=1.5${index % 2 === 0 ? "" : ` ${index}`}`);
    expect(takenOf(body, body)).toBe(4_000);
  });

  it("goes on after lines that it does not take", () => {
    const body = lines(2_000, (index) => (index % 10 === 0 ? `m f=1e${index % 5} 1` : index % 10 === 5 ? "m f= 1" : `m f=${index} ${index}`));
    expect(takenOf(body, body)).toBe(1_600);
  });

  it("reads bodies of many windows, with strings and comments across their ends", () => {
    const body = lines(9_000, (index) => `m,host=${index % 9} s="text\nwith lines ${"x".repeat(index % 97)}\\"",f=${index / 7} ${index}\n# note ${index}`);
    expect(body.length).toBeGreaterThan(600_000);
    expect(takenOf(body, body)).toBeGreaterThan(8_950);
  });

  it("leaves lines that are longer than its window", () => {
    const long = `m s="${"y".repeat(300_000)}" 1`;
    expect(takenOf("m s=\"a\",f=1 1", `m f=1 1\n${long}\nm f=2 2\n${long}\nm f=3 3`)).toBe(3);
  });

  it("reads text that is not ASCII, and refuses what is not UTF-8 wherever it stands", () => {
    const body = lines(20_000, (index) => `m,ort=k${index % 5} f=${index} ${index}`);
    const bytes = new TextEncoder().encode(body);
    const parser = new LineProtocolParser(makeKernel());
    expect(writeLines(`${body}\nm,ort=Köln f=1 1`, { parser })).toEqual(writeLines(`${body}\nm,ort=Köln f=1 1`));
    for (const at of [5, 270_000, bytes.length - 1]) {
      const bad = bytes.slice();
      bad[at] = 0xff;
      const message = `body content is not valid utf8: invalid utf-8 sequence from index ${at}`;
      for (const acceptPartial of [true, false]) expect(() => writeLines(bad, { parser, acceptPartial })).toThrow(message);
    }
    expect(writeLines(body, { parser })).toEqual(writeLines(body));
  });

  it("does without what no longer fits its memory", () => {
    const wide = (index: number): string => `w ${Array.from({ length: 400 }, (_, field) => `f${index}_${field}=1`).join(",")} 1`;
    const bodies = Array.from({ length: 10 }, (_, index) => `${wide(index)}\n${wide(index)}`);
    const limits = { columnsPerTableMax: 10_000 };
    const parser = new LineProtocolParser(makeKernel());
    for (const body of [...bodies, ...bodies, "m f=1 1\nm f=2 2"]) expect(writeLines(body, { parser, limits })).toEqual(writeLines(body, { limits }));
  });

  it("rounds floats as Number() does, on hard cases", () => {
    const texts: string[] = ["0", "-0", "0.0", "9007199254740993", "9007199254740992.5", "0.1", "123456789012345678", "0.000000000000000000001", "5e-324".replace("5e-324", "0.5"), "1.00000000000000011102230246251565", "9999999999999999999", "1844674407370955161.5"];
    let state = 12_345n;
    const random = (below: bigint): bigint => ((state = (state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) % 2n ** 64n) >> 11n) % below;
    for (let round = 0; round < 20_000; round++) {
      // Near half way between two doubles: the double's exact neighbour sums, cut to 17..19 digits.
      const fraction = Number(random(23n));
      const digits = 15 + Number(random(5n));
      const text = (10n ** BigInt(digits - 1) + random(9n * 10n ** BigInt(digits - 1))).toString().padStart(fraction + 1, "0");
      texts.push(fraction === 0 ? text : `${text.slice(0, -fraction)}.${text.slice(-fraction)}`);
      const half = (2n ** 53n + random(2n ** 53n)) * 2n + 1n;
      const scale = Number(random(5n));
      const tie = (half * 10n ** 4n) / 2n ** BigInt(scale);
      const sign = round % 2 === 0 ? "" : "-";
      if (tie.toString().length <= 22) texts.push(`${sign}${tie.toString().slice(0, -4)}.${tie.toString().slice(-4)}`.replace(/\.?0+$/, ""));
      texts.push(`${sign}${half}`, `${half / 1024n}.${((half % 1024n) * 9_765_625n).toString().padStart(10, "0").slice(0, 3)}`);
    }
    const { kernel, taken } = counting();
    const parser = new LineProtocolParser(kernel);
    writeLines("m f=1 1", { parser });
    taken.lines = 0;
    const { rows } = writeLines(texts.map((text) => `m f=${text} 1`).join("\n"), { parser });
    expect(taken.lines).toBeGreaterThan(texts.length * 0.9);
    const wrong = texts.filter((text, index) => !Object.is(rows["m"]?.[index]?.["f"], Number(text)));
    expect(wrong).toEqual([]);
  });
});
