import { describe, expect, it } from "vitest";
import { createTrigger, finished, rows, unique, write } from "../../../test/conformance/plugins/harness.ts";

export function tutorialCases(): void {
  describe("tutorial", () => {
    it("process_writes counts the rows of each table", async () => {
      const database = unique("bundled");
      const trigger = await createTrigger("tutorial/process_writes.py", "table:home", { database });
      await write(database, "home,room=a temp=1 1\nhome,room=b temp=2 2");
      await finished(trigger);
      expect(await rows(database, "SELECT source_table, row_count FROM processed_data")).toEqual([{ source_table: "home", row_count: 2 }]);
      expect(await trigger.said()).toEqual(["INFO Processing 2 rows from home"]);
      await trigger.remove();
    });

    it("process_scheduled_call counts a table and what is new in it", async () => {
      const database = unique("bundled");
      await write(database, "home temp=1 1");
      const trigger = await createTrigger("tutorial/process_scheduled_call.py", "every:500ms", { database, arguments: { table: "home" } });
      await finished(trigger);
      await write(database, "home temp=1 2\nhome temp=1 3");
      await finished(trigger, (await trigger.logs()).filter((line) => line.startsWith("INFO finished")).length + 1);
      const counts = await rows(database, "SELECT rows, new_rows FROM row_counts ORDER BY time");
      expect(counts[0]).toEqual({ rows: 1, new_rows: 0 });
      expect(counts).toContainEqual({ rows: 3, new_rows: 2 });
      await trigger.remove();
    });

    it("process_scheduled_call says that the table is not there yet", async () => {
      const trigger = await createTrigger("tutorial/process_scheduled_call.py", "every:500ms", { arguments: { table: "nowhere" } });
      await finished(trigger);
      expect((await trigger.said())[0]).toBe("WARN there is no table 'nowhere' yet");
      await trigger.remove();
    });

    it("process_request greets, writes and refuses", async () => {
      const database = unique("bundled");
      const trigger = await createTrigger("tutorial/process_request.py", "request", { database });
      expect((await trigger.get("?name=Ada")).body).toBe('{"message": "Hello, Ada!"}');
      const made = await trigger.post('{"name": "Ada", "text": "hi"}');
      expect([made.status, made.body]).toEqual([201, String.raw`{"written": "greetings,name=Ada text=\"hi\""}`]);
      expect(await rows(database, "SELECT name, text FROM greetings")).toEqual([{ name: "Ada", text: "hi" }]);
      expect((await trigger.post("nonsense")).status).toBe(400);
      expect((await trigger.post("[]")).status).toBe(400);
      await trigger.remove();
    });
  });
}
