/** Our version, and the release of InfluxDB 3 whose behaviour clients may expect from it. */

/** The same as in package.json; a test compares them. */
export const TIDEMARK_VERSION = "0.1.0";

export const INFLUXDB_VERSION = "3.10.0";
