#!/usr/bin/env node
// What `cdk deploy` deploys: the values of a job are said here.
import { application } from '../lib/app';
import { deploymentOf, readEnvFile } from '../lib/environment';

const { app } = application(deploymentOf(process.env, readEnvFile()), {
  glueWorkerType: 'G.1X',
  glueNumberOfWorkers: 10,
  glueTimeout: 2880,
  enableEncryption: true,
  enableMetrics: true,
  alarmThresholds: { failedTasks: 5, memoryUtilization: 85, processingTime: 3600 },
});
app.synth();
