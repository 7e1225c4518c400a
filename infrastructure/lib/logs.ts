// The log groups of the job, made before Glue makes them without retention and key.
import { RemovalPolicy } from 'aws-cdk-lib';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Settings } from './settings';

/** The group, or its prefix, that Glue is told to write to. */
export function logGroupOf(settings: Settings): string {
  return settings.host === 'fargate' ? `/paceline/${settings.jobName}` : `/aws-glue/jobs/${settings.jobName}`;
}

/**
 * The names of all groups that the job's host writes to.
 *
 * With a security configuration Glue puts its name and the role's into them. A Python shell job cannot choose a name: without a
 * security configuration it shares its groups with every other one of the account, and they are nobody's to make.
 */
export function logGroupNames(settings: Settings, roleName: string): string[] {
  const group = logGroupOf(settings);
  const secured = `${settings.job.securityConfiguration}-role/${roleName}`;
  const streams = (prefix: string) => [`${prefix}/output`, `${prefix}/error`];
  switch (settings.host) {
    case 'fargate':
      return [group];
    case 'python-shell':
      return settings.encrypted ? streams(`/aws-glue/python-jobs/${secured}`) : [];
    case 'glue':
      if (settings.job.glueVersion === '4.0') {
        return settings.encrypted
          ? [`${group}-${settings.job.securityConfiguration}`, ...streams(`/aws-glue/jobs/${secured}`)]
          : [group];
      }
      return streams(settings.encrypted ? `${group}/${secured}` : group);
  }
}

/** Names that the role needs besides those of groups that the stack makes. */
export function sharedLogGroups(settings: Settings): string[] {
  if (settings.host === 'fargate' || settings.encrypted) return [];
  return settings.host === 'python-shell' ? ['/aws-glue/python-jobs/*'] : ['/aws-glue/jobs/output', '/aws-glue/jobs/error'];
}

/** Makes a group that ends with the stack: its copies in the bucket stay. */
export function logGroup(scope: Construct, id: string, name: string | undefined, settings: Settings, key: kms.IKey | undefined): logs.LogGroup {
  return new logs.LogGroup(scope, id, {
    logGroupName: name,
    encryptionKey: key,
    // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- validated: it is one of them
    retention: settings.logRetentionDays as logs.RetentionDays,
    removalPolicy: RemovalPolicy.DESTROY,
  });
}
