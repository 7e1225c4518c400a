// The key of a stack, and who may use it for what.
import { Aws, Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';

const USE = ['kms:Decrypt', 'kms:GenerateDataKey*'];

/** Rotated every year, and kept when the stack goes: without it nobody can read the data that stays. */
export function encryptionKey(scope: Construct, jobName: string): kms.Key {
  const key = new kms.Key(scope, 'EncryptionKey', {
    description: `Data, logs and messages of the job ${jobName}`,
    alias: `alias/spark-processing-${jobName}`,
    enableKeyRotation: true,
    pendingWindow: Duration.days(7),
    removalPolicy: RemovalPolicy.RETAIN,
    policy: new iam.PolicyDocument({ statements: statements() }),
  });
  return key;
}

function statements(): iam.PolicyStatement[] {
  const account = { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } };
  return [
    new iam.PolicyStatement({
      sid: 'AccountDecidesByItsOwnPolicies',
      actions: ['kms:*'],
      principals: [new iam.AccountRootPrincipal()],
      resources: ['*'],
    }),
    new iam.PolicyStatement({
      sid: 'LogGroups',
      actions: ['kms:Encrypt*', 'kms:Decrypt*', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:Describe*'],
      principals: [new iam.ServicePrincipal(`logs.${Aws.REGION}.amazonaws.com`)],
      resources: ['*'],
      conditions: {
        ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:${Aws.PARTITION}:logs:${Aws.REGION}:${Aws.ACCOUNT_ID}:log-group:*` },
      },
    }),
    new iam.PolicyStatement({
      sid: 'BucketsOfTheAccount',
      actions: USE,
      principals: [new iam.ServicePrincipal('s3.amazonaws.com')],
      resources: ['*'],
      conditions: account,
    }),
    new iam.PolicyStatement({
      // An alarm or a rule reaches an encrypted topic only if its service may use the topic's key; otherwise nobody is told.
      sid: 'AlarmsAndRulesToTopics',
      actions: USE,
      principals: ['cloudwatch', 'events', 'sns'].map((service) => new iam.ServicePrincipal(`${service}.amazonaws.com`)),
      resources: ['*'],
      conditions: account,
    }),
  ];
}

/** Lets the job's role read and write what is encrypted with the key, by the key's own policy too. */
export function letJobUse(key: kms.IKey, role: iam.IRole): void {
  key.addToResourcePolicy(
    new iam.PolicyStatement({
      sid: 'Job',
      actions: ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:DescribeKey'],
      principals: [role],
      resources: ['*'],
    }),
  );
}
