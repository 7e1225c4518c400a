// The job where AWS Glue is its host: an ETL job, or a Python shell job.
import * as glue from 'aws-cdk-lib/aws-glue';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { logGroupOf } from '../logs';
import type { Settings } from '../settings';
import { dashed, glueArguments, pacelineArguments } from './arguments';
import type { Uploaded } from './assets';

export interface Files {
  readonly script: Uploaded;
  readonly wheel: Uploaded;
  readonly sql: Uploaded | undefined;
}

/** The Python of Python shell jobs; ETL jobs say 3 and have the one of their Glue version. */
const SHELL_PYTHON = '3.9';

export function glueJob(scope: Construct, settings: Settings, role: iam.IRole, key: kms.IKey | undefined, files: Files): glue.CfnJob {
  const { job } = settings;
  const shell = settings.host === 'python-shell';
  return new glue.CfnJob(scope, 'GlueJob', {
    name: settings.jobName,
    description: 'Records from S3 to an HTTP API under a rate limit, answers back to S3 (Paceline)',
    role: role.roleArn,
    command: {
      name: shell ? 'pythonshell' : 'glueetl',
      pythonVersion: shell ? SHELL_PYTHON : '3',
      scriptLocation: files.script.url,
    },
    ...(shell
      ? { maxCapacity: settings.pythonShellCapacity }
      : { glueVersion: job.glueVersion, workerType: job.workerType, numberOfWorkers: job.numberOfWorkers }),
    executionProperty: { maxConcurrentRuns: job.maxConcurrentRuns },
    timeout: job.timeout,
    maxRetries: job.maxRetries,
    notificationProperty: { notifyDelayAfter: job.notifyDelayAfter },
    jobRunQueuingEnabled: settings.jobQueuing,
    securityConfiguration: key === undefined ? undefined : securityConfiguration(scope, settings, key),
    defaultArguments: dashed({
      'additional-python-modules': files.wheel.url,
      ...(shell ? {} : glueArguments(settings, logGroupOf(settings))),
      ...pacelineArguments(settings, files.sql),
    }),
  });
}

/** Makes it, and returns its name as a reference, so that the job comes after it. */
function securityConfiguration(scope: Construct, settings: Settings, key: kms.IKey): string {
  const made = new glue.SecurityConfiguration(scope, 'SecurityConfiguration', {
    securityConfigurationName: settings.job.securityConfiguration,
    s3Encryption: glue.S3Encryption.kms(key),
    cloudWatchEncryption: glue.CloudWatchEncryption.kms(key),
    jobBookmarksEncryption: glue.JobBookmarksEncryption.clientSideKms(key),
  });
  return made.securityConfigurationName;
}
