// Decides account, region and stage of a deployment from the environment and .env, without keys of anybody.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { PACKAGE } from './paths';

/** Where a stack goes; without account and region it is made for any. */
export interface Deployment {
  readonly account: string | undefined;
  readonly region: string | undefined;
  readonly stage: string;
}

/** The stage whose names have nothing behind them. */
export const PLAIN_STAGE = 'development';

/**
 * The environment wins over `.env`; AWS_ACCOUNT_ID and AWS_REGION win over what the CDK found out from the caller's credentials
 * (CDK_DEFAULT_ACCOUNT, CDK_DEFAULT_REGION). Long-lived keys in `.env` are refused: a profile, SSO or a role does without.
 */
export function deploymentOf(environment: NodeJS.ProcessEnv, file: NodeJS.Dict<string>): Deployment {
  const keys = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].filter((name) => file[name]);
  if (keys.length > 0) {
    throw new Error(`.env has ${keys.join(' and ')} in it: remove them, and use a profile (AWS_PROFILE, aws sso login) or a role`);
  }
  const value = (name: string) => nonEmpty(environment[name]) ?? nonEmpty(file[name]);
  const account = value('AWS_ACCOUNT_ID') ?? value('CDK_DEFAULT_ACCOUNT');
  const region = value('AWS_REGION') ?? value('CDK_DEFAULT_REGION');
  const stage = value('ENVIRONMENT') ?? PLAIN_STAGE;
  if (account !== undefined && !/^\d{12}$/.test(account)) throw new Error(`AWS_ACCOUNT_ID: '${account}' is not twelve digits`);
  if (region !== undefined && !/^[a-z]{2,}(-[a-z]+)+-\d$/.test(region)) throw new Error(`AWS_REGION: '${region}' is no region, as eu-central-1`);
  if (!/^[a-z][a-z0-9-]{0,15}$/.test(stage)) throw new Error(`ENVIRONMENT: '${stage}' is no stage: a letter, then up to 15 of a-z, 0-9 and '-'`);
  return { account, region, stage };
}

/** What `.env` of this package says; nothing where there is none. */
export function readEnvFile(path = join(PACKAGE, '.env')): NodeJS.Dict<string> {
  try {
    return parseEnv(readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value;
}
