// Where the files of this package and of the repository are, from its sources and from its build alike.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of this package. */
export const PACKAGE = findPackage(__dirname);

/** The folder of the repository. */
export const REPOSITORY = dirname(PACKAGE);

function findPackage(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : findPackage(dirname(folder));
}
