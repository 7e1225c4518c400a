// SparkProcessingStack: the key, the construct with all else, tags, outputs, and why findings of cdk-nag are none.
import { CfnOutput, Stack, Tags } from 'aws-cdk-lib';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as cxapi from 'aws-cdk-lib/cx-api';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledged';
import { SparkProcessingConstruct } from './construct';
import { dashed } from './job/arguments';
import { encryptionKey } from './key';
import type { SparkProcessingStackProps } from './props';

export class SparkProcessingStack extends Stack {
  /** None where `enableEncryption` is off. */
  readonly kmsKey: kms.Key | undefined;
  readonly processing: SparkProcessingConstruct;

  constructor(scope: Construct, id: string, props: SparkProcessingStackProps) {
    super(scope, id, props);
    // S3's own access logs are let in by the bucket's policy, not by its access control list.
    this.node.setContext(cxapi.S3_SERVER_ACCESS_LOGS_USE_BUCKET_POLICY, true);
    this.kmsKey = props.enableEncryption === false ? undefined : encryptionKey(this, props.glueJobName);
    this.processing = new SparkProcessingConstruct(this, 'SparkProcessing', {
      ...props,
      encryptionKey: this.kmsKey,
    });
    Tags.of(this).add('Application', 'paceline');
    Tags.of(this).add('Job', props.glueJobName);
    this.addOutputs(props.sqlPath === undefined);
    acknowledge(this);
  }

  /** `classic`: whether a run is told which file to read, as the launcher refuses it beside statements. */
  private addOutputs(classic: boolean): void {
    const { bucket, glueJob, fargateJob, alarmTopic, settings } = this.processing;
    const example = { source_key: 'input/records.csv', api_endpoint: 'https://api.example.com/process' };
    const given = (flag: string, values: Record<string, string>) => (classic ? ` ${flag} '${JSON.stringify(values)}'` : '');
    new CfnOutput(this, 'Bucket', { value: bucket.bucketName, description: 'Data: what the job reads and writes' });
    new CfnOutput(this, 'AlarmTopicArn', { value: alarmTopic.topicArn, description: 'Where alarms and failed runs go' });
    if (glueJob !== undefined) {
      const start = `aws glue start-job-run --job-name ${settings.jobName}${given('--arguments', dashed(example))}`;
      new CfnOutput(this, 'Start', { value: start, description: 'Starts a run' });
    }
    if (fargateJob !== undefined) {
      const machine = fargateJob.stateMachine.stateMachineArn;
      const start = `aws stepfunctions start-execution --state-machine-arn ${machine}${given('--input', example)}`;
      new CfnOutput(this, 'Start', { value: start, description: 'Starts a run' });
    }
  }
}
