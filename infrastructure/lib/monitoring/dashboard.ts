// The dashboard: what the job did, how it keeps its pace, what fails and why, and what it uses.
import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { ENGINE, ERRORS, ERROR_TYPE, GLUE, JOB_NAME, glueType, type EngineMetric } from '../metrics';
import type { Settings } from '../settings';
import { REQUEST_METRICS } from '../storage';
import { engineMetric, glueMetric } from './alarms';

/** What the Fargate host measures of its tasks. */
export interface FargateNames {
  readonly cluster: string;
  readonly family: string;
}

export function dashboard(scope: Construct, settings: Settings, bucket: s3.IBucket, alarms: cloudwatch.IAlarm[], fargate: FargateNames | undefined): cloudwatch.Dashboard {
  const made = new cloudwatch.Dashboard(scope, 'Dashboard', {
    dashboardName: settings.monitoring.dashboardName,
    defaultInterval: Duration.hours(3),
  });
  const engine = (metric: EngineMetric) => engineMetric(settings, metric);
  made.addWidgets(new cloudwatch.AlarmStatusWidget({ title: `Alarms of ${settings.jobName}`, alarms, width: 24, height: 3 }));
  made.addWidgets(
    graph('Records', [ENGINE.processedRecords, ENGINE.failedRecords].map(engine)),
    graph('Success, percent', [engine(ENGINE.successRate)]),
    graph('Speed, records a second', [engine(ENGINE.processingSpeed)]),
  );
  made.addWidgets(
    new cloudwatch.GraphWidget({
      title: 'Pace against the limit, percent',
      width: 8,
      left: [engine(ENGINE.paceUtilization)],
      leftYAxis: { min: 0, max: 110 },
      leftAnnotations: [
        { value: 100, label: 'the agreed limit' },
        { value: settings.monitoring.thresholds.paceUtilization, label: 'alarm below' },
      ],
    }),
    graph('Rate limit hits and retries', [ENGINE.rateLimitHits, ENGINE.retries].map(engine)),
    graph('API latency, ms', [engine(ENGINE.apiLatency)]),
  );
  made.addWidgets(
    graph('Failures by kind', [failuresByKind(settings)]),
    graph('Breaker open', [engine(ENGINE.breakerOpen)]),
    graph('Records in a request', [engine(ENGINE.batchSize)]),
  );
  made.addWidgets(
    graph('Memory, percent', [engine(ENGINE.memoryUtilization)]),
    graph('Processing time, s', [engine(ENGINE.processingTime)]),
    graph('S3 bytes of the bucket', requestMetrics(bucket)),
  );
  if (settings.host === 'glue') addGlue(made, settings);
  if (fargate !== undefined) addFargate(made, fargate);
  return made;
}

function addGlue(made: cloudwatch.Dashboard, settings: Settings): void {
  const metric = (name: string, statistic = glueType(name) === 'count' ? 'Sum' : 'Average') => glueMetric(settings, name, statistic);
  made.addWidgets(
    graph('Glue: tasks', [metric(GLUE.completedTasks), metric(GLUE.failedTasks)]),
    graph('Glue: JVM heap of the driver, 0 to 1', [metric(GLUE.heapUsage)]),
    graph('Glue: CPU of the driver, 0 to 1', [metric(GLUE.cpuLoad)]),
  );
  made.addWidgets(
    graph('Glue: S3 bytes', [metric(GLUE.bytesRead), metric(GLUE.bytesWritten)]),
    graph('Glue: elapsed time, ms since the last report', [metric(GLUE.elapsedTime)]),
    graph('Glue: custom metrics', settings.customMetrics.map((name) => metric(name))),
  );
}

function addFargate(made: cloudwatch.Dashboard, { cluster, family }: FargateNames): void {
  const metric = (metricName: string) =>
    new cloudwatch.Metric({
      namespace: 'ECS/ContainerInsights',
      metricName,
      dimensionsMap: { ClusterName: cluster, TaskDefinitionFamily: family },
      statistic: 'Average',
    });
  made.addWidgets(
    graph('Fargate: CPU, units', [metric('CpuUtilized'), metric('CpuReserved')]),
    graph('Fargate: memory, MiB', [metric('MemoryUtilized'), metric('MemoryReserved')]),
    graph('Fargate: network, bytes', [metric('NetworkRxBytes'), metric('NetworkTxBytes')]),
  );
}

/** Kinds are found when the dashboard is looked at: nobody knows beforehand which there will be. */
function failuresByKind(settings: Settings): cloudwatch.MathExpression {
  const { metricNamespace, metricPeriod } = settings.monitoring;
  const schema = `{${metricNamespace},${JOB_NAME},${ERROR_TYPE}}`;
  return new cloudwatch.MathExpression({
    expression: `SEARCH('${schema} MetricName="${ERRORS.name}" ${JOB_NAME}="${settings.jobName}"', '${ERRORS.statistic}', ${metricPeriod})`,
    usingMetrics: {},
    label: '',
    period: Duration.seconds(metricPeriod),
  });
}

/** S3 counts them under the name that the bucket's request metrics have. */
function requestMetrics(bucket: s3.IBucket): cloudwatch.Metric[] {
  return ['BytesDownloaded', 'BytesUploaded'].map(
    (metricName) =>
      new cloudwatch.Metric({
        namespace: 'AWS/S3',
        metricName,
        dimensionsMap: { BucketName: bucket.bucketName, FilterId: REQUEST_METRICS },
        statistic: 'Sum',
      }),
  );
}

function graph(title: string, left: cloudwatch.IMetric[]): cloudwatch.GraphWidget {
  return new cloudwatch.GraphWidget({ title, left, width: 8, leftYAxis: { min: 0 } });
}
