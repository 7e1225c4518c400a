// The variants of the stack that templates are checked of: every host, encryption and metrics on and off, every worker type.
import type { SparkProcessingProps } from '../lib/props';
import { WORKER_TYPES } from '../lib/worker-types';

const FARGATE = { image: '123456789012.dkr.ecr.eu-central-1.amazonaws.com/paceline:0.1.0' };

export const VARIANTS: Readonly<Record<string, Partial<SparkProcessingProps>>> = {
  default: {},
  'without-encryption': { enableEncryption: false },
  'without-metrics': { enableMetrics: false },
  'without-both': { enableEncryption: false, enableMetrics: false },
  'glue-4': { glueJob: { glueVersion: '4.0' } },
  'glue-4-without-encryption': { glueJob: { glueVersion: '4.0' }, enableEncryption: false },
  'glue-5.1': { glueJob: { glueVersion: '5.1' } },
  spark: { workers: 'spark' },
  queuing: { jobQueuing: true },
  'python-shell': { host: 'python-shell' },
  'python-shell-without-encryption': { host: 'python-shell', enableEncryption: false },
  fargate: { host: 'fargate', fargate: FARGATE },
  'fargate-without-both': { host: 'fargate', fargate: FARGATE, enableEncryption: false, enableMetrics: false },
  everything: {
    corsAllowedOrigins: ['https://app.example.com'],
    secretNames: ['prod/vendor'],
    alarmEmails: ['ops@example.com'],
    jobArguments: { source_key: 'input/records.csv', api_endpoint: 'https://api.example.com/process' },
    readPrefixes: ['input/', 'reference/'],
    writePrefixes: ['output/', 'reports/'],
    logRetentionDays: 30,
  },
  'topic-of-yours': { monitoring: { alarmSnsTopicArn: 'arn:aws:sns:eu-central-1:123456789012:alarms' } },
  ...Object.fromEntries(Object.keys(WORKER_TYPES).map((glueWorkerType) => [`worker-${glueWorkerType}`, { glueWorkerType }])),
};
