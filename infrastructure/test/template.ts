// Reads templates of variants, each synthesised once.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import type { SparkProcessingProps } from '../lib/props';
import { synthesise } from './synthesise';

const read = new Map<string, Template>();

/** The template of the app with these props. */
export function templateOf(changes: Partial<SparkProcessingProps> = {}): Template {
  const name = JSON.stringify(changes);
  const known = read.get(name);
  if (known !== undefined) return known;
  const { stack, folder } = synthesise(changes);
  const template = Template.fromJSON(JSON.parse(readFileSync(join(folder, `${stack.stackName}.template.json`), 'utf8')) as Record<string, unknown>);
  read.set(name, template);
  return template;
}

export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
  readonly DependsOn?: readonly string[];
  readonly DeletionPolicy?: string;
}

/** All resources of a type, by logical name. */
export function resources(template: Template, type: string): Record<string, Resource> {
  return template.findResources(type) as Record<string, Resource>;
}

/** The properties of the one resource of a type whose logical name has a word in it. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- a template has no types: who reads it says which
export function properties<T = Record<string, unknown>>(template: Template, type: string, word = ''): T {
  const found = Object.entries(resources(template, type)).filter(([name]) => name.includes(word));
  const [only, ...others] = found;
  if (only === undefined || others.length > 0) throw new Error(`${found.length} of ${type} have '${word}' in their names`);
  return only[1].Properties as T;
}

/** What follows a reference, as text: enough to see which resource is meant. */
export function text(value: unknown): string {
  return JSON.stringify(value);
}

export interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Principal?: unknown;
  readonly Condition?: unknown;
}

/** The statements of a role's policy. */
export function statements(template: Template, role: string): Statement[] {
  const { PolicyDocument: document } = properties<{ PolicyDocument: { Statement: Statement[] } }>(template, 'AWS::IAM::Policy', role);
  return document.Statement;
}

/** The one statement with an id. */
export function statement(of: readonly Statement[], sid: string): Statement {
  const found = of.find((each) => each.Sid === sid);
  if (found === undefined) throw new Error(`no statement ${sid}, but ${of.map((each) => each.Sid ?? '?').join(', ')}`);
  return found;
}
