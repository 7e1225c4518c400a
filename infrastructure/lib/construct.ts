// SparkProcessingConstruct: bucket, job, permissions, logs and monitoring of one job, put together.
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as glue from 'aws-cdk-lib/aws-glue';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { DEFAULT_SCRIPT, uploaded, wheelOf, type Uploaded } from './job/assets';
import { fargateJob, type FargateJob } from './job/fargate';
import { glueJob } from './job/glue';
import { exportLogs } from './log-export';
import { logGroup, logGroupNames, sharedLogGroups } from './logs';
import { alarms } from './monitoring/alarms';
import { dashboard } from './monitoring/dashboard';
import { alarmTopic, reportRuns } from './monitoring/notifications';
import { grant, jobRole } from './permissions';
import type { SparkProcessingConstructProps } from './props';
import { settingsOf, type Settings } from './settings';
import { buckets } from './storage';

export class SparkProcessingConstruct extends Construct {
  readonly settings: Settings;
  readonly bucket: s3.Bucket;
  readonly accessLogsBucket: s3.Bucket;
  readonly role: iam.Role;
  /** The job where `host` is glue or python-shell. */
  readonly glueJob: glue.CfnJob | undefined;
  /** The job where `host` is fargate. */
  readonly fargateJob: FargateJob | undefined;
  readonly alarmTopic: sns.ITopic;
  /** None where `enableMetrics` is off. */
  readonly alarms: readonly cloudwatch.Alarm[];
  readonly dashboard: cloudwatch.Dashboard | undefined;

  constructor(scope: Construct, id: string, props: SparkProcessingConstructProps) {
    super(scope, id);
    const settings = settingsOf(props);
    const key = props.encryptionKey;
    if (settings.encrypted !== (key !== undefined)) {
      throw new Error(
        settings.encrypted
          ? 'encryptionKey: enableEncryption is on and there is no key; SparkProcessingStack makes one'
          : 'encryptionKey: enableEncryption is off, so the key would not be used; leave one of them out',
      );
    }
    this.settings = settings;

    const { data, accessLogs } = buckets(this, settings, key);
    this.bucket = data;
    this.accessLogsBucket = accessLogs;

    this.role = jobRole(this, settings);
    const sql = props.sqlPath === undefined ? undefined : uploaded(this, 'Sql', props.sqlPath);
    const groups = logGroupNames(settings, this.role.roleName).map((name, index) => logGroup(this, `JobLogs${index}`, name, settings, key));
    const files: Uploaded[] = sql === undefined ? [] : [sql];
    if (settings.host === 'fargate') {
      const [logs] = groups;
      if (props.fargate === undefined || logs === undefined) throw new Error('fargate: settings were not checked');
      this.fargateJob = fargateJob(this, settings, { config: props.fargate, role: this.role, key, logs, sql });
    } else {
      const script = uploaded(this, 'Script', props.glueJobScript ?? DEFAULT_SCRIPT);
      const wheel = uploaded(this, 'Wheel', wheelOf(props.wheelPath));
      files.push(script, wheel);
      this.glueJob = glueJob(this, settings, this.role, key, { script, wheel, sql });
      // Glue would make them at its first run, without retention and key.
      groups.forEach((group) => this.glueJob?.node.addDependency(group));
    }
    const logGroups = [...groups.map((group) => group.logGroupName), ...sharedLogGroups(settings)];
    grant(this.role, settings, { bucket: data, key, files, logGroups });
    exportLogs(this, settings, groups, data, key);

    this.alarmTopic = alarmTopic(this, settings, key);
    reportRuns(this, settings, this.alarmTopic, this.fargateJob?.stateMachine.stateMachineArn);
    this.alarms = settings.metrics ? alarms(this, settings, this.alarmTopic) : [];
    this.dashboard = settings.metrics ? dashboard(this, settings, data, [...this.alarms], this.fargateNames()) : undefined;
  }

  private fargateNames(): { cluster: string; family: string } | undefined {
    const job = this.fargateJob;
    return job === undefined ? undefined : { cluster: job.cluster.clusterName, family: job.task.family };
  }
}
