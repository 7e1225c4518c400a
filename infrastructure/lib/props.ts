// The props of stack and construct, each with its meaning, unit and default.
import type { StackProps } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as kms from 'aws-cdk-lib/aws-kms';

/** Where the job runs. */
export type Host = 'glue' | 'python-shell' | 'fargate';

/** How AWS Glue runs the job. */
export interface GlueJobConfig {
  /** Runs at the same time, at least 1. They share one rate limit only if they share a quota (`paceline quota`). Default 3. */
  readonly maxConcurrentRuns: number;
  /** Minutes until a run is stopped, 1 to 10080. Default 2880. */
  readonly timeout: number;
  /** Times that a failed run is started again, 0 to 10; it resumes, and buys no answer twice. Default 2. */
  readonly maxRetries: number;
  /** Name of the security configuration that the stack makes; one per account and region. Default GlueSecurityConfig. */
  readonly securityConfiguration: string;
  /** Minutes after which Glue tells EventBridge that a run is late. Default 1440, 24 hours. */
  readonly notifyDelayAfter: number;
  /** Workers, the driver's among them, 2 to 299. Default 10. */
  readonly numberOfWorkers: number;
  /** Worker type, as G.1X. Default G.1X. */
  readonly workerType: string;
  /** 4.0, 5.0 or 5.1. Default 5.0. */
  readonly glueVersion: string;
}

/** When an alarm goes off. */
export interface AlarmThresholds {
  /** Failed Spark tasks in a period; more than this. Default 5. */
  readonly failedTasks: number;
  /** Percent of memory, of the engine and of the driver's JVM heap; more than this. Default 85. */
  readonly memoryUtilization: number;
  /** Seconds that a run has taken; more than this. Default 3600. */
  readonly processingTime: number;
  /** Records given up in a period; more than this. Default 0. */
  readonly failedRecords: number;
  /** Percent of the allowed pace that is used while work waits; less than this. Default 50. */
  readonly paceUtilization: number;
}

export interface MonitoringConfig {
  /** Namespace of the engine's metrics. Default SparkProcessing. */
  readonly metricNamespace: string;
  /** Default SparkProcessingMetrics. */
  readonly dashboardName: string;
  /** ARN of a topic of yours that alarms go to. Without it the stack makes one, the function that words the messages, and the topic for `alarmEmails`. */
  readonly alarmSnsTopicArn?: string;
  /** Periods that must be over a threshold. Given, it holds for every alarm. Default 2, and 1 for failures and processing time. */
  readonly evaluationPeriods?: number;
  /** Seconds of a period: 10, 20, 30 or a multiple of 60. Default 300. */
  readonly metricPeriod: number;
  readonly thresholds: AlarmThresholds;
}

/** How ECS runs the job where `host` is fargate. */
export interface FargateConfig {
  /** Image with the wheel in it, as `{account}.dkr.ecr.{region}.amazonaws.com/paceline:0.1.0` (docker/). */
  readonly image: string;
  /** 1024 units are one vCPU. Default 4096, as a G.1X has. */
  readonly cpu?: number;
  /** MiB. Default 16384, as a G.1X has. */
  readonly memoryLimitMiB?: number;
  /** Network with a way out to S3 and to the API. Default: a new one, with public subnets and no NAT gateway. */
  readonly vpc?: ec2.IVpc;
}

export interface SparkProcessingProps {
  /** Name of the data bucket; the one for access logs has `-access-logs` behind it. */
  readonly bucketName: string;
  /** Name of the job: letters, digits, `_` and `-`, at most 200. */
  readonly glueJobName: string;
  /** The job's script: a path, or an `s3://` URI, which is used as it is. Default: scripts/processor.py of this package. */
  readonly glueJobScript?: string;
  /** As `glueJob.workerType`. */
  readonly glueWorkerType?: string;
  /** As `glueJob.numberOfWorkers`. */
  readonly glueNumberOfWorkers?: number;
  /** As `glueJob.timeout`: minutes. */
  readonly glueTimeout?: number;
  /** Whether data, logs, topics and job are encrypted with a key of the stack; without it S3 uses its own. Default true. */
  readonly enableEncryption?: boolean;
  /** Whether metrics are published, with dashboard and alarms. Failed runs are reported in either case. Default true. */
  readonly enableMetrics?: boolean;
  /** Metrics of Glue that the dashboard shows besides the fixed ones. Default: shuffleLocalBytesRead and shuffleRemoteBytesRead of the driver. */
  readonly customMetrics?: readonly string[];
  readonly alarmThresholds?: Partial<AlarmThresholds>;
  readonly glueJob?: Partial<GlueJobConfig>;
  /** `thresholds` here and `alarmThresholds` are the same; a value may be given in one of them. */
  readonly monitoring?: Partial<Omit<MonitoringConfig, 'thresholds'>> & { readonly thresholds?: Partial<AlarmThresholds> };

  /** Where the job runs: a Glue ETL job, a Glue Python shell job (one machine, no JVM) or a task of ECS on Fargate. Default glue. */
  readonly host?: Host;
  /** DPU of a Python shell job: 0.0625 or 1. Default 1. */
  readonly pythonShellCapacity?: 0.0625 | 1;
  /** Needed where `host` is fargate. */
  readonly fargate?: FargateConfig;
  /** Who calls the API: the driver alone, or executors on the Glue workers too, started through Spark. Default driver. */
  readonly workers?: 'driver' | 'spark';
  /** Whether Glue starts and stops workers as Spark asks for them; refused with `workers: 'spark'`. Default true with `workers: 'driver'`, so that idle workers cost nothing. */
  readonly autoScaling?: boolean;
  /** Whether a run over `maxConcurrentRuns` waits instead of failing. Glue does not retry queued runs, so it needs `maxRetries` 0. Default false. */
  readonly jobQueuing?: boolean;

  /** Wheel `paceline-glue`: a path or an `s3://` URI. Default: dist/paceline_glue-*.whl of the repository, which `make wheel` builds. */
  readonly wheelPath?: string;
  /** SQL of the job: a path or an `s3://` URI. Without it the job is `paceline enrich`. */
  readonly sqlPath?: string;
  /** Arguments of the job, as `source_key` or `api_endpoint`; a run's own win. They are logged: no secrets. */
  readonly jobArguments?: Readonly<Record<string, string>>;

  /** Prefixes of the data bucket that the job reads. Default `input/`. */
  readonly readPrefixes?: readonly string[];
  /** Prefixes of the data bucket that the job reads and writes. Default `output/`. */
  readonly writePrefixes?: readonly string[];
  /** Origins that browsers may use the data bucket from, as `https://app.example.com`. Default none. */
  readonly corsAllowedOrigins?: readonly string[];
  /** Names of secrets of AWS Secrets Manager that the job may read (`aws-secret:NAME#field`). Default none. */
  readonly secretNames?: readonly string[];

  /** Addresses that messages of alarms and failed runs are mailed to; each has to confirm. Default none. */
  readonly alarmEmails?: readonly string[];
  /** Days that CloudWatch keeps logs; their copies in the bucket stay. One of CloudWatch's own values. Default 90. */
  readonly logRetentionDays?: number;
}

export interface SparkProcessingStackProps extends StackProps, SparkProcessingProps {}

export interface SparkProcessingConstructProps extends SparkProcessingProps {
  /** The key of the stack, where `enableEncryption` is on. */
  readonly encryptionKey?: kms.IKey;
}

export const DEFAULT_JOB: GlueJobConfig = {
  maxConcurrentRuns: 3,
  timeout: 2880,
  maxRetries: 2,
  securityConfiguration: 'GlueSecurityConfig',
  notifyDelayAfter: 24 * 60,
  numberOfWorkers: 10,
  workerType: 'G.1X',
  glueVersion: '5.0',
};

export const DEFAULT_THRESHOLDS: AlarmThresholds = {
  failedTasks: 5,
  memoryUtilization: 85,
  processingTime: 3600,
  failedRecords: 0,
  paceUtilization: 50,
};

/** Of alarms that do not go off at once. */
export const DEFAULT_EVALUATION_PERIODS = 2;

export const DEFAULT_MONITORING: MonitoringConfig = {
  metricNamespace: 'SparkProcessing',
  dashboardName: 'SparkProcessingMetrics',
  metricPeriod: 300,
  thresholds: DEFAULT_THRESHOLDS,
};
