// The key and the roles: who may do what, and that nobody may do more.
import { describe, expect, test } from 'vitest';
import { VARIANTS } from './variants';
import { properties, resources, statement, statements, templateOf, text, type Statement } from './template';

const keyPolicy = () => properties<{ KeyPolicy: { Statement: Statement[] } }>(templateOf(), 'AWS::KMS::Key').KeyPolicy.Statement;

describe('the key', () => {
  test('rotates, waits seven days before it is deleted, and stays when the stack goes', () => {
    const template = templateOf();
    expect(properties(template, 'AWS::KMS::Key')).toMatchObject({ EnableKeyRotation: true, PendingWindowInDays: 7 });
    expect(Object.values(resources(template, 'AWS::KMS::Key'))[0]?.DeletionPolicy).toBe('Retain');
    expect(properties(template, 'AWS::KMS::Alias').AliasName).toBe('alias/spark-processing-spark-processing-job');
  });

  test('belongs to the account', () => {
    const root = statement(keyPolicy(), 'AccountDecidesByItsOwnPolicies');
    expect(root).toMatchObject({ Action: 'kms:*', Effect: 'Allow' });
    expect(text(root.Principal)).toContain(':root');
  });

  test.each([
    ['LogGroups', 'logs.'],
    ['BucketsOfTheAccount', 's3.amazonaws.com'],
    ['AlarmsAndRulesToTopics', 'cloudwatch.amazonaws.com'],
    ['AlarmsAndRulesToTopics', 'events.amazonaws.com'],
    ['AlarmsAndRulesToTopics', 'sns.amazonaws.com'],
  ])('%s: %s may use it, for this account only', (sid, service) => {
    const found = statement(keyPolicy(), sid);
    expect(text(found.Principal)).toContain(service);
    expect(text(found.Action)).toContain('kms:GenerateDataKey');
    expect(text(found.Condition)).toContain('AWS::AccountId');
  });

  test('is not made where encryption is off', () => {
    expect(resources(templateOf({ enableEncryption: false }), 'AWS::KMS::Key')).toEqual({});
  });
});

describe('the role of the job', () => {
  const policy = (changes = {}) => statements(templateOf(changes), 'GlueJobRole');

  test('has no policy of AWS: AWSGlueServiceRole lets read every bucket of the account', () => {
    expect(properties(templateOf(), 'AWS::IAM::Role', 'GlueJobRole')).not.toHaveProperty('ManagedPolicyArns');
  });

  test('reads and writes under its prefixes', () => {
    expect(text(statement(policy(), 'ReadData').Resource)).toMatch(/\/input\/\*.*\/output\/\*.*\/temporary\/\*/);
    const write = statement(policy({ writePrefixes: ['reports/'] }), 'WriteAndCommit');
    expect(text(write.Resource)).toContain('/reports/*');
    expect(text(write.Resource)).not.toContain('/input/*');
    expect(write.Action).toEqual(['s3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts']);
  });

  test('lists its prefixes only, and the uploads of the bucket', () => {
    const list = statement(policy(), 'ListData');
    expect(list.Action).toBe('s3:ListBucket');
    expect(list.Condition).toEqual({ StringLike: { 's3:prefix': ['input/*', 'output/*', 'temporary/*'] } });
    expect(text(statement(policy(), 'FindBucketAndUploads').Action)).toContain('s3:ListBucketMultipartUploads');
  });

  test('uses the key of the stack', () => {
    const use = statement(policy(), 'UseKey');
    expect(use.Action).toEqual(['kms:Decrypt', 'kms:GenerateDataKey', 'kms:DescribeKey']);
    expect(text(use.Resource)).toContain('EncryptionKey');
    expect(text(statement(keyPolicy(), 'Job').Principal)).toContain('GlueJobRole');
  });

  test('writes its own logs, with the key', () => {
    const logs = statement(policy(), 'WriteLogs');
    expect(logs.Action).toEqual(['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents', 'logs:DescribeLogStreams', 'logs:AssociateKmsKey']);
    expect(logs.Resource).not.toContain('*');
    expect(text(logs.Resource)).toContain('JobLogs0');
  });

  test('publishes metrics in its namespaces only', () => {
    expect(statement(policy(), 'PublishMetrics')).toMatchObject({
      Action: 'cloudwatch:PutMetricData',
      Condition: { StringEquals: { 'cloudwatch:namespace': ['SparkProcessing', 'Glue'] } },
    });
    expect(statement(policy(), 'ReadMetrics').Action).toBe('cloudwatch:GetMetricData');
    expect(text(policy({ enableMetrics: false }))).not.toContain('cloudwatch:');
  });

  test('reads the secrets that a prop names, and no other', () => {
    expect(text(policy())).not.toContain('secretsmanager');
    const secrets = statement(policy({ secretNames: ['prod/vendor'] }), 'ReadSecrets');
    expect(secrets.Action).toBe('secretsmanager:GetSecretValue');
    expect(text(secrets.Resource)).toContain(':secret:prod/vendor-??????');
  });

  test('belongs to the service that runs the job', () => {
    const trusted = (changes: object) => text(properties(templateOf(changes), 'AWS::IAM::Role', 'GlueJobRole').AssumeRolePolicyDocument);
    expect(trusted({})).toContain('glue.amazonaws.com');
    expect(trusted({ host: 'python-shell' })).toContain('glue.amazonaws.com');
    expect(trusted(VARIANTS.fargate ?? {})).toContain('ecs-tasks.amazonaws.com');
  });
});

describe('every role of every variant', () => {
  const MEANT = new Set([
    'ReadMetrics', 'PublishMetrics', // conditions and actions without resources
    'SignInToRegistry', 'FollowTasks',
  ]);

  test.each(Object.entries(VARIANTS))('%s: allows no action with a wildcard, and all resources only where that is meant', (_name, changes) => {
    for (const policy of Object.values(resources(templateOf(changes), 'AWS::IAM::Policy'))) {
      const { Statement: all } = (policy.Properties as { PolicyDocument: { Statement: Statement[] } }).PolicyDocument;
      for (const each of all) {
        expect([each.Action].flat().filter((action) => action.includes('*'))).toEqual([]);
        const deliversLogs = [each.Action].flat().every((action) => /^(logs:.*(LogDeliver|ResourcePolic|DescribeLogGroups).*|xray:.*)$/.test(action));
        if (each.Resource === '*' && !deliversLogs) expect(MEANT).toContain(each.Sid);
      }
    }
  });
});
