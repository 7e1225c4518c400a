// The job where ECS on Fargate is its host: a task, and the state machine that starts it, retries it and ends it in time.
import { Aws, Duration, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as logs from 'aws-cdk-lib/aws-logs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { logGroup } from '../logs';
import type { FargateConfig } from '../props';
import type { Settings } from '../settings';
import { dashed, pacelineArguments } from './arguments';
import type { Uploaded } from './assets';

export const CONTAINER = 'paceline';

export interface FargateJob {
  readonly cluster: ecs.Cluster;
  readonly task: ecs.FargateTaskDefinition;
  /** Start an execution of it to start a run; its input is an object of arguments, as `{"source_key": "input/records.csv"}`. */
  readonly stateMachine: sfn.StateMachine;
}

export interface Parts {
  readonly config: FargateConfig;
  readonly role: iam.Role;
  readonly key: kms.IKey | undefined;
  readonly logs: logs.LogGroup;
  readonly sql: Uploaded | undefined;
}

export function fargateJob(scope: Construct, settings: Settings, parts: Parts): FargateJob {
  const { config, role, key } = parts;
  const vpc = config.vpc ?? network(scope, settings, key);
  const cluster = new ecs.Cluster(scope, 'Cluster', { vpc, containerInsightsV2: ecs.ContainerInsights.ENABLED });
  const task = new ecs.FargateTaskDefinition(scope, 'Task', {
    family: settings.jobName,
    cpu: config.cpu ?? 4096,
    memoryLimitMiB: config.memoryLimitMiB ?? 16_384,
    taskRole: role,
    ephemeralStorageGiB: 50,
  });
  task.addContainer(CONTAINER, {
    image: ecs.ContainerImage.fromRegistry(config.image),
    logging: ecs.LogDrivers.awsLogs({ logGroup: parts.logs, streamPrefix: 'run' }),
    // Whatever the image starts otherwise; the state machine says the arguments with each run.
    entryPoint: ['python3', '-m', 'paceline.glue'],
    readonlyRootFilesystem: false,
  });
  letPullFromRegistry(task, config.image);
  const group = new ec2.SecurityGroup(scope, 'TaskSecurityGroup', { vpc, description: 'Out to S3 and to the API; nothing in' });
  const publicly = vpc.privateSubnets.length === 0;
  const subnets = publicly ? vpc.publicSubnets : vpc.privateSubnets;

  const state = new sfn.CustomState(scope, 'Run', {
    stateJson: runState(settings, {
      cluster: cluster.clusterArn,
      taskDefinition: task.taskDefinitionArn,
      subnets: subnets.map((subnet) => subnet.subnetId),
      securityGroup: group.securityGroupId,
      publicly,
      sql: parts.sql,
    }),
  });
  const stateMachine = new sfn.StateMachine(scope, 'Runs', {
    stateMachineName: settings.jobName,
    queryLanguage: sfn.QueryLanguage.JSONATA,
    definitionBody: sfn.DefinitionBody.fromChainable(state),
    tracingEnabled: true,
    logs: { destination: logGroup(scope, 'RunsLog', `/aws/vendedlogs/states/${settings.jobName}`, settings, key), level: sfn.LogLevel.ALL },
    timeout: Duration.minutes(settings.job.timeout * (settings.job.maxRetries + 1)),
  });
  letRun(stateMachine, task, cluster);
  return { cluster, task, stateMachine };
}

export interface RunTarget {
  readonly cluster: string;
  readonly taskDefinition: string;
  readonly subnets: readonly string[];
  readonly securityGroup: string;
  readonly publicly: boolean;
  readonly sql: Uploaded | undefined;
}

/** One state: runs the task until it ends, and again where it failed, under the run id that Glue would give the attempt. */
export function runState(settings: Settings, target: RunTarget): Record<string, unknown> {
  const { job } = settings;
  return {
    Type: 'Task',
    QueryLanguage: 'JSONata',
    Resource: `arn:${Aws.PARTITION}:states:::ecs:runTask.sync`,
    Arguments: {
      LaunchType: 'FARGATE',
      Cluster: target.cluster,
      TaskDefinition: target.taskDefinition,
      NetworkConfiguration: {
        AwsvpcConfiguration: {
          Subnets: target.subnets,
          SecurityGroups: [target.securityGroup],
          AssignPublicIp: target.publicly ? 'ENABLED' : 'DISABLED',
        },
      },
      Overrides: { ContainerOverrides: [{ Name: CONTAINER, Command: `{% ${commandOf(settings, target.sql)} %}` }] },
    },
    TimeoutSeconds: job.timeout * 60,
    // As in Glue, a run that was out of time is not started again.
    Retry: [{ ErrorEquals: ['States.TaskFailed'], IntervalSeconds: 10, BackoffRate: 2, MaxAttempts: job.maxRetries }].filter(
      (retry) => retry.MaxAttempts > 0,
    ),
    End: true,
  };
}

/** The container's arguments as a JSONata expression: the stack's, then those of the execution's input, of which the last wins. */
export function commandOf(settings: Settings, sql: Uploaded | undefined): string {
  const fixed = dashed({ JOB_NAME: settings.jobName, ...pacelineArguments(settings, sql) });
  const command = Object.entries(fixed).map(([name, value]) => `${name}=${value}`);
  const retry = '$states.context.State.RetryCount';
  return [
    `$append($append([${command.map(literal).join(', ')}],`,
    `["--JOB_RUN_ID=" & $states.context.Execution.Name & (${retry} > 0 ? "_attempt_" & ${retry} : "")]),`,
    '$each($states.input, function($value, $name) { "--" & $name & "=" & $value }))',
  ].join(' ');
}

/** A string of JSONata. Parts of it may be references, which CloudFormation puts in, so quotes cannot be escaped by JSON. */
function literal(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function network(scope: Construct, settings: Settings, key: kms.IKey | undefined): ec2.Vpc {
  const vpc = new ec2.Vpc(scope, 'Vpc', {
    maxAzs: 2,
    natGateways: 0,
    subnetConfiguration: [{ name: 'public', subnetType: ec2.SubnetType.PUBLIC, mapPublicIpOnLaunch: false }],
    restrictDefaultSecurityGroup: false,
    gatewayEndpoints: { S3: { service: ec2.GatewayVpcEndpointAwsService.S3 } },
  });
  vpc.addFlowLog('FlowLog', { destination: ec2.FlowLogDestination.toCloudWatchLogs(logGroup(scope, 'FlowLogs', undefined, settings, key)) });
  return vpc;
}

/** ECR's images need permission; those of other registries are public. */
function letPullFromRegistry(task: ecs.FargateTaskDefinition, image: string): void {
  const [, account, region, name] = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com[a-z.]*\/([^:@]+)/.exec(image) ?? [];
  if (account === undefined || region === undefined || name === undefined) return;
  const role = task.obtainExecutionRole();
  role.addToPrincipalPolicy(new iam.PolicyStatement({ sid: 'SignInToRegistry', actions: ['ecr:GetAuthorizationToken'], resources: ['*'] }));
  role.addToPrincipalPolicy(
    new iam.PolicyStatement({
      sid: 'Pull',
      actions: ['ecr:BatchCheckLayerAvailability', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchGetImage'],
      resources: [`arn:${Aws.PARTITION}:ecr:${region}:${account}:repository/${name}`],
    }),
  );
}

function letRun(machine: sfn.StateMachine, task: ecs.FargateTaskDefinition, cluster: ecs.Cluster): void {
  const stack = Stack.of(machine);
  const add = (sid: string, actions: string[], resources: string[], conditions?: iam.Conditions) => {
    machine.addToRolePolicy(new iam.PolicyStatement({ sid, actions, resources, conditions }));
  };
  add('RunTask', ['ecs:RunTask'], [task.taskDefinitionArn]);
  add('FollowTasks', ['ecs:StopTask', 'ecs:DescribeTasks'], ['*'], { ArnEquals: { 'ecs:cluster': cluster.clusterArn } });
  add('PassRoles', ['iam:PassRole'], [task.taskRole.roleArn, task.obtainExecutionRole().roleArn], { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } });
  // How Step Functions hears of the end of a task.
  add('HearOfEnds', ['events:PutTargets', 'events:PutRule', 'events:DescribeRule'], [
    stack.formatArn({ service: 'events', resource: 'rule', resourceName: 'StepFunctionsGetEventsForECSTaskRule' }),
  ]);
}
