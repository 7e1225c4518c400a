// Props that cannot work are refused before anything is made: which, why, and what to do.
import { describe, expect, test } from 'vitest';
import { SparkProcessingConstruct } from '../lib/construct';
import { wheelOf } from '../lib/job/assets';
import type { SparkProcessingProps } from '../lib/props';
import { settingsOf } from '../lib/settings';
import { App, Stack } from 'aws-cdk-lib';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const RIGHT: SparkProcessingProps = { bucketName: 'data', glueJobName: 'job' };
const IMAGE = { image: 'public.ecr.aws/paceline/paceline:0.1.0' };

/** Each row: what is wrong, and what the error says. */
const WRONG: readonly [Partial<SparkProcessingProps>, RegExp][] = [
  [{ bucketName: 'Data_Bucket' }, /bucketName: 'Data_Bucket' is no name of a bucket/],
  [{ bucketName: 'a'.repeat(51) }, /bucketName/],
  [{ glueJobName: 'my job' }, /glueJobName: 'my job'/],
  [{ glueJobScript: 'nowhere.py' }, /glueJobScript: there is no file 'nowhere\.py'/],
  [{ glueJobScript: 's3://bucket' }, /glueJobScript: 's3:\/\/bucket' has no key/],
  [{ wheelPath: 'nowhere.whl' }, /wheelPath: there is no file/],
  [{ sqlPath: 'nowhere.sql' }, /sqlPath: there is no file/],
  [{ glueWorkerType: 'G.3X' }, /glueWorkerType: 'G\.3X': Glue has no such worker type; take one of G\.1X/],
  [{ glueWorkerType: 'G.025X' }, /it is for streaming jobs only/],
  [{ glueWorkerType: 'Standard' }, /it ended with Glue 2\.0/],
  [{ glueWorkerType: 'G.1X', glueJob: { workerType: 'G.2X' } }, /glueWorkerType: it says G\.1X and glueJob\.workerType says G\.2X/],
  [{ glueNumberOfWorkers: 1 }, /glueNumberOfWorkers: 1 is not a number of workers/],
  [{ glueNumberOfWorkers: 2.5 }, /glueNumberOfWorkers: 2\.5/],
  [{ glueTimeout: 0 }, /glueTimeout: 0 is not a number of minutes from 1 to 10080/],
  [{ glueJob: { maxRetries: 11 } }, /glueJob\.maxRetries: 11/],
  [{ glueJob: { maxConcurrentRuns: 0 } }, /glueJob\.maxConcurrentRuns: 0/],
  [{ glueJob: { notifyDelayAfter: 0 } }, /glueJob\.notifyDelayAfter: 0/],
  [{ glueJob: { glueVersion: '3.0' } }, /glueJob\.glueVersion: '3\.0' is not supported; take one of 4\.0, 5\.0, 5\.1/],
  [{ glueJob: { securityConfiguration: 'a b' } }, /glueJob\.securityConfiguration/],
  [{ enableEncryption: false, glueJob: { securityConfiguration: 'mine' } }, /without enableEncryption there is none/],
  [{ jobQueuing: true, glueJob: { maxRetries: 1 } }, /jobQueuing: Glue does not retry/],
  [{ workers: 'spark', autoScaling: true }, /autoScaling: executors hosted by Spark/],
  [{ workers: 'spark', host: 'python-shell' }, /workers: host 'python-shell' has no Spark/],
  [{ autoScaling: true, host: 'python-shell' }, /autoScaling: host 'python-shell' has no workers/],
  [{ host: 'fargate' }, /fargate: host 'fargate' needs the image/],
  [{ fargate: IMAGE }, /fargate: host 'glue' does not use it/],
  [{ host: 'fargate', fargate: IMAGE, jobQueuing: true }, /jobQueuing: Step Functions has no queue/],
  [{ host: 'fargate', fargate: { ...IMAGE, cpu: 3000 } }, /fargate\.cpu: Fargate has no 3000/],
  [{ host: 'fargate', fargate: { ...IMAGE, cpu: 1024, memoryLimitMiB: 16_384 } }, /fargate\.memoryLimitMiB: 16384 does not go with 1024/],
  [{ pythonShellCapacity: 1 }, /pythonShellCapacity: host 'glue' does not use it/],
  [{ readPrefixes: ['/input/'] }, /readPrefixes: '\/input\/' is no prefix/],
  [{ writePrefixes: ['output'] }, /writePrefixes: 'output' is no prefix/],
  [{ writePrefixes: [] }, /writePrefixes: the job would write nowhere/],
  [{ writePrefixes: ['logs/mine/'] }, /writePrefixes: 'logs\/mine\/' is kept for other things/],
  [{ corsAllowedOrigins: ['*'] }, /corsAllowedOrigins: '\*' is not one origin/],
  [{ secretNames: ['prod/*'] }, /secretNames: 'prod\/\*' is no name/],
  [{ jobArguments: { JOB_NAME: 'x' } }, /jobArguments: 'JOB_NAME': Glue sets it/],
  [{ jobArguments: { 'paceline-job': 's3://a/b' } }, /jobArguments: 'paceline-job': sqlPath says it/],
  [{ sqlPath: 's3://a/job.sql', jobArguments: { source_key: 'a' } }, /jobArguments: 'source_key' is for the job without sqlPath/],
  [{ jobArguments: { '--source_key': 'a' } }, /write it without '--'/],
  [{ customMetrics: ['heap'] }, /customMetrics: 'heap' is no metric of Glue/],
  [{ alarmThresholds: { memoryUtilization: 0.85 } }, /alarmThresholds\.memoryUtilization: 0\.85 is not a percentage/],
  [{ alarmThresholds: { failedTasks: -1 } }, /alarmThresholds\.failedTasks: -1 is no threshold/],
  [{ alarmThresholds: { failedTasks: 1 }, monitoring: { thresholds: { failedTasks: 2 } } }, /it says 1 and monitoring\.thresholds says 2/],
  [{ monitoring: { metricPeriod: 45 } }, /monitoring\.metricPeriod: 45 is no period/],
  [{ monitoring: { evaluationPeriods: 289 } }, /monitoring\.evaluationPeriods: 289 is not a number of periods from 1 to 288/],
  [{ monitoring: { metricNamespace: 'AWS/Glue' } }, /monitoring\.metricNamespace: 'AWS\/Glue'/],
  [{ monitoring: { dashboardName: 'my dashboard' } }, /monitoring\.dashboardName/],
  [{ monitoring: { alarmSnsTopicArn: 'arn:aws:sns:region:account:topic' } }, /monitoring\.alarmSnsTopicArn: .* is no ARN of a topic/],
  [{ alarmEmails: ['ops'] }, /alarmEmails: 'ops' is no address/],
  [{ alarmEmails: ['ops@example.com'], monitoring: { alarmSnsTopicArn: 'arn:aws:sns:eu-central-1:123456789012:alarms' } }, /with alarmSnsTopicArn subscribe them to yours/],
  [{ logRetentionDays: 10 }, /logRetentionDays: CloudWatch does not keep logs for 10 days/],
];

describe('props', () => {
  test('that are right have settings', () => {
    expect(settingsOf(RIGHT)).toMatchObject({ host: 'glue', encrypted: true, metrics: true, workers: 'driver', autoScaling: true, logRetentionDays: 90 });
  });

  test.each(WRONG)('%j are refused', (wrong, error) => {
    expect(() => settingsOf({ ...RIGHT, ...wrong })).toThrow(error);
  });

  test('are refused with all that is wrong at once', () => {
    expect(() => settingsOf({ ...RIGHT, glueWorkerType: 'G.3X', glueTimeout: 0, alarmEmails: ['ops'] })).toThrow(/glueWorkerType(.|\n)*glueTimeout(.|\n)*alarmEmails/);
  });

  test('and the key of a construct of one\'s own must agree', () => {
    const stack = new Stack(new App());
    expect(() => new SparkProcessingConstruct(stack, 'One', RIGHT)).toThrow(/encryptionKey: enableEncryption is on and there is no key/);
  });
});

describe('the wheel', () => {
  const folder = (...names: string[]) => {
    const made = mkdtempSync(join(tmpdir(), 'dist-'));
    names.forEach((name) => { writeFileSync(join(made, name), ''); });
    return made;
  };

  test('that was built for Glue\'s machines is found', () => {
    const dist = folder('paceline-0.1.0-cp310-abi3-manylinux_2_17_x86_64.whl', 'paceline_glue-0.1.0-py3-none-manylinux_2_17_x86_64.whl', 'paceline_glue-0.1.0-py3-none-manylinux_2_17_aarch64.whl');
    expect(wheelOf(undefined, dist)).toBe(join(dist, 'paceline_glue-0.1.0-py3-none-manylinux_2_17_x86_64.whl'));
  });

  test('that was never built says how', () => {
    expect(() => wheelOf(undefined, join(folder(), 'dist'))).toThrow(/build it with 'make wheel', or give wheelPath/);
  });

  test('must be one', () => {
    const dist = folder('paceline_glue-0.1.0-py3-none-manylinux_2_17_x86_64.whl', 'paceline_glue-0.2.0-py3-none-manylinux_2_17_x86_64.whl');
    expect(() => wheelOf(undefined, dist)).toThrow(/several wheels/);
  });
});
