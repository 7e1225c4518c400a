// Findings of cdk-nag that are none here, each with its reason; a statement without one fails the synthesis.
import { Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { flattenCfnReference } from 'cdk-nag/lib/utils/flatten-cfn-reference';
import type { IConstruct } from 'constructs';
import type { SparkProcessingStack } from './stack';

const OBJECTS = 'objects have the names that jobs give them; the prefixes are those of the props';
const NO_RESOURCE = 'the action knows no resource';

/** Why statements of roles name resources with a wildcard, by the statement's id. */
const WILDCARDS: Readonly<Record<string, string>> = {
  ReadData: OBJECTS,
  WriteAndCommit: OBJECTS,
  WriteLogs: 'streams of the job\'s log groups have the names of runs',
  PublishMetrics: `${NO_RESOURCE}; a condition narrows it to the namespaces of the job`,
  ReadMetrics: NO_RESOURCE,
  ReadSecrets: 'Secrets Manager adds six characters to the name of a secret',
  WriteLogCopies: 'names of copies hold date and time; the prefixes are those of the job',
  SignInToRegistry: `${NO_RESOURCE}; pulling is for one repository`,
  FollowTasks: 'tasks have no name before they run; a condition narrows it to the cluster',
};

export function acknowledge(stack: SparkProcessingStack): void {
  const { processing } = stack;
  processing.node.findAll().filter((each) => each instanceof iam.Policy).forEach(explainWildcards);
  if (processing.fargateJob !== undefined) {
    accept(processing.fargateJob.stateMachine.role, 'AwsSolutions-IAM5[Resource::*]', `delivery of logs and traces: ${NO_RESOURCE}`);
  }
  if (processing.glueJob !== undefined && !processing.settings.encrypted) {
    const reason = 'enableEncryption is off: without a key Glue encrypts neither logs nor bookmarks';
    accept(processing.glueJob, 'AwsSolutions-GL1', reason);
    accept(processing.glueJob, 'AwsSolutions-GL3', reason);
  }
}

interface Statement {
  readonly Sid?: string;
  readonly Resource: unknown;
}

function explainWildcards(policy: iam.Policy): void {
  const { Statement: statements } = Stack.of(policy).resolve(policy.document) as { Statement: Statement[] };
  for (const { Sid: sid, Resource: resource } of statements) {
    const reason = WILDCARDS[sid ?? ''];
    if (reason === undefined) continue;
    for (const each of Array.isArray(resource) ? resource : [resource]) {
      const named = flattenCfnReference(each);
      if (named.includes('*')) accept(policy, `AwsSolutions-IAM5[Resource::${named}]`, reason);
    }
  }
}

function accept(on: IConstruct, id: string, reason: string): void {
  Validations.of(on).acknowledge({ id, reason });
}
