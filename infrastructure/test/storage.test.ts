// The buckets: encryption, who may reach them, and where objects go as they age.
import { describe, expect, test } from 'vitest';
import { properties, resources, templateOf, text } from './template';

interface Rule {
  readonly Id: string;
  readonly Prefix?: string;
  readonly Status: string;
  readonly Transitions?: readonly { StorageClass: string; TransitionInDays: number }[];
  readonly [property: string]: unknown;
}

interface Bucket {
  readonly LifecycleConfiguration: { readonly Rules: readonly Rule[]; readonly TransitionDefaultMinimumObjectSize?: string };
  readonly [property: string]: unknown;
}

const dataOf = (changes = {}) => properties<Bucket>(templateOf(changes), 'AWS::S3::Bucket', 'ProcessingBucket');

describe('the data bucket', () => {
  test('is named after account and region', () => {
    expect(dataOf().BucketName).toEqual({ 'Fn::Join': ['', ['spark-processing-', { Ref: 'AWS::AccountId' }, '-', { Ref: 'AWS::Region' }]] });
  });

  test('is versioned, closed to the public and stays when the stack goes', () => {
    const template = templateOf();
    expect(dataOf()).toMatchObject({
      VersioningConfiguration: { Status: 'Enabled' },
      PublicAccessBlockConfiguration: { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true },
    });
    for (const bucket of Object.values(resources(template, 'AWS::S3::Bucket'))) expect(bucket.DeletionPolicy).toBe('Retain');
  });

  test('is encrypted with the key of the stack, or by S3 itself', () => {
    const [rule] = (dataOf().BucketEncryption as { ServerSideEncryptionConfiguration: unknown[] }).ServerSideEncryptionConfiguration;
    expect(rule).toMatchObject({ BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } });
    expect(text(rule)).toContain('EncryptionKey');
    expect(text(dataOf({ enableEncryption: false }).BucketEncryption)).toContain('AES256');
  });

  test('and its log bucket are reached by TLS only', () => {
    const policies = Object.values(resources(templateOf(), 'AWS::S3::BucketPolicy'));
    expect(policies).toHaveLength(2);
    for (const policy of policies) {
      expect((policy.Properties as { PolicyDocument: { Statement: unknown[] } }).PolicyDocument.Statement).toContainEqual(
        expect.objectContaining({ Effect: 'Deny', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
      );
    }
  });

  test('moves data by prefix: to infrequent access after 30 days, to Glacier after 90', () => {
    const rules = dataOf().LifecycleConfiguration.Rules;
    for (const prefix of ['input/', 'output/']) {
      const rule = rules.find((each) => each.Prefix === prefix);
      expect(rule?.Transitions).toEqual([
        { StorageClass: 'STANDARD_IA', TransitionInDays: 30 },
        { StorageClass: 'GLACIER', TransitionInDays: 90 },
      ]);
    }
    expect(dataOf({ writePrefixes: ['reports/'] }).LifecycleConfiguration.Rules.map((rule) => rule.Prefix)).toContain('reports/');
    expect(dataOf().LifecycleConfiguration.TransitionDefaultMinimumObjectSize).toBe('all_storage_classes_128K');
  });

  test('keeps what runs leave for their next attempt for a month', () => {
    const rule = dataOf().LifecycleConfiguration.Rules.find((each) => each.Prefix === 'temporary/');
    expect(rule).toMatchObject({ Status: 'Enabled', ExpirationInDays: 30 });
  });

  test('forgets old versions after 90 days and uploads that nobody ended after 7', () => {
    const rule = dataOf().LifecycleConfiguration.Rules.find((each) => each.Id === 'CleanupOldVersions');
    expect(rule).toMatchObject({ Status: 'Enabled', NoncurrentVersionExpiration: { NoncurrentDays: 90 }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } });
  });

  test('archives infrequent/ after 90 and 180 days, for objects that a rule puts into that class', () => {
    expect(dataOf().IntelligentTieringConfigurations).toEqual([
      {
        Id: 'OptimizeForInfrequentAccess',
        Prefix: 'infrequent/',
        Status: 'Enabled',
        Tierings: [
          { AccessTier: 'ARCHIVE_ACCESS', Days: 90 },
          { AccessTier: 'DEEP_ARCHIVE_ACCESS', Days: 180 },
        ],
      },
    ]);
    const rule = dataOf().LifecycleConfiguration.Rules.find((each) => each.Prefix === 'infrequent/');
    expect(rule?.Transitions).toEqual([{ StorageClass: 'INTELLIGENT_TIERING', TransitionInDays: 0 }]);
  });

  test('has request metrics for all of it', () => {
    expect(dataOf().MetricsConfigurations).toEqual([{ Id: 'EntireBucket' }]);
  });

  test('admits the origins that a prop names', () => {
    expect(dataOf({ corsAllowedOrigins: ['https://app.example.com'] }).CorsConfiguration).toEqual({
      CorsRules: [{ AllowedHeaders: ['*'], AllowedMethods: ['GET', 'PUT', 'POST'], AllowedOrigins: ['https://app.example.com'], MaxAge: 3000 }],
    });
  });
});

describe('access logs', () => {
  test('go to a bucket of their own, which S3 may write to', () => {
    const template = templateOf();
    const logging = dataOf().LoggingConfiguration as { DestinationBucketName: { Ref: string }; LogFilePrefix: string };
    expect(logging.LogFilePrefix).toBe('access-logs/');
    const target = resources(template, 'AWS::S3::Bucket')[logging.DestinationBucketName.Ref];
    expect(text(target?.Properties)).toContain('-access-logs');
    expect(text(target?.Properties)).toContain('AES256');
    expect(target?.Properties).not.toHaveProperty('AccessControl');
    expect(text(properties(template, 'AWS::S3::BucketPolicy', 'AccessLogs'))).toContain('logging.s3.amazonaws.com');
  });
});
