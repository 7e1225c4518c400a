// Alarms, dashboard, logs and the way of a message: each reads what exists, in its unit.
import { describe, expect, test } from 'vitest';
import { ENGINE, ERRORS, GLUE } from '../lib/metrics';
import { logGroupNames } from '../lib/logs';
import { settingsOf } from '../lib/settings';
import { VARIANTS } from './variants';
import { properties, resources, templateOf, text } from './template';

interface Alarm {
  readonly AlarmName: string;
  readonly AlarmActions?: readonly unknown[];
  readonly Dimensions: readonly { readonly Name: string; readonly Value: string }[];
  readonly [property: string]: unknown;
}

const JOB = 'spark-processing-job';
const alarmsOf = (changes = {}) => Object.values(resources(templateOf(changes), 'AWS::CloudWatch::Alarm')).map((each) => each.Properties as unknown as Alarm);
const alarm = (name: string, changes = {}) => alarmsOf(changes).find((each) => each.AlarmName === `${JOB}-${name}`);

function glue(type: string): Alarm['Dimensions'] {
  return [
    { Name: 'JobName', Value: JOB },
    { Name: 'JobRunId', Value: 'ALL' },
    { Name: 'Type', Value: type },
  ];
}

describe('alarms', () => {
  const own = [{ Name: 'JobName', Value: JOB }];

  test.each([
    ['FailedTasks', 'Glue', 'glue.driver.aggregate.numFailedTasks', 'Sum', undefined, 5, 1, glue('count')],
    ['HeapUsage', 'Glue', 'glue.driver.jvm.heap.usage', 'Average', undefined, 0.85, 2, glue('gauge')],
    ['MemoryUtilization', 'SparkProcessing', 'MemoryUtilization', 'Maximum', 'Percent', 85, 2, own],
    ['ProcessingTime', 'SparkProcessing', 'ProcessingTime', 'Maximum', 'Seconds', 3600, 1, own],
    ['FailedRecords', 'SparkProcessing', 'FailedRecords', 'Sum', 'Count', 0, 1, own],
    ['BreakerOpen', 'SparkProcessing', 'BreakerOpen', 'Maximum', 'Count', 0, 1, own],
  ])('%s reads %s %s', (name, Namespace, MetricName, Statistic, Unit, Threshold, EvaluationPeriods, Dimensions) => {
    expect(alarm(name)).toMatchObject({
      Namespace, MetricName, Statistic, Threshold, EvaluationPeriods, Dimensions,
      Period: 300,
      ComparisonOperator: 'GreaterThanThreshold',
      TreatMissingData: 'notBreaching',
    });
    expect(alarm(name)?.Unit).toBe(Unit);
  });

  test('PaceUtilization goes off below its threshold', () => {
    expect(alarm('PaceUtilization')).toMatchObject({ MetricName: 'PaceUtilization', Statistic: 'Average', ComparisonOperator: 'LessThanThreshold', Threshold: 50, EvaluationPeriods: 2 });
  });

  test('thresholds and periods follow the props', () => {
    const changes = {
      alarmThresholds: { failedTasks: 1, memoryUtilization: 50, processingTime: 60, failedRecords: 7, paceUtilization: 90 },
      monitoring: { evaluationPeriods: 4, metricPeriod: 60 },
    };
    const wanted = { FailedTasks: 1, HeapUsage: 0.5, MemoryUtilization: 50, ProcessingTime: 60, FailedRecords: 7, PaceUtilization: 90 };
    for (const [name, Threshold] of Object.entries(wanted)) {
      expect(alarm(name, changes)).toMatchObject({ Threshold, Period: 60, EvaluationPeriods: 4 });
    }
    expect(alarm('FailedRecords', { monitoring: { thresholds: { failedRecords: 3 } } })?.Threshold).toBe(3);
  });

  test('of hosts without Spark read the engine alone, and there are none without metrics', () => {
    expect(new Set(alarmsOf({ host: 'python-shell' }).map((each) => each.Namespace))).toEqual(new Set(['SparkProcessing']));
    expect(alarmsOf({ enableMetrics: false })).toEqual([]);
  });

  test('read the namespace of the props', () => {
    expect(alarm('FailedRecords', { monitoring: { metricNamespace: 'Mine' } })?.Namespace).toBe('Mine');
  });
});

describe('the dashboard', () => {
  const body = (changes = {}) => text(properties(templateOf(changes), 'AWS::CloudWatch::Dashboard').DashboardBody).replaceAll('\\"', '"');

  test('has its name', () => {
    expect(properties(templateOf(), 'AWS::CloudWatch::Dashboard').DashboardName).toBe('SparkProcessingMetrics');
  });

  test.each(Object.values(ENGINE).map((metric) => [metric.name, metric.statistic]))('shows %s of the job', (name, statistic) => {
    expect(body()).toContain(`["SparkProcessing","${name}","JobName","${JOB}",{"stat":"${statistic}"`.replace(`,{"stat":"Average"`, ''));
  });

  test.each(Object.values(GLUE))('shows %s with all dimensions', (name) => {
    expect(body()).toMatch(new RegExp(`\\["Glue","${name.replaceAll('.', '\\.')}","JobName","${JOB}","JobRunId","ALL","Type","(count|gauge)"`));
  });

  test('shows failures by kind, whichever there are', () => {
    expect(body()).toContain(`{SparkProcessing,JobName,ErrorType} MetricName=\\\\"${ERRORS.name}\\\\" JobName=\\\\"${JOB}\\\\"`.replaceAll('\\\\"', '\\\\"'));
  });

  test('shows the bytes of the bucket under the name of its request metrics', () => {
    expect(body()).toMatch(/"AWS\/S3","BytesDownloaded".*"FilterId","EntireBucket"/);
    expect(properties(templateOf(), 'AWS::S3::Bucket', 'ProcessingBucket').MetricsConfigurations).toEqual([{ Id: 'EntireBucket' }]);
  });

  test('shows shuffle bytes, or the custom metrics of the props', () => {
    for (const name of ['shuffleLocalBytesRead', 'shuffleRemoteBytesRead']) expect(body()).toContain(`"glue.driver.aggregate.${name}","JobName","${JOB}","JobRunId","ALL","Type","count"`);
    expect(body({ customMetrics: ['glue.driver.jvm.heap.used'] })).toContain('"glue.driver.jvm.heap.used","JobName","spark-processing-job","JobRunId","ALL","Type","gauge"');
  });

  test('on Fargate shows what ECS measures', () => {
    expect(body(VARIANTS.fargate)).toContain('"ECS/ContainerInsights","MemoryUtilized"');
    expect(body(VARIANTS.fargate)).not.toContain('"Glue"');
  });
});

describe('log groups', () => {
  const names = (changes: object) => logGroupNames(settingsOf({ bucketName: 'data', glueJobName: 'job', ...changes }), 'ROLE');

  test.each([
    ['Glue 5 with a key', {}, ['/aws-glue/jobs/job/GlueSecurityConfig-role/ROLE/output', '/aws-glue/jobs/job/GlueSecurityConfig-role/ROLE/error']],
    ['Glue 5 without', { enableEncryption: false }, ['/aws-glue/jobs/job/output', '/aws-glue/jobs/job/error']],
    ['Glue 4 with a key', { glueJob: { glueVersion: '4.0' } }, ['/aws-glue/jobs/job-GlueSecurityConfig', '/aws-glue/jobs/GlueSecurityConfig-role/ROLE/output', '/aws-glue/jobs/GlueSecurityConfig-role/ROLE/error']],
    ['Glue 4 without', { glueJob: { glueVersion: '4.0' }, enableEncryption: false }, ['/aws-glue/jobs/job']],
    ['a Python shell with a key', { host: 'python-shell' }, ['/aws-glue/python-jobs/GlueSecurityConfig-role/ROLE/output', '/aws-glue/python-jobs/GlueSecurityConfig-role/ROLE/error']],
    ['a Python shell without', { host: 'python-shell', enableEncryption: false }, []],
    ['Fargate', { ...VARIANTS.fargate }, ['/paceline/job']],
  ])('of %s', (_host, changes, wanted) => {
    expect(names(changes)).toEqual(wanted);
  });

  test.each(Object.entries(VARIANTS))('%s: all have retention, and the key where there is one', (_name, changes) => {
    const template = templateOf(changes);
    const days = changes.logRetentionDays ?? 90;
    for (const group of Object.values(resources(template, 'AWS::Logs::LogGroup'))) {
      expect(group.Properties).toHaveProperty('RetentionInDays', days);
      if (changes.enableEncryption !== false) expect(text(group.Properties)).toContain('EncryptionKey');
    }
  });

  test('of the job are copied to the bucket, each through Firehose', () => {
    const template = templateOf();
    const filters = Object.values(resources(template, 'AWS::Logs::SubscriptionFilter'));
    expect(filters).toHaveLength(2);
    for (const filter of filters) expect(text(filter.Properties)).toContain('LogExport');
    const { ExtendedS3DestinationConfiguration: target } = properties<{ ExtendedS3DestinationConfiguration: Record<string, unknown> }>(template, 'AWS::KinesisFirehose::DeliveryStream');
    expect(target).toMatchObject({ Prefix: `logs/${JOB}/!{timestamp:yyyy/MM/dd}/`, FileExtension: '.json.gz' });
    expect(text(target.BucketARN)).toContain('ProcessingBucket');
  });
});

describe('a message', () => {
  test('goes from every alarm to a topic, from there to the function, and from it to a second topic', () => {
    const template = templateOf({ alarmEmails: ['ops@example.com'] });
    const topics = Object.keys(resources(template, 'AWS::SNS::Topic'));
    const first = topics.find((name) => name.includes('AlarmTopic'));
    const second = topics.find((name) => name.includes('MessageTopic'));
    for (const each of alarmsOf({ alarmEmails: ['ops@example.com'] })) expect(each.AlarmActions).toEqual([{ Ref: first }]);
    const subscriptions = Object.values(resources(template, 'AWS::SNS::Subscription')).map((each) => each.Properties);
    expect(subscriptions).toContainEqual(expect.objectContaining({ Protocol: 'lambda', TopicArn: { Ref: first } }));
    expect(subscriptions).toContainEqual({ Protocol: 'email', Endpoint: 'ops@example.com', TopicArn: { Ref: second } });
    expect(properties(template, 'AWS::Lambda::Function').Environment).toEqual({ Variables: { TOPIC_ARN: { Ref: second } } });
  });

  test('may be sent by alarms and rules, through topics that the key encrypts', () => {
    const template = templateOf();
    expect(text(properties(template, 'AWS::SNS::TopicPolicy', 'AlarmTopic'))).toMatch(/cloudwatch\.amazonaws\.com.*events\.amazonaws\.com/);
    for (const topic of Object.values(resources(template, 'AWS::SNS::Topic'))) expect(text(topic.Properties)).toContain('KmsMasterKeyId');
  });

  test('goes to a topic of yours, and nothing is made', () => {
    const template = templateOf(VARIANTS['topic-of-yours']);
    expect(resources(template, 'AWS::SNS::Topic')).toEqual({});
    expect(resources(template, 'AWS::Lambda::Function')).toEqual({});
    for (const each of alarmsOf(VARIANTS['topic-of-yours'])) expect(each.AlarmActions).toEqual(['arn:aws:sns:eu-central-1:123456789012:alarms']);
  });

  test('tells of runs that failed, were out of time or are late, with metrics or without', () => {
    for (const enableMetrics of [true, false]) {
      const rules = Object.values(resources(templateOf({ enableMetrics }), 'AWS::Events::Rule')).map((each) => each.Properties as { EventPattern: unknown; Targets: unknown[] });
      expect(rules.map((rule) => rule.EventPattern)).toEqual(
        expect.arrayContaining([
          { source: ['aws.glue'], 'detail-type': ['Glue Job State Change'], detail: { jobName: [JOB], state: ['FAILED', 'TIMEOUT', 'ERROR'] } },
          { source: ['aws.glue'], 'detail-type': ['Glue Job Run Status'], detail: { jobName: [JOB] } },
        ]),
      );
      for (const rule of rules) expect(text(rule.Targets)).toContain('AlarmTopic');
    }
    expect(text(resources(templateOf(VARIANTS.fargate), 'AWS::Events::Rule'))).toContain('"TIMED_OUT"');
  });
});
