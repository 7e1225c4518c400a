// Copies of logs in the bucket: CloudWatch hands them to Firehose, which writes them, each under a role of its own.
import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as firehose from 'aws-cdk-lib/aws-kinesisfirehose';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { logGroup } from './logs';
import type { Settings } from './settings';

/** Copies everything that is written to the groups, under `logs/`: gzip, as CloudWatch hands it over. */
export function exportLogs(scope: Construct, settings: Settings, groups: readonly logs.LogGroup[], bucket: s3.IBucket, key: kms.IKey | undefined): void {
  if (groups.length === 0) return;
  const stream = deliveryStream(scope, settings, bucket, key);
  const role = new iam.Role(scope, 'LogExportRole', {
    assumedBy: new iam.ServicePrincipal('logs.amazonaws.com', {
      conditions: { StringLike: { 'aws:SourceArn': Stack.of(scope).formatArn({ service: 'logs', resource: '*' }) } },
    }),
    description: `Hands the logs of ${settings.jobName} to Firehose`,
  });
  role.addToPolicy(new iam.PolicyStatement({ actions: ['firehose:PutRecord', 'firehose:PutRecordBatch'], resources: [stream.attrArn] }));
  groups.forEach((group, index) => {
    const filter = new logs.CfnSubscriptionFilter(scope, `LogExport${index}`, {
      logGroupName: group.logGroupName,
      filterPattern: '',
      destinationArn: stream.attrArn,
      roleArn: role.roleArn,
    });
    // CloudWatch tries whether it may write when the filter is made.
    filter.node.addDependency(role);
  });
}

function deliveryStream(scope: Construct, settings: Settings, bucket: s3.IBucket, key: kms.IKey | undefined): firehose.CfnDeliveryStream {
  const stack = Stack.of(scope);
  const errors = logGroup(scope, 'LogExportErrors', undefined, settings, key);
  const errorStream = new logs.LogStream(scope, 'LogExportErrorStream', { logGroup: errors, logStreamName: 'delivery' });
  const role = new iam.Role(scope, 'LogDeliveryRole', {
    assumedBy: new iam.ServicePrincipal('firehose.amazonaws.com', { conditions: { StringEquals: { 'aws:SourceAccount': stack.account } } }),
    description: `Writes the logs of ${settings.jobName} to the bucket`,
  });
  const prefixes = ['logs', 'logs-failed'].map((prefix) => `${prefix}/${settings.jobName}/`);
  const add = (sid: string, actions: string[], resources: string[]) => role.addToPolicy(new iam.PolicyStatement({ sid, actions, resources }));
  add('WriteLogCopies', ['s3:PutObject', 's3:GetObject', 's3:AbortMultipartUpload'], prefixes.map((prefix) => bucket.arnForObjects(`${prefix}*`)));
  add('FindBucketAndUploads', ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'], [bucket.bucketArn]);
  add('WriteErrors', ['logs:PutLogEvents'], [errors.logGroupArn]);
  if (key !== undefined) add('UseKey', ['kms:Decrypt', 'kms:GenerateDataKey'], [key.keyArn]);

  const day = '!{timestamp:yyyy/MM/dd}';
  const stream = new firehose.CfnDeliveryStream(scope, 'LogExport', {
    deliveryStreamType: 'DirectPut',
    deliveryStreamEncryptionConfigurationInput:
      key === undefined ? { keyType: 'AWS_OWNED_CMK' } : { keyType: 'CUSTOMER_MANAGED_CMK', keyArn: key.keyArn },
    extendedS3DestinationConfiguration: {
      bucketArn: bucket.bucketArn,
      roleArn: role.roleArn,
      prefix: `logs/${settings.jobName}/${day}/`,
      errorOutputPrefix: `logs-failed/${settings.jobName}/!{firehose:error-output-type}/${day}/`,
      // The name says what is in it: CloudWatch has compressed it, and Firehose does not do so again.
      compressionFormat: 'UNCOMPRESSED',
      fileExtension: '.json.gz',
      bufferingHints: { intervalInSeconds: 300, sizeInMBs: 5 },
      ...(key === undefined ? {} : { encryptionConfiguration: { kmsEncryptionConfig: { awskmsKeyArn: key.keyArn } } }),
      cloudWatchLoggingOptions: { enabled: true, logGroupName: errors.logGroupName, logStreamName: errorStream.logStreamName },
    },
  });
  // Firehose checks the role when the stream is made.
  stream.node.addDependency(role);
  return stream;
}
