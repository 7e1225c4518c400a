// The way from an alarm or a failed run to a person: topic, function that words the message, topic that people subscribe to.
import { join } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as subscriptions from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { logGroup } from '../logs';
import { PACKAGE } from '../paths';
import type { Settings } from '../settings';

/** The topic that alarms and rules go to: the one that is given, or a new one with all that stands behind it. */
export function alarmTopic(scope: Construct, settings: Settings, key: kms.IKey | undefined): sns.ITopic {
  const given = settings.monitoring.alarmSnsTopicArn;
  if (given !== undefined) return sns.Topic.fromTopicArn(scope, 'AlarmTopic', given);

  const alarms = new sns.Topic(scope, 'AlarmTopic', { displayName: `Alarms of ${settings.jobName}`, enforceSSL: true, masterKey: key });
  alarms.addToResourcePolicy(servicesOfTheAccount(alarms));
  const people = new sns.Topic(scope, 'MessageTopic', { displayName: `Messages of ${settings.jobName}`, enforceSSL: true, masterKey: key });
  settings.alarmEmails.forEach((address) => people.addSubscription(new subscriptions.EmailSubscription(address)));
  alarms.addSubscription(new subscriptions.LambdaSubscription(wording(scope, settings, key, people)));
  return alarms;
}

function wording(scope: Construct, settings: Settings, key: kms.IKey | undefined, people: sns.Topic): lambda.Function {
  const group = logGroup(scope, 'AlarmMessageLogs', undefined, settings, key);
  const role = new iam.Role(scope, 'AlarmMessageRole', {
    assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    description: `Words the alarms of ${settings.jobName}`,
  });
  group.grantWrite(role);
  role.addToPolicy(new iam.PolicyStatement({ actions: ['sns:Publish'], resources: [people.topicArn] }));
  if (key !== undefined) role.addToPolicy(new iam.PolicyStatement({ actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [key.keyArn] }));
  return new lambda.Function(scope, 'AlarmMessage', {
    description: `Words the alarms of ${settings.jobName}`,
    runtime: lambda.Runtime.PYTHON_3_15,
    handler: 'alarm_message.handler',
    code: lambda.Code.fromAsset(join(PACKAGE, 'lambda', 'alarm_message'), { exclude: ['__pycache__', '*.pyc'] }),
    environment: { TOPIC_ARN: people.topicArn },
    timeout: Duration.seconds(30),
    memorySize: 128,
    logGroup: group,
    role,
  });
}

/** A topic with a policy of its own admits nobody by default, not the alarms of its account either. */
function servicesOfTheAccount(topic: sns.Topic): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'AlarmsAndRulesOfTheAccount',
    actions: ['sns:Publish'],
    principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com'), new iam.ServicePrincipal('events.amazonaws.com')],
    resources: [topic.topicArn],
    conditions: { StringEquals: { 'aws:SourceAccount': topic.stack.account } },
  });
}

/** Tells the topic of every run that failed, was out of time or is late, whether metrics are on or not. */
export function reportRuns(scope: Construct, settings: Settings, topic: sns.ITopic, stateMachineArn: string | undefined): void {
  const target = new targets.SnsTopic(topic);
  const rule = (id: string, description: string, eventPattern: events.EventPattern) => {
    new events.Rule(scope, id, { description, eventPattern, targets: [target] });
  };
  if (stateMachineArn !== undefined) {
    rule('RunFailed', `Runs of ${settings.jobName} that failed or were out of time`, {
      source: ['aws.states'],
      detailType: ['Step Functions Execution Status Change'],
      detail: { stateMachineArn: [stateMachineArn], status: ['FAILED', 'TIMED_OUT', 'ABORTED'] },
    });
    return;
  }
  rule('RunFailed', `Runs of ${settings.jobName} that failed or were out of time`, {
    source: ['aws.glue'],
    detailType: ['Glue Job State Change'],
    detail: { jobName: [settings.jobName], state: ['FAILED', 'TIMEOUT', 'ERROR'] },
  });
  rule('RunLate', `Runs of ${settings.jobName} that take longer than notifyDelayAfter`, {
    source: ['aws.glue'],
    detailType: ['Glue Job Run Status'],
    detail: { jobName: [settings.jobName] },
  });
}
