// The mistakes of the Python project's stack, each as a test that it would fail.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { deploymentOf } from '../lib/environment';
import { PACKAGE } from '../lib/paths';
import { synthesise } from './synthesise';
import { properties, resources, statement, statements, templateOf, text, type Statement } from './template';

const template = () => templateOf();
const job = () => properties<{ Command: { ScriptLocation: unknown }; DefaultArguments: Record<string, unknown>; SecurityConfiguration: unknown }>(template(), 'AWS::Glue::Job');
const alarms = () => Object.values(resources(template(), 'AWS::CloudWatch::Alarm')).map((each) => each.Properties);
const alarm = (word: string) => properties(template(), 'AWS::CloudWatch::Alarm', word);

describe('the Python project\'s stack', () => {
  test('left ${…} in the location of its script, in single quotes', () => {
    expect(text(job().Command.ScriptLocation)).not.toMatch(/awsConfig|\$\{(?!AWS::)/);
    expect(() => synthesise({ glueJobScript: 's3://spark-processing-${awsConfig.env.account}/scripts/processor.py' })).toThrow(/glueJobScript.*single quotes/);
  });

  test('threw without encryption, because it handed the key to the bucket all the same', () => {
    expect(() => templateOf({ enableEncryption: false })).not.toThrow();
    expect(text(templateOf({ enableEncryption: false }).toJSON())).not.toContain('aws:kms');
  });

  test('named a security configuration that nobody made', () => {
    const made = resources(template(), 'AWS::Glue::SecurityConfiguration');
    const [name] = Object.keys(made);
    const configuration = properties(template(), 'AWS::Glue::SecurityConfiguration');
    expect(job().SecurityConfiguration).toEqual({ Ref: name });
    expect(configuration.Name).toBe('GlueSecurityConfig');
    expect(configuration.EncryptionConfiguration).toMatchObject({
      CloudWatchEncryption: { CloudWatchEncryptionMode: 'SSE-KMS' },
      JobBookmarksEncryption: { JobBookmarksEncryptionMode: 'CSE-KMS' },
      S3Encryptions: [{ S3EncryptionMode: 'SSE-KMS' }],
    });
  });

  test('gave its role neither the key nor logs with a key', () => {
    const granted = statements(template(), 'GlueJobRole');
    expect(statement(granted, 'UseKey').Action).toEqual(expect.arrayContaining(['kms:Decrypt', 'kms:GenerateDataKey']));
    expect(statement(granted, 'WriteLogs').Action).toContain('logs:AssociateKmsKey');
  });

  test('kept CloudWatch Logs out of the policy of its key', () => {
    const { KeyPolicy: policy } = properties<{ KeyPolicy: { Statement: Statement[] } }>(template(), 'AWS::KMS::Key');
    const logs = statement(policy.Statement, 'LogGroups');
    expect(text(logs.Principal)).toContain('"logs."');
    expect(text(logs.Condition)).toContain('kms:EncryptionContext:aws:logs:arn');
  });

  test('sent scripts/ to Glacier with a rule for the whole bucket', () => {
    const { LifecycleConfiguration: lifecycle } = properties<{ LifecycleConfiguration: { Rules: { Prefix?: string; Transitions?: unknown[] }[] } }>(template(), 'AWS::S3::Bucket', 'ProcessingBucket');
    const moving = lifecycle.Rules.filter((rule) => rule.Transitions !== undefined).map((rule) => rule.Prefix ?? '');
    expect(moving).toEqual(['input/', 'output/', 'infrequent/']);
    for (const key of ['scripts/processor.py', 'wheels/paceline_glue.whl', 'logs/a.gz']) {
      expect(moving.filter((prefix) => key.startsWith(prefix))).toEqual([]);
    }
    expect(() => synthesise({ readPrefixes: ['scripts/'] })).toThrow(/readPrefixes: 'scripts\/' is kept/);
  });

  test('wrote the access logs of its bucket into that bucket', () => {
    const { LoggingConfiguration: logging } = properties<{ LoggingConfiguration: { DestinationBucketName: { Ref: string } } }>(template(), 'AWS::S3::Bucket', 'ProcessingBucket');
    expect(logging.DestinationBucketName.Ref).toContain('AccessLogs');
  });

  test('had alarms with JobName alone on metrics of Glue, which never have data', () => {
    const ofGlue = alarms().filter((each) => each.Namespace === 'Glue');
    expect(ofGlue).toHaveLength(2);
    for (const each of ofGlue) {
      expect((each.Dimensions as { Name: string }[]).map((dimension) => dimension.Name)).toEqual(['JobName', 'JobRunId', 'Type']);
    }
  });

  test('held a threshold of 85 against a heap usage from 0 to 1', () => {
    expect(alarm('HeapUsage')).toMatchObject({ MetricName: 'glue.driver.jvm.heap.usage', Threshold: 0.85 });
  });

  test('held 3600 seconds against milliseconds since the last report', () => {
    expect(alarms().map((each) => each.MetricName)).not.toContain('glue.driver.aggregate.elapsedTime');
    expect(alarm('ProcessingTime')).toMatchObject({ MetricName: 'ProcessingTime', Unit: 'Seconds', Statistic: 'Maximum', Threshold: 3600 });
  });

  test('drew alarm actions, topics, a function and exported logs, and made none of them', () => {
    for (const each of alarms()) expect(each.AlarmActions).toHaveLength(1);
    for (const [type, count] of Object.entries({ 'AWS::SNS::Topic': 2, 'AWS::Lambda::Function': 1, 'AWS::KinesisFirehose::DeliveryStream': 1, 'AWS::Logs::SubscriptionFilter': 2, 'AWS::Events::Rule': 2 })) {
      template().resourceCountIs(type, count);
    }
  });

  test('let Spark speculate, which calls the API twice for a row', () => {
    expect(text(job().DefaultArguments)).not.toContain('speculation');
    expect(() => synthesise({ jobArguments: { conf: 'spark.speculation=true' } })).toThrow(/speculation repeats calls/);
  });

  test('gave a JVM of a worker with 16 GB a heap of 10 and 10 more beside it', () => {
    expect(text(job().DefaultArguments)).not.toMatch(/spark\.(memory\.offHeap|executor\.memory)/);
    expect(() => synthesise({ jobArguments: { conf: 'spark.memory.offHeap.enabled=true --conf spark.memory.offHeap.size=10g' } })).toThrow(/offHeap/);
  });

  test('asked for 20 executors with 10 workers', () => {
    expect(text(job().DefaultArguments)).not.toContain('maxExecutors');
    const conf = (most: number) => ({ jobArguments: { conf: `spark.dynamicAllocation.maxExecutors=${most}` } });
    expect(() => synthesise(conf(20))).toThrow(/10 workers have 9 executors/);
    expect(() => synthesise(conf(9))).not.toThrow();
  });

  test('admitted every origin', () => {
    expect(properties(template(), 'AWS::S3::Bucket', 'ProcessingBucket')).not.toHaveProperty('CorsConfiguration');
    expect(() => synthesise({ corsAllowedOrigins: ['*'] })).toThrow(/corsAllowedOrigins/);
  });

  test('wanted long-lived keys in .env', () => {
    expect(() => deploymentOf({}, { AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'secret' })).toThrow(/\.env has AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY/);
    expect(readFileSync(join(PACKAGE, '.env.example'), 'utf8')).not.toMatch(/KEY_ID|SECRET/);
  });
});
