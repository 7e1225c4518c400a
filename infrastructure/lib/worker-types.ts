// The worker types of AWS Glue, and which of them an ETL job may have.

/** What one worker is. Source: AWS Glue's documentation of worker types. */
export interface WorkerSize {
  /** Data processing units, which Glue bills per second (M-DPU for R types). */
  readonly dpu: number;
  readonly vCpu: number;
  readonly memoryGb: number;
}

export const WORKER_TYPES: Readonly<Record<string, WorkerSize>> = {
  'G.1X': { dpu: 1, vCpu: 4, memoryGb: 16 },
  'G.2X': { dpu: 2, vCpu: 8, memoryGb: 32 },
  'G.4X': { dpu: 4, vCpu: 16, memoryGb: 64 },
  'G.8X': { dpu: 8, vCpu: 32, memoryGb: 128 },
  'G.12X': { dpu: 12, vCpu: 48, memoryGb: 192 },
  'G.16X': { dpu: 16, vCpu: 64, memoryGb: 256 },
  'R.1X': { dpu: 1, vCpu: 4, memoryGb: 32 },
  'R.2X': { dpu: 2, vCpu: 8, memoryGb: 64 },
  'R.4X': { dpu: 4, vCpu: 16, memoryGb: 128 },
  'R.8X': { dpu: 8, vCpu: 32, memoryGb: 256 },
};

/** Types that Glue knows and that this job cannot have, each with the reason. */
export const REFUSED_WORKER_TYPES: Readonly<Record<string, string>> = {
  'G.025X': 'it is for streaming jobs only',
  Standard: 'it ended with Glue 2.0',
  'Z.2X': 'it is for Ray jobs only',
};
