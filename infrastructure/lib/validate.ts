// Decides whether props can work, before anything is made of them. All that is wrong is said at once.
import { existsSync } from 'node:fs';
import { Token } from 'aws-cdk-lib';
import { given } from './given';
import { DEFAULT_JOB, type SparkProcessingProps } from './props';
import { alarmFaults } from './validate-monitoring';
import { REFUSED_WORKER_TYPES, WORKER_TYPES } from './worker-types';

/** A prop that cannot work: which, and what to do. */
export type Fault = readonly [prop: string, fault: string];

/** Glue versions that are supported: older ones have a Python that the wheel does not run on. */
export const GLUE_VERSIONS = ['4.0', '5.0', '5.1'];

/** Prefixes of the data bucket that are not the job's: what is deployed, and logs. */
export const RESERVED_PREFIXES = ['scripts/', 'wheels/', 'logs/', 'logs-failed/', 'infrequent/', 'temporary/'];

/** Arguments that Glue sets itself, or that belong to the stack. */
const RESERVED_ARGUMENTS: Readonly<Record<string, string>> = {
  debug: 'Glue sets it',
  mode: 'Glue sets it',
  endpoint: 'Glue sets it',
  JOB_NAME: 'Glue sets it',
  'additional-python-modules': 'wheelPath says it',
  'paceline-job': 'sqlPath says it',
  'paceline-workers': 'workers says it',
  'paceline-worker-type': 'glueWorkerType says it',
  'paceline-number-of-workers': 'glueNumberOfWorkers says it',
};

/** Arguments of the classic job that the launcher refuses beside statements. */
const CLASSIC_ARGUMENTS = new Set([
  'source_bucket',
  'source_key',
  'api_endpoint',
  'batch_size',
  'max_workers',
  'rate_limit_calls',
  'rate_limit_period',
  'chunk_size',
  'log_level',
  'output',
  'api_format',
  'returns',
]);

/** vCPU units of Fargate with the least and the most MiB that each may have. */
const FARGATE_SIZES: Readonly<Record<number, readonly [number, number]>> = {
  256: [512, 2048],
  512: [1024, 4096],
  1024: [2048, 8192],
  2048: [4096, 16384],
  4096: [8192, 30720],
  8192: [16384, 61440],
  16384: [32768, 122880],
};

/** Throws one error that names every prop that cannot work. */
export function assertValid(props: SparkProcessingProps): void {
  const faults = [...nameFaults(props), ...jobFaults(props), ...hostFaults(props), ...dataFaults(props), ...alarmFaults(props)];
  if (faults.length > 0) {
    const lines = faults.map(([prop, fault]) => `  ${prop}: ${fault}`);
    throw new Error(`these props of SparkProcessingStack cannot work:\n${lines.join('\n')}`);
  }
}

function* nameFaults(props: SparkProcessingProps): Generator<Fault> {
  const { bucketName, glueJobName, glueJobScript } = props;
  if (!Token.isUnresolved(bucketName) && !/^(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,48}[a-z0-9]$/.test(bucketName)) {
    yield ['bucketName', `'${bucketName}' is no name of a bucket: 3 to 50 of a-z, 0-9, '.' and '-' (and 13 more for '-access-logs')`];
  }
  if (!/^[A-Za-z0-9_-]{1,200}$/.test(glueJobName)) {
    yield ['glueJobName', `'${glueJobName}' is no name of a job and of its key's alias: 1 to 200 letters, digits, '_' and '-'`];
  }
  for (const [prop, place] of Object.entries({ glueJobScript, wheelPath: props.wheelPath, sqlPath: props.sqlPath })) {
    if (place === undefined) continue;
    if (place.includes('${')) {
      yield [prop, `'${place}' has \${…} in it, as single quotes leave it; write it in backquotes`];
    } else if (place.startsWith('s3://')) {
      if (!/^s3:\/\/[^/]+\/.+/.test(place)) yield [prop, `'${place}' has no key; write s3://bucket/key`];
    } else if (!Token.isUnresolved(place) && !existsSync(place)) {
      yield [prop, `there is no file '${place}'`];
    }
  }
}

function* jobFaults(props: SparkProcessingProps): Generator<Fault> {
  const job = { ...DEFAULT_JOB, ...given(props.glueJob) };
  const twice: readonly [string, string | number | undefined, string, string | number | undefined][] = [
    ['glueWorkerType', props.glueWorkerType, 'glueJob.workerType', props.glueJob?.workerType],
    ['glueNumberOfWorkers', props.glueNumberOfWorkers, 'glueJob.numberOfWorkers', props.glueJob?.numberOfWorkers],
    ['glueTimeout', props.glueTimeout, 'glueJob.timeout', props.glueJob?.timeout],
  ];
  for (const [prop, value, other, otherValue] of twice) {
    if (value !== undefined && otherValue !== undefined && value !== otherValue) {
      yield [prop, `it says ${value} and ${other} says ${otherValue}; give one of them`];
    }
  }
  const type = props.glueWorkerType ?? job.workerType;
  if (!(type in WORKER_TYPES)) {
    const reason = REFUSED_WORKER_TYPES[type] ?? 'Glue has no such worker type';
    yield ['glueWorkerType', `'${type}': ${reason}; take one of ${Object.keys(WORKER_TYPES).join(', ')}`];
  }
  yield* whole('glueNumberOfWorkers', props.glueNumberOfWorkers ?? job.numberOfWorkers, 2, 299, 'workers, with the driver\'s');
  yield* whole('glueTimeout', props.glueTimeout ?? job.timeout, 1, 10_080, 'minutes');
  yield* whole('glueJob.maxConcurrentRuns', job.maxConcurrentRuns, 1, 1000, 'runs');
  yield* whole('glueJob.maxRetries', job.maxRetries, 0, 10, 'retries');
  yield* whole('glueJob.notifyDelayAfter', job.notifyDelayAfter, 1, 10_080, 'minutes');
  if (!GLUE_VERSIONS.includes(job.glueVersion)) {
    yield ['glueJob.glueVersion', `'${job.glueVersion}' is not supported; take one of ${GLUE_VERSIONS.join(', ')}`];
  }
  if (!/^[A-Za-z0-9_-]{1,255}$/.test(job.securityConfiguration)) {
    yield ['glueJob.securityConfiguration', `'${job.securityConfiguration}' is no name: letters, digits, '_' and '-'`];
  }
  if (props.enableEncryption === false && props.glueJob?.securityConfiguration !== undefined) {
    yield ['glueJob.securityConfiguration', 'without enableEncryption there is none to be made; leave one of them out'];
  }
  if (props.jobQueuing && (props.glueJob?.maxRetries ?? 0) > 0) {
    yield ['jobQueuing', 'Glue does not retry a job whose runs wait in a queue; set glueJob.maxRetries to 0'];
  }
}

function* hostFaults(props: SparkProcessingProps): Generator<Fault> {
  const { host = 'glue', workers = 'driver', fargate } = props;
  if (workers === 'spark' && host !== 'glue') {
    yield ['workers', `host '${host}' has no Spark to start executors with; take host 'glue' or workers 'driver'`];
  }
  if (props.autoScaling && host !== 'glue') {
    yield ['autoScaling', `host '${host}' has no workers to start and stop`];
  }
  if (props.autoScaling && workers === 'spark') {
    yield ['autoScaling', 'executors hosted by Spark are one task for each worker, all at once; Glue would take workers away from them. Leave it out, or take workers \'driver\''];
  }
  if (props.jobQueuing && host === 'fargate') yield ['jobQueuing', 'Step Functions has no queue; leave it out'];
  if (host === 'fargate' && fargate === undefined) {
    yield ['fargate', 'host \'fargate\' needs the image: { image: \'…/paceline:0.1.0\' }, built from docker/'];
  }
  if (host !== 'fargate' && fargate !== undefined) yield ['fargate', `host '${host}' does not use it; set host 'fargate'`];
  if (host !== 'python-shell' && props.pythonShellCapacity !== undefined) {
    yield ['pythonShellCapacity', `host '${host}' does not use it; set host 'python-shell'`];
  }
  if (fargate !== undefined) {
    const { cpu = 4096, memoryLimitMiB = 16_384 } = fargate;
    const range = FARGATE_SIZES[cpu];
    if (range === undefined) {
      yield ['fargate.cpu', `Fargate has no ${cpu}; take one of ${Object.keys(FARGATE_SIZES).join(', ')}`];
    } else if (memoryLimitMiB < range[0] || memoryLimitMiB > range[1] || memoryLimitMiB % 512 !== 0) {
      yield ['fargate.memoryLimitMiB', `${memoryLimitMiB} does not go with ${cpu} units; take ${range[0]} to ${range[1]}, in steps of 1024`];
    }
  }
}

function* dataFaults(props: SparkProcessingProps): Generator<Fault> {
  for (const prop of ['readPrefixes', 'writePrefixes'] as const) {
    for (const prefix of props[prop] ?? []) {
      if (!/^[^/*?\s][^*?\s]*\/$/.test(prefix)) {
        yield [prop, `'${prefix}' is no prefix: it ends with '/', does not begin with it, and has no wildcards`];
      } else if (RESERVED_PREFIXES.some((reserved) => prefix.startsWith(reserved))) {
        yield [prop, `'${prefix}' is kept for other things (${RESERVED_PREFIXES.join(', ')})`];
      }
    }
  }
  if (props.writePrefixes?.length === 0) yield ['writePrefixes', 'the job would write nowhere'];
  for (const origin of props.corsAllowedOrigins ?? []) {
    if (!/^https?:\/\/[^/*\s]+$/.test(origin)) {
      yield ['corsAllowedOrigins', `'${origin}' is not one origin; write each as https://app.example.com`];
    }
  }
  for (const name of props.secretNames ?? []) {
    if (!/^[A-Za-z0-9/_+=.@-]{1,512}$/.test(name)) {
      yield ['secretNames', `'${name}' is no name of a secret: letters, digits and /_+=.@- without wildcards`];
    }
  }
  for (const [name, value] of Object.entries(props.jobArguments ?? {})) {
    const reserved = RESERVED_ARGUMENTS[name];
    if (reserved !== undefined) yield ['jobArguments', `'${name}': ${reserved}`];
    if (!/^[A-Za-z][A-Za-z0-9_-]*$/.test(name)) yield ['jobArguments', `'${name}' is no name; write it without '--'`];
    if (props.sqlPath !== undefined && CLASSIC_ARGUMENTS.has(name)) {
      yield ['jobArguments', `'${name}' is for the job without sqlPath; statements say it themselves`];
    }
    yield* sparkFaults(name, value, props.glueNumberOfWorkers ?? props.glueJob?.numberOfWorkers ?? DEFAULT_JOB.numberOfWorkers);
  }
}

/** Settings of Spark that have gone wrong on Glue's workers. */
function* sparkFaults(name: string, value: string, workers: number): Generator<Fault> {
  // A speculative copy of a task would call the API for its rows again.
  if (/spark\.speculation\s*=\s*true/i.test(value)) yield ['jobArguments', `'${name}': speculation repeats calls`];
  if (/spark\.memory\.offHeap\.enabled\s*=\s*true/i.test(value)) {
    yield ['jobArguments', `'${name}': Glue's heap leaves no room for memory beside it (offHeap); take a larger worker type`];
  }
  const most = /spark\.dynamicAllocation\.maxExecutors\s*=\s*(\d+)/.exec(value)?.[1];
  if (most !== undefined && Number(most) > workers - 1) {
    yield ['jobArguments', `'${name}': ${workers} workers have ${workers - 1} executors, the driver has one of them; ${most} never come`];
  }
}

function* whole(prop: string, value: number, least: number, most: number, of: string): Generator<Fault> {
  if (!Number.isInteger(value) || value < least || value > most) {
    yield [prop, `${value} is not a number of ${of} from ${least} to ${most}`];
  }
}
