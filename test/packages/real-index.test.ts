// Goal: packages that known plugins use install from a real index, import in the sandbox and work there. Method: the real program and
// TIDEMARK_INDEX (such as https://pypi.org/simple); without it nothing runs here, since tests do not touch the internet. What the
// packages call over HTTP is a server of the test. The versions that were tried are in docs/plugins.md.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTrigger, post, removeFolder, runCli, startServer, type TestServer } from "../support/server.ts";

const INDEX = process.env["TIDEMARK_INDEX"];

interface Use {
  readonly packages: readonly string[];
  /** Imports, then the body of a function that returns what is expected; `url` is the test's server. */
  readonly code: string;
  readonly expected: unknown;
}

const USES: Readonly<Record<string, Use>> = {
  requests: { packages: ["requests"], code: 'import requests\nwith requests.Session() as session:\n    first = session.get(url + "/json", params={"a": "1"}, timeout=5)\n    second = session.post(url + "/json", json={"b": 2})\nreturn [first.json()["url"], second.json()["body"], first.headers["content-type"]]', expected: ["/json?a=1", '{"b": 2}', "application/json"] },
  httpx: { packages: ["httpx"], code: 'import asyncio, httpx\nasync def both():\n    async with httpx.AsyncClient() as client:\n        answers = await asyncio.gather(client.get(url + "/1"), client.get(url + "/2"))\n    return [answer.json()["url"] for answer in answers]\nreturn [httpx.get(url + "/sync").json()["url"], *asyncio.run(both())]', expected: ["/sync", "/1", "/2"] },
  twilio: {
    packages: ["twilio"],
    code: 'from twilio.http.http_client import TwilioHttpClient\nfrom twilio.rest import Client\nclass Local(TwilioHttpClient):\n    def request(self, method, uri, *rest, **more):\n        return super().request(method, uri.replace("https://api.twilio.com", url), *rest, **more)\nmessage = Client("AC0", "secret", http_client=Local()).messages.create(to="+1", from_="+2", body="Hi")\nreturn [message.sid, message.body]',
    expected: ["SM1", "/2010-04-01/Accounts/AC0/Messages.json"],
  },
  pint: { packages: ["pint"], code: 'import pint\nreturn round(pint.UnitRegistry().Quantity(1, "mile").to("km").magnitude, 6)', expected: 1.609344 },
  Faker: { packages: ["Faker"], code: "from faker import Faker\nFaker.seed(7)\nfirst = Faker().name()\nFaker.seed(7)\nreturn [first == Faker().name(), len(first) > 3]", expected: [true, true] },
  "prometheus-client": { packages: ["prometheus-client"], code: 'from prometheus_client import CollectorRegistry, Counter, generate_latest\nregistry = CollectorRegistry()\nCounter("seen", "Seen", registry=registry).inc(3)\nreturn "seen_total 3.0" in generate_latest(registry).decode()', expected: true },
  "jsonpath-ng": { packages: ["jsonpath-ng"], code: 'from jsonpath_ng import parse\nreturn [match.value for match in parse("$.a[*].b").find({"a": [{"b": 1}, {"b": 2}]})]', expected: [1, 2] },
  "python-dotenv": { packages: ["python-dotenv"], code: 'import io\nfrom dotenv import dotenv_values\nreturn dict(dotenv_values(stream=io.StringIO("A=1\\nB=${A}2")))', expected: { A: "1", B: "12" } },
  "influxdata-plugin-utils": { packages: ["influxdata-plugin-utils", "dynaconf"], code: 'import influxdata_plugin_utils\nfrom dynaconf import Dynaconf\nfrom influxdata_plugin_utils.parsing import parse_delimited_list\nreturn [Dynaconf(FOO="1").FOO, list(parse_delimited_list("a b c"))]', expected: ["1", ["a", "b", "c"]] },
  jmespath: { packages: ["jmespath"], code: 'import jmespath\nreturn jmespath.search("a[?b > `1`].b", {"a": [{"b": 1}, {"b": 2}]})', expected: [2] },
  boto3: { packages: ["boto3"], code: 'import boto3\nclient = boto3.client("s3", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b", endpoint_url=url)\nreturn client.meta.service_model.service_name', expected: "s3" },
  pika: { packages: ["pika"], code: 'import pika\ntry:\n    pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", 1, connection_attempts=1, socket_timeout=2))\nexcept pika.exceptions.AMQPConnectionError:\n    return "refused"', expected: "refused" },
};

describe.skipIf(INDEX === undefined)("packages of a real index (skipped: set TIDEMARK_INDEX=https://pypi.org/simple to run it)", () => {
  let local: Server;
  let url: string;
  let server: TestServer;
  beforeAll(async () => {
    local = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => (body += String(chunk)));
      request.on("end", () => {
        const status = request.url?.startsWith("/2010") === true ? 201 : 200;
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ url: request.url, body: status === 201 ? request.url : body, sid: "SM1" }));
      });
    });
    await new Promise<void>((resolve) => local.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(local.address() as AddressInfo).port}`;
    server = await startServer({ flags: ["--plugin-profile", "trusted"], env: { PIP_INDEX_URL: INDEX as string } });
    await post(server, "/api/v3/configure/database", { db: "d" });
  }, 60_000);
  afterAll(async () => {
    await server.stop("SIGKILL");
    removeFolder(server.folder);
    local.close();
    local.closeAllConnections();
  });

  const ask = async (path: string): Promise<unknown> => {
    const text = await (await fetch(`${server.url}/api/v3/engine/${path}`)).text();
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  };

  it.each(Object.entries(USES))("%s installs, imports and works, at its first start and from a memory image", { timeout: 240_000 }, async (name, { packages, code, expected }) => {
    const installed = await runCli(["install", "package", ...packages, "--host", server.url]);
    expect([installed.code, installed.code === 0 ? "" : installed.stderr]).toEqual([0, ""]);
    const plugin = name.replaceAll("-", "_").toLowerCase();
    const [imports, body] = [true, false].map((wanted) => code.split("\n").filter((line) => /^(?:import|from) /.test(line) === wanted)) as [string[], string[]];
    const content = [...imports, "def use(url):", ...body.map((line) => `    ${line}`), "def process_request(influxdb3_local, q, h, b, args=None):", "    return {'answer': use(args['url'])}", ""].join("\n");
    await post(server, "/api/v3/plugins/files", { plugin_name: `use_${plugin}.py`, content });
    for (const start of ["first", "second"]) {
      await createTrigger(server, { database: "d", name: `${plugin}_${start}`, specification: `request:${plugin}_${start}`, plugin: `use_${plugin}.py`, arguments: { url } });
      expect(await ask(`${plugin}_${start}`)).toEqual({ answer: expected });
    }
  });
});
