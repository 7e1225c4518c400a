// The app: one stack for a deployment, with stage, names and tags, checked by cdk-nag.
import { App, Aws, Tags, Validations, type AppProps } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { PLAIN_STAGE, type Deployment } from './environment';
import type { SparkProcessingProps } from './props';
import { SparkProcessingStack } from './stack';

/** Makes the app. `changes` are props that differ from those of `bin/app.ts`. */
export function application(deployment: Deployment, changes: Partial<SparkProcessingProps> = {}, props: AppProps = {}): { app: App; stack: SparkProcessingStack } {
  const app = new App(props);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const { account, region, stage } = deployment;
  const behind = stage === PLAIN_STAGE ? '' : `-${stage}`;
  const stack = new SparkProcessingStack(app, `SparkProcessingStack${behind}`, {
    description: 'Records from S3 to an HTTP API under a rate limit, answers back to S3 (Paceline)',
    env: { account, region },
    bucketName: `spark-processing-${account ?? Aws.ACCOUNT_ID}-${region ?? Aws.REGION}${behind}`,
    glueJobName: `spark-processing-job${behind}`,
    monitoring: { dashboardName: `SparkProcessingMetrics${behind}` },
    glueJob: changes.enableEncryption === false ? {} : { securityConfiguration: `GlueSecurityConfig${behind}` },
    ...changes,
  });
  Tags.of(stack).add('Stage', stage);
  return { app, stack };
}
