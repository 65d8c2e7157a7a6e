// Goal: a plugin written for InfluxDB 3 runs unchanged. Method: small plugins, one behaviour each, written from the
// reference's specification; each title names the section that says what must happen. They run in the real interpreter
// of one real server. Where the reference is defective, the expectation is what docs/compatibility.md promises instead.
import { afterAll, afterEach, beforeAll } from "vitest";
import { asyncioCases, concurrentNetworkCases } from "./asyncio.ts";
import { cacheCases } from "./cache.ts";
import { entryPointCases } from "./entry-points.ts";
import { errorCases } from "./errors.ts";
import { folderFileCases } from "./folder-files.ts";
import { closeServer, dropDatabases, openServer } from "./harness.ts";
import { lineBuilderCases } from "./line-builder.ts";
import { localApiCases } from "./local-api.ts";
import { networkCases } from "./network.ts";
import { packageCases } from "./packages.ts";
import { queryCases } from "./query.ts";
import { responseCases } from "./responses.ts";
import { singleFileCases } from "./single-files.ts";
import { richReportCases, testEndpointCases } from "./test-endpoints.ts";
import { threadCases } from "./threads.ts";
import { writeCases } from "./writes.ts";

beforeAll(openServer);
afterAll(closeServer);
afterEach(dropDatabases);

entryPointCases();
responseCases();
localApiCases();
queryCases();
writeCases();
lineBuilderCases();
cacheCases();
singleFileCases();
folderFileCases();
packageCases();
networkCases();
threadCases();
asyncioCases();
concurrentNetworkCases();
errorCases();
testEndpointCases();
richReportCases();
