/**
 * Paths of the official plugin repository that moved, so that tutorials which name the old ones still work (spec:
 * processing-engine §14.4). `bundled` is a plugin of ours instead: the file's later place needs packages that the old
 * one did not.
 */
export interface NewPlace {
  readonly path?: string;
  readonly bundled?: string;
}

export const OFFICIAL_REPOSITORY = "https://raw.githubusercontent.com/influxdata/influxdb3_plugins/main/";

export const MOVED_PATHS: ReadonlyMap<string, NewPlace> = new Map([
  ["examples/schedule/system_metrics/system_metrics.py", { bundled: "system_metrics/system_metrics.py" }],
  ["influxdata/river_forecaster/forecaster.py", { path: "influxdata/river_forecaster/river_forecaster.py" }],
  ["influxdata/river_auto_profiler/auto_profiler.py", { path: "influxdata/river_auto_profiler/river_auto_profiler.py" }],
  ["influxdata/river_anomaly_detection/anomaly_detector.py", { path: "influxdata/river_anomaly_detector/river_anomaly_detector.py" }],
  ["influxdata/synthefy_nori_regression/synthefy_nori_regression.py", { path: "influxdata/nori_regression/nori_regression.py" }],
  ["synthefy/synthefy-forecasting/synthefy_forecasting.py", { path: "influxdata/synthefy_forecasting/synthefy_forecasting.py" }],
]);
