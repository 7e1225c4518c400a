// What the job may do: the prefixes, the key, the logs, the metrics and the secrets that it uses, and nothing else (decision 0026).
import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Uploaded } from './job/assets';
import { letJobUse } from './key';
import { GLUE_NAMESPACE } from './metrics';
import type { Settings } from './settings';
import { TEMPORARY } from './storage';

/** The service that takes the role on each host. */
const SERVICES = { glue: 'glue', 'python-shell': 'glue', fargate: 'ecs-tasks' } as const;

const LOGS = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents', 'logs:DescribeLogStreams', 'logs:AssociateKmsKey'];

/** The role, without permissions; `grant` adds them when all that they name is there. */
export function jobRole(scope: Construct, settings: Settings): iam.Role {
  return new iam.Role(scope, 'GlueJobRole', {
    assumedBy: new iam.ServicePrincipal(`${SERVICES[settings.host]}.amazonaws.com`),
    description: `What the job ${settings.jobName} may do`,
  });
}

export interface Reach {
  readonly bucket: s3.IBucket;
  readonly key: kms.IKey | undefined;
  readonly files: readonly Uploaded[];
  /** Names of the log groups that it writes to, each with `*` behind it where more follows. */
  readonly logGroups: readonly string[];
}

export function grant(role: iam.Role, settings: Settings, reach: Reach): void {
  const { bucket, key } = reach;
  const stack = Stack.of(role);
  const write = [...settings.writePrefixes, TEMPORARY];
  const read = [...settings.readPrefixes, ...write];
  const objects = (prefixes: readonly string[]) => prefixes.map((prefix) => bucket.arnForObjects(`${prefix}*`));

  allow(role, 'ReadData', ['s3:GetObject'], objects(read));
  allow(role, 'ReadDeployedFiles', ['s3:GetObject'], reach.files.map((file) => file.arn));
  // Uploads are completed or aborted by whoever commits, which may be another run than the one that began them.
  allow(role, 'WriteAndCommit', ['s3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'], objects(write));
  allow(role, 'ListData', ['s3:ListBucket'], [bucket.bucketArn], { StringLike: { 's3:prefix': read.map((prefix) => `${prefix}*`) } });
  allow(role, 'FindBucketAndUploads', ['s3:GetBucketLocation', 's3:ListBucketMultipartUploads'], [bucket.bucketArn]);
  if (key !== undefined) {
    allow(role, 'UseKey', ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:DescribeKey'], [key.keyArn]);
    letJobUse(key, role);
  }

  const groups = reach.logGroups.map((name) => stack.formatArn({ service: 'logs', resource: 'log-group', resourceName: name, arnFormat: ArnFormat.COLON_RESOURCE_NAME }));
  allow(role, 'WriteLogs', LOGS, groups.flatMap((group) => [group, `${group}:*`]));
  if (settings.metrics) {
    // CloudWatch knows no resources; the namespace is what narrows a publisher.
    const namespaces = [settings.monitoring.metricNamespace, GLUE_NAMESPACE];
    allow(role, 'PublishMetrics', ['cloudwatch:PutMetricData'], ['*'], { StringEquals: { 'cloudwatch:namespace': namespaces } });
    allow(role, 'ReadMetrics', ['cloudwatch:GetMetricData'], ['*']);
  }
  if (settings.host !== 'fargate') {
    const job = stack.formatArn({ service: 'glue', resource: 'job', resourceName: settings.jobName });
    allow(role, 'KnowItself', ['glue:GetJob', 'glue:GetJobRun', 'glue:GetJobRuns'], [job]);
  }
  if (settings.secretNames.length > 0) {
    // Secrets Manager adds six characters to a name.
    const secrets = settings.secretNames.map((name) => stack.formatArn({ service: 'secretsmanager', resource: 'secret', resourceName: `${name}-??????`, arnFormat: ArnFormat.COLON_RESOURCE_NAME }));
    allow(role, 'ReadSecrets', ['secretsmanager:GetSecretValue'], secrets);
  }
}

function allow(role: iam.Role, sid: string, actions: string[], resources: string[], conditions?: iam.Conditions): void {
  if (resources.length === 0) return;
  role.addToPolicy(new iam.PolicyStatement({ sid, actions, resources, conditions }));
}
