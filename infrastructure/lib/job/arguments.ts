// The arguments that a job has on every host, in the names of `paceline.glue` and of Glue itself.
import type { Settings } from '../settings';
import { TEMPORARY } from '../storage';
import type { Uploaded } from './assets';

/** Arguments of `paceline.glue.main()`, without `--`; what a run gives itself wins. */
export function pacelineArguments(settings: Settings, sql: Uploaded | undefined): Record<string, string> {
  const { job } = settings;
  return {
    // The launcher refuses arguments of the classic job beside statements.
    ...(sql === undefined ? { source_bucket: settings.bucketName } : { 'paceline-job': sql.url }),
    // Checkpoints of a job of statements are kept there, so that the next attempt finds them.
    TempDir: `s3://${settings.bucketName}/${TEMPORARY}`,
    // The launcher publishes unless it is told not to, and without metrics the role lets nobody publish.
    metrics_namespace: settings.metrics ? settings.monitoring.metricNamespace : 'none',
    ...(settings.workers === 'spark'
      ? {
          'paceline-workers': 'spark',
          'paceline-worker-type': job.workerType,
          'paceline-number-of-workers': String(job.numberOfWorkers),
        }
      : {}),
    ...settings.jobArguments,
    // The engine's metrics have this name as their dimension JobName, on hosts that do not tell a job its name too.
    'paceline-conf': [`spark.app.name=${settings.jobName}`, settings.jobArguments['paceline-conf']].filter(Boolean).join(' --paceline-conf '),
  };
}

/** Glue's own arguments of an ETL job, without `--`. `logGroup` is the group, or its prefix, that its logs go to. */
export function glueArguments(settings: Settings, logGroup: string): Record<string, string> {
  const five = settings.job.glueVersion !== '4.0';
  return {
    'job-language': 'python',
    'enable-continuous-cloudwatch-log': 'true',
    // Glue 5 names what it writes to after a prefix, Glue 4 one group.
    [five ? 'custom-logGroup-prefix' : 'continuous-log-logGroup']: logGroup,
    ...(settings.metrics ? { 'enable-metrics': 'true', 'enable-observability-metrics': 'true' } : {}),
    ...(settings.autoScaling ? { 'enable-auto-scaling': 'true' } : {}),
  };
}

/** As Glue wants its arguments. */
export function dashed(named: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(named).map(([name, value]) => [`--${name}`, value]));
}
