// The app: account, region and stage of a deployment, names, tags; the whole template as a snapshot; cdk-nag.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as iam from 'aws-cdk-lib/aws-iam';
import { describe, expect, test } from 'vitest';
import { application } from '../lib/app';
import { deploymentOf, readEnvFile } from '../lib/environment';
import { NOWHERE, synthesise, wheel } from './synthesise';
import { templateOf, text } from './template';
import { VARIANTS } from './variants';

describe('a deployment', () => {
  test('is where the environment says, then .env, then the caller\'s credentials', () => {
    const caller = { CDK_DEFAULT_ACCOUNT: '111111111111', CDK_DEFAULT_REGION: 'eu-west-1' };
    expect(deploymentOf(caller, {})).toEqual({ account: '111111111111', region: 'eu-west-1', stage: 'development' });
    const file = { AWS_ACCOUNT_ID: '222222222222', AWS_REGION: 'us-east-1', ENVIRONMENT: 'production' };
    expect(deploymentOf(caller, file)).toEqual({ account: '222222222222', region: 'us-east-1', stage: 'production' });
    expect(deploymentOf({ ...caller, AWS_REGION: 'sa-east-1', ENVIRONMENT: '' }, file)).toEqual({ account: '222222222222', region: 'sa-east-1', stage: 'production' });
    expect(deploymentOf({}, {})).toEqual({ account: undefined, region: undefined, stage: 'development' });
  });

  test.each([
    [{ AWS_ACCOUNT_ID: 'your_account_id_here' }, /AWS_ACCOUNT_ID/],
    [{ AWS_REGION: 'your_region_here' }, /AWS_REGION/],
    [{ ENVIRONMENT: 'Prod!' }, /ENVIRONMENT/],
  ])('with %j is refused', (file, error) => {
    expect(() => deploymentOf({}, file)).toThrow(error);
  });

  test('reads .env where there is one', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'env-')), '.env');
    writeFileSync(path, '# stage\nENVIRONMENT=staging\nAWS_REGION="eu-central-1"\n');
    expect(readEnvFile(path)).toEqual({ ENVIRONMENT: 'staging', AWS_REGION: 'eu-central-1' });
    expect(readEnvFile(join(path, '..', 'nothing'))).toEqual({});
  });
});

describe('the app', () => {
  test('names all after the stage, so that stages share an account', () => {
    const { stack } = application({ account: '123456789012', region: 'eu-central-1', stage: 'staging' }, { wheelPath: wheel() });
    expect(stack.stackName).toBe('SparkProcessingStack-staging');
    expect(stack.processing.settings).toMatchObject({
      bucketName: 'spark-processing-123456789012-eu-central-1-staging',
      jobName: 'spark-processing-job-staging',
      monitoring: { dashboardName: 'SparkProcessingMetrics-staging' },
      job: { securityConfiguration: 'GlueSecurityConfig-staging' },
    });
  });

  test('tags all', () => {
    const tags = text(templateOf().findResources('AWS::S3::Bucket'));
    for (const tag of ['{"Key":"Application","Value":"paceline"}', '{"Key":"Job","Value":"spark-processing-job"}', '{"Key":"Stage","Value":"development"}']) expect(tags).toContain(tag);
  });

  test('has the template that the snapshot says; read the difference before `npx vitest run -u`', () => {
    const hashes = new Map<string, string>();
    const named = JSON.stringify(templateOf().toJSON(), undefined, 2).replace(/[0-9a-f]{64}/g, (hash) => {
      hashes.set(hash, hashes.get(hash) ?? `HASH${hashes.size + 1}`);
      return hashes.get(hash) ?? hash;
    });
    expect(named).toMatchSnapshot();
  });
});

describe('cdk-nag', () => {
  test.each(Object.entries(VARIANTS))('%s: finds nothing that is not explained', (_name, changes) => {
    const { folder } = synthesise(changes);
    const report = JSON.parse(readFileSync(join(folder, 'validation-report.json'), 'utf8')) as { pluginReports: { violations: unknown[] }[] };
    expect(report.pluginReports.flatMap((each) => each.violations)).toEqual([]);
  });

  test('would find a statement that nobody explains', () => {
    const { app, stack } = application(NOWHERE, { wheelPath: wheel() }, { outdir: mkdtempSync(join(tmpdir(), 'cdk.out-')) });
    stack.processing.role.addToPolicy(new iam.PolicyStatement({ actions: ['s3:GetObject'], resources: ['arn:aws:s3:::other/*'] }));
    expect(() => app.synth()).toThrow(/AwsSolutions-IAM5\[Resource::arn:aws:s3:::other/);
  });
});
