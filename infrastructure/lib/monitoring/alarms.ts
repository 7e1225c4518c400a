// The alarms of a job: each a metric with all its dimensions, in its own unit, against a threshold in that unit.
import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { ENGINE, GLUE, GLUE_NAMESPACE, JOB_NAME, glueDimensions, type EngineMetric } from '../metrics';
import { DEFAULT_EVALUATION_PERIODS } from '../props';
import type { Settings } from '../settings';

interface Rule {
  readonly id: string;
  readonly description: string;
  readonly metric: cloudwatch.Metric;
  readonly threshold: number;
  readonly comparison?: cloudwatch.ComparisonOperator;
  /** Where one period is enough. */
  readonly atOnce?: true;
}

export function alarms(scope: Construct, settings: Settings, topic: sns.ITopic): cloudwatch.Alarm[] {
  const action = new SnsAction(topic);
  return rules(settings).map((rule) => {
    const alarm = new cloudwatch.Alarm(scope, `${rule.id}Alarm`, {
      alarmName: `${settings.jobName}-${rule.id}`,
      alarmDescription: rule.description,
      metric: rule.metric,
      threshold: rule.threshold,
      comparisonOperator: rule.comparison ?? cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: settings.monitoring.evaluationPeriods ?? (rule.atOnce ? 1 : DEFAULT_EVALUATION_PERIODS),
      // Between runs there is no data, and nothing is wrong.
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
    return alarm;
  });
}

function rules(settings: Settings): Rule[] {
  const { thresholds } = settings.monitoring;
  const job = `Job ${settings.jobName}:`;
  const engine: Rule[] = [
    {
      id: 'MemoryUtilization',
      description: `${job} the engine uses more than ${thresholds.memoryUtilization} % of its memory. Take a larger worker type.`,
      metric: engineMetric(settings, ENGINE.memoryUtilization),
      threshold: thresholds.memoryUtilization,
    },
    {
      id: 'ProcessingTime',
      description: `${job} a run has taken more than ${thresholds.processingTime} s. Rate limit, records and breaker say why.`,
      metric: engineMetric(settings, ENGINE.processingTime),
      threshold: thresholds.processingTime,
      atOnce: true,
    },
    {
      id: 'FailedRecords',
      description: `${job} more than ${thresholds.failedRecords} records were given up; the dead letters beside the output say why.`,
      metric: engineMetric(settings, ENGINE.failedRecords),
      threshold: thresholds.failedRecords,
      atOnce: true,
    },
    {
      id: 'BreakerOpen',
      description: `${job} the API fails so often that calls are held back.`,
      metric: engineMetric(settings, ENGINE.breakerOpen),
      threshold: 0,
      atOnce: true,
    },
    {
      id: 'PaceUtilization',
      description: `${job} less than ${thresholds.paceUtilization} % of the allowed pace is used while work waits: the API is slow, or answers 429.`,
      metric: engineMetric(settings, ENGINE.paceUtilization),
      threshold: thresholds.paceUtilization,
      comparison: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
    },
  ];
  if (settings.host !== 'glue') return engine;
  return [
    {
      id: 'FailedTasks',
      description: `${job} more than ${thresholds.failedTasks} Spark tasks failed.`,
      metric: glueMetric(settings, GLUE.failedTasks, 'Sum'),
      threshold: thresholds.failedTasks,
      atOnce: true,
    },
    {
      id: 'HeapUsage',
      description: `${job} the driver's JVM uses more than ${thresholds.memoryUtilization} % of its heap.`,
      metric: glueMetric(settings, GLUE.heapUsage, 'Average'),
      // Glue says it as a part of one.
      threshold: thresholds.memoryUtilization / 100,
    },
    ...engine,
  ];
}

/** A metric of the engine over all runs of the job. */
export function engineMetric(settings: Settings, metric: EngineMetric): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace: settings.monitoring.metricNamespace,
    metricName: metric.name,
    dimensionsMap: { [JOB_NAME]: settings.jobName },
    statistic: metric.statistic,
    // The unit narrows what an alarm sees; the engine publishes in this one only.
    unit: UNITS[metric.unit],
    period: Duration.seconds(settings.monitoring.metricPeriod),
  });
}

/** A metric of Glue over all runs of the job. */
export function glueMetric(settings: Settings, name: string, statistic: string): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace: GLUE_NAMESPACE,
    metricName: name,
    dimensionsMap: glueDimensions(settings.jobName, name),
    statistic,
    period: Duration.seconds(settings.monitoring.metricPeriod),
  });
}

const UNITS: Record<EngineMetric['unit'], cloudwatch.Unit> = {
  Count: cloudwatch.Unit.COUNT,
  Percent: cloudwatch.Unit.PERCENT,
  'Count/Second': cloudwatch.Unit.COUNT_PER_SECOND,
  Milliseconds: cloudwatch.Unit.MILLISECONDS,
  Seconds: cloudwatch.Unit.SECONDS,
};
