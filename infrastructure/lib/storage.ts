// The data bucket and the bucket for its access logs: who may reach them, and where objects go as they age.
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Settings } from './settings';

/** Rows of S3's request metrics for the whole bucket. */
export const REQUEST_METRICS = 'EntireBucket';

/** Where runs keep what the next attempt needs; it goes after a month. */
export const TEMPORARY = 'temporary/';

export interface Buckets {
  readonly data: s3.Bucket;
  readonly accessLogs: s3.Bucket;
}

/** Both stay when the stack goes. */
export function buckets(scope: Construct, settings: Settings, key: kms.IKey | undefined): Buckets {
  // Written by S3 itself, which cannot use a key of KMS for it, and not into the bucket that it tells of: each write would be told too.
  const accessLogs = new s3.Bucket(scope, 'AccessLogs', {
    bucketName: `${settings.bucketName}-access-logs`,
    encryption: s3.BucketEncryption.S3_MANAGED,
    enforceSSL: true,
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    versioned: true,
    removalPolicy: RemovalPolicy.RETAIN,
    lifecycleRules: [
      { id: 'Expire', expiration: Duration.days(365), noncurrentVersionExpiration: Duration.days(30), abortIncompleteMultipartUploadAfter: Duration.days(7) },
    ],
  });
  const data = new s3.Bucket(scope, 'ProcessingBucket', {
    bucketName: settings.bucketName,
    versioned: true,
    encryption: key === undefined ? s3.BucketEncryption.S3_MANAGED : s3.BucketEncryption.KMS,
    encryptionKey: key,
    // One call of KMS serves many objects.
    bucketKeyEnabled: key !== undefined,
    enforceSSL: true,
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    removalPolicy: RemovalPolicy.RETAIN,
    serverAccessLogsBucket: accessLogs,
    serverAccessLogsPrefix: 'access-logs/',
    metrics: [{ id: REQUEST_METRICS }],
    lifecycleRules: lifecycle(settings),
    // Smaller objects cost more in those classes than they save, and a commit needs its manifest at once.
    transitionDefaultMinimumObjectSize: s3.TransitionDefaultMinimumObjectSize.ALL_STORAGE_CLASSES_128_K,
    intelligentTieringConfigurations: [
      {
        name: 'OptimizeForInfrequentAccess',
        prefix: 'infrequent/',
        archiveAccessTierTime: Duration.days(90),
        deepArchiveAccessTierTime: Duration.days(180),
      },
    ],
    cors: cors(settings.corsAllowedOrigins),
  });
  return { data, accessLogs };
}

function lifecycle(settings: Settings): s3.LifecycleRule[] {
  const dataPrefixes = [...new Set([...settings.readPrefixes, ...settings.writePrefixes])];
  return [
    {
      id: 'CleanupOldVersions',
      noncurrentVersionExpiration: Duration.days(90),
      abortIncompleteMultipartUploadAfter: Duration.days(7),
    },
    // By prefix: a rule for the whole bucket would take scripts and wheels away from jobs that start in ninety days.
    ...dataPrefixes.map((prefix) => ({
      id: `Transition-${prefix.replaceAll('/', '.')}`,
      prefix,
      transitions: [
        { storageClass: s3.StorageClass.INFREQUENT_ACCESS, transitionAfter: Duration.days(30) },
        { storageClass: s3.StorageClass.GLACIER, transitionAfter: Duration.days(90) },
      ],
    })),
    { id: 'ExpireTemporary', prefix: TEMPORARY, expiration: Duration.days(30) },
    {
      // Only objects of this class are tiered by the configuration below; S3 puts none there by itself.
      id: 'Tier-infrequent.',
      prefix: 'infrequent/',
      transitions: [{ storageClass: s3.StorageClass.INTELLIGENT_TIERING, transitionAfter: Duration.days(0) }],
    },
  ];
}

function cors(origins: readonly string[]): s3.CorsRule[] {
  if (origins.length === 0) return [];
  return [
    {
      allowedOrigins: [...origins],
      allowedMethods: [s3.HttpMethods.GET, s3.HttpMethods.PUT, s3.HttpMethods.POST],
      allowedHeaders: ['*'],
      maxAge: 3000,
    },
  ];
}
