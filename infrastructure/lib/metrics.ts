// The names, units and dimensions of every metric that dashboard and alarms read: the engine's own, and Glue's.

/** The namespace of the engine's own metrics, unless a prop says another. */
export const ENGINE_NAMESPACE = 'SparkProcessing';

/** The namespace of Glue's metrics, and of the metrics with Glue's names that the engine publishes where Glue's are off. */
export const GLUE_NAMESPACE = 'Glue';

/** The one dimension of the engine's metrics; ErrorType comes second on `Errors`. */
export const JOB_NAME = 'JobName';
export const ERROR_TYPE = 'ErrorType';

export interface EngineMetric {
  readonly name: string;
  /** CloudWatch's unit, exactly: an alarm with another unit sees no data. */
  readonly unit: 'Count' | 'Percent' | 'Count/Second' | 'Milliseconds' | 'Seconds';
  /** The statistic that means something: Sum for counts, Average or Maximum for gauges. */
  readonly statistic: 'Sum' | 'Average' | 'Maximum';
}

/** What the engine publishes for a job, each with the dimension JobName. */
export const ENGINE = {
  processedRecords: { name: 'ProcessedRecords', unit: 'Count', statistic: 'Sum' },
  failedRecords: { name: 'FailedRecords', unit: 'Count', statistic: 'Sum' },
  successRate: { name: 'SuccessRate', unit: 'Percent', statistic: 'Average' },
  processingSpeed: { name: 'ProcessingSpeed', unit: 'Count/Second', statistic: 'Average' },
  apiLatency: { name: 'APILatencyAvg', unit: 'Milliseconds', statistic: 'Average' },
  rateLimitHits: { name: 'RateLimitHits', unit: 'Count', statistic: 'Sum' },
  retries: { name: 'RetryCount', unit: 'Count', statistic: 'Sum' },
  batchSize: { name: 'AverageBatchSize', unit: 'Count', statistic: 'Average' },
  breakerOpen: { name: 'BreakerOpen', unit: 'Count', statistic: 'Maximum' },
  paceUtilization: { name: 'PaceUtilization', unit: 'Percent', statistic: 'Average' },
  memoryUtilization: { name: 'MemoryUtilization', unit: 'Percent', statistic: 'Maximum' },
  /** Seconds since the run began. Glue's elapsedTime is the growth since its last report, which no threshold in hours can be held against. */
  processingTime: { name: 'ProcessingTime', unit: 'Seconds', statistic: 'Maximum' },
} as const satisfies Record<string, EngineMetric>;

/** Published with JobName and ErrorType: rows given up, by the kind of failure. */
export const ERRORS: EngineMetric = { name: 'Errors', unit: 'Count', statistic: 'Sum' };

/** Glue's own metrics that are read here. */
export const GLUE = {
  completedTasks: 'glue.driver.aggregate.numCompletedTasks',
  failedTasks: 'glue.driver.aggregate.numFailedTasks',
  elapsedTime: 'glue.driver.aggregate.elapsedTime',
  heapUsage: 'glue.driver.jvm.heap.usage',
  cpuLoad: 'glue.driver.system.cpuSystemLoad',
  bytesRead: 'glue.ALL.s3.filesystem.read_bytes',
  bytesWritten: 'glue.ALL.s3.filesystem.write_bytes',
} as const;

/** The metrics of Glue that the dashboard shows beside the fixed ones unless a prop says others. */
export const CUSTOM_METRICS: readonly string[] = [
  'glue.driver.aggregate.shuffleLocalBytesRead',
  'glue.driver.aggregate.shuffleRemoteBytesRead',
];

/** Glue's third dimension: what `aggregate` counts is summed up, everything else is a gauge. */
export function glueType(name: string): 'count' | 'gauge' {
  return name.includes('.aggregate.') ? 'count' : 'gauge';
}

/** The dimensions of a metric of Glue over all runs of a job. One of them left out, and CloudWatch finds no data. */
export function glueDimensions(jobName: string, metric: string): Record<string, string> {
  return { JobName: jobName, JobRunId: 'ALL', Type: glueType(metric) };
}
