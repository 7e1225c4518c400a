// What the job needs besides its arguments, script, wheel and SQL: uploaded with the stack, or where an s3:// URI says.
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { AssetStaging, FileAssetPackaging, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { PACKAGE, REPOSITORY } from '../paths';

/** An object on S3 that the job reads. */
export interface Uploaded {
  readonly url: string;
  readonly arn: string;
}

/** The script that runs where no prop names another. */
export const DEFAULT_SCRIPT = join(PACKAGE, 'scripts', 'processor.py');

/**
 * A file of this machine, or an `s3://` URI as it is.
 *
 * Its key keeps the file's name: pip takes version and platform of a wheel from its name, and refuses one that is named by a hash,
 * as assets of the CDK are otherwise.
 */
export function uploaded(scope: Construct, id: string, place: string): Uploaded {
  const stack = Stack.of(scope);
  if (place.startsWith('s3://')) {
    return { url: place, arn: `arn:${stack.partition}:s3:::${place.slice('s3://'.length)}` };
  }
  const staging = new AssetStaging(scope, id, { sourcePath: place });
  const file = basename(place);
  const { bucketName, objectKey } = stack.synthesizer.addFileAsset({
    fileName: staging.relativeStagedPath(stack),
    packaging: FileAssetPackaging.FILE,
    sourceHash: `${staging.assetHash}/${file.slice(0, file.lastIndexOf('.'))}`,
    displayName: file,
  });
  return { url: `s3://${bucketName}/${objectKey}`, arn: `arn:${stack.partition}:s3:::${bucketName}/${objectKey}` };
}

/** The wheel that a prop names, or the one that `make wheel` has built for Glue's machines. */
export function wheelOf(wheelPath: string | undefined, folder = join(REPOSITORY, 'dist')): string {
  if (wheelPath !== undefined) return wheelPath;
  const built = namesIn(folder).filter((name) => /^paceline_glue-.*(x86_64|any)\.whl$/.test(name));
  const [wheel, ...others] = built;
  if (wheel === undefined) {
    throw new Error(`there is no wheel ${folder}/paceline_glue-*.whl for the job to run: build it with 'make wheel', or give wheelPath`);
  }
  if (others.length > 0) {
    throw new Error(`several wheels are in ${folder} (${built.join(', ')}): remove the old ones, or give wheelPath`);
  }
  return join(folder, wheel);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
