// Synthesises the app without an account, Docker or a built wheel. As a program it writes every variant to a folder, or one app
// with props that are given as JSON, for the account and region of the environment.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { application } from '../lib/app';
import { deploymentOf, type Deployment } from '../lib/environment';
import type { SparkProcessingProps } from '../lib/props';
import type { SparkProcessingStack } from '../lib/stack';
import { VARIANTS } from './variants';

export const NOWHERE: Deployment = { account: undefined, region: undefined, stage: 'development' };

/** A file in the place of the wheel: what is in it does not matter to a template. */
export function wheel(): string {
  const path = join(mkdtempSync(join(tmpdir(), 'wheel-')), 'paceline_glue-0.0.0-py3-none-any.whl');
  writeFileSync(path, 'not opened');
  return path;
}

export interface Synthesised {
  readonly stack: SparkProcessingStack;
  readonly folder: string;
}

/** Fails where cdk-nag finds something that is not acknowledged. */
export function synthesise(changes: Partial<SparkProcessingProps> = {}, deployment = NOWHERE, outdir = mkdtempSync(join(tmpdir(), 'cdk.out-'))): Synthesised {
  const { app, stack } = application(deployment, { wheelPath: wheel(), ...changes }, { outdir, context: { 'aws:cdk:enable-path-metadata': false }, analyticsReporting: false });
  app.synth();
  return { stack, folder: outdir };
}

if (require.main === module) {
  const [, , folder, props] = process.argv;
  if (folder === undefined) throw new Error('the folder to write to is missing: node build/test/synthesise.js FOLDER [PROPS]');
  if (props !== undefined) {
    synthesise(JSON.parse(props) as Partial<SparkProcessingProps>, deploymentOf(process.env, {}), folder);
  } else {
    for (const [name, changes] of Object.entries(VARIANTS)) synthesise(changes, NOWHERE, join(folder, name));
  }
}
