// The job: what Glue, its Python shell and Fargate are told.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import jsonata from 'jsonata';
import { describe, expect, test } from 'vitest';
import { commandOf } from '../lib/job/fargate';
import { DEFAULT_JOB } from '../lib/props';
import { settingsOf } from '../lib/settings';
import { WORKER_TYPES } from '../lib/worker-types';
import { PACKAGE, REPOSITORY } from '../lib/paths';
import { synthesise } from './synthesise';
import { properties, resources, templateOf, text } from './template';

interface Job {
  readonly Command: { readonly Name: string; readonly PythonVersion: string; readonly ScriptLocation: unknown };
  readonly DefaultArguments: Record<string, unknown>;
  readonly [property: string]: unknown;
}

const jobOf = (changes = {}) => properties<Job>(templateOf(changes), 'AWS::Glue::Job');

describe('an ETL job', () => {
  test('has the defaults of the Python project', () => {
    const job = jobOf();
    expect(job).toMatchObject({
      Name: 'spark-processing-job',
      Command: { Name: 'glueetl', PythonVersion: '3' },
      GlueVersion: '5.0',
      WorkerType: 'G.1X',
      NumberOfWorkers: 10,
      Timeout: 2880,
      MaxRetries: 2,
      ExecutionProperty: { MaxConcurrentRuns: 3 },
      NotificationProperty: { NotifyDelayAfter: 1440 },
      JobRunQueuingEnabled: false,
    });
    expect(DEFAULT_JOB.securityConfiguration).toBe('GlueSecurityConfig');
  });

  test.each(['4.0', '5.0', '5.1'])('on Glue %s runs Python 3 with metrics and logs on', (glueVersion) => {
    const job = jobOf({ glueJob: { glueVersion } });
    expect(job.GlueVersion).toBe(glueVersion);
    expect(job.Command.PythonVersion).toBe('3');
    expect(job.DefaultArguments).toMatchObject({
      '--enable-metrics': 'true',
      '--enable-observability-metrics': 'true',
      '--enable-continuous-cloudwatch-log': 'true',
    });
    const own = glueVersion === '4.0' ? '--continuous-log-logGroup' : '--custom-logGroup-prefix';
    expect(job.DefaultArguments[own]).toBe('/aws-glue/jobs/spark-processing-job');
  });

  test.each(Object.keys(WORKER_TYPES))('may have workers of type %s', (glueWorkerType) => {
    expect(jobOf({ glueWorkerType }).WorkerType).toBe(glueWorkerType);
  });

  test('without metrics publishes none, and says so to the launcher, which would', () => {
    const given = jobOf({ enableMetrics: false }).DefaultArguments;
    expect(Object.keys(given).filter((name) => name.includes('metrics'))).toEqual(['--metrics_namespace']);
    expect(given['--metrics_namespace']).toBe('none');
  });

  test('takes worker type, workers and timeout from either prop', () => {
    const one = { glueWorkerType: 'G.2X', glueNumberOfWorkers: 4, glueTimeout: 60 };
    const other = { glueJob: { workerType: 'G.2X', numberOfWorkers: 4, timeout: 60 } };
    const wanted = { WorkerType: 'G.2X', NumberOfWorkers: 4, Timeout: 60 };
    expect(jobOf(one)).toMatchObject(wanted);
    expect(jobOf(other)).toMatchObject(wanted);
  });

  test('a prop that is undefined leaves its default', () => {
    expect(jobOf({ glueWorkerType: undefined, glueJob: { timeout: undefined } })).toMatchObject({ WorkerType: 'G.1X', Timeout: 2880 });
  });

  test('scales while the driver alone calls the API, and never under executors that Spark hosts', () => {
    expect(jobOf().DefaultArguments['--enable-auto-scaling']).toBe('true');
    expect(jobOf({ autoScaling: false }).DefaultArguments).not.toHaveProperty('--enable-auto-scaling');
    const spark = jobOf({ workers: 'spark' }).DefaultArguments;
    expect(spark).not.toHaveProperty('--enable-auto-scaling');
    expect(spark).toMatchObject({ '--paceline-workers': 'spark', '--paceline-worker-type': 'G.1X', '--paceline-number-of-workers': '10' });
    expect(() => synthesise({ workers: 'spark', autoScaling: true })).toThrow(/autoScaling: executors hosted by Spark/);
  });

  test('whose runs wait in a queue is not retried', () => {
    expect(jobOf({ jobQueuing: true })).toMatchObject({ JobRunQueuingEnabled: true, MaxRetries: 0 });
  });

  test('gives the engine its name, by which alarms find its metrics, before settings of the props', () => {
    expect(jobOf().DefaultArguments['--paceline-conf']).toBe('spark.app.name=spark-processing-job');
    const job = jobOf({ jobArguments: { 'paceline-conf': 'paceline.batch.rows=100' } });
    expect(job.DefaultArguments['--paceline-conf']).toBe('spark.app.name=spark-processing-job --paceline-conf paceline.batch.rows=100');
  });

  test('has the arguments of the props, and the data bucket as its source', () => {
    const job = jobOf({ jobArguments: { source_key: 'input/records.csv', batch_size: '500' } });
    expect(job.DefaultArguments).toMatchObject({ '--source_key': 'input/records.csv', '--batch_size': '500', '--metrics_namespace': 'SparkProcessing' });
    expect(text(job.DefaultArguments['--source_bucket'])).toContain('spark-processing-');
    expect(text(job.DefaultArguments['--TempDir'])).toContain('/temporary/');
  });
});

describe('the files of the job', () => {
  test('script and wheel are uploaded under their own names, for pip reads version and platform from a wheel\'s', () => {
    const job = jobOf();
    expect(text(job.Command.ScriptLocation)).toMatch(/\/[0-9a-f]{64}\/processor\.py"/);
    expect(text(job.DefaultArguments['--additional-python-modules'])).toMatch(/\/[0-9a-f]{64}\/paceline_glue-0\.0\.0-py3-none-any\.whl"/);
  });

  test('the script that is uploaded calls paceline.glue and nothing else', () => {
    const { stack, folder } = synthesise();
    const manifest = JSON.parse(readFileSync(join(folder, `${stack.stackName}.assets.json`), 'utf8')) as { files: Record<string, { displayName?: string; source: { path: string } }> };
    const script = Object.values(manifest.files).find((file) => file.displayName === 'processor.py');
    const lines = readFileSync(join(folder, script?.source.path ?? ''), 'utf8').split('\n').filter((line) => line !== '' && !line.startsWith('"""'));
    expect(lines).toEqual(['import paceline.glue', 'paceline.glue.main()']);
  });

  test('URIs are used as they are, and the role may read just them', () => {
    const changes = { glueJobScript: 's3://code/scripts/mine.py', wheelPath: 's3://code/w/paceline_glue-1.0-py3-none-any.whl', sqlPath: 's3://code/job.sql' };
    const job = jobOf(changes);
    expect(job.Command.ScriptLocation).toBe('s3://code/scripts/mine.py');
    expect(job.DefaultArguments).toMatchObject({ '--additional-python-modules': changes.wheelPath, '--paceline-job': 's3://code/job.sql' });
    const policy = text(properties(templateOf(changes), 'AWS::IAM::Policy', 'GlueJobRole'));
    for (const key of ['code/scripts/mine.py', 'code/w/paceline_glue-1.0-py3-none-any.whl', 'code/job.sql']) expect(policy).toContain(`:s3:::${key}"`);
  });

  test('the output that starts a run gives arguments of the classic job to no other', () => {
    const start = (changes: object) => text(templateOf(changes).findOutputs('Start'));
    expect(start({}).replaceAll('\\', '')).toContain(`--arguments '{"--source_key":"input/records.csv","--api_endpoint":"https://api.example.com/process"}'`);
    expect(start({ sqlPath: 's3://code/job.sql' })).toContain('start-job-run --job-name spark-processing-job"');
    const fargate = { host: 'fargate', fargate: { image: '123456789012.dkr.ecr.eu-central-1.amazonaws.com/paceline:0.1.0' } };
    expect(start(fargate)).toContain('--input');
    expect(start({ ...fargate, sqlPath: 's3://code/job.sql' })).not.toContain('--input');
  });

  test('SQL is uploaded too', () => {
    const job = jobOf({ sqlPath: join(PACKAGE, 'cdk.json') });
    expect(job.DefaultArguments).not.toHaveProperty('--source_bucket');
    expect(text(job.DefaultArguments['--paceline-job'])).toMatch(/\/cdk\.json"/);
  });
});

describe('a Python shell job', () => {
  test('has one machine without a JVM, and no arguments of Spark', () => {
    const job = jobOf({ host: 'python-shell' });
    expect(job).toMatchObject({ Command: { Name: 'pythonshell', PythonVersion: '3.9' }, MaxCapacity: 1, MaxRetries: 2 });
    for (const property of ['WorkerType', 'NumberOfWorkers', 'GlueVersion']) expect(job).not.toHaveProperty(property);
    expect(Object.keys(job.DefaultArguments).sort()).toEqual(['--TempDir', '--additional-python-modules', '--metrics_namespace', '--paceline-conf', '--source_bucket']);
    expect(jobOf({ host: 'python-shell', pythonShellCapacity: 0.0625 }).MaxCapacity).toBe(0.0625);
  });
});

describe('a job on Fargate', () => {
  const changes = { host: 'fargate', fargate: { image: '123456789012.dkr.ecr.eu-central-1.amazonaws.com/paceline:0.1.0' } } as const;

  test('is a task as large as a G.1X, without Glue', () => {
    const template = templateOf(changes);
    expect(Object.keys(resources(template, 'AWS::Glue::Job'))).toEqual([]);
    expect(properties(template, 'AWS::ECS::TaskDefinition')).toMatchObject({ Cpu: '4096', Memory: '16384', Family: 'spark-processing-job' });
  });

  test('starts the launcher, whatever its image starts otherwise: the slim one of docker/ starts the program', () => {
    const task = properties<{ ContainerDefinitions: { EntryPoint?: string[]; Command?: string[] }[] }>(templateOf(changes), 'AWS::ECS::TaskDefinition');
    expect(task.ContainerDefinitions.map((container) => container.EntryPoint)).toEqual([['python3', '-m', 'paceline.glue']]);
    expect(readFileSync(join(REPOSITORY, 'docker', 'Dockerfile'), 'utf8')).toContain('ENTRYPOINT ["paceline"]');
  });

  test('may pull its image, and lets nothing in', () => {
    const template = templateOf(changes);
    expect(text(properties(template, 'AWS::IAM::Policy', 'TaskExecutionRole'))).toContain(':ecr:eu-central-1:123456789012:repository/paceline"');
    expect(properties(template, 'AWS::EC2::SecurityGroup', 'TaskSecurityGroup')).not.toHaveProperty('SecurityGroupIngress');
  });

  test('is started by a state machine that retries failures, not timeouts', () => {
    const definition = text(properties<{ DefinitionString: unknown }>(templateOf(changes), 'AWS::StepFunctions::StateMachine').DefinitionString);
    expect(definition).toContain('ecs:runTask.sync');
    expect(definition).toContain('\\"ErrorEquals\\":[\\"States.TaskFailed\\"]');
    expect(definition).toContain('\\"MaxAttempts\\":2');
    expect(definition).toContain('\\"TimeoutSeconds\\":172800');
  });

  test('gets the stack\'s arguments, the run\'s own last, and a run id that tells attempts apart', async () => {
    const settings = settingsOf({ bucketName: 'data', glueJobName: 'job', jobArguments: { batch_size: '500' }, ...changes });
    const command = async (retry: number, input: object) => {
      const states = { input, context: { State: { RetryCount: retry }, Execution: { Name: 'run-1' } } };
      return (await jsonata(commandOf(settings, undefined)).evaluate({}, { states })) as unknown;
    };
    const fixed = ['--JOB_NAME=job', '--source_bucket=data', '--TempDir=s3://data/temporary/', '--metrics_namespace=SparkProcessing', '--batch_size=500', '--paceline-conf=spark.app.name=job'];
    expect(await command(0, {})).toEqual([...fixed, '--JOB_RUN_ID=run-1']);
    expect(await command(2, { source_key: 'input/a.csv' })).toEqual([...fixed, '--JOB_RUN_ID=run-1_attempt_2', '--source_key=input/a.csv']);
    expect(await command(0, { source_key: 'a', batch_size: 7 })).toEqual([...fixed, '--JOB_RUN_ID=run-1', '--source_key=a', '--batch_size=7']);
  });
});
