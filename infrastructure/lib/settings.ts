// From props to settings: every default filled in, once, for all who read them.
import {
  DEFAULT_JOB,
  DEFAULT_MONITORING,
  DEFAULT_THRESHOLDS,
  type AlarmThresholds,
  type GlueJobConfig,
  type Host,
  type MonitoringConfig,
  type SparkProcessingProps,
} from './props';
import { CUSTOM_METRICS } from './metrics';
import { given } from './given';
import { assertValid } from './validate';

/** What the stack is made of; no value is left to be decided. */
export interface Settings {
  readonly bucketName: string;
  readonly jobName: string;
  readonly job: GlueJobConfig;
  readonly monitoring: MonitoringConfig;
  readonly host: Host;
  readonly encrypted: boolean;
  readonly metrics: boolean;
  readonly customMetrics: readonly string[];
  readonly pythonShellCapacity: number;
  readonly workers: 'driver' | 'spark';
  readonly autoScaling: boolean;
  readonly jobQueuing: boolean;
  readonly readPrefixes: readonly string[];
  readonly writePrefixes: readonly string[];
  readonly corsAllowedOrigins: readonly string[];
  readonly secretNames: readonly string[];
  readonly alarmEmails: readonly string[];
  readonly logRetentionDays: number;
  readonly jobArguments: Readonly<Record<string, string>>;
}

/** The settings of valid props; others are refused with all that is wrong with them. */
export function settingsOf(props: SparkProcessingProps): Settings {
  assertValid(props);
  const workers = props.workers ?? 'driver';
  const host = props.host ?? 'glue';
  return {
    bucketName: props.bucketName,
    jobName: props.glueJobName,
    job: jobOf(props),
    monitoring: { ...DEFAULT_MONITORING, ...given(props.monitoring), thresholds: thresholdsOf(props) },
    host,
    encrypted: props.enableEncryption ?? true,
    metrics: props.enableMetrics ?? true,
    customMetrics: props.customMetrics ?? CUSTOM_METRICS,
    pythonShellCapacity: props.pythonShellCapacity ?? 1,
    workers,
    autoScaling: props.autoScaling ?? (host === 'glue' && workers === 'driver'),
    jobQueuing: props.jobQueuing ?? false,
    readPrefixes: props.readPrefixes ?? ['input/'],
    writePrefixes: props.writePrefixes ?? ['output/'],
    corsAllowedOrigins: props.corsAllowedOrigins ?? [],
    secretNames: props.secretNames ?? [],
    alarmEmails: props.alarmEmails ?? [],
    logRetentionDays: props.logRetentionDays ?? 90,
    jobArguments: props.jobArguments ?? {},
  };
}

function jobOf(props: SparkProcessingProps): GlueJobConfig {
  // Glue refuses a job that both waits in a queue and is started again.
  const retries = props.jobQueuing ? { maxRetries: 0 } : {};
  const own = { workerType: props.glueWorkerType, numberOfWorkers: props.glueNumberOfWorkers, timeout: props.glueTimeout };
  return { ...DEFAULT_JOB, ...retries, ...given(props.glueJob), ...given(own) };
}

function thresholdsOf(props: SparkProcessingProps): AlarmThresholds {
  return { ...DEFAULT_THRESHOLDS, ...given(props.monitoring?.thresholds), ...given(props.alarmThresholds) };
}
