// Decides whether the props of monitoring can work.
import { Token } from 'aws-cdk-lib';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { given } from './given';
import { DEFAULT_MONITORING, DEFAULT_THRESHOLDS, type AlarmThresholds, type SparkProcessingProps } from './props';
import type { Fault } from './validate';

/** Seconds that CloudWatch looks back at most, by the length of a period. */
const DAY = 86_400;

const PERCENT: readonly (keyof AlarmThresholds)[] = ['memoryUtilization', 'paceUtilization'];

export function* alarmFaults(props: SparkProcessingProps): Generator<Fault> {
  yield* thresholdFaults(props);
  yield* periodFaults(props);
  const monitoring = { ...DEFAULT_MONITORING, ...given(props.monitoring) };
  const { metricNamespace, dashboardName, alarmSnsTopicArn } = monitoring;
  if (!/^[A-Za-z0-9._/#:-]{1,255}$/.test(metricNamespace) || /^(AWS\/|Glue$)/.test(metricNamespace)) {
    yield ['monitoring.metricNamespace', `'${metricNamespace}' is no namespace of one's own; AWS/… and Glue belong to AWS`];
  }
  if (!/^[A-Za-z0-9_-]{1,255}$/.test(dashboardName)) {
    yield ['monitoring.dashboardName', `'${dashboardName}' is no name of a dashboard: letters, digits, '_' and '-'`];
  }
  if (alarmSnsTopicArn !== undefined) {
    if (!Token.isUnresolved(alarmSnsTopicArn) && !/^arn:aws[a-z-]*:sns:[a-z0-9-]+-\d:\d{12}:[\w.-]+$/.test(alarmSnsTopicArn)) {
      yield ['monitoring.alarmSnsTopicArn', `'${alarmSnsTopicArn}' is no ARN of a topic, as arn:aws:sns:eu-central-1:123456789012:alarms`];
    }
    if ((props.alarmEmails ?? []).length > 0) {
      yield ['alarmEmails', 'they subscribe to the topic that the stack makes; with alarmSnsTopicArn subscribe them to yours'];
    }
  }
  for (const address of props.alarmEmails ?? []) {
    if (!/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(address)) yield ['alarmEmails', `'${address}' is no address`];
  }
  for (const metric of props.customMetrics ?? []) {
    if (!/^glue\.[\w.]+$/.test(metric)) {
      yield ['customMetrics', `'${metric}' is no metric of Glue, as glue.driver.aggregate.shuffleLocalBytesRead`];
    }
  }
  const days = props.logRetentionDays;
  if (days !== undefined && (days === (RetentionDays.INFINITE as number) || !(days in RetentionDays))) {
    yield ['logRetentionDays', `CloudWatch does not keep logs for ${days} days; take 1, 3, 5, 7, 14, 30, 60, 90, 180, 365 …`];
  }
}

function* thresholdFaults(props: SparkProcessingProps): Generator<Fault> {
  const given: Partial<AlarmThresholds> = props.alarmThresholds ?? {};
  const other: Partial<AlarmThresholds> = props.monitoring?.thresholds ?? {};
  for (const name of Object.keys(DEFAULT_THRESHOLDS) as (keyof AlarmThresholds)[]) {
    const value = given[name] ?? other[name];
    if (value === undefined) continue;
    if (given[name] !== undefined && other[name] !== undefined && given[name] !== other[name]) {
      yield [`alarmThresholds.${name}`, `it says ${given[name]} and monitoring.thresholds says ${other[name]}; give one of them`];
    }
    if (!Number.isFinite(value) || value < 0) {
      yield [`alarmThresholds.${name}`, `${value} is no threshold; it is 0 or more`];
    } else if (PERCENT.includes(name) && (value <= 1 || value > 100)) {
      yield [`alarmThresholds.${name}`, `${value} is not a percentage over 1 and up to 100`];
    }
  }
}

function* periodFaults(props: SparkProcessingProps): Generator<Fault> {
  const { metricPeriod: period = DEFAULT_MONITORING.metricPeriod, evaluationPeriods: periods = 1 } = props.monitoring ?? {};
  const right = [10, 20, 30].includes(period) || (Number.isInteger(period) && period > 0 && period % 60 === 0);
  if (!right || period > DAY) {
    yield ['monitoring.metricPeriod', `${period} is no period of CloudWatch: 10, 20, 30 or a multiple of 60, in seconds, at most ${DAY}`];
    return;
  }
  const most = Math.floor((period >= 3600 ? 7 * DAY : DAY) / period);
  if (!Number.isInteger(periods) || periods < 1 || periods > most) {
    yield ['monitoring.evaluationPeriods', `${periods} is not a number of periods from 1 to ${most}, as far as CloudWatch looks back`];
  }
}
